//! The authorizer of an API Gateway HTTP API (payload format 2.0, simple response).
//!
//! It never fails and never decides: it admits every request and passes on its result for the
//! token. A failing authorizer is a 401, a 500 or a 502, depending on the gateway.
//! `isAuthorized: false` is a 403, after which no client signs in again.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::guard::guarded;
use super::invocation::{self, Handled, Invocation, InvocationResult};
use crate::caller::Finding;
use crate::caller::{TokenError, TokenVerifier};
use crate::error::RequestError;
use crate::http::{REQUEST_ID, bearer, request_id_of};
use crate::random::Draw;
use crate::telemetry::line::metric;
use crate::telemetry::log::print_all;
use crate::telemetry::{Observations, TraceContext, observed};
use crate::{Deadline, Timestamp, clock};

/// The message of a log line that an alarm counts.
const NOT_VERIFIED: &str = "tokens cannot be verified";

/// Serves the authorizer.
pub(crate) struct Handler {
    pub(crate) verifier: Arc<dyn TokenVerifier>,
    /// The namespace of metrics.
    pub(crate) service: String,
}

#[async_trait]
impl invocation::Handler for Handler {
    async fn handle(&self, invocation: Invocation) -> Handled {
        let shown = Shown::of(&invocation.event);
        let headers = |name: &str| shown.header(name);
        let mut draw = Draw::new();
        let request_id = request_id_of(headers(REQUEST_ID.as_str()), &mut draw);
        let (parent, state) = (headers("traceparent"), headers("tracestate"));
        let x_ray = invocation.x_ray.as_deref();
        let trace = TraceContext::continued_with(parent, state, x_ray, &mut draw);
        let observations = Observations::of(request_id, Some(trace));
        observed(observations, self.find(&shown, invocation.deadline)).await
    }
}

impl Handler {
    /// Returns the result for a request, in API Gateway's format.
    async fn find(&self, shown: &Shown, deadline: Deadline) -> Handled {
        let now = clock::now();
        let examined = guarded(deadline, self.examine(shown, now)).await;
        let (verdict, finding) = match examined {
            Ok(Finding::Claims(claims)) => ("verified", Finding::Claims(claims)),
            Ok(_) => ("refused", Finding::Refused),
            Err(failure) => {
                tracing::error!(error = %failure, "{NOT_VERIFIED}");
                ("unavailable", Finding::Unavailable { at: Some(now) })
            }
        };
        let labels = [("verdict", verdict)];
        print_all([metric(&self.service, now, &labels, "token_verdicts_total", "Count", 1)]);
        let answer = json!({ "isAuthorized": true, "context": finding.into_context() });
        Handled { answer: Ok(InvocationResult::Json(answer)), deferred: None }
    }

    /// Verifies the token of one event.
    ///
    /// The result depends on the token alone, never on the route: API Gateway caches it for all
    /// routes.
    async fn examine(&self, shown: &Shown, now: Timestamp) -> Result<Finding, RequestError> {
        let verified = match shown.credentials().and_then(bearer) {
            Some(token) => self.verifier.verify(token, now).await,
            None => Err(TokenError::Refused("there is no bearer token")),
        };
        match verified {
            Ok(claims) => Ok(Finding::Claims(claims)),
            Err(TokenError::Refused(reason)) => {
                tracing::info!(reason, "token refused");
                Ok(Finding::Refused)
            }
            Err(error @ TokenError::ServiceError(_)) => Err(error.into()),
        }
    }
}

/// The event of an authorizer; nothing in it is verified yet.
struct Shown(Value);

impl Shown {
    /// An invalid event is treated as an empty one.
    fn of(event: &[u8]) -> Self {
        Self(serde_json::from_slice(event).unwrap_or_default())
    }

    /// Returns the only value of the identity source: the header's value, whatever the spelling of
    /// its name. API Gateway lower-cases header names, other gateways do not.
    fn credentials(&self) -> Option<&str> {
        match self.0.get("identitySource")? {
            Value::String(value) => Some(value),
            Value::Array(values) => match &values[..] {
                [Value::String(value)] => Some(value),
                _ => None,
            },
            _ => None,
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        let headers = self.0.get("headers")?.as_object()?;
        let (_, value) = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        value.as_str()
    }
}
