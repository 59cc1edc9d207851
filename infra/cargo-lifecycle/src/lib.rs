//! `cargo lifecycle`: commands for a service whose functions describe themselves with `--describe`.
//!
//! | command | result |
//! |---|---|
//! | `codegen` | writes the template's routes, environments, policies and event sources between markers |
//! | `drift` | compares the hand-written settings of the template with the functions |
//! | `openapi` | writes the `OpenAPI` document |
//! | `privileges` | proves by tests that every permission is needed |
//! | `new-service` | writes a service that runs at once |
//! | `new-endpoint`, `new-consumer` | write a function and its declarations |
//!
//! A [`Service`] is a workspace (`--workspace`), a template (`--template`), and the package whose
//! binaries are the functions (`--package`). All other places are [`Settings`] in the package's
//! `Cargo.toml`; a service without one lacks that file.
//!
//! ```toml
//! [package.metadata.lifecycle]
//! events = "tests/events"
//!
//! [package.metadata.lifecycle.openapi]
//! document = "openapi.json"
//! info = { title = "The library" }
//!
//! [package.metadata.lifecycle.privileges]
//! table = "PRIVILEGES.md"
//! test = "cargo test --workspace --test api"
//! ```
//!
//! The template's resources have the names that the functions' declarations give: `GetBookFunction`,
//! `BooksTable`, `RemindersQueue`. Other names are those of the template:
//!
//! | name | found as | or else |
//! |---|---|---|
//! | HTTP API | the only one | `Api` |
//! | authorizer | the API's `DefaultAuthorizer`, or its only one | `TokenAuthorizer` |
//! | alias of functions | `AutoPublishAlias` in `Globals`, unless a function ignores it | none |

pub mod codegen;
pub mod drift;
mod file;
pub mod new_endpoint;
pub mod new_service;
pub mod openapi;
pub mod privileges;
mod service;
mod settings;

pub use self::service::{Location, Service};
pub use self::settings::{New, OpenApi, Privileges, Settings, Tag};

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
