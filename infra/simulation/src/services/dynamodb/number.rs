//! Exact decimal numbers.

use std::cmp::Ordering;
use std::fmt;

use crate::services::wire::AwsError;

/// The maximum number of significant digits.
const DIGITS_MAX: u32 = 38;
/// The exponent of the first digit is in this range: from 1E-130 to 9.99E+125.
const MAGNITUDES: std::ops::RangeInclusive<i64> = -130..=125;

/// A decimal number of at most 38 significant digits. Equal numbers have one form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number {
    negative: bool,
    /// Without zeros at the end; 0 for zero.
    digits: u128,
    /// The power of ten of the last digit.
    exponent: i16,
}

impl Number {
    pub(crate) fn parse(text: &str) -> Result<Self, AwsError> {
        let unreadable = || {
            let text = if text.is_empty() { String::new() } else { format!(": {text}") };
            AwsError::invalid(format!("The parameter cannot be converted to a numeric value{text}"))
        };
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (coefficient, exponent) = match rest.split_once(['e', 'E']) {
            Some((coefficient, exponent)) if is_exponent(exponent) => {
                (coefficient, exponent.parse::<i64>().map_err(|_| unreadable())?)
            }
            Some(_) => return Err(unreadable()),
            None => (rest, 0),
        };
        let (whole, fraction) = coefficient.split_once('.').unwrap_or((coefficient, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits(whole) || !is_digits(fraction) || whole.len() + fraction.len() == 0 {
            return Err(unreadable());
        }
        let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|it| it - b'0').collect();
        let places = i64::try_from(fraction.len()).unwrap_or(i64::MAX);
        let number = Self::of_digits(negative, &digits, exponent.saturating_sub(places))?;
        if number.digits == 0 {
            // A zero must be in the range too, as if its last digit was a one.
            check_magnitude(exponent.saturating_sub(places))?;
        }
        Ok(number)
    }

    /// The number with these digits, of which the last has the power of ten.
    fn of_digits(negative: bool, digits: &[u8], exponent: i64) -> Result<Self, AwsError> {
        let start = digits.iter().position(|digit| *digit != 0).unwrap_or(digits.len());
        let end = digits.iter().rposition(|digit| *digit != 0).map_or(start, |last| last + 1);
        let significant = &digits[start..end];
        if significant.is_empty() {
            return Ok(Self { negative: false, digits: 0, exponent: 0 });
        }
        let count = i64::try_from(significant.len()).unwrap_or(i64::MAX);
        if count > i64::from(DIGITS_MAX) {
            return Err(AwsError::invalid(
                "Attempting to store more than 38 significant digits in a Number",
            ));
        }
        let cut = i64::try_from(digits.len() - end).unwrap_or(i64::MAX);
        let exponent = exponent.saturating_add(cut);
        check_magnitude(exponent.saturating_add(count - 1))?;
        let value = significant.iter().fold(0, |value, digit| value * 10 + u128::from(*digit));
        Ok(Self { negative, digits: value, exponent: i16::try_from(exponent).unwrap_or(0) })
    }

    pub(crate) fn plus(self, other: Self) -> Result<Self, AwsError> {
        let lowest = self.exponent.min(other.exponent);
        let (one, two) = (self.aligned(lowest), other.aligned(lowest));
        let width = one.len().max(two.len()) + 1;
        let (one, two) = (padded(&one, width), padded(&two, width));
        let (negative, digits) = if self.negative == other.negative {
            (self.negative, sum(&one, &two))
        } else if one >= two {
            (self.negative, difference(&one, &two))
        } else {
            (other.negative, difference(&two, &one))
        };
        Self::of_digits(negative, &digits, i64::from(lowest))
    }

    pub(crate) fn minus(self, other: Self) -> Result<Self, AwsError> {
        self.plus(Self { negative: !other.negative && other.digits != 0, ..other })
    }

    /// The whole number, if it is one and fits.
    pub(crate) fn as_u64(self) -> Option<u64> {
        if self.negative || self.exponent < 0 {
            return None;
        }
        let scale = 10u128.checked_pow(self.exponent.unsigned_abs().into())?;
        u64::try_from(self.digits.checked_mul(scale)?).ok()
    }

    /// The size of the number in an item, in bytes: half a byte a digit on each side of the point,
    /// one byte more, and one for the sign.
    pub(crate) fn size(self) -> usize {
        let count = i64::from(self.count());
        let whole = (count + i64::from(self.exponent)).clamp(0, count);
        let bytes = (whole + 1) / 2 + (count - whole + 1) / 2 + 1 + i64::from(self.negative);
        usize::try_from(bytes).unwrap_or_default()
    }

    fn count(self) -> u32 {
        self.digits.checked_ilog10().map_or(0, |log| log + 1)
    }

    /// The digits down to a power of ten that is not above the number's.
    fn aligned(self, lowest: i16) -> Vec<u8> {
        let zeros = usize::from((self.exponent - lowest).unsigned_abs());
        let mut digits: Vec<u8> =
            self.digits.to_string().bytes().map(|digit| digit - b'0').collect();
        digits.resize(digits.len() + zeros, 0);
        digits
    }

    /// Compares the absolute values.
    fn cmp_absolute(self, other: Self) -> Ordering {
        if self.digits == 0 || other.digits == 0 {
            return self.digits.cmp(&other.digits);
        }
        let magnitude = |it: Self| i64::from(it.exponent) + i64::from(it.count());
        magnitude(self).cmp(&magnitude(other)).then_with(|| {
            let scaled = |it: Self| it.digits * 10u128.pow(DIGITS_MAX - it.count());
            scaled(self).cmp(&scaled(other))
        })
    }
}

fn is_exponent(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn check_magnitude(magnitude: i64) -> Result<(), AwsError> {
    if magnitude > *MAGNITUDES.end() {
        return Err(AwsError::invalid(
            "Number overflow. Attempting to store a number with magnitude larger than supported range",
        ));
    }
    if magnitude < *MAGNITUDES.start() {
        return Err(AwsError::invalid(
            "Number underflow. Attempting to store a number with magnitude smaller than supported range",
        ));
    }
    Ok(())
}

fn padded(digits: &[u8], width: usize) -> Vec<u8> {
    let mut padded = vec![0; width - digits.len()];
    padded.extend(digits);
    padded
}

/// The sum of digits of one width; the first digits are 0.
fn sum(one: &[u8], two: &[u8]) -> Vec<u8> {
    let mut carried = 0;
    let digits = one.iter().zip(two).rev().map(|(one, two)| {
        let sum = one + two + carried;
        carried = sum / 10;
        sum % 10
    });
    let mut digits: Vec<u8> = digits.collect();
    digits.reverse();
    digits
}

/// The difference of digits of one width, of which the first number is not the smaller.
fn difference(one: &[u8], two: &[u8]) -> Vec<u8> {
    let mut borrowed = 0;
    let digits = one.iter().zip(two).rev().map(|(one, two)| {
        let wanted = two + borrowed;
        borrowed = u8::from(*one < wanted);
        one + 10 * borrowed - wanted
    });
    let mut digits: Vec<u8> = digits.collect();
    digits.reverse();
    digits
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.cmp_absolute(*other),
            (true, true) => other.cmp_absolute(*self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Without an exponent, as `DynamoDB` writes numbers.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        let digits = self.digits.to_string();
        let places = usize::from(self.exponent.unsigned_abs());
        if self.exponent >= 0 {
            let width = digits.len() + if self.digits == 0 { 0 } else { places };
            return write!(f, "{sign}{digits:0<width$}");
        }
        match digits.len().checked_sub(places) {
            None | Some(0) => write!(f, "{sign}0.{digits:0>places$}"),
            Some(point) => write!(f, "{sign}{}.{}", &digits[..point], &digits[point..]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"))
    }

    #[test]
    fn a_number_has_one_form() {
        for (text, form) in [
            ("0", "0"),
            ("-0", "0"),
            ("0042", "42"),
            ("+1.500", "1.5"),
            ("1e3", "1000"),
            ("12E-3", "0.012"),
            ("-.5", "-0.5"),
            ("5.", "5"),
            ("100e-2", "1"),
            ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
        ] {
            assert_eq!(number(text).to_string(), form, "{text}");
        }
        assert_eq!(number("1e125").to_string().len(), 126);
        assert_eq!(number("1e-130").to_string().len(), 132);
    }

    #[test]
    fn a_number_out_of_the_limits_or_unreadable_is_an_error() {
        for (text, message) in [
            ("", "The parameter cannot be converted to a numeric value"),
            ("x", "The parameter cannot be converted to a numeric value: x"),
            (" 1", "The parameter cannot be converted to a numeric value:  1"),
            ("1.2.3", "The parameter cannot be converted to a numeric value: 1.2.3"),
            ("1e", "The parameter cannot be converted to a numeric value: 1e"),
            ("NaN", "The parameter cannot be converted to a numeric value: NaN"),
            (
                "123456789012345678901234567890123456789",
                "Attempting to store more than 38 significant digits in a Number",
            ),
        ] {
            assert_eq!(Number::parse(text).unwrap_err().message, message);
        }
        for (text, beginning) in
            [("1e126", "Number overflow"), ("0e126", "Number overflow"), ("1e-131", "Number under")]
        {
            assert!(Number::parse(text).unwrap_err().message.starts_with(beginning), "{text}");
        }
    }

    #[test]
    fn numbers_are_ordered_by_value() {
        let ordered = ["-1e10", "-2", "-1.5", "0", "1e-130", "0.5", "9", "10", "10.1", "1e125"];
        for (place, one) in ordered.iter().enumerate() {
            for (other_place, other) in ordered.iter().enumerate() {
                assert_eq!(number(one).cmp(&number(other)), place.cmp(&other_place));
            }
        }
    }

    #[test]
    fn sums_and_differences_are_exact() {
        for (one, two, sum, difference) in [
            ("1", "2", "3", "-1"),
            ("0.1", "0.2", "0.3", "-0.1"),
            ("-5", "5", "0", "-10"),
            ("1e20", "1", "100000000000000000001", "99999999999999999999"),
            ("99", "1", "100", "98"),
            ("0", "7", "7", "-7"),
        ] {
            let (one, two) = (number(one), number(two));
            assert_eq!(one.plus(two).unwrap().to_string(), sum);
            assert_eq!(one.minus(two).unwrap().to_string(), difference);
        }
        assert!(number("1e100").plus(number("1")).is_err());
        let most = number("99999999999999999999999999999999999999e88");
        assert!(most.plus(most).is_err());
    }

    #[test]
    fn the_size_of_a_number_follows_its_digits() {
        for (text, size) in
            [("0", 1), ("1", 2), ("42", 2), ("-42", 3), ("123", 3), ("1.5", 3), ("1e100", 2)]
        {
            assert_eq!(number(text).size(), size, "{text}");
        }
    }
}
