//! Third-party services, by name.

use crate::record::is_snake_case;

/// A third-party service that is called over HTTP, by its logical name. Its address is in the
/// environment variable `<NAME>_URL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Upstream(&'static str);

impl Upstream {
    /// Names an upstream in `snake_case`: `partner` is found under `PARTNER_URL`.
    ///
    /// # Panics
    ///
    /// If the name has more than `a` to `z`, digits and `_`, or does not begin with `a` to `z`.
    /// In a constant, this is an error of the compiler:
    ///
    /// ```compile_fail,E0080
    /// use lifecycle::Upstream;
    /// const PARTNER: Upstream = Upstream::new("our-partner");
    /// ```
    pub const fn new(name: &'static str) -> Self {
        assert!(is_snake_case(name), "an upstream's name has a-z, 0-9 and _ only, and a-z first");
        Self(name)
    }

    /// The logical name.
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// The environment variable that holds the address.
    pub fn variable(self) -> String {
        format!("{}_URL", self.0.to_uppercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_is_found_by_the_variable_with_its_name() {
        let upstream = Upstream::new("credit_bureau");
        assert_eq!(
            (upstream.name(), &*upstream.variable()),
            ("credit_bureau", "CREDIT_BUREAU_URL")
        );
    }

    #[test]
    #[should_panic(expected = "an upstream's name has a-z")]
    fn a_name_that_no_variable_can_have_is_refused() {
        let _ = Upstream::new("our-partner");
    }
}
