//! The shared parts of the programs for developers and operators: errors with context, output,
//! other programs, and readers of the workspace's files.

pub mod cargo_lambda;
pub mod context;
pub mod counts;
pub mod descriptions;
mod folders;
pub mod pipeline;
pub mod process;
pub mod samconfig;
pub mod stack;
pub mod terminal;
pub mod tools;

pub use cargo_command::{cargo, without_package};

pub use self::context::Error;
pub use self::folders::{binaries_of, target_directory, workspace};
pub use self::terminal::say;
