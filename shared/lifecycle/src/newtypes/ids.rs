//! Ids: UUIDs with a separate type for each kind, so that one cannot be mistaken for another.

/// Defines the type of the ids of one kind.
///
/// A UUID is read in its usual form of 36 characters only, in either case, and written in lower
/// case. Any other text is an error: `must be a UUID`.
///
/// ```
/// lifecycle::uuid_id! {
///     /// The id of a book.
///     BookId
/// }
///
/// let id = BookId::try_from("0197F5A4-0000-7000-8000-00000000000A".to_owned()).unwrap();
/// assert_eq!(id.to_string(), "0197f5a4-0000-7000-8000-00000000000a");
/// assert_eq!(BookId::try_from("a".to_owned()), Err("must be a UUID"));
/// ```
///
/// An endpoint makes a fresh id of its [`Moment`](crate::Moment): `BookId::from(moment.id("book"))`.
#[macro_export]
macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($crate::reexport::uuid::Uuid);

        impl From<$crate::reexport::uuid::Uuid> for $name {
            fn from(id: $crate::reexport::uuid::Uuid) -> Self {
                Self(id)
            }
        }

        impl TryFrom<String> for $name {
            type Error = &'static str;

            fn try_from(raw: String) -> Result<Self, Self::Error> {
                match $crate::reexport::uuid::Uuid::try_parse(&raw) {
                    Ok(id) if raw.len() == 36 => Ok(Self(id)),
                    _ => Err("must be a UUID"),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        $crate::serialize_inner!($name);

        $crate::checked!($name, String, { "type": "string", "format": "uuid" });
    };
}

pub use crate::uuid_id;

#[cfg(test)]
#[expect(unreachable_pub, reason = "the macro defines public types")]
mod tests {
    uuid_id! {
        /// The id of a thing.
        ThingId
    }

    #[test]
    fn an_id_is_read_in_its_usual_form_only() {
        for (raw, read) in [
            ("0197f5a4-0000-7000-8000-00000000000a", true),
            ("0197F5A4-0000-7000-8000-00000000000A", true),
            ("0197f5a4000070008000000000000000a", false),
            ("{0197f5a4-0000-7000-8000-00000000000a}", false),
            ("urn:uuid:0197f5a4-0000-7000-8000-00000000000a", false),
            ("", false),
        ] {
            assert_eq!(ThingId::try_from(raw.to_owned()).is_ok(), read, "{raw}");
        }
    }

    #[test]
    fn an_id_is_written_in_lower_case() {
        let id = ThingId::try_from("0197F5A4-0000-7000-8000-00000000000A".to_owned()).unwrap();
        assert_eq!(serde_json::to_value(id).unwrap(), "0197f5a4-0000-7000-8000-00000000000a");
    }
}
