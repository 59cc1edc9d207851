//! Errors that name the failed step, file or command.

use std::fmt::Display;

/// The reason why a command fails.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Adds the failed step to an error whose own text does not name it.
///
/// Errors from `fs_err` already name the path.
pub trait Context<T> {
    /// Puts the failed step before the error's own text.
    ///
    /// # Errors
    ///
    /// The same error, with the step.
    fn context<D: Display>(self, step: impl FnOnce() -> D) -> Result<T, Error>;
}

impl<T, E: Display> Context<T> for Result<T, E> {
    fn context<D: Display>(self, step: impl FnOnce() -> D) -> Result<T, Error> {
        self.map_err(|error| format!("{}: {error}", step()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_with_context_has_the_step_before_its_own_text() {
        let parsed = "".parse::<u16>().context(|| "the port of \"http://127.0.0.1:\"");
        let expected = "the port of \"http://127.0.0.1:\": cannot parse integer from empty string";
        assert_eq!(parsed.unwrap_err().to_string(), expected);
    }
}
