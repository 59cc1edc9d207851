//! E-mail addresses.

use std::fmt;

use lifecycle::record::{Key, Record, TableName};
use serde::{Deserialize, Serialize};

use super::UserId;
use crate::resources::USERS;

/// An e-mail address: a local part of dot-separated atoms and a domain of at least two labels
/// (RFC 5321). Only ASCII is accepted, because SES sends to no other address.
///
/// A domain in other letters has an ASCII form (`xn--…`), which is accepted; a local part has none.
/// An address is stored as it was typed and compared by [`Email::folded`]; ASCII is always in NFC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Email(String);

impl Email {
    /// RFC 5321, without the angle brackets.
    const LENGTH_MAX: usize = 254;
    /// RFC 5321.
    const LOCAL_LENGTH_MAX: usize = 64;

    /// As it was typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form by which addresses are compared: `Ann@Example.com` and `ann@example.com` are one
    /// account.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl TryFrom<String> for Email {
    type Error = &'static str;

    fn try_from(raw: String) -> Result<Self, Self::Error> {
        if raw.len() > Self::LENGTH_MAX {
            return Err("must have at most 254 characters");
        }
        match raw.rsplit_once('@') {
            Some((local, domain)) if is_local_part(local) && is_domain(domain) => Ok(Self(raw)),
            _ => Err("must be an e-mail address"),
        }
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

lifecycle::checked!(Email, String, {
    "type": "string",
    "format": "email",
    "maxLength": Self::LENGTH_MAX,
    "pattern": concat!(
        r"^(?=.{1,64}@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*",
        r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$"
    )
}, stored: Self);

fn is_local_part(local: &str) -> bool {
    local.len() <= Email::LOCAL_LENGTH_MAX
        && local.split('.').all(|atom| {
            !atom.is_empty()
                && atom.bytes().all(|byte| {
                    byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&byte)
                })
        })
}

fn is_domain(domain: &str) -> bool {
    domain.contains('.')
        && domain.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

/// Keeps an e-mail address unique, and finds the user by it. It is written in the user's commit, if
/// the address has no claim yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EmailClaim {
    /// The address.
    pub email: Email,
    /// The user it belongs to.
    pub user_id: UserId,
    /// When TTL may delete it, in seconds since 1970; only for an unverified account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

impl EmailClaim {
    /// The key of the claim to an address.
    pub fn key_of(email: &Email) -> Key {
        Key::new(format_args!("email#{}", email.folded()))
    }
}

impl Record for EmailClaim {
    const TABLE: TableName = USERS;
    const KEY_IS_PERSONAL: bool = true;

    fn key(&self) -> Key {
        Self::key_of(&self.email)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_ascii_addresses_by_rfc_5321_are_accepted() {
        let long_local = "a".repeat(65);
        for (raw, taken) in [
            ("ann@example.com", true),
            ("ann.o'neil+news@sub.example.co.uk", true),
            ("ann@example", false),
            ("ann", false),
            ("@example.com", false),
            ("ann@", false),
            (".ann@example.com", false),
            ("ann..b@example.com", false),
            ("ann@-example.com", false),
            ("ann@exa mple.com", false),
            ("ann@example..com", false),
            ("ann@example.com\r\nBcc: bob@example.com", false),
            ("änn@example.com", false),
            ("ann@münchen.example", false),
            ("ann@xn--mnchen-3ya.example", true),
            ("\u{FF41}nn@example.com", false),
            (&format!("{long_local}@example.com"), false),
            (&format!("ann@{}.com", "a".repeat(64)), false),
            (&format!("ann@{}com", "a.".repeat(130)), false),
        ] {
            assert_eq!(Email::try_from(raw.to_owned()).is_ok(), taken, "{raw}");
        }
    }

    #[test]
    fn the_longest_address_and_the_longest_parts_are_accepted() {
        for (lengths, taken) in [
            // 64 characters before the `@` and 189 after it: 254 in all.
            ([64, 63, 63, 61], true),
            ([64, 63, 63, 62], false),
            ([65, 63, 63, 60], false),
            ([63, 64, 63, 61], false),
        ] {
            let [local, first, second, third] = lengths.map(|length| "a".repeat(length));
            let raw = format!("{local}@{first}.{second}.{third}");
            assert_eq!(Email::try_from(raw).is_ok(), taken, "{lengths:?}");
        }
    }

    #[test]
    fn addresses_that_differ_in_case_have_one_claim() {
        let [typed, folded] = ["Ann@Example.COM", "ann@example.com"]
            .map(|raw| Email::try_from(raw.to_owned()).unwrap());
        assert_eq!(EmailClaim::key_of(&typed), EmailClaim::key_of(&folded));
        assert_eq!([typed.as_str(), &typed.to_string()], ["Ann@Example.COM"; 2]);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_check_panic(raw in ".*") {
            let _ = Email::try_from(raw);
        }
    }
}
