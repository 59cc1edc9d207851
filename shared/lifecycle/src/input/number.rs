//! Numbers that `DynamoDB` can hold. Whole ones are compared by value: `5`, `5.0` and `5e0` are the same
//! (RFC 8259, 6; JSON Schema's `integer`).

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// The maximum number of digits of an `i128`.
const DIGITS_MAX: usize = 39;
/// Up to here a floating-point number is no other whole number that was rounded.
const EXACT_MAX: f64 = 9_007_199_254_740_991.0;
/// A larger exponent makes no difference: no body has so many digits.
const EXPONENT_MAX: i64 = 1 << 40;

/// The largest whole number of 38 digits, which is the precision of `DynamoDB`'s numbers.
pub(super) const WHOLE_MAX: i128 = 10_i128.pow(38) - 1;
/// `DynamoDB`'s numbers other than 0 have at least this size.
const SIZE_MIN: f64 = 1e-130;
/// `DynamoDB`'s numbers are smaller than this.
const SIZE_END: f64 = 1e126;

/// The sentence about another type than a number, and about a too large number.
pub(super) const NO_NUMBER: &str = "must be a number that is not too large";
/// The sentence about a number that is smaller than any that can be stored.
const TOO_NEAR_TO_0: &str = "must be 0 or a number that is not too near to 0";

/// A whole number in any spelling.
///
/// With `serde_json`, `100`, `100.0` and `1e2` have the same value. A fraction is an error. Types
/// with limits are built on it: a number beyond `i128` becomes the nearest `i128`, which exceeds
/// every limit.
///
/// ```
/// use lifecycle::input::WholeNumber;
///
/// let read = |text| serde_json::from_str::<WholeNumber>(text).map(WholeNumber::get);
/// assert_eq!(read("100.0").unwrap(), 100);
/// assert!(read("100.5").is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WholeNumber(i128);

impl WholeNumber {
    /// The number.
    pub const fn get(self) -> i128 {
        self.0
    }
}

impl From<i128> for WholeNumber {
    fn from(number: i128) -> Self {
        Self(number)
    }
}

impl<'de> Deserialize<'de> for WholeNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_i64(Whole)
    }
}

struct Whole;

impl Visitor<'_> for Whole {
    type Value = WholeNumber;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<WholeNumber, E> {
        Ok(WholeNumber(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<WholeNumber, E> {
        Ok(WholeNumber(value.into()))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<WholeNumber, E> {
        Ok(WholeNumber(value))
    }

    /// Some deserialisers return `5.0` as a floating-point number. One that may have been rounded
    /// is refused.
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and in range")]
    fn visit_f64<E: Error>(self, value: f64) -> Result<WholeNumber, E> {
        if value.fract() == 0.0 && value.abs() <= EXACT_MAX {
            Ok(WholeNumber(value as i128))
        } else {
            Err(E::invalid_value(Unexpected::Float(value), &self))
        }
    }
}

/// The raw type of a [`checked!`](crate::checked) type, which is read before the check: `String`,
/// [`WholeNumber`], or an integer of up to 64 bits. No other type can implement it:
///
/// ```compile_fail,E0277
/// use lifecycle::reexport::serde::Deserializer;
///
/// struct Own;
///
/// impl lifecycle::input::Raw for Own {
///     fn read<'de, D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
///         Ok(Self)
///     }
/// }
/// ```
pub trait Raw: sealed::Sealed + Sized {
    /// Reads a raw value.
    ///
    /// # Errors
    ///
    /// When it has another type.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

mod sealed {
    pub trait Sealed {}

    impl Sealed for String {}
}

impl Raw for String {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

impl sealed::Sealed for WholeNumber {}

impl Raw for WholeNumber {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

macro_rules! raw {
    ($($type:ty)+) => {
        $(impl sealed::Sealed for $type {}

        impl Raw for $type {
            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let number = WholeNumber::deserialize(deserializer)?;
                Self::try_from(number.get()).map_err(|_| D::Error::custom(out_of(Self::MIN, Self::MAX)))
            }
        })+
    };
}

raw!(i8 i16 i32 i64 u8 u16 u32 u64);

/// The sentence about a number outside its limits.
pub(super) fn out_of(min: impl fmt::Display, max: impl fmt::Display) -> String {
    format!("must be from {min} to {max}")
}

/// Returns a whole number from a minimum to 38 digits, or the sentence about these limits. It refuses the
/// nearest `i128` of a number beyond them, too.
pub(super) fn held(number: i128, min: i128) -> Result<i128, Cow<'static, str>> {
    let is_held = (min..=WHOLE_MAX).contains(&number);
    if is_held { Ok(number) } else { Err(out_of(min, WHOLE_MAX).into()) }
}

/// Returns a number that a table can hold, or the sentence for the client. With any other, the commit
/// would fail.
pub(super) fn float(text: &str) -> Result<f64, &'static str> {
    let number: f64 = text.parse().map_err(|_| NO_NUMBER)?;
    // `1e-400` is 0 only because it was rounded.
    let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
    let is_zero = number == 0.0 && !mantissa.bytes().any(|digit| matches!(digit, b'1'..=b'9'));
    let size = number.abs();
    if is_zero || (SIZE_MIN..SIZE_END).contains(&size) {
        Ok(number)
    } else if size < SIZE_MIN {
        Err(TOO_NEAR_TO_0)
    } else {
        Err(NO_NUMBER)
    }
}

/// Returns a number that is finite as an `f32`, or the sentence for the client: `serde` would round any
/// other to infinity.
pub(super) fn short(number: f64) -> Result<f64, &'static str> {
    #[expect(clippy::cast_possible_truncation, reason = "the result is checked")]
    let rounded = number as f32;
    if rounded.is_finite() { Ok(number) } else { Err(NO_NUMBER) }
}

/// Returns a JSON number as a whole number, or `None` if it has a fraction.
///
/// The text must be a JSON number. The time is linear in its length, whatever its exponent is.
pub(super) fn whole(text: &str) -> Option<WholeNumber> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = whole.bytes().chain(fraction.bytes());
    let significant = digits.clone().rev().skip_while(|digit| *digit == b'0').count();
    let trailing = whole.len() + fraction.len() - significant;
    let places = |count: usize| i64::try_from(count).unwrap_or(EXPONENT_MAX);
    let shift = power(exponent) - places(fraction.len()) + places(trailing);
    if significant == 0 {
        return Some(WholeNumber(0));
    }
    let extreme = if negative { i128::MIN } else { i128::MAX };
    let digits = digits.take(significant).skip_while(|digit| *digit == b'0');
    let count = digits.clone().take(DIGITS_MAX + 1).count();
    if shift < 0 {
        // The last significant digit is after the decimal point.
        return None;
    }
    if shift > places(DIGITS_MAX) || count > DIGITS_MAX {
        return Some(WholeNumber(extreme));
    }
    let zeros = usize::try_from(shift).unwrap_or_default();
    let value = digits.chain(std::iter::repeat_n(b'0', zeros)).try_fold(0_i128, |value, digit| {
        let digit = i128::from(digit - b'0');
        value.checked_mul(10)?.checked_add(digit)
    });
    let value = value.map(|value| if negative { -value } else { value });
    Some(WholeNumber(value.unwrap_or(extreme)))
}

/// Returns an exponent, limited to where it still makes a difference.
fn power(exponent: &str) -> i64 {
    let (negative, digits) = match exponent.as_bytes() {
        [b'-', ..] => (true, &exponent[1..]),
        [b'+', ..] => (false, &exponent[1..]),
        _ => (false, exponent),
    };
    let value = digits.bytes().fold(0, |value: i64, digit| {
        (value.saturating_mul(10).saturating_add(i64::from(digit - b'0'))).min(EXPONENT_MAX)
    });
    if negative { -value } else { value }
}

/// Returns the whole number of a text outside JSON. Only one spelling is valid: digits without a
/// plus sign and without leading zeros, with an optional minus sign.
pub(super) fn spelled(text: &str) -> Option<WholeNumber> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let canonical = match digits.as_bytes() {
        [b'0'] => digits.len() == text.len(),
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    canonical.then(|| whole(text)).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<i128> {
        whole(text).map(WholeNumber::get)
    }

    #[test]
    fn a_whole_number_has_one_value_in_every_spelling() {
        for (text, value) in [
            ("5", 5),
            ("5.0", 5),
            ("5e0", 5),
            ("5E+0", 5),
            ("0.5e1", 5),
            ("500e-2", 5),
            ("5.000000000000000000000000000000000000000000000000000", 5),
            ("2e2", 200),
            ("1.5e1", 15),
            ("-0", 0),
            ("0e999999999999999999999999", 0),
            ("0.0e-999999999999999999999999", 0),
            ("-1e2", -100),
            ("9223372036854775807", i64::MAX.into()),
            ("-9223372036854775808.0", i64::MIN.into()),
            ("9007199254740993.0", 9_007_199_254_740_993),
            ("99999999999999999999", 99_999_999_999_999_999_999),
            ("1e400", i128::MAX),
            ("-1e1000000000", i128::MIN),
            ("1e99999999999999999999999999", i128::MAX),
        ] {
            assert_eq!(read(text), Some(value), "{text}");
        }
        for fraction in ["5.5", "1e-1", "0.1", "-0.5", "1e-1000000000", "1.00000000000000000001"] {
            assert_eq!(read(fraction), None, "{fraction}");
        }
    }

    #[test]
    fn a_number_outside_json_has_one_valid_spelling() {
        for (text, value) in [("0", 0), ("5", 5), ("-5", -5), ("100", 100)] {
            assert_eq!(spelled(text).map(WholeNumber::get), Some(value), "{text}");
        }
        for other in ["", "+5", "05", "-0", "00", "5.0", "5e0", " 5", "5 ", "0x5", "٥", "-", "1_0"]
        {
            assert_eq!(spelled(other), None, "{other}");
        }
    }

    #[test]
    fn a_number_from_serde_json_is_whole_or_refused_and_never_rounded() {
        let read = |text| serde_json::from_str::<WholeNumber>(text).map(WholeNumber::get).ok();
        for (text, value) in [
            ("100.0", Some(100)),
            ("1e2", Some(100)),
            ("-0.0", Some(0)),
            ("18446744073709551615", Some(u64::MAX.into())),
            ("100.5", None),
            ("\"100\"", None),
            ("true", None),
            ("9007199254740993.5", None),
            ("9007199254740993.0", None),
            ("9007199254740995.0", None),
        ] {
            assert_eq!(read(text), value, "{text}");
        }
    }

    proptest! {
        #[test]
        fn moving_the_decimal_point_keeps_the_value(value: i64, places in 0_usize..40) {
            let zeros = "0".repeat(places);
            for text in [
                format!("{value}.{zeros}"),
                format!("{value}e0{zeros}"),
                format!("{value}{zeros}e-{places}"),
                format!("{value}.{zeros}e+0"),
            ] {
                prop_assert_eq!(read(&text), Some(value.into()), "{}", text);
            }
        }

        #[test]
        fn a_number_with_an_exponent_equals_its_computed_value(
            value in -1_000_000_i32..1_000_000, exponent in -6_i32..6,
        ) {
            let text = format!("{value}e{exponent}");
            let power = 10_i64.pow(exponent.unsigned_abs());
            let value = i64::from(value);
            let expected = if exponent >= 0 {
                Some(value * power)
            } else {
                (value % power == 0).then(|| value / power)
            };
            prop_assert_eq!(read(&text), expected.map(i128::from), "{}", text);
        }
    }
}
