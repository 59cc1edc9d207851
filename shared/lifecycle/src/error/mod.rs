//! The errors of a request, and their responses.
//!
//! Every failure has a public part (a status, a code, a sentence) and a part for the log (the chain
//! of causes). [`RequestError::response`] is the one place where a failure becomes a response. The
//! body has the [`ErrorShape`] that the endpoint declares.

mod body_offer;
mod domain;
mod field;
mod request;
mod response;
mod retrieve;
mod service;
mod shape;

pub use self::body_offer::BodyOffer;
pub use self::domain::{DomainError, ErrorCode, ErrorKind, OtherStatus};
pub use self::field::{FieldError, FieldErrors};
pub use self::request::RequestError;
pub use self::response::ErrorResponse;
pub use self::retrieve::{RetrieveError, Retrieved};
pub use self::service::{BoxError, ServiceError};
pub use self::shape::{ErrorBody, ErrorContent, ErrorShape};
pub(crate) use self::shape::{Shape, check_media_type};
