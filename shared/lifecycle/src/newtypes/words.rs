//! Enumerations whose JSON form is a word in capitals.

/// Defines an enumeration by its words, which represent it in JSON, in storage, in the API
/// description and in logs. Any other word is an error that lists the known ones.
///
/// ```
/// lifecycle::wire_enum! {
///     /// The binding of a book.
///     Binding {
///         /// Boards.
///         Hardcover = "HARDCOVER",
///         /// Paper.
///         Paperback = "PAPERBACK",
///     }
/// }
///
/// assert_eq!(serde_json::to_string(&Binding::Paperback).unwrap(), "\"PAPERBACK\"");
/// let error = Binding::try_from("paperback".to_owned()).unwrap_err();
/// assert_eq!(error, "must be one of HARDCOVER, PAPERBACK");
/// ```
#[macro_export]
macro_rules! wire_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant),+
        }

        impl $name {
            /// All variants.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The words of all variants.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(raw: String) -> Result<Self, Self::Error> {
                match raw.as_str() {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(format!("must be one of {}", Self::WORDS.join(", "))),
                }
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::reexport::serde::Serialize for $name {
            fn serialize<S>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error>
            where
                S: $crate::reexport::serde::Serializer,
            {
                serializer.serialize_str(self.as_str())
            }
        }

        $crate::checked!($name, String, {
            "title": stringify!($name), "type": "string", "enum": Self::WORDS,
        });
    };
}

pub use crate::wire_enum;

#[cfg(test)]
#[expect(unreachable_pub, reason = "the macro defines public types")]
mod tests {
    wire_enum! {
        /// A direction.
        Direction {
            /// Upwards.
            Up = "UP",
            /// Downwards.
            Down = "DOWN",
        }
    }

    #[test]
    fn a_word_is_read_and_written_as_it_is() {
        for (direction, word) in Direction::ALL.iter().zip(["\"UP\"", "\"DOWN\""]) {
            assert_eq!(serde_json::from_str::<Direction>(word).unwrap(), *direction);
            assert_eq!(serde_json::to_string(direction).unwrap(), word);
        }
    }

    #[test]
    fn an_unknown_word_is_refused_with_the_list_of_known_ones() {
        let error = serde_json::from_str::<Direction>("\"up\"").unwrap_err();
        assert!(error.to_string().contains("must be one of UP, DOWN"), "{error}");
    }
}
