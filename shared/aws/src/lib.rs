//! AWS behind the lifecycle's ports. Only this crate knows an SDK. No SDK type crosses its border,
//! except where a service calls AWS itself: [`Aws::sdk_config`] and [`service_error`].
//!
//! - [`Aws`] implements the lifecycle's [ports](lifecycle::ports), and returns [`Table`]s,
//!   [`Secret`]s and [`tokens`].
//! - [`auth`], [`cache`] and [`upstream`] serve stage 6.
//! - [`serve`], [`consume`], [`authorize`] and [`rotate`] are called by a binary's `main`.
//! - [`functions`] are ready-made: relay, sweepers, health check, published keys.
//! - [`environment`] lists the environment variables and the tables that the library uses.
//!
//! | feature | adds |
//! |---|---|
//! | `passwords` | `Passwords`, which hashes by Argon2id |
//! | `mail` | mail through SES; without it, a function that declares it does not start |
//! | `alerts` | alerts to Slack, Datadog and New Relic |
//! | `admin` | scans of whole tables and dead letters, for operators' commands |
//! | `testing` | `testing`, which runs functions in the process of a test |

#[cfg(feature = "admin")]
pub mod admin;
pub mod alerts;
pub mod auth;
mod aws;
pub mod cache;
mod config;
mod connector;
mod dynamodb;
mod endpoints;
pub mod environment;
mod errors;
mod export;
pub mod functions;
mod platform;
mod probes;
mod runtime;
mod secrets;
#[cfg(feature = "mail")]
mod ses;
mod sqs;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(test)]
mod tests;
pub mod upstream;
mod warm;

#[cfg(feature = "alerts")]
pub use alerts::AlertSender;
pub use auth::guesses::{Guess, Guesses};
pub use auth::mails::{MailAllowed, MailCaps};
#[cfg(feature = "passwords")]
pub use auth::passwords::Passwords;
pub use auth::tokens;
pub use aws::Aws;
pub use cache::{Cache, CachePolicy, Cached};
pub use config::{CURSOR_KEY, ConfigError, SIGNING_KEYS, VERIFICATION_KEYS};
pub use dynamodb::audit_log::AuditLog;
pub use dynamodb::batch_get::{BatchRequest, Each, GetMany, GetOne, KEYS_MAX, Looked, batch_get};
#[doc(hidden)]
pub use dynamodb::batch_get::{Items, Keys};
pub use dynamodb::pages::Pages;
pub use dynamodb::query::{Found, Positioned};
pub use dynamodb::range::Range;
pub use dynamodb::setting::CachedSetting;
pub use dynamodb::table::{OrNotFound, Present, Table};
pub use errors::service_error;
pub use runtime::{authorize, consume, rotate, serve};
pub use secrets::Secret;
pub use secrets::rotation::{KeyRotation, RotationError};
