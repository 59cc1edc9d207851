//! The verification of tokens.

use super::claims::Claims;
use crate::Timestamp;
use crate::error::{RequestError, ServiceError};

/// Verifies a bearer token, for the authorizer and for endpoints where signing in is optional.
#[async_trait::async_trait]
pub trait TokenVerifier: Send + Sync {
    /// Returns the claims of a valid token, in the form in which functions read them: `sub`,
    /// `roles`, `tier`, `emailVerified`, `exp`.
    ///
    /// # Errors
    ///
    /// [`TokenError::Refused`] with a reason for the log, never for the client.
    /// [`TokenError::ServiceError`] when the keys are not available: the request is a 503 and never
    /// passes.
    async fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError>;
}

/// The reason why there are no claims.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The token is invalid. The reason is a constant, so that the log never contains parts of a
    /// token, whatever its length.
    #[error("the token is refused: {0}")]
    Refused(&'static str),
    /// The token could not be verified.
    #[error("the token could not be verified")]
    ServiceError(#[source] ServiceError),
}

impl From<TokenError> for RequestError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Refused(_) => Self::Unauthenticated,
            TokenError::ServiceError(fault @ ServiceError::Unavailable { .. }) => {
                Self::ServiceError(fault)
            }
            // The keys are not available. This is not the client's error, and may be over soon.
            TokenError::ServiceError(fault) => Self::ServiceError(ServiceError::Unavailable {
                retry_after_s: 1,
                source: Box::new(fault),
            }),
        }
    }
}
