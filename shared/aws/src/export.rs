//! Export of telemetry to a collector.

use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use http::header::CONTENT_TYPE;
use lifecycle::ServiceError;

use crate::Aws;

impl Aws {
    /// Makes one attempt: lost telemetry is acceptable, a delay is not.
    pub(crate) async fn post_json(
        &self,
        url: &str,
        headers: &[(String, String)],
        json: Vec<u8>,
    ) -> Result<(), ServiceError> {
        let mut request = http::Request::post(url).header(CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(SdkBody::from(json)).map_err(ServiceError::internal)?;
        let request = HttpRequest::try_from(request).map_err(ServiceError::internal)?;
        // A plain-HTTP collector runs next to the function and needs no TLS roots.
        let connector = if url.starts_with("https:") {
            self.public_roots_connector()
        } else {
            self.connector()
        };
        let answer = connector.call(request).await;
        let answer = answer.map_err(|error| ServiceError::Upstream(error.into()))?;
        if answer.status().is_success() {
            return Ok(());
        }
        let status = answer.status().as_u16();
        Err(ServiceError::Upstream(format!("the collector answered {status}").into()))
    }
}
