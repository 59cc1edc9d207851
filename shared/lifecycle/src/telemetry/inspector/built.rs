//! Whether a build has an inspector.

/// Whether this build has an inspector: one with debug assertions, as those of the local platform and of
/// tests, or with the feature `inspect`. The branches on this constant are removed before code is
/// generated. So a deployed program has no code that writes the input of requests, and links no
/// `Debug` of inputs and facts.
pub(super) const HAS_INSPECTOR: bool = cfg!(any(debug_assertions, test, feature = "inspect"));
