//! Stage 5: the conversion of an input into a command.

use crate::error::FieldErrors;

/// A command that is made of an input's value, by `TryFrom` or `From`.
///
/// Every type with such a conversion has it, and so has the input's value itself.
#[diagnostic::on_unimplemented(
    message = "stage 5: `{Self}` cannot be made of `{V}`",
    label = "not a command of this input",
    note = "implement `TryFrom<{V}>` for it with `type Error = FieldErrors`, or `From<{V}>` if it cannot fail"
)]
pub trait FromInput<V>: Sized {
    /// Makes the command.
    ///
    /// # Errors
    ///
    /// All field errors that the conversion finds.
    fn from_input(value: V) -> Result<Self, FieldErrors>;
}

#[diagnostic::do_not_recommend]
impl<V, C: TryFrom<V, Error: Into<FieldErrors>>> FromInput<V> for C {
    fn from_input(value: V) -> Result<Self, FieldErrors> {
        Self::try_from(value).map_err(Into::into)
    }
}
