//! Third-party services over HTTP: one client for all of them. It uses the connectors of the AWS
//! clients, so that a function links one HTTP client and one TLS stack.
//!
//! The [`Breaker`] and the [`AccessTokens`] are shared by all instances. A [`GuardedClient`] uses
//! both, and writes an audit record of each call.

mod breaker;
mod circuit;
mod client;
mod error;
mod guarded;
mod limits;
mod message;
mod retry;
mod tokens;

pub use self::breaker::{Breaker, Guarded, Health};
pub use self::circuit::CIRCUITS;
pub use self::client::Client;
pub use self::error::UpstreamError;
pub use self::guarded::{CallCause, GuardedClient};
pub use self::limits::BODY_BYTES_MAX;
pub use self::message::{Request, Response};
pub use self::tokens::{AccessToken, AccessTokens, TOKENS, TokenError};
