//! Whole numbers within bounds.

/// Defines a whole number within bounds, both of them included.
macro_rules! whole_number {
    ($(#[$doc:meta])* $name:ident: $min:literal..=$max:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        pub struct $name(i64);

        impl $name {
            /// The least there is.
            pub const MIN: Self = Self($min);
            /// The most there is.
            pub const MAX: Self = Self($max);

            /// The number.
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl TryFrom<i64> for $name {
            type Error = &'static str;

            fn try_from(raw: i64) -> Result<Self, Self::Error> {
                if ($min..=$max).contains(&raw) {
                    Ok(Self(raw))
                } else {
                    Err(concat!("must be from ", $min, " to ", $max))
                }
            }
        }

        lifecycle::checked!(
            $name,
            i64,
            { "type": "integer", "minimum": Self::MIN.0, "maximum": Self::MAX.0 },
            stored: Self
        );
    };
}

pub(crate) use whole_number;

#[cfg(test)]
#[expect(unreachable_pub, reason = "a mould makes public types")]
mod tests {
    whole_number! {
        /// Some.
        Some: 1..=99
    }

    #[test]
    fn both_bounds_are_included() {
        for (raw, taken) in [(0, false), (1, true), (99, true), (100, false), (-1, false)] {
            let read = Some::try_from(raw);
            assert_eq!(read.is_ok_and(|some| some.get() == raw), taken, "{raw}");
        }
        assert_eq!(Some::try_from(100), Err("must be from 1 to 99"));
    }

    #[test]
    fn numbers_in_quotes_and_fractions_are_refused() {
        for raw in ["\"1\"", "1.0", "1.5", "true", "null"] {
            assert!(serde_json::from_str::<Some>(raw).is_err(), "{raw}");
        }
    }
}
