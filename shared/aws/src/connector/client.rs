//! HTTP/1.1 requests over pooled connections.

#![allow(clippy::result_large_err, reason = "an unsent request comes back, to be sent again")]

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::connection::CaptureSmithyConnection;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use http::Request;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::body::{Lease, LeasedBody};
use super::connection::{Connection, failed};
use super::origin::Origin;
use super::pool::Pool;
use super::tls::Tls;

/// The maximum time to open a connection, with its TLS handshake. After it the attempt fails.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// There was no connection in time, so nothing was sent.
#[derive(Debug, thiserror::Error)]
#[error("no connection within {CONNECT_TIMEOUT:?}")]
pub(crate) struct NotConnected;

/// Sends HTTP/1.1 requests. Clones share the pool.
#[derive(Clone)]
pub(super) struct Client {
    pool: Arc<Pool>,
    tls: TlsConnector,
}

impl Client {
    pub(super) fn new(tls: &Tls) -> Self {
        Self { pool: Arc::default(), tls: tls.connector() }
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = request.try_into_http1x();
        let mut request = request.map_err(|error| ConnectorError::user(error.into()))?;
        let origin = Origin::of(request.uri()).map_err(ConnectorError::user)?;
        origin.address(&mut request).map_err(ConnectorError::user)?;
        // Each turn takes another connection out of the pool, and the last one opens a new one.
        while let Some(mut connection) = self.pool.take(&origin) {
            // Its last response has been read, so it is ready at once or closed.
            if connection.sender.ready().await.is_err() {
                continue;
            }
            match self.send(&origin, connection, request).await {
                Ok(response) => return Ok(response),
                Err(Unsent { request: Some(unsent), .. }) => request = unsent,
                Err(Unsent { error, .. }) => return Err(error),
            }
        }
        let connection = self.open(&origin).await?;
        self.send(&origin, connection, request).await.map_err(|unsent| unsent.error)
    }

    async fn open(&self, origin: &Origin) -> Result<Connection, ConnectorError> {
        let opened = timeout(CONNECT_TIMEOUT, Connection::open(origin, &self.tls)).await;
        opened.unwrap_or_else(|_| Err(ConnectorError::timeout(NotConnected.into())))
    }

    async fn send(
        &self,
        origin: &Origin,
        mut connection: Connection,
        request: Request<SdkBody>,
    ) -> Result<HttpResponse, Unsent> {
        if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
            let metadata = connection.metadata();
            capture.set_connection_retriever(move || Some(metadata.clone()));
        }
        let response = connection.sender.try_send_request(request).await.map_err(|mut error| {
            let request = error.take_message();
            Unsent { request, error: failed(error.into_error()) }
        })?;
        let lease = Lease { pool: Arc::clone(&self.pool), origin: origin.clone(), connection };
        let response = response.map(|body| SdkBody::from_body_1_x(LeasedBody::new(body, lease)));
        HttpResponse::try_from(response).map_err(|error| Unsent {
            request: None,
            error: ConnectorError::other(error.into(), None),
        })
    }
}

/// A request without a response. If nothing of it was sent, it is returned: its connection was
/// closed while it waited.
struct Unsent {
    request: Option<Request<SdkBody>>,
    error: ConnectorError,
}

impl HttpConnector for Client {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.clone();
        HttpConnectorFuture::new(async move { client.exchange(request).await })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
