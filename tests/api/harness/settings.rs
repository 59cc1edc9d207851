//! Settings of a run, by environment variables.

/// The size of a run, from an environment variable or by default.
pub(crate) fn asked_for(variable: &str, default: usize) -> usize {
    std::env::var(variable).ok().map_or(default, |text| text.parse().expect("a number"))
}
