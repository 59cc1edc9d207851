//! `FunctionUrlConfig`: an address of one function.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::cors;
use super::error::TemplateError;
use super::model::{Api, ApiKind, DEFAULT_ROUTE, DEFAULT_STAGE, Route};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct FunctionUrlProperties {
    auth_type: AuthType,
    cors: Option<Value>,
    #[serde(default)]
    invoke_mode: InvokeMode,
}

#[derive(Deserialize)]
enum AuthType {
    #[serde(rename = "NONE")]
    Public,
    #[serde(rename = "AWS_IAM")]
    Signed,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum InvokeMode {
    #[default]
    Buffered,
    ResponseStream,
}

impl FunctionUrlProperties {
    /// The function's URL as an API with one route.
    pub(super) fn into_api(self, function: &str) -> Result<Api, TemplateError> {
        if matches!(self.invoke_mode, InvokeMode::ResponseStream) {
            let place = "FunctionUrlConfig/InvokeMode";
            return Err(TemplateError::in_resource(function, place, "streamed responses"));
        }
        let path = format!("/Resources/{function}/Properties/FunctionUrlConfig/Cors");
        Ok(Api {
            logical_id: format!("{function}Url"),
            kind: ApiKind::FunctionUrl { signed: matches!(self.auth_type, AuthType::Signed) },
            stage: DEFAULT_STAGE.to_owned(),
            routes: vec![Route {
                method: "ANY".to_owned(),
                path: DEFAULT_ROUTE.to_owned(),
                function: function.to_owned(),
                authorizer: None,
                timeout: None,
            }],
            authorizers: BTreeMap::new(),
            jwt_authorizers: BTreeMap::new(),
            cors: cors::of_http(&path, self.cors)?,
            throttle: None,
        })
    }
}
