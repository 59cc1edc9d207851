//! The HTTP server of the embedded `DynamoDB`, and the client that calls it.

use std::io;
use std::net::SocketAddr;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Uri, header};
use axum::response::Response;
use bytes::Bytes;
use dynoxide::Database;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;

/// The server does not respond.
pub(crate) type ServerError = hyper_util::client::legacy::Error;

/// A running server. Clones call the same one.
#[derive(Clone)]
pub(super) struct Server {
    address: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Server {
    /// Serves the tables on a separate loopback port until `shutdown` completes.
    ///
    /// # Errors
    /// If no port can be bound.
    pub(super) async fn start(
        database: &Database,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database.clone(), shutdown));
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { address, client })
    }

    /// Forwards a call with these headers, whose body was read whole.
    ///
    /// # Errors
    /// If the server does not respond.
    pub(super) async fn answer(
        &self,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response, ServerError> {
        // The original framing headers no longer apply.
        headers.remove(header::CONTENT_LENGTH);
        headers.remove(header::TRANSFER_ENCODING);
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::builder()
            .scheme("http")
            .authority(self.address.to_string())
            .path_and_query("/")
            .build()
            .expect("a socket address is an authority");
        *request.headers_mut() = headers;
        let response = self.client.request(request).await?;
        Ok(response.map(Body::new))
    }
}
