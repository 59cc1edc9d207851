//! Third-party services, by name.

/// A third-party service that is called over HTTP, by its logical name. Its address is in the
/// environment variable `<NAME>_URL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Upstream(&'static str);

impl Upstream {
    /// Names an upstream in `snake_case`: `partner` is found under `PARTNER_URL`.
    pub const fn new(name: &'static str) -> Self {
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
