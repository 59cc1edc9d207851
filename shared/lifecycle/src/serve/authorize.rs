//! The authorizer of an API Gateway HTTP API (payload format 2.0, simple response).
//!
//! It never fails and never decides: it lets every request pass, with what it has found out about
//! the token. An authorizer that fails is a 401, a 500 or a 502, depending on who plays the gateway,
//! and `isAuthorized: false` is a 403, which no client takes as a reason to sign in again.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::guard::guarded;
use super::lambda::{self, Answer, Handled, Invocation};
use super::request::bearer;
use crate::Timestamp;
use crate::caller::{TokenError, TokenVerifier};
use crate::failure::Failure;
use crate::finding::Finding;
use crate::telemetry::line::metric;
use crate::telemetry::log::print;

/// The message of a log line, which an alarm counts.
const NOT_VERIFIED: &str = "tokens cannot be verified";

/// Serves the authorizer.
pub(crate) struct Handler {
    pub(crate) verifier: Arc<dyn TokenVerifier>,
    /// The namespace of metrics.
    pub(crate) service: String,
}

#[async_trait]
impl lambda::Handler for Handler {
    async fn handle(&self, invocation: Invocation) -> Handled {
        let now = Timestamp::now();
        let examined = guarded(invocation.deadline, self.examine(&invocation.event, now)).await;
        let (verdict, finding) = match examined {
            Ok(Finding::Claims(claims)) => ("verified", Finding::Claims(claims)),
            Ok(_) => ("refused", Finding::Refused),
            Err(failure) => {
                tracing::error!(error = %failure, "{NOT_VERIFIED}");
                ("unavailable", Finding::Unavailable { at: Some(now) })
            }
        };
        let labels = [("verdict", verdict)];
        print(&metric(&self.service, now, &labels, "token_verdicts_total", "Count", 1));
        let answer = json!({ "isAuthorized": true, "context": finding.to_context() });
        Handled { answer: Ok(Answer::Json(answer)), aftermath: None }
    }

    fn leaves_aftermath(&self) -> bool {
        false
    }
}

impl Handler {
    /// Verifies the token of one event.
    ///
    /// What is found is about the token alone, never about the route: API Gateway keeps it for all.
    async fn examine(&self, event: &[u8], now: Timestamp) -> Result<Finding, Failure> {
        let credentials = credentials(event);
        let verified = match credentials.as_deref().and_then(bearer) {
            Some(token) => self.verifier.verify(token, now).await,
            None => Err(TokenError::Refused("there is no bearer token")),
        };
        match verified {
            Ok(claims) => Ok(Finding::Claims(claims)),
            Err(TokenError::Refused(reason)) => {
                tracing::info!(reason, "token refused");
                Ok(Finding::Refused)
            }
            Err(error @ TokenError::Fault(_)) => Err(error.into()),
        }
    }
}

/// The one value of the identity source. API Gateway lower-cases the names of headers, other
/// gateways do not; the identity source is the header's value whatever its name was.
fn credentials(event: &[u8]) -> Option<String> {
    let event: Value = serde_json::from_slice(event).ok()?;
    match event.get("identitySource")? {
        Value::String(value) => Some(value.clone()),
        Value::Array(values) => match &values[..] {
            [Value::String(value)] => Some(value.clone()),
            _ => None,
        },
        _ => None,
    }
}
