#![doc = include_str!("../README.md")]
//! # Contents
//!
//! | item | for |
//! |---|---|
//! | [`SystemUnderTest`], [`Suite`] | the service, and its platforms |
//! | [`Api`], [`Call`], [`ApiResponse`] | calls and their responses |
//! | [`Control`] | tables, mail, faults, clock and schedules of a platform |
//! | [`eventually`], [`when`] | waiting for work that follows a response |
//! | [`Description`] | the comparison of each response with the API description |
//! | [`run_documents`] | the shell blocks of documents |
//!
//! # Against a deployment
//!
//! The same tests run against any address. There, a test that needs a separate platform or a
//! control address reports that it is skipped.
//!
//! | environment variable | effect |
//! |---|---|
//! | `API_URL` | the API under test, `https://…`; without it, platforms are started |
//! | `STRICT=1` | a skipped test fails |
//! | `TEST_TIMEOUT_S` | the seconds that [`eventually`] waits, by default 60 |
//! | `TEST_BUILT` | if set, the functions are not built again |
//! | `TEST_DENY` | a permission to remove: `GetNoteFunction dynamodb:GetItem NotesTable` |
//! | `TEST_USED_PERMISSIONS` | a file, to which the used permissions are appended, one a line |
//!
//! # Panics
//!
//! The kit returns no errors. A failed check, an unexpected status and a response that does not
//! arrive are panics, which fail the test, with the request or the response in the message.

#![allow(clippy::missing_panics_doc, reason = "a failed check is a panic: see the front page")]

mod api;
mod call;
mod control;
mod description;
mod documents;
mod envelope;
mod environment;
mod in_process;
mod response;
mod suite;
mod wait;

pub use self::api::Api;
pub use self::call::{Call, Http};
pub use self::control::Control;
pub use self::description::Description;
pub use self::documents::run_documents;
pub use self::environment::{setting, skip, unique};
pub use self::in_process::{Running, in_background};
pub use self::response::ApiResponse;
pub use self::suite::{Suite, SystemUnderTest};
pub use self::wait::{Seen, eventually, when};
