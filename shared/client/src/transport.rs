//! One exchange with the API, within limits of time and size.

use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;

use crate::error::Error;

/// Shared, because reading the root certificates takes time.
static CONNECTOR: LazyLock<Result<HttpsConnector<HttpConnector>, String>> = LazyLock::new(|| {
    let builder = HttpsConnectorBuilder::new().with_native_roots();
    let builder = builder.map_err(|error| format!("no TLS root certificates: {error}"))?;
    Ok(builder.https_or_http().enable_http1().build())
});

/// Connections to the API.
#[derive(Debug, Clone)]
pub(crate) struct Transport(legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

impl Transport {
    pub(crate) fn new() -> Result<Self, Error> {
        let connector = CONNECTOR.clone().map_err(Error::Unsendable)?;
        Ok(Self(legacy::Client::builder(TokioExecutor::new()).build(connector)))
    }

    /// Sends a request and reads the whole response.
    ///
    /// # Errors
    ///
    /// A sentence, if there is no response in time or it is too large.
    pub(crate) async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        patience: Duration,
        answer_bytes_max: usize,
    ) -> Result<Response<Bytes>, String> {
        let exchange = async {
            let answer = self.0.request(request).await.map_err(|error| in_words(&error))?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, answer_bytes_max).collect().await;
            let body = body.map_err(|error| in_words(&*error))?.to_bytes();
            Ok(Response::from_parts(head, body))
        };
        timeout(patience, exchange).await.unwrap_or_else(|_| Err("timed out".to_owned()))
    }
}

fn in_words(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
