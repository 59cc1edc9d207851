//! The HTTP of a function under test: no request leaves the process.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use http::{Request, Response, StatusCode};
use lifecycle::error::BoxError;
use serde_json::{Value, json};

use super::dynamodb::Tables;
use super::refusal::Refusal;

/// The header with the operation of an AWS service: `DynamoDB_20120810.GetItem`.
const TARGET: &str = "x-amz-target";

/// The responses of a host.
pub(super) type Respond = Arc<dyn Fn(&Request<Vec<u8>>) -> Response<Vec<u8>> + Send + Sync>;

/// Responds in place of AWS and of all other hosts.
pub(super) struct Responder {
    pub(super) tables: Tables,
    /// The texts of the secrets, by name.
    pub(super) secrets: BTreeMap<&'static str, String>,
    pub(super) hosts: BTreeMap<String, Respond>,
}

impl Responder {
    fn respond(&self, request: HttpRequest) -> Result<HttpResponse, BoxError> {
        let request = request.try_into_http1x()?;
        let request = request.map(|body| body.bytes().unwrap_or_default().to_vec());
        let target = request.headers().get(TARGET).and_then(|target| target.to_str().ok());
        let response = match target.and_then(|target| target.split_once('.')) {
            Some(("DynamoDB_20120810", operation)) => {
                of_aws(self.tables.read(operation, request.body()))?
            }
            // A health check asks for them, and reads none.
            Some(("AmazonSQS", "GetQueueAttributes")) => of_aws(Ok(json!({ "Attributes": {} })))?,
            Some(("secretsmanager", "GetSecretValue")) => of_aws(self.secret(request.body()))?,
            _ => {
                let host = request.uri().host().unwrap_or_default();
                let respond = self.hosts.get(host);
                let respond =
                    respond.ok_or_else(|| format!("the test has no responses of {host}"))?;
                respond(&request)
            }
        };
        Ok(HttpResponse::try_from(response.map(SdkBody::from))?)
    }

    fn secret(&self, request: &[u8]) -> Result<Value, Refusal> {
        let request: Value = serde_json::from_slice(request).unwrap_or_default();
        let id = request["SecretId"].as_str().unwrap_or_default();
        let text = self
            .secrets
            .get(id)
            .ok_or_else(|| Refusal::not_found(format!("the test has no secret {id}")))?;
        Ok(json!({ "Name": id, "SecretString": text }))
    }
}

/// A response in the form of AWS's JSON services.
fn of_aws(answer: Result<Value, Refusal>) -> Result<Response<Vec<u8>>, BoxError> {
    let (status, body) = match answer {
        Ok(body) => (StatusCode::OK, body),
        Err(refusal) => (StatusCode::BAD_REQUEST, refusal.body()),
    };
    let response = Response::builder().status(status).header("x-amzn-requestid", "test");
    Ok(response.body(serde_json::to_vec(&body)?)?)
}

impl HttpConnector for Responder {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(self.respond(request).map_err(ConnectorError::user))
    }
}

/// Does not show the secrets.
impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responder").finish_non_exhaustive()
    }
}
