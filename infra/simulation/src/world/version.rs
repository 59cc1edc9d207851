//! The versions of functions.

use std::process::ExitCode;
use std::sync::Arc;

use crate::random::Chance;

/// A version of a function.
#[derive(Clone)]
pub(super) struct Version {
    /// How often an environment starts this version instead of an earlier one.
    pub(super) share: Chance,
    /// Its `main`.
    pub(super) main: Arc<dyn Fn() -> ExitCode + Send + Sync>,
}
