//! The parts that `cargo lifecycle` shares with the checks of its repository: errors with
//! context, output, other programs, and the descriptions that functions print.
//!
//! Its interface may change in every version: it is published because `cargo-lifecycle` needs it.

pub mod context;
pub mod descriptions;
mod folders;
pub mod process;
pub mod terminal;

pub use cargo_command::{cargo, last_built, without_package};

pub use self::context::Error;
pub use self::folders::{binaries_of, target_directory};
pub use self::terminal::say;
