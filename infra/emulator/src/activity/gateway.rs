//! The hooks of the gateway.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

use super::compact::{compact_body, compact_headers};
use super::handle::Activity;
use super::limits::OVERHEAD;
use super::record::{Answer, AnsweredBy, AuthorizerVerdict, RequestRecord};
use super::view::Stage;
use crate::text::cut;

/// The header by which the console names its clients.
const CLIENT: &str = "x-console-client";

/// The characters of a subject that the list shows.
const SUBJECT_CHARACTERS: usize = 8;

/// A request that begins.
pub(crate) struct Begun<'a> {
    /// The id that the gateway gave it.
    pub(crate) id: &'a str,
    /// The logical id of its API; empty if it has none.
    pub(crate) api: &'a str,
    pub(crate) method: &'a str,
    /// The path with its query, as it was received.
    pub(crate) target: &'a str,
    pub(crate) headers: &'a HeaderMap,
}

/// The decision of an authorizer.
pub(crate) struct Authorization<'a> {
    /// The authorizer's name in the template.
    pub(crate) name: &'a str,
    pub(crate) allowed: bool,
    /// Whether the decision was in the gateway's cache.
    pub(crate) cached: bool,
    pub(crate) reason: &'a str,
    pub(crate) took: Duration,
    /// The context with the claims, if it allowed the request.
    pub(crate) context: Option<&'a Value>,
}

impl Activity {
    /// A request begins. Nothing has been checked.
    pub(crate) fn request_begins(&self, begun: &Begun<'_>) {
        let (at, began) = (self.now(), Instant::now());
        let headers = compact_headers(begun.headers);
        let bytes = OVERHEAD + begun.target.len() + size(&headers);
        let text = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
        let client = text(CLIENT).or_else(|| text("user-agent")).unwrap_or_default();
        let mut request = RequestRecord {
            number: 0,
            order: 0,
            id: begun.id.into(),
            request_id: None,
            at,
            began,
            api: begun.api.to_owned(),
            method: begun.method.to_owned(),
            target: begun.target.to_owned(),
            route: None,
            function: None,
            caller: None,
            client,
            code: None,
            cold_start: false,
            replayed: false,
            attempts: 0,
            refused_at: None,
            refusal: None,
            answered_by: AnsweredBy::Gateway,
            authorization: None,
            invocation: None,
            authorizer: None,
            status: None,
            took: None,
            body_bytes: 0,
            headers,
            body: Bytes::new(),
            answer: None,
            bytes,
            dropped: false,
        };
        self.record(|store| {
            let (number, order) = (store.next_request(), store.next_number());
            (request.number, request.order) = (number, order);
            store.add_request(request);
            store.changed_request(number);
        });
    }

    /// The gateway found the route.
    pub(crate) fn request_routed(&self, id: &str, route: &str, function: &str) {
        let (route, function) = (route.to_owned(), function.to_owned());
        self.change_request(id, |request| {
            request.route = Some(route);
            request.function = Some(function);
        });
    }

    /// The gateway responds to a preflight of CORS itself.
    pub(crate) fn request_is_preflight(&self, id: &str) {
        self.change_request(id, |request| {
            request.answered_by = AnsweredBy::GatewayAsPreflight;
        });
    }

    /// The gateway refuses a request itself.
    pub(crate) fn request_refused(&self, id: &str, stage: Stage, reason: &str) {
        self.change_request(id, |request| {
            request.refused_at = Some(stage);
            request.refusal = Some(reason.to_owned());
        });
    }

    /// An authorizer decided.
    pub(crate) fn request_authorized(&self, id: &str, decision: &Authorization<'_>) {
        let caller = decision.context.and_then(caller);
        let verdict = AuthorizerVerdict {
            name: decision.name.to_owned(),
            allowed: decision.allowed,
            cached: decision.cached,
            reason: decision.reason.to_owned(),
            took: decision.took,
        };
        self.change_request(id, |request| {
            request.authorization = Some(verdict);
            request.caller = caller;
        });
    }

    /// The gateway has read the body.
    pub(crate) fn request_has_body(&self, id: &str, body: &Bytes) {
        self.redaction().see(body);
        let body = compact_body(body);
        self.record(|store| {
            let Some(request) = store.request_mut(id) else { return };
            let size = body.len();
            request.body_bytes = size;
            let number = request.number;
            store.detail_request(number, size, |request| request.body = body);
        });
    }

    /// The gateway responds.
    pub(crate) fn request_answered(
        &self,
        id: &str,
        status: u16,
        headers: &HeaderMap,
        body: &Bytes,
        by_function: bool,
    ) {
        let ended = Instant::now();
        // Errors have sentences about secrets.
        if status < 300 {
            self.redaction().see(body);
        }
        let code = (status >= 400).then(|| code_of(body)).flatten();
        let request_id = headers.get("x-request-id").and_then(|it| it.to_str().ok());
        let bytes = body.len() + size(headers);
        let answer = Answer { headers: headers.clone(), body: body.clone() };
        self.record(|store| {
            let Some(request) = store.request_mut(id) else { return };
            request.status = Some(status);
            request.took = Some(ended.saturating_duration_since(request.began));
            request.code = request.code.take().or(code);
            if by_function {
                request.answered_by = AnsweredBy::Function;
            }
            let number = request.number;
            if let Some(request_id) = request_id {
                store.name_request(number, request_id);
            }
            store.detail_request(number, bytes, |request| request.answer = Some(answer));
            store.changed_request(number);
        });
    }

    fn change_request(&self, id: &str, change: impl FnOnce(&mut RequestRecord)) {
        self.record(|store| {
            let Some(request) = store.request_mut(id) else { return };
            change(request);
            let number = request.number;
            store.changed_request(number);
        });
    }
}

fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum()
}

/// The error code of a response: of our own format, or of problem details.
fn code_of(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let code = body.pointer("/error/code").or_else(|| body.get("code"))?;
    code.as_str().map(str::to_owned)
}

/// The caller by the claims of an authorizer's context: `customer 01a0b2c3…`.
fn caller(context: &Value) -> Option<String> {
    let claims = [context, &context["lambda"], &context["jwt"]["claims"], &context["claims"]];
    let claims = claims.into_iter().find(|claims| claims["sub"].is_string())?;
    let subject = claims["sub"].as_str()?;
    let shown = cut(subject, SUBJECT_CHARACTERS, "…");
    let roles = claims.get("roles").or_else(|| claims.get("role"));
    match roles.and_then(first_role) {
        Some(role) => Some(format!("{role} {shown}")),
        None => Some(shown),
    }
}

/// The first role. The context of a REST API has a list as text.
fn first_role(roles: &Value) -> Option<String> {
    match roles {
        Value::Array(roles) => roles.first()?.as_str().map(str::to_owned),
        Value::String(text) => match serde_json::from_str::<Vec<String>>(text) {
            Ok(roles) => roles.into_iter().next(),
            Err(_) => Some(text.clone()).filter(|text| !text.is_empty()),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_caller_is_the_first_role_and_the_beginning_of_the_subject() {
        let of = |context: Value| caller(&context);
        let claims = json!({"sub": "01a0b2c3-9999", "roles": ["customer", "admin"]});
        assert_eq!(of(json!({"lambda": claims})).as_deref(), Some("customer 01a0b2c3…"));
        let text = json!({"sub": "u", "roles": "[\"admin\"]"});
        assert_eq!(of(text).as_deref(), Some("admin u"));
        assert_eq!(of(json!({"jwt": {"claims": {"sub": "u"}}})).as_deref(), Some("u"));
        assert_eq!(of(json!({"lambda": {"verdict": "refused"}})), None);
    }

    #[test]
    fn a_code_is_read_from_both_error_formats() {
        assert_eq!(code_of(br#"{"error":{"code":"A"}}"#).as_deref(), Some("A"));
        assert_eq!(code_of(br#"{"code":"B","title":"t"}"#).as_deref(), Some("B"));
        assert_eq!(code_of(b"{}"), None);
    }
}
