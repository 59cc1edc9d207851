//! AWS behind the lifecycle's ports. Only this crate knows an SDK, and no SDK type crosses its
//! border.
//!
//! - [`Aws`] implements the lifecycle's platform and returns [`Table`]s, [`Secret`]s and
//!   [`tokens`].
//! - [`cache`], [`passwords`], [`attempts`] and [`upstream`] serve stage 6.
//! - [`serve`], [`consume`], [`authorize`] and [`rotate`] are called by a binary's `main`.

mod alert_port;
pub mod attempts;
mod audit_log;
mod aws;
mod batch_get;
pub mod cache;
mod clock;
mod configuration;
mod connector;
mod cursors;
mod endpoints;
mod errors;
mod expressions;
pub mod guesses;
pub mod mails;
pub mod notifiers;
#[cfg(feature = "operator")]
pub mod operator;
mod pages;
pub mod passwords;
mod pauses;
mod platform;
mod probes;
mod range;
mod rotation;
mod secrets;
mod serve;
mod setting;
mod single_flight;
mod table;
#[cfg(test)]
mod tests;
pub mod tokens;
pub mod upstream;

pub use attempts::AttemptLimiter;
pub use audit_log::AuditLog;
pub use aws::Aws;
pub use batch_get::{BatchRequest, Each, GetMany, GetOne, KEYS_MAX, Looked, batch_get};
#[doc(hidden)]
pub use batch_get::{Items, Keys};
pub use cache::{Cache, CachePolicy, Cached};
pub use configuration::{CURSOR_KEY, ConfigError, SIGNING_KEYS, VERIFICATION_KEYS};
pub use guesses::{Guess, Guesses};
pub use mails::{MailAllowed, MailCaps};
pub use notifiers::AlertSender;
pub use pages::Pages;
pub use passwords::Passwords;
pub use range::{Found, Positioned, Range};
pub use rotation::{KeyRotation, RotationError};
pub use secrets::Secret;
pub use serve::{authorize, consume, rotate, serve};
pub use setting::CachedSetting;
pub use table::{OrNotFound, Present, Table};
