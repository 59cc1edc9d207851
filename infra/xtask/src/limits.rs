//! Numbers of the lifecycle that templates contain.
//!
//! They are written again here, and compared in a test: this program does not link the functions'
//! runtime.

/// How long the API keeps an authorizer's finding, in seconds.
pub(crate) const FINDING_KEPT_S: u32 = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_lifecycle() {
        assert_eq!(FINDING_KEPT_S, lifecycle::FINDING_KEPT_S);
    }
}
