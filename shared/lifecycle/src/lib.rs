#![doc = include_str!("../README.md")]
//! # Contents
//!
//! | stage | items |
//! |---|---|
//! | 1 Routing | [`route`] |
//! | 2 Authentication, 3 authorization | [`caller`], [`limit`] |
//! | 4 Deserialisation, 5 syntax validation | [`input`], [`newtypes`] |
//! | 6 Retrieval | [`record`], [`paging`], [`resource`] |
//! | 7 Business rules | [`Moment`], [`DomainError`], [`ErrorCode`] |
//! | 8 Side effects, and their commit | [`effects`], [`idempotency`], [`commit`], [`relay`] |
//! | 9 Response | [`reply`] |
//!
//! [`endpoint`] has all stages in one trait, [`runtime`] runs them, and [`ports`] are the traits of
//! their I/O. All code takes the time, random numbers and
//! background tasks from [`clock`], [`random`] and [`background`], so that tests and simulations set
//! them. [`http`] has the triggers of endpoints, and tables of the supported inputs and
//! outputs. With the feature `testing`, the module `testing` runs endpoints and consumers in the
//! process of a test.

pub mod background;
mod backoff;
pub mod caller;
mod canonical;
pub mod clock;
pub mod commit;
mod conditions;
pub mod consumer;
mod deadline;
pub mod describe;
pub mod effects;
pub mod endpoint;
mod entity_tag;
pub mod envelope;
pub mod error;
mod error_codes;
#[cfg(any(test, feature = "examples"))]
pub mod examples;
mod hash;
pub mod http;
pub mod idempotency;
pub mod input;
pub mod limit;
mod moment;
pub mod newtypes;
pub mod paging;
pub mod ports;
pub mod prelude;
pub mod random;
pub mod record;
pub mod relay;
#[cfg(any(test, feature = "examples"))]
pub mod released;
pub mod reply;
pub mod resource;
pub mod rewrite;
pub mod rotation;
pub mod route;
pub mod runtime;
mod schedule;
pub mod since;
mod source;
pub mod stored;
#[cfg(any(test, feature = "testing"))]
mod surroundings;
pub mod telemetry;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod time;
pub mod token;
mod upstream;
pub mod upstream_call;

pub use backoff::Backoff;
pub use caller::{
    Access, Anyone, Authorizer, Caller, Claims, FINDING_KEPT_S, Identity, Permit, TokenVerifier,
    Verdict, claims,
};
pub use conditions::Conditions;
pub use consumer::Consumer;
pub use deadline::Deadline;
pub use effects::Effects;
pub use endpoint::{Allow, Endpoint, Query};
pub use entity_tag::EntityTag;
pub use error::{DomainError, ErrorCode, FieldErrors, RetrieveError, Retrieved, ServiceError};
pub use moment::Moment;
pub use reply::Reply;
pub use rotation::Rotation;
pub use route::Route;
pub use time::Timestamp;
pub use upstream::Upstream;

/// The crates whose types and traits are in the interface of this one, in the versions that it uses.
///
/// A service may derive through them, and then needs no dependency on them:
///
/// ```
/// use lifecycle::reexport::{schemars, serde, serde_json};
///
/// #[derive(serde::Serialize, schemars::JsonSchema)]
/// #[serde(crate = "lifecycle::reexport::serde")]
/// #[schemars(crate = "lifecycle::reexport::schemars")]
/// struct BookView {
///     title: String,
/// }
///
/// let emma = BookView { title: "Emma".to_owned() };
/// assert_eq!(serde_json::to_string(&emma).unwrap(), r#"{"title":"Emma"}"#);
/// ```
///
/// `eserde` is the exception. Its derive macro names the crate `eserde`, so a service that derives
/// `eserde::Deserialize` depends on `eserde = "0.1"`.
///
/// It is hidden in the documentation: a visible one would make the compiler write
/// `std::string::String` for `String` in its messages.
#[doc(hidden)]
pub mod reexport {
    pub use {async_trait, bytes, eserde, http, schemars, serde, serde_dynamo, serde_json, uuid};
}
