#![doc = include_str!("../README.md")]
//! # Contents
//!
//! The [`guide`] teaches all of it, from the first endpoint to a deployed service.
//!
//! | item | for |
//! |---|---|
//! | [`serve`], [`consume`], [`authorize`], [`rotate`] | the `main` of a binary |
//! | [`functions`] | ready-made functions: relay, sweepers, health check, published keys |
//! | [`Aws`] | the [ports](lifecycle::ports) of the lifecycle; makes the items below |
//! | [`Table`], [`batch_get`], [`Range`], [`Pages`], [`CachedSetting`] | reads of tables, in stage 6 |
//! | [`Sequence`] | numbers that are taken in stage 6, before the commit that has them |
//! | [`auth`], [`tokens`], [`Secret`] | tokens, API keys, passwords, limits on guesses, secrets |
//! | [`Cache`], [`upstream`] | shared values, and calls to third-party services |
//! | [`Aws::sdk_config`], [`Aws::retry_partition`], [`service_error`] | clients of other AWS services |
//! | `testing`, a module of the feature of that name | functions in the process of a test |
//! | [`environment`] | all environment variables, and the shapes of tables |
//!
//! Only this crate knows an SDK. No SDK type crosses its border, except where a service calls AWS
//! itself.

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(feature = "admin")]
pub mod admin;
pub mod alerts;
pub mod auth;
mod aws;
pub mod cache;
mod calls;
mod config;
mod connect;
mod connector;
mod dynamodb;
mod endpoints;
pub mod environment;
mod errors;
mod every;
mod export;
pub mod functions;
pub mod guide;
mod linked;
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
pub use auth::mails::MailCaps;
#[cfg(feature = "passwords")]
pub use auth::passwords::Passwords;
pub use auth::tokens;
pub use aws::Aws;
pub use cache::{Cache, CachePolicy, Cached};
pub use config::{CURSOR_KEY, ConfigError, SIGNING_KEYS, VERIFICATION_KEYS};
pub use dynamodb::audit_log::AuditLog;
pub use dynamodb::batch_get::{BatchRequest, Each, GetMany, GetOne, KEYS_MAX, Looked, batch_get};
pub use dynamodb::excerpts::{GetExcerpt, GetExcerpts};
pub use dynamodb::pages::Pages;
pub use dynamodb::query::{Found, Positioned};
pub use dynamodb::range::Range;
pub use dynamodb::sequence::Sequence;
pub use dynamodb::setting::CachedSetting;
pub use dynamodb::table::{OrNotFound, Present, Table};
#[doc(hidden)]
pub use dynamodb::{batch_get::Items, wanted_keys::Keys};
pub use errors::service_error;
pub use runtime::{authorize, consume, rotate, serve};
pub use secrets::Secret;
pub use secrets::rotation::{KeyRotation, RotationError};
