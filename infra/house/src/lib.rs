//! The parts that `xtask`, `conformance` and `bench` share and that know this repository: pinned
//! tools, its programs, stages and stacks, the steps of its pipeline, and counts of requests.

pub mod cargo_lambda;
pub mod counts;
pub mod pipeline;
pub mod samconfig;
pub mod stack;
pub mod tools;
mod workspace;

pub use self::workspace::{program_of, workspace};
