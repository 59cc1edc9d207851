//! Packages that a command about libraries selects for their features alone.

/// Packages without a library. They ask for the features of the whole workspace, so that a command that
/// selects them and some libraries reuses the dependencies of other builds.
pub(crate) const WITHOUT_LIBRARY: [&str; 4] = ["bench", "blackbox", "conformance", "xtask"];
