//! API Gateway: an HTTP API in front of the functions, payload format 2.0.
//!
//! A request passes the size limits, the stage's throttle, CORS, routing ([`routes`]) and the
//! authorizer ([`authorizer`]). Then the function is invoked ([`event`], [`answer`]).
//!
//! Where AWS differs from its documentation, this follows AWS. An integration that exceeds 30
//! seconds and a throttled function both return 503 `Service Unavailable`.

mod answer;
mod authorizer;
mod cors;
mod event;
mod percent;
mod routes;
mod throttle;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Request, StatusCode, header, uri};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use self::answer::Answer;
use self::authorizer::Authorizer;
use self::event::Exchange;
use self::routes::Routes;
use self::throttle::Bucket;
use crate::accept::accepted;
use crate::control::Telemetry;
use crate::functions::{Functions, InvokeError};
use sam_template::{Cors, HttpApi};

/// The maximum bytes of a body.
const BODY_BYTES_MAX: usize = 10 * 1024 * 1024;
/// The maximum bytes of the request line and headers together.
const HEADER_BYTES_MAX: usize = 10_240;
/// The time limit for a function's response.
const INTEGRATION_LIMIT: Duration = Duration::from_secs(30);
/// The time limit for a client to send its headers, and then its body.
const CLIENT_LIMIT: Duration = Duration::from_secs(30);

/// The gateway. Clones are handles to the same gateway.
#[derive(Clone)]
pub struct Gateway {
    shared: Arc<Shared>,
}

struct Shared {
    routes: Routes,
    authorizers: BTreeMap<String, Arc<Authorizer>>,
    cors: Option<Cors>,
    throttle: Option<Bucket>,
    functions: Functions,
}

impl Gateway {
    /// A gateway for this API.
    pub fn new(api: &HttpApi, functions: Functions, telemetry: &Arc<Telemetry>) -> Self {
        let authorizers = api.authorizers.iter().map(|(name, settings)| {
            let (settings, telemetry) = (settings.clone(), Arc::clone(telemetry));
            let authorizer = Authorizer::new(name, settings, functions.clone(), telemetry);
            (name.clone(), Arc::new(authorizer))
        });
        let shared = Shared {
            routes: Routes::new(&api.routes),
            authorizers: authorizers.collect(),
            cors: api.cors.clone(),
            throttle: api.throttle.map(Bucket::new),
            functions,
        };
        Self { shared: Arc::new(shared) }
    }

    /// Serves clients until the task is aborted.
    pub async fn serve(self, listener: TcpListener) {
        loop {
            let (stream, client) = accepted(|| listener.accept()).await;
            tokio::spawn(Arc::clone(&self.shared).serve_client(stream, client));
        }
    }
}

impl Shared {
    async fn serve_client(self: Arc<Self>, stream: TcpStream, client: SocketAddr) {
        // Ignore the error: without this option, responses are only slower.
        let _ = stream.set_nodelay(true);
        let service = service_fn(|request| {
            let shared = Arc::clone(&self);
            async move { Ok::<_, Infallible>(shared.handle(request, client.ip()).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(CLIENT_LIMIT)
            .serve_connection(TokioIo::new(stream), service);
        // Ignore errors of the connection: they concern only its client.
        let _ = connection.await;
    }

    /// Handles one request and adds the gateway's request id to the response.
    async fn handle(&self, request: Request<Incoming>, client: IpAddr) -> Answer {
        let request_id = request_id();
        let (parts, body) = request.into_parts();
        let mut answer = match self.admit(&parts) {
            Some(answer) => answer,
            None => self.integrate(&parts, body, client, &request_id).await,
        };
        let id = HeaderValue::from_str(&request_id).expect("base64 is visible ASCII");
        answer.headers_mut().insert("apigw-requestid", id);
        answer
    }

    /// Returns the response to a request that needs no route: too large, throttled, or a preflight.
    fn admit(&self, parts: &Parts) -> Option<Answer> {
        if header_bytes(parts) > HEADER_BYTES_MAX {
            let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            return Some(answer::message(status, "Request Header Fields Too Large"));
        }
        // On AWS a request with another host does not reach the API. Two hosts are a 400 (RFC 9112,
        // 3.2).
        let mut hosts = parts.headers.get_all(header::HOST).iter().map(HeaderValue::as_bytes);
        let named = hosts.next().is_some_and(|host| uri::Authority::try_from(host).is_ok());
        if !named || hosts.next().is_some() {
            return Some(answer::message(StatusCode::BAD_REQUEST, "Bad Request"));
        }
        if self.throttle.as_ref().is_some_and(|bucket| !bucket.take()) {
            return Some(answer::message(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests"));
        }
        self.cors.as_ref().and_then(|cors| cors::preflight(cors, parts))
    }

    /// Finds the route, calls its authorizer, reads the body and invokes the function.
    async fn integrate(
        &self,
        parts: &Parts,
        body: Incoming,
        client: IpAddr,
        request_id: &str,
    ) -> Answer {
        let Some(found) = self.routes.find(parts.method.as_str(), parts.uri.path()) else {
            return answer::message(StatusCode::NOT_FOUND, "Not Found");
        };
        let exchange = Exchange {
            parts,
            route: found.route,
            parameters: &found.parameters,
            source_ip: client,
            request_id,
            received: self.functions.clock().now(),
        };
        let context = match self.authorize(&exchange).await {
            Ok(context) => context,
            Err(refusal) => return *refusal,
        };
        let body = match read(body).await {
            Ok(body) => body,
            Err(refusal) => return *refusal,
        };
        let event = exchange.function_event(&body, context.as_ref());
        let payload = self.run(&found.route.function, Bytes::from(event.to_string())).await;
        let mut answer = match payload {
            Ok(payload) => answer::from_function(&payload, &parts.method)
                .unwrap_or_else(answer::internal_server_error),
            Err(answer) => *answer,
        };
        if let Some(cors) = &self.cors {
            cors::decorate(cors, &parts.headers, &mut answer);
        }
        answer
    }

    async fn authorize(
        &self,
        exchange: &Exchange<'_>,
    ) -> Result<Option<serde_json::Value>, Box<Answer>> {
        let named = exchange.route.authorizer.as_ref();
        match named.and_then(|name| self.authorizers.get(name)) {
            Some(authorizer) => authorizer.authorize(exchange).await.map(Some),
            None => Ok(None),
        }
    }

    /// The function's result, or the gateway's error response.
    async fn run(&self, function: &str, event: Bytes) -> Result<Bytes, Box<Answer>> {
        let result = timeout(INTEGRATION_LIMIT, self.functions.invoke(function, event)).await;
        match result {
            Ok(Ok(payload)) => Ok(payload),
            Ok(Err(InvokeError::EventTooLarge { .. })) => Err(Box::new(too_large())),
            Err(_) | Ok(Err(InvokeError::Throttled | InvokeError::Stopping)) => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                Err(Box::new(answer::message(status, "Service Unavailable")))
            }
            Ok(Err(_)) => Err(Box::new(answer::internal_server_error())),
        }
    }
}

async fn read(body: Incoming) -> Result<Bytes, Box<Answer>> {
    let reading = Limited::new(body, BODY_BYTES_MAX).collect();
    let refusal = match timeout(CLIENT_LIMIT, reading).await {
        Ok(Ok(body)) => return Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => too_large(),
        Ok(Err(_)) => answer::message(StatusCode::BAD_REQUEST, "Bad Request"),
        Err(_) => answer::message(StatusCode::REQUEST_TIMEOUT, "Request Timeout"),
    };
    Err(Box::new(refusal))
}

fn too_large() -> Answer {
    answer::message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large")
}

/// The bytes of the request line and of all header lines.
fn header_bytes(parts: &Parts) -> usize {
    let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
    let line = parts.method.as_str().len() + target + " HTTP/1.1\r\n ".len();
    let lines = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    line + lines.sum::<usize>()
}

/// An id in API Gateway's format: sixteen base64 characters.
fn request_id() -> String {
    STANDARD.encode(&uuid::Uuid::new_v4().as_bytes()[..11])
}
