//! Functions that every service can have: each by a file of a few lines.
//!
//! | function | its `main` | definitions of the service |
//! |---|---|---|
//! | relay of the outbox, by its stream | [`relay_outbox`] | [`Subscriptions`] |
//! | sweeper of the outbox, on a schedule | [`sweep_outbox`] | [`Subscriptions`] |
//! | sweeper of audit records, on a schedule | [`sweep_calls`] | [`PendingCall`] |
//! | health check | [`health`] | [`HealthCheck`] |
//! | public keys of access tokens | [`jwks`] | [`Jwks`] |
//! | authorizer of the HTTP API | [`authorize`](crate::authorize) | its resources and its verifier |
//! | rotation of the keys that sign | [`rotate`](crate::rotate) | – |
//!
//! Each prints its description for `--describe`, so that the generated parts of the template follow
//! from it. The whole file of a relay:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! # use lifecycle::effects::QueueName;
//! # struct LibraryEvents;
//! # impl lifecycle::relay::Subscriptions for LibraryEvents {
//! #     const QUEUES: &'static [QueueName] = &[];
//! #     fn subscribers(_: &str) -> &'static [QueueName] { &[] }
//! # }
//! fn main() -> ExitCode {
//!     aws::functions::relay_outbox::<LibraryEvents>()
//! }
//! ```

mod health;
mod jwks;
mod relay_outbox;
mod sweep_calls;
mod sweep_outbox;

pub use lifecycle::relay::Subscriptions;
pub use lifecycle::upstream_call::PendingCall;

pub use self::health::{HealthCheck, health};
pub use self::jwks::{Jwks, jwks};
pub use self::relay_outbox::relay_outbox;
pub use self::sweep_calls::sweep_calls;
pub use self::sweep_outbox::sweep_outbox;
