//! The parameters of a request for the partner's products.

use lifecycle::newtypes::{bounded_int, single_line};
use schemars::JsonSchema;

/// The products that a client wants, as its query string names them.
#[derive(Debug, Clone, PartialEq, Eq, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProductQuery {
    /// The page number, from 1; by default 1.
    #[serde(default)]
    pub page: Option<PageNumber>,
    /// The maximum number of products on a page; by default 20.
    #[serde(default)]
    pub page_size: Option<PageSize>,
    /// Only products of this category.
    #[serde(default)]
    pub category: Option<Category>,
}

/// The headers of the client's request that the partner gets too.
#[derive(Debug, Clone, PartialEq, Eq, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PartnerHeaders {
    /// The id of the party on whose behalf the partner is asked.
    pub x_partner_id: PartnerId,
    /// The language of the product names; it is passed on to the partner.
    pub accept_language: Language,
}

bounded_int! {
    /// The number of a page of the partner's catalogue.
    PageNumber: 1..=1_000_000
}

bounded_int! {
    /// The maximum number of products on a page.
    PageSize: 1..=100
}

impl Default for PageSize {
    fn default() -> Self {
        Self::try_from(20).expect("it is within the bounds")
    }
}

single_line! {
    /// A category of the partner's products.
    Category: 1..=64
}

/// Defines a text that is safe in a header.
macro_rules! token {
    ($(#[$doc:meta])* $name:ident: $max:literal, $extra:literal, $pattern:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = &'static str;

            fn try_from(raw: String) -> Result<Self, Self::Error> {
                let is_known = |letter: char| {
                    letter.is_ascii_alphanumeric() || $extra.contains(letter)
                };
                if (1..=$max).contains(&raw.len()) && raw.chars().all(is_known) {
                    Ok(Self(raw))
                } else {
                    Err(concat!("must have 1 to ", $max, " letters, digits, and any of ", $extra))
                }
            }
        }

        lifecycle::checked!($name, String, {
            "type": "string", "minLength": 1, "maxLength": $max, "pattern": $pattern
        }, stored: Self);
    };
}

token! {
    /// The id that the requesting party gives itself: `acme-7`.
    PartnerId: 64, "-_.", "^[A-Za-z0-9_.-]+$"
}

token! {
    /// Languages in order of preference (RFC 9110, 12.5.4): `de-CH, de;q=0.9`.
    Language: 255, "-*;=., ", "^[A-Za-z0-9*;=., -]+$"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partner_ids_and_languages_hold_only_characters_safe_in_a_header() {
        for (raw, is_id, is_language) in [
            ("acme-7", true, true),
            ("de-CH, de;q=0.9, *;q=0.5", false, true),
            ("", false, false),
            ("a\r\nb: c", false, false),
            ("a@b", false, false),
            ("ä", false, false),
            (&"a".repeat(65), false, true),
            (&"a".repeat(256), false, false),
        ] {
            assert_eq!(PartnerId::try_from(raw.to_owned()).is_ok(), is_id, "{raw}");
            assert_eq!(Language::try_from(raw.to_owned()).is_ok(), is_language, "{raw}");
        }
    }
}
