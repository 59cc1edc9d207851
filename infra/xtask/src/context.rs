//! Errors that name the step, the file or the command, and the value.

use std::fmt::Display;

use crate::descriptions::Error;

/// Says what an error is about, where its own text does not.
///
/// Errors of files name their path already: they come from `fs_err`.
pub(crate) trait Context<T> {
    /// Puts a description of the failed step before the error's own text.
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
    fn an_error_with_context_names_the_step_and_keeps_its_own_text() {
        let parsed = "".parse::<u16>().context(|| "the port of \"http://127.0.0.1:\"");
        let expected = "the port of \"http://127.0.0.1:\": cannot parse integer from empty string";
        assert_eq!(parsed.unwrap_err().to_string(), expected);
    }
}
