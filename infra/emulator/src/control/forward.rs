//! `/api/{path}`: proxies the API in the control address's origin, for the documentation page.
//!
//! A browser lets a page read only responses of its own origin, unless the API allows others by
//! CORS. Each request uses a new connection to the API, like any client's.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    CONNECTION, CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERER, TRANSFER_ENCODING,
};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::Response;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::error::ControlError;
use super::shown::Control;

/// The prefix of the API's paths.
const PREFIX: &str = "/api";

/// A further Content-Security-Policy of each response. A browser that shows the response as a page
/// gives it an opaque origin and runs no scripts: those of the API must not have the console's origin.
const SANDBOX: HeaderValue = HeaderValue::from_static("sandbox");

/// Forwards a request to the API and returns the response. With the header `x-console-account`, the
/// request gets the token of this account.
pub(super) async fn forward(
    State(control): State<Control>,
    mut request: Request,
) -> Result<Response, ControlError> {
    let account = control.accounts.apply(request.headers_mut()).await?;
    let authority = control.api_url.trim_start_matches("http://");
    let stream = TcpStream::connect(authority).await.map_err(|error| gone(&error))?;
    let (mut api, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| gone(&error))?;
    // An error of the connection also ends the request, which reports it.
    tokio::spawn(connection);
    *request.uri_mut() = on_the_api(request.uri()).map_err(|error| gone(&error))?;
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::from_str(authority).map_err(|error| gone(&error))?);
    // These headers concern the connection and the page, not the API's request.
    for name in [CONNECTION, ORIGIN, REFERER, TRANSFER_ENCODING] {
        headers.remove(name);
    }
    let mut answer = api.send_request(request).await.map_err(|error| gone(&error))?;
    answer.headers_mut().remove(CONNECTION);
    answer.headers_mut().append(CONTENT_SECURITY_POLICY, SANDBOX);
    if answer.status() == StatusCode::UNAUTHORIZED
        && let Some(account) = account
    {
        // The next request signs in again.
        control.accounts.forget(&account).await;
    }
    Ok(answer.map(Body::new))
}

/// The API's part of a path: `/orders?limit=1` for `/api/orders?limit=1`.
fn on_the_api(uri: &Uri) -> Result<Uri, http::uri::InvalidUri> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    path.strip_prefix(PREFIX).filter(|path| path.starts_with('/')).unwrap_or("/").parse()
}

fn gone(error: &dyn std::error::Error) -> ControlError {
    ControlError::new(StatusCode::BAD_GATEWAY, format!("the API does not respond: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_gets_path_and_query_without_the_prefix() {
        for (here, there) in [
            ("/api/orders?limit=1", "/orders?limit=1"),
            ("/api/products/a%2Fb", "/products/a%2Fb"),
            ("/api/", "/"),
            ("/api", "/"),
        ] {
            assert_eq!(on_the_api(&here.parse().unwrap()).unwrap(), there, "{here}");
        }
    }
}
