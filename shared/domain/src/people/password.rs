//! Passwords in plain text: never stored, never shown.

use std::fmt;

use lifecycle::newtypes::{bounded, composed};

use super::guessable::{is_made_of, weakness};
use super::{Email, PersonName};

/// A password that a user chooses, in NFC: the same in every way of typing its letters.
///
/// It has 12 to 128 characters (code points in NFC), and is not easy to guess.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// The plain text, for hashing.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it is little more than its owner's address or name.
    pub fn is_made_of(&self, email: &Email, name: &PersonName) -> bool {
        let email = email.as_str();
        let mailbox = email.split('@').next().unwrap_or(email);
        [email, mailbox, name.as_str()].iter().any(|known| is_made_of(&self.0, known))
    }
}

impl TryFrom<String> for Password {
    type Error = String;

    fn try_from(raw: String) -> Result<Self, Self::Error> {
        let text = bounded(&raw, 12, 128)?;
        match weakness(&text) {
            None => Ok(Self(text)),
            Some(weakness) => Err(weakness.to_owned()),
        }
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

/// A password that a user enters to sign in. It has no minimum length: a short one gets the same
/// response as every other wrong password.
#[derive(Clone)]
pub struct EnteredPassword(String);

impl EnteredPassword {
    const LENGTH_MAX: usize = 128;

    /// The plain text in the forms that may have been hashed: NFC, and as it was typed, which the
    /// previous version hashed.
    pub fn spellings(&self) -> Vec<String> {
        let mut spellings = vec![composed(&self.0).into_owned(), self.0.clone()];
        spellings.dedup();
        spellings
    }
}

impl TryFrom<String> for EnteredPassword {
    type Error = String;

    fn try_from(raw: String) -> Result<Self, Self::Error> {
        if raw.chars().count() > Self::LENGTH_MAX {
            bounded(&raw, 0, Self::LENGTH_MAX)?;
        }
        Ok(Self(raw))
    }
}

impl fmt::Debug for EnteredPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnteredPassword(…)")
    }
}

lifecycle::checked!(EnteredPassword, String, {
    "type": "string", "format": "password", "maxLength": Self::LENGTH_MAX
});

#[cfg(test)]
mod tests {
    use super::*;

    /// This many different characters.
    fn characters(count: usize) -> String {
        (0..count).filter_map(|i| char::from_u32(0x4E00 + u32::try_from(i * i).unwrap())).collect()
    }

    #[test]
    fn a_password_has_12_to_128_characters() {
        for (length, taken) in [(0, false), (11, false), (12, true), (128, true), (129, false)] {
            assert_eq!(Password::try_from(characters(length)).is_ok(), taken, "{length}");
        }
    }

    #[test]
    fn a_password_is_the_same_with_composed_and_with_separate_accents() {
        let (nfc, nfd) = ("caf\u{E9}-de-la-place", "cafe\u{301}-de-la-place");
        let chosen = |raw: &str| Password::try_from(raw.to_owned()).unwrap().reveal().to_owned();
        assert_eq!([chosen(nfc), chosen(nfd)], [nfc; 2]);
        let entered = EnteredPassword::try_from(nfd.to_owned()).unwrap();
        assert_eq!(entered.spellings(), [nfc, nfd]);
        let entered = EnteredPassword::try_from(nfc.to_owned()).unwrap();
        assert_eq!(entered.spellings(), [nfc]);
    }

    #[test]
    fn an_entered_password_has_up_to_128_characters_however_they_are_typed() {
        for (entered, taken) in [
            (String::new(), true),
            (characters(128), true),
            (characters(129), false),
            ("e\u{301}".repeat(128), true),
            ("e\u{301}".repeat(129), false),
        ] {
            assert_eq!(EnteredPassword::try_from(entered.clone()).is_ok(), taken, "{entered}");
        }
    }

    #[test]
    fn a_separate_accent_does_not_count_as_a_character() {
        assert!(Password::try_from("correcthors\u{65}\u{301}".to_owned()).is_ok());
        assert!(Password::try_from("correcthor\u{65}\u{301}".to_owned()).is_err());
    }

    #[test]
    fn a_weak_password_cannot_be_chosen_but_can_be_entered() {
        for weak in ["password1234", "            ", "\0\0\0\0\0\0\0\0\0\0\0\0"] {
            assert!(Password::try_from(weak.to_owned()).is_err(), "{weak:?}");
            assert!(EnteredPassword::try_from(weak.to_owned()).is_ok(), "{weak:?}");
        }
    }

    #[test]
    fn a_password_made_of_its_owners_address_or_name_is_recognised() {
        let email = Email::try_from("annette.smith@example.com".to_owned()).unwrap();
        let name = PersonName::try_from("Ann of Green Gables".to_owned()).unwrap();
        for (password, known) in [
            ("annette.smith@example.com", true),
            ("AnnetteSmith1984", true),
            ("AnnOfGreenGables!", true),
            ("correct-horse-battery", false),
        ] {
            let password = Password::try_from(password.to_owned()).unwrap();
            assert_eq!(password.is_made_of(&email, &name), known, "{}", password.reveal());
        }
    }

    #[test]
    fn a_password_of_marks_is_not_made_of_an_address_or_name_of_marks() {
        let email = Email::try_from("_@example.com".to_owned()).unwrap();
        let name = PersonName::try_from("🎉".to_owned()).unwrap();
        let password = Password::try_from("#!?$%&*()-_=+".to_owned()).unwrap();
        assert!(!password.is_made_of(&email, &name));
    }

    #[test]
    fn a_password_is_never_shown() {
        let password = Password::try_from("correct-horse-battery".to_owned()).unwrap();
        assert_eq!(format!("{password:?}"), "Password(…)");
        let entered = EnteredPassword::try_from("correct-horse-battery".to_owned()).unwrap();
        assert_eq!(format!("{entered:?}"), "EnteredPassword(…)");
    }
}
