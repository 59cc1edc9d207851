//! Types that only hold valid values, deserialisable from input.

/// Makes a type with `TryFrom<raw>` deserialisable from JSON, paths, queries and headers. Its
/// errors are reported together with all other field errors of the request.
///
/// The raw type is a text or a whole number ([`Raw`](crate::input::Raw)), in any spelling of the
/// number. The error of the conversion is the sentence for the client. The JSON Schema states the
/// same constraint.
///
/// ```
/// pub struct Quantity(u8);
///
/// impl TryFrom<u8> for Quantity {
///     type Error = &'static str;
///     fn try_from(raw: u8) -> Result<Self, Self::Error> {
///         if (1..=99).contains(&raw) { Ok(Self(raw)) } else { Err("must be from 1 to 99") }
///     }
/// }
///
/// lifecycle::checked!(Quantity, u8, { "type": "integer", "minimum": 1, "maximum": 99 });
/// ```
///
/// With `stored: Self` the type accepts every value that this system has [stored](crate::stored).
/// The reason: a sum may exceed the limits of input, and an earlier version may have had others.
/// The expression is a function from the raw value to the type. Types with a fixed set of values
/// have no `stored`, because code cannot handle an unknown value.
#[macro_export]
macro_rules! checked {
    ($type:ident, $raw:ty, $schema:tt $(, stored: $stored:expr)?) => {
        impl<'de> $crate::reexport::serde::Deserialize<'de> for $type {
            fn deserialize<D>(deserializer: D) -> ::core::result::Result<Self, D::Error>
            where
                D: $crate::reexport::serde::Deserializer<'de>,
            {
                let raw = <$raw as $crate::input::Raw>::read(deserializer)?;
                $(if $crate::stored::is_being_read() {
                    return ::core::result::Result::Ok(($stored)(raw));
                })?
                <Self as ::core::convert::TryFrom<$raw>>::try_from(raw)
                    .map_err($crate::reexport::serde::de::Error::custom)
            }
        }

        impl<'de> $crate::reexport::eserde::EDeserialize<'de> for $type {
            fn deserialize_for_errors<D>(deserializer: D) -> ::core::result::Result<(), ()>
            where
                D: $crate::reexport::serde::Deserializer<'de>,
            {
                match <Self as $crate::reexport::serde::Deserialize>::deserialize(deserializer) {
                    Ok(_) => Ok(()),
                    Err(error) => {
                        $crate::reexport::eserde::reporter::ErrorReporter::report(error);
                        Err(())
                    }
                }
            }
        }

        impl $crate::reexport::schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(
                _: &mut $crate::reexport::schemars::SchemaGenerator,
            ) -> $crate::reexport::schemars::Schema {
                let schema = $crate::reexport::schemars::json_schema!($schema);
                $(let schema = { let _ = $stored; $crate::stored::described(schema) };)?
                schema
            }
        }
    };
}
