//! Everything that can end a request.

use std::fmt;

use super::body_offer::BodyOffer;
use super::domain::DomainError;
use super::field::FieldErrors;
use super::retrieve::RetrieveError;
use super::service::ServiceError;

/// Everything that can end a request before its reply.
#[derive(Debug)]
#[non_exhaustive]
pub enum RequestError {
    /// The request is malformed or syntactically invalid.
    Invalid(FieldErrors),
    /// There is no token, or it is invalid.
    Unauthenticated,
    /// The caller is known but not allowed.
    Forbidden,
    /// The resource is missing, or hidden from this caller.
    Hidden,
    /// The path exists, but not with this method.
    WrongMethod {
        /// The allowed methods: the value of `Allow`.
        allow: String,
    },
    /// The client accepts none of our media types.
    NotAcceptable {
        /// The media type of the endpoint's replies.
        media_type: &'static str,
    },
    /// The body exceeds the limit.
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The body has an unsupported type, charset or coding.
    UnsupportedMediaType(BodyOffer),
    /// The same idempotency key was used for another request.
    KeyReused,
    /// The condition of `If-Match` or `If-None-Match` does not hold.
    PreconditionFailed,
    /// A business rule rejected the request.
    Rejected(DomainError),
    /// The caller has exceeded a limit.
    RateLimited {
        /// Seconds after which a retry makes sense.
        retry_after_s: u32,
    },
    /// A port failed.
    ServiceError(ServiceError),
    /// The endpoint panicked.
    Panicked(String),
}

impl From<ServiceError> for RequestError {
    fn from(fault: ServiceError) -> Self {
        Self::ServiceError(fault)
    }
}

impl From<RetrieveError> for RequestError {
    fn from(error: RetrieveError) -> Self {
        match error {
            RetrieveError::NotFound => Self::Hidden,
            RetrieveError::InvalidInput(field_errors) => Self::Invalid(field_errors),
            RetrieveError::RateLimited { retry_after_s } => Self::RateLimited { retry_after_s },
            RetrieveError::Service(fault) => Self::ServiceError(fault),
        }
    }
}

impl From<FieldErrors> for RequestError {
    fn from(field_errors: FieldErrors) -> Self {
        Self::Invalid(field_errors)
    }
}

impl From<DomainError> for RequestError {
    fn from(rejection: DomainError) -> Self {
        Self::Rejected(rejection)
    }
}

impl fmt::Display for RequestError {
    /// The chain of causes, for the log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServiceError(fault) => write_chain(f, fault),
            Self::Panicked(message) => write!(f, "panicked: {message}"),
            Self::Rejected(rejection) => write!(f, "{}: {}", rejection.code, rejection.message),
            Self::Invalid(field_errors) => {
                write!(f, "{} field errors", field_errors.iter().count())
            }
            Self::RateLimited { retry_after_s } => {
                write!(f, "a limit is reached; try again in {retry_after_s} s")
            }
            other => f.write_str(&other.response().message),
        }
    }
}

fn write_chain(f: &mut fmt::Formatter<'_>, error: &dyn std::error::Error) -> fmt::Result {
    write!(f, "{error}")?;
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(f, ": {error}")?;
        cause = error.source();
    }
    Ok(())
}
