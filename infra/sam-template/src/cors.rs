//! The CORS configurations of HTTP APIs, function URLs and REST APIs.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::deserialize::{flag, optional_seconds_within};
use super::error::TemplateError;
use super::model::Cors;
use super::reader::parse;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct CorsProperties {
    #[serde(default)]
    allow_origins: Vec<String>,
    #[serde(default)]
    allow_methods: Vec<String>,
    #[serde(default)]
    allow_headers: Vec<String>,
    #[serde(default)]
    expose_headers: Vec<String>,
    #[serde(default, deserialize_with = "optional_seconds_within::<_, 0, 86_400>")]
    max_age: Option<Duration>,
    #[serde(default, deserialize_with = "flag")]
    allow_credentials: bool,
}

/// The values of a REST API's headers, each in single quotes.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RestCorsProperties {
    #[serde(default)]
    allow_origin: String,
    #[serde(default)]
    allow_methods: String,
    #[serde(default)]
    allow_headers: String,
    max_age: Option<Value>,
    #[serde(default, deserialize_with = "flag")]
    allow_credentials: bool,
}

/// The configuration of an HTTP API: `true` for all origins, or an object. A `MaxAge` of -1
/// disables caching, as 0 does.
pub(super) fn of_http_api(
    path: &str,
    mut cors: Option<Value>,
) -> Result<Option<Cors>, TemplateError> {
    let max_age = cors.as_mut().and_then(|cors| cors.get_mut("MaxAge"));
    if let Some(max_age) = max_age
        && (*max_age == -1 || *max_age == "-1")
    {
        *max_age = json!(0);
    }
    of_http(path, cors)
}

/// The configuration of an HTTP API or a function URL: `true` for all origins, or an object.
pub(super) fn of_http(path: &str, cors: Option<Value>) -> Result<Option<Cors>, TemplateError> {
    match cors {
        None | Some(Value::Null | Value::Bool(false)) => Ok(None),
        Some(Value::Bool(true)) => {
            Ok(Some(Cors { allow_origins: vec!["*".to_owned()], ..Cors::default() }))
        }
        Some(cors) => {
            let cors: CorsProperties = parse(path, object(path, cors)?, Vec::new())?;
            Ok(Some(Cors {
                allow_origins: cors.allow_origins,
                allow_methods: cors.allow_methods,
                allow_headers: cors.allow_headers,
                expose_headers: cors.expose_headers,
                max_age: cors.max_age,
                allow_credentials: cors.allow_credentials,
                preflight_authorizer: None,
            }))
        }
    }
}

/// The configuration of a REST API: an origin, or an object.
pub(super) fn of_rest(path: &str, cors: Option<Value>) -> Result<Option<Cors>, TemplateError> {
    let cors = match cors {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(origin)) => json!({ "AllowOrigin": origin }),
        Some(cors) => cors,
    };
    let cors: RestCorsProperties = parse(path, object(path, cors)?, Vec::new())?;
    let words = |value: &Value| value.to_string().replace(['"', '\''], "");
    let max_age = cors.max_age.as_ref().and_then(|age| words(age).parse().ok());
    Ok(Some(Cors {
        allow_origins: unquoted(&cors.allow_origin),
        allow_methods: unquoted(&cors.allow_methods),
        allow_headers: unquoted(&cors.allow_headers),
        expose_headers: Vec::new(),
        max_age: max_age.map(Duration::from_secs),
        allow_credentials: cors.allow_credentials,
        preflight_authorizer: None,
    }))
}

/// The items of a list in single quotes.
fn unquoted(list: &str) -> Vec<String> {
    let items = list.trim_matches('\'').split(',').map(str::trim);
    items.filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

fn object(path: &str, value: Value) -> Result<Map<String, Value>, TemplateError> {
    match value {
        Value::Object(object) => Ok(object),
        other => Err(TemplateError::not_understood(path, &other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_http_api_may_disable_caching_by_minus_one() {
        for max_age in [json!(-1), json!("-1"), json!(0)] {
            let cors = of_http_api("", Some(json!({ "MaxAge": max_age }))).unwrap().unwrap();
            assert_eq!(cors.max_age, Some(Duration::ZERO), "{max_age}");
        }
        assert!(of_http_api("", Some(json!({"MaxAge": -2}))).is_err());
        assert!(of_http("", Some(json!({"MaxAge": -1}))).is_err());
    }

    #[test]
    fn a_flag_allows_all_origins_and_quotes_are_removed() {
        assert_eq!(of_http("", Some(json!(true))).unwrap().unwrap().allow_origins, ["*"]);
        let rest = json!({"AllowOrigin": "'*'", "AllowMethods": "'GET, POST'", "MaxAge": "'600'"});
        let rest = of_rest("", Some(rest)).unwrap().unwrap();
        assert_eq!((rest.allow_origins, rest.allow_methods.len()), (vec!["*".to_owned()], 2));
        assert_eq!(rest.max_age, Some(Duration::from_mins(10)));
        assert_eq!(of_rest("", Some(json!("'*'"))).unwrap().unwrap().allow_origins, ["*"]);
    }
}
