//! One API of the gateway.

mod preflight;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request, StatusCode, header, uri};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use sam_template::routes::{Match, Routes};
use sam_template::{
    Api, ApiKind, Cors, DEFAULT_ROUTE, DEFAULT_STAGE, JwtAuthorizer, Route, percent,
};
use serde_json::{Value, json};
use tokio::time::timeout;
use uuid::Uuid;

use super::answer::{self, Answer};
use super::authorizer::{Authorizer, AuthorizerReport};
use super::cors;
use super::event::{Exchange, Target};
use super::failure::Failure;
use super::jwt;
use super::rest_answer;
use super::throttle::Bucket;
use crate::activity::view::Stage;
use crate::activity::{Activity, Authorization, Begun, Cause};
use crate::control::Telemetry;
use crate::functions::{Functions, InvokeError};

/// The maximum bytes of a body.
const BODY_BYTES_MAX: usize = 10 * 1024 * 1024;
/// The maximum bytes of the request line and headers together.
const HEADER_BYTES_MAX: usize = 10_240;
/// The time limit for a function's response.
const INTEGRATION_LIMIT: Duration = Duration::from_secs(30);
/// The same for a REST API.
const REST_INTEGRATION_LIMIT: Duration = Duration::from_secs(29);
/// The time limit for a function's response to a function URL: the longest time-out of a function.
const URL_INTEGRATION_LIMIT: Duration = Duration::from_mins(15);
/// The time limit for a client to send its body.
const CLIENT_LIMIT: Duration = Duration::from_secs(30);

/// Marks the response of a function.
#[derive(Clone, Copy)]
struct ByFunction;

/// An API with its functions.
pub(super) struct ServedApi {
    logical_id: String,
    /// Its id in its domain name.
    id: String,
    kind: ApiKind,
    stage: String,
    routes: Routes,
    authorizers: BTreeMap<String, Arc<Authorizer>>,
    jwt_authorizers: BTreeMap<String, JwtAuthorizer>,
    cors: Option<Cors>,
    throttle: Option<Bucket>,
    functions: Functions,
}

impl ServedApi {
    pub(super) fn new(
        api: &Api,
        id: String,
        functions: Functions,
        telemetry: &Arc<Telemetry>,
    ) -> Self {
        let authorizers = api.authorizers.iter().map(|(name, settings)| {
            let (settings, telemetry) = (settings.clone(), Arc::clone(telemetry));
            let authorizer = Authorizer::new(name, settings, functions.clone(), telemetry);
            (name.clone(), Arc::new(authorizer))
        });
        Self {
            logical_id: api.logical_id.clone(),
            id,
            kind: api.kind.clone(),
            stage: api.stage.clone(),
            routes: Routes::new(&api.routes),
            authorizers: authorizers.collect(),
            jwt_authorizers: api.jwt_authorizers.clone(),
            cors: api.cors.clone(),
            throttle: api.throttle.map(Bucket::new),
            functions,
        }
    }

    /// The state of its authorizers' caches.
    pub(super) fn caches(&self) -> Vec<AuthorizerReport> {
        self.authorizers.values().map(|it| it.report(&self.logical_id)).collect()
    }

    /// Its logical id in the template.
    pub(super) fn logical_id(&self) -> &str {
        &self.logical_id
    }

    /// Handles one request, which was received with this target, and adds the gateway's request id to
    /// the response.
    pub(super) async fn handle(
        &self,
        request: Request<Incoming>,
        client: IpAddr,
        target: &str,
    ) -> Answer {
        let request_id = self.request_id();
        let (parts, body) = request.into_parts();
        let (method, headers) = (parts.method.as_str(), &parts.headers);
        let begun = Begun { id: &request_id, api: &self.logical_id, method, target, headers };
        self.activity().request_begins(&begun);
        let mut answer = match self.admit(&parts) {
            Some(answer) => {
                self.record_admission(&request_id, &answer);
                answer
            }
            None => self.integrate(&parts, body, client, &request_id).await,
        };
        let id = HeaderValue::from_str(&request_id).expect("ids are visible ASCII");
        let name = match self.kind {
            ApiKind::Http => "apigw-requestid",
            _ => "x-amzn-requestid",
        };
        answer.headers_mut().insert(HeaderName::from_static(name), id);
        let by_function = answer.extensions().get::<ByFunction>().is_some();
        let (status, body) = (answer.status().as_u16(), answer::body_of(&answer));
        self.activity().request_answered(&request_id, status, answer.headers(), &body, by_function);
        answer
    }

    fn activity(&self) -> &Activity {
        self.functions.activity()
    }

    /// Records the gateway's response to a request that needs no route.
    fn record_admission(&self, request_id: &str, answer: &Answer) {
        let reason = match answer.status() {
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
                "The request line and the headers are too large."
            }
            StatusCode::TOO_MANY_REQUESTS => "The throttle of the stage has no token left.",
            StatusCode::BAD_REQUEST => "The request has no host, or several.",
            _ => return self.activity().request_is_preflight(request_id),
        };
        self.activity().request_refused(request_id, Stage::Routing, reason);
    }

    /// Refuses a request, or responds for its function.
    fn refuse(&self, failure: Failure, request_id: &str) -> Answer {
        if let Some((stage, reason)) = failure.refusal() {
            self.activity().request_refused(request_id, stage, reason);
        }
        failure.answer(&self.kind)
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
        let cors = self.cors.as_ref().filter(|_| !matches!(self.kind, ApiKind::Rest { .. }))?;
        cors::preflight(cors, parts)
    }

    fn target(&self) -> Target<'_> {
        Target { id: &self.id, kind: &self.kind, stage: &self.stage }
    }

    /// The undecoded path without the stage; `None` if it has another stage.
    fn path<'a>(&self, parts: &'a Parts) -> Option<&'a str> {
        let path = parts.uri.path();
        if self.stage == DEFAULT_STAGE {
            return Some(path);
        }
        match path.strip_prefix('/')?.strip_prefix(self.stage.as_str())? {
            "" => Some("/"),
            path => path.starts_with('/').then_some(path),
        }
    }

    /// The route of a request, with the path parameters of its event.
    fn find(&self, parts: &Parts, path: &str) -> Option<Match<'_>> {
        let Match { route, parameters } = self.routes.find(parts.method.as_str(), path)?;
        Some(Match { route, parameters: parameters_of_event(&self.kind, parameters) })
    }

    /// Finds the route, calls its authorizer, reads the body and invokes the function.
    async fn integrate(
        &self,
        parts: &Parts,
        body: Incoming,
        client: IpAddr,
        request_id: &str,
    ) -> Answer {
        let refused = |failure: Failure| self.refuse(failure, request_id);
        if let Some(answer) = self.rest_preflight(parts, client, request_id).await {
            return answer;
        }
        let Some(path) = self.path(parts) else { return refused(Failure::NoStage) };
        let Some(found) = self.find(parts, path) else { return refused(Failure::NoRoute) };
        let route = match found.route.path.as_str() {
            DEFAULT_ROUTE => DEFAULT_ROUTE.to_owned(),
            path => format!("{} {path}", found.route.method),
        };
        self.activity().request_routed(request_id, &route, &found.route.function);
        let exchange = Exchange {
            api: self.target(),
            parts,
            path,
            route: found.route,
            parameters: &found.parameters,
            source_ip: client,
            request_id,
            received: self.functions.clock().now(),
        };
        let context = match self.authorize(&exchange).await {
            Ok(context) => context,
            Err(failure) => return refused(failure),
        };
        let body = match self.read(body).await {
            Ok(body) => body,
            Err(refusal) => {
                let reason = "The body was not received whole, or is too large.";
                self.activity().request_refused(request_id, Stage::Deserialization, reason);
                return *refusal;
            }
        };
        self.activity().request_has_body(request_id, &body);
        let mut answer =
            self.invoke(&exchange, &body, context.as_ref()).await.unwrap_or_else(refused);
        if let Some(cors) = &self.cors
            && !matches!(self.kind, ApiKind::Rest { .. })
        {
            cors::decorate(cors, &parts.headers, &mut answer);
        }
        answer
    }

    /// Invokes the function of the route, and reads its response.
    async fn invoke(
        &self,
        exchange: &Exchange<'_>,
        body: &Bytes,
        context: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let event = match &self.kind {
            ApiKind::Rest { binary_media_types } => {
                exchange.rest_event(body, binary_media_types, context)
            }
            _ => exchange.function_event(body, context),
        };
        let request_id = exchange.request_id;
        self.functions.next_faults().bind(request_id, || exchange.route_key());
        let event = Bytes::from(event.to_string());
        let payload = self.run(exchange.route, event, request_id).await?;
        let mut answer = self.response(&payload, exchange.parts).ok_or(Failure::Response)?;
        answer.extensions_mut().insert(ByFunction);
        Ok(answer)
    }

    async fn authorize(&self, exchange: &Exchange<'_>) -> Result<Option<Value>, Failure> {
        if matches!(self.kind, ApiKind::FunctionUrl { signed: true }) {
            return exchange.access_key().map(|_| None).ok_or(Failure::Forbidden);
        }
        let Some(name) = &exchange.route.authorizer else { return Ok(None) };
        if let Some(settings) = self.jwt_authorizers.get(name) {
            let began = Instant::now();
            let decision =
                jwt::authorize(settings, &exchange.parts.headers, exchange.received).map(Some);
            let context = decision.as_ref().ok().and_then(Option::as_ref);
            self.activity().request_authorized(
                exchange.request_id,
                &Authorization {
                    name,
                    allowed: decision.is_ok(),
                    cached: false,
                    reason: match decision {
                        Ok(_) => "The claims of the token are accepted.",
                        Err(_) => "There is no token, or its claims are not accepted.",
                    },
                    took: began.elapsed(),
                    context,
                },
            );
            return decision;
        }
        let Some(authorizer) = self.authorizers.get(name) else { return Ok(None) };
        if self.functions.next_faults().fails_authentication(|| exchange.route_key()) {
            let reason = "A fault for this request makes the authorizer fail.";
            let (allowed, cached, took, context) = (false, false, Duration::ZERO, None);
            let decision = Authorization { name, allowed, cached, reason, took, context };
            self.activity().request_authorized(exchange.request_id, &decision);
            return Err(Failure::Authorizer);
        }
        let context = authorizer.authorize(exchange).await?;
        let is_rest = matches!(self.kind, ApiKind::Rest { .. });
        Ok(Some(if is_rest { context } else { json!({ "lambda": context }) }))
    }

    /// The function's result.
    async fn run(&self, route: &Route, event: Bytes, request_id: &str) -> Result<Bytes, Failure> {
        let cause = Cause::Request(request_id.into());
        let invocation = self.functions.invoke_for(&route.function, event, cause);
        match timeout(limit(&self.kind, route), invocation).await {
            Ok(Ok(payload)) => Ok(payload),
            Ok(Err(InvokeError::EventTooLarge { .. })) => Err(Failure::TooLarge),
            Ok(Err(InvokeError::Throttled | InvokeError::Stopping)) => Err(Failure::Throttled),
            Ok(Err(_)) => Err(Failure::Function),
            Err(_) => Err(Failure::TimedOut),
        }
    }

    /// The response to the client; `None` if the function's is invalid.
    fn response(&self, payload: &[u8], parts: &Parts) -> Option<Answer> {
        match &self.kind {
            ApiKind::Rest { binary_media_types } => {
                let accepted = parts.headers.get(header::ACCEPT);
                let takes_binary = rest_answer::is_binary(binary_media_types, accepted);
                rest_answer::from_function(payload, takes_binary)
            }
            _ => answer::from_function(payload, &parts.method),
        }
    }

    async fn read(&self, body: Incoming) -> Result<Bytes, Box<Answer>> {
        let reading = Limited::new(body, BODY_BYTES_MAX).collect();
        let refusal = match timeout(CLIENT_LIMIT, reading).await {
            Ok(Ok(body)) => return Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => {
                Failure::TooLarge.answer(&self.kind)
            }
            Ok(Err(_)) => answer::message(StatusCode::BAD_REQUEST, "Bad Request"),
            Err(_) => answer::message(StatusCode::REQUEST_TIMEOUT, "Request Timeout"),
        };
        Err(Box::new(refusal))
    }

    /// An id in the format of the API's kind: sixteen base64 characters, or a UUID.
    fn request_id(&self) -> String {
        let id = Uuid::new_v4();
        match self.kind {
            ApiKind::Http => STANDARD.encode(&id.as_bytes()[..11]),
            _ => id.to_string(),
        }
    }
}

/// The time limit for a function's response.
fn limit(kind: &ApiKind, route: &Route) -> Duration {
    route.timeout.unwrap_or(match kind {
        ApiKind::Rest { .. } => REST_INTEGRATION_LIMIT,
        ApiKind::FunctionUrl { .. } => URL_INTEGRATION_LIMIT,
        _ => INTEGRATION_LIMIT,
    })
}

/// The bytes of the request line and of all header lines.
fn header_bytes(parts: &Parts) -> usize {
    let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
    let line = parts.method.as_str().len() + target + " HTTP/1.1\r\n ".len();
    let lines = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    line + lines.sum::<usize>()
}

/// Only an HTTP API decodes a path and its parameters.
fn parameters_of_event(
    kind: &ApiKind,
    encoded: BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    if *kind != ApiKind::Http {
        return encoded;
    }
    encoded.into_iter().map(|(name, value)| (name, percent::decode(&value))).collect()
}
