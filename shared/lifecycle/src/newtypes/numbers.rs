//! Whole numbers within bounds.

use crate::input::WholeNumber;

/// Defines a whole number within bounds, both of them included.
///
/// A client may spell the number as `2`, `2.0` or `2e0`. A number outside of the bounds is an error
/// that names them. A stored number is read without bounds: see [`stored`](crate::stored).
///
/// ```
/// lifecycle::bounded_int! {
///     /// A number of copies.
///     Copies: 1..=99
/// }
///
/// assert_eq!(serde_json::from_str::<Copies>("2.0").unwrap().get(), 2);
/// assert_eq!(Copies::try_from(100), Err("must be from 1 to 99"));
/// let schema = schemars::schema_for!(Copies).to_value();
/// assert_eq!((&schema["minimum"], &schema["maximum"]), (&1.into(), &99.into()));
/// ```
#[macro_export]
macro_rules! bounded_int {
    ($(#[$doc:meta])* $name:ident: $min:literal..=$max:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            /// The minimum.
            pub const MIN: Self = Self($min);
            /// The maximum.
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

        impl TryFrom<$crate::input::WholeNumber> for $name {
            type Error = &'static str;

            fn try_from(raw: $crate::input::WholeNumber) -> Result<Self, Self::Error> {
                // A number beyond 64 bits is beyond every bound.
                $crate::newtypes::saturated(raw).try_into()
            }
        }

        $crate::serialize_inner!($name);

        $crate::checked!(
            $name,
            $crate::input::WholeNumber,
            { "type": "integer", "minimum": Self::MIN.0, "maximum": Self::MAX.0 },
            stored: |raw| Self($crate::newtypes::saturated(raw))
        );
    };
}

pub use crate::bounded_int;

/// The number in 64 bits, or the nearest extreme of 64 bits.
pub fn saturated(number: WholeNumber) -> i64 {
    let extreme = if number.get() < 0 { i64::MIN } else { i64::MAX };
    i64::try_from(number.get()).unwrap_or(extreme)
}

#[cfg(test)]
#[expect(unreachable_pub, reason = "the macro defines public types")]
mod tests {
    bounded_int! {
        /// Some.
        Some: 1..=99
    }

    #[test]
    fn a_number_beyond_64_bits_becomes_the_nearest_extreme() {
        for (number, expected) in
            [(i128::MIN, i64::MIN), (-1, -1), (0, 0), (1, 1), (i128::MAX, i64::MAX)]
        {
            assert_eq!(super::saturated(number.into()), expected, "{number}");
        }
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
        for raw in ["\"1\"", "1.5", "0.99", "true", "null", "[1]"] {
            assert!(serde_json::from_str::<Some>(raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn a_whole_number_is_its_value_in_every_spelling() {
        for raw in ["20", "20.0", "2e1", "200e-1"] {
            assert_eq!(serde_json::from_str::<Some>(raw).unwrap().get(), 20, "{raw}");
        }
        let beyond = |raw| crate::input::WholeNumber::from(raw).try_into();
        for raw in [i128::MIN, i128::MAX, i128::from(i64::MAX) + 1] {
            assert_eq!(beyond(raw), Err::<Some, _>("must be from 1 to 99"), "{raw}");
        }
        for raw in ["99999999999999999999", "-99999999999999999999", "1e30"] {
            assert!(serde_json::from_str::<Some>(raw).is_err(), "{raw}");
        }
    }
}
