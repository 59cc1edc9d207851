//! Sending a request to the API.

use axum::http::header::HOST;
use axum::http::{HeaderName, HeaderValue, Request, Response};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// The header with the name of the client, which the list of requests shows.
pub(super) const CLIENT: HeaderName = HeaderName::from_static("x-console-client");

/// Sends a request on a new connection, like any client.
pub(super) async fn send(
    api_url: &str,
    mut request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, String> {
    let authority = api_url.trim_start_matches("http://");
    let stream = TcpStream::connect(authority).await.map_err(|error| error.to_string())?;
    let (mut api, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    // An error of the connection also ends the request, which reports it.
    tokio::spawn(connection);
    let host = HeaderValue::from_str(authority).map_err(|error| error.to_string())?;
    request.headers_mut().insert(HOST, host);
    api.send_request(request).await.map_err(|error| error.to_string())
}
