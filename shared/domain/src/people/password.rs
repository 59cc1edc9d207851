//! Passwords in plain text, as they pass through: never stored, never shown.

use std::fmt;

use crate::syntax::bounded;

/// A password that somebody chooses.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// The plain text, for hashing.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Password {
    type Error = String;

    fn try_from(raw: String) -> Result<Self, Self::Error> {
        bounded(&raw, 12, 128).map(Self)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

lifecycle::checked!(Password, String, {
    "type": "string", "format": "password", "minLength": 12, "maxLength": 128
});

/// A password that somebody enters to sign in. One that is too short to have been chosen is not
/// malformed but wrong, so that it is answered like every other wrong one.
#[derive(Clone)]
pub struct EnteredPassword(String);

impl EnteredPassword {
    /// The plain text, for verification.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for EnteredPassword {
    type Error = String;

    fn try_from(raw: String) -> Result<Self, Self::Error> {
        bounded(&raw, 0, 128).map(Self)
    }
}

impl fmt::Debug for EnteredPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnteredPassword(…)")
    }
}

lifecycle::checked!(EnteredPassword, String, {
    "type": "string", "format": "password", "maxLength": 128
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_has_12_to_128_characters() {
        for (length, taken) in [(0, false), (11, false), (12, true), (128, true), (129, false)] {
            assert_eq!(Password::try_from("ä".repeat(length)).is_ok(), taken, "{length}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let password = Password::try_from("correct-horse-battery".to_owned()).unwrap();
        assert_eq!(format!("{password:?}"), "Password(…)");
    }
}
