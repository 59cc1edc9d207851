//! The authorizer of an API Gateway HTTP API (payload format 2.0, simple response).

use std::sync::Arc;

use async_trait::async_trait;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2CustomAuthorizerV2Request;
use serde_json::{Value, json};

use super::lambda::{self, Answer, Handled, Invocation};
use super::request::bearer;
use crate::Timestamp;
use crate::caller::{TokenError, TokenVerifier};

/// The message that API Gateway turns into a 401. Any other error is a 500 there, and
/// `isAuthorized: false` would be a 403, which no client takes as a reason to sign in again.
const UNAUTHORIZED: &str = "Unauthorized";

/// Serves the authorizer.
pub(crate) struct Handler {
    pub(crate) verifier: Arc<dyn TokenVerifier>,
}

#[async_trait]
impl lambda::Handler for Handler {
    async fn handle(&self, invocation: Invocation) -> Handled {
        let answer = authorize(&*self.verifier, &invocation.event).await;
        Handled { answer: answer.map(Answer::Json), aftermath: None }
    }

    fn leaves_aftermath(&self) -> bool {
        false
    }
}

/// Verifies the token of one event and passes its claims on.
///
/// The verdict is about the token alone, never about the route: API Gateway keeps it for all.
async fn authorize(verifier: &dyn TokenVerifier, event: &[u8]) -> Result<Value, String> {
    let event: ApiGatewayV2CustomAuthorizerV2Request = serde_json::from_slice(event)
        .map_err(|error| format!("not an authorizer event: {error}"))?;
    // API Gateway lower-cases the names of headers, other gateways do not; the identity source
    // is the header's value whatever its name was.
    let credentials = event.identity_source.and_then(|sources| sources.into_iter().next());
    let Some(token) = credentials.as_deref().and_then(bearer) else {
        tracing::info!(reason = "no bearer token", "token refused");
        return Err(UNAUTHORIZED.to_owned());
    };
    match verifier.verify(token, Timestamp::now()).await {
        Ok(claims) => Ok(json!({ "isAuthorized": true, "context": claims })),
        Err(TokenError::Refused(reason)) => {
            tracing::info!(reason, "token refused");
            Err(UNAUTHORIZED.to_owned())
        }
        Err(TokenError::Fault(fault)) => {
            let failure = crate::failure::Failure::Fault(fault);
            tracing::error!(error = %failure, "tokens cannot be verified");
            Err("tokens cannot be verified".to_owned())
        }
    }
}
