//! A test kit for APIs: starts a service on the [`emulator`] of its SAM template, and calls it over
//! HTTP as its clients do.
//!
//! A service implements [`SystemUnderTest`] and has one [`Suite`], in a static. A test takes an
//! [`Api`] from the suite: [`Suite::shared_platform`] is fast, and [`Suite::fresh_platform`] has
//! faults, options and a clock that no other test sees.
//!
//! ```no_run
//! use emulator::faults::{Faults, StoreFault};
//! use emulator::options::Options;
//! use emulator::{BoxError, NoApplication, Platform};
//! use serde_json::json;
//! use testkit::{Suite, SystemUnderTest, eventually, when};
//!
//! /// A service of notes. Its template is the nearest `template.yaml`.
//! struct Notes;
//!
//! impl SystemUnderTest for Notes {
//!     type Running = Platform;
//!
//!     async fn start(&self, options: Options) -> Result<Platform, BoxError> {
//!         Ok(Platform::start(options, &NoApplication).await?)
//!     }
//! }
//!
//! static NOTES: Suite<Notes> = Suite::new(Notes);
//!
//! // With `#[tokio::test]`, like the next one.
//! async fn a_new_note_is_stored_once_per_key() {
//!     let api = NOTES.shared_platform().await;
//!     let note = json!({ "text": "Buy bread." });
//!
//!     for _ in 0..2 {
//!         let response = api.post("/notes", &note).key("note-1").send().await;
//!         assert_eq!(response.data(201)["text"], "Buy bread.");
//!     }
//!
//!     let Some(control) = api.control() else { return };
//!     assert_eq!(control.table("NotesTable").await.len(), 1);
//! }
//!
//! async fn a_reminder_is_mailed_although_the_mail_service_fails() {
//!     let Some(api) = NOTES.fresh_platform(Options::default()).await else { return };
//!     let control = api.control().expect("a fresh platform has a control address");
//!     control.inject(&Faults::default().mail(StoreFault::fail(0.5))).await;
//!
//!     let reminder = json!({ "to": "ada@example.com", "inS": 60 });
//!     api.post("/reminders", &reminder).send().await.data(202);
//!     control.pass(60).await;
//!
//!     let mails = async || when(control.mails("ada@example.com").await, |mails| mails.len() == 1);
//!     eventually("the reminder to arrive", mails).await;
//! }
//! ```
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
