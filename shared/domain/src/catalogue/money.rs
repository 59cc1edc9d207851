//! Money: whole minor units of a currency. There are no floating-point numbers anywhere.

use std::fmt;

use lifecycle::newtypes::bounded_int;
use schemars::JsonSchema;
use serde::Serialize;

use super::Currency;

/// An amount of money: `{"amount": 1999, "currency": "EUR"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Money {
    /// In minor units of the currency.
    pub amount: Amount,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// Zero in a currency.
    pub const fn zero(currency: Currency) -> Self {
        Self { amount: Amount::ZERO, currency }
    }
}

impl fmt::Display for Money {
    /// The form for people: `19.99 EUR`, and `500 JPY` where there are no minor units.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.currency.minor_digits();
        let units_per_major = 10_i64.pow(digits);
        let (major, minor) =
            (self.amount.get() / units_per_major, self.amount.get() % units_per_major);
        if digits == 0 {
            write!(f, "{major} {}", self.currency)
        } else {
            let width = digits as usize;
            write!(f, "{major}.{minor:0width$} {}", self.currency)
        }
    }
}

bounded_int! {
    /// Minor units of a currency. The bound is 2^53 − 1, up to which every JSON reader is exact.
    Amount: 0..=9_007_199_254_740_991
}

impl Amount {
    /// Zero.
    pub const ZERO: Self = Self::MIN;

    /// This many minor units; a value out of bounds becomes the nearest bound.
    pub const fn of_minor_units(minor_units: i64) -> Self {
        if minor_units < Self::MIN.get() {
            Self::MIN
        } else if minor_units > Self::MAX.get() {
            Self::MAX
        } else {
            Self(minor_units)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_shown_with_the_digits_of_its_currency() {
        for (amount, currency, shown) in [
            (1999, "EUR", "19.99 EUR"),
            (5, "EUR", "0.05 EUR"),
            (500, "JPY", "500 JPY"),
            (1_234, "KWD", "1.234 KWD"),
        ] {
            let currency = Currency::try_from(currency.to_owned()).unwrap();
            let money = Money { amount: Amount::of_minor_units(amount), currency };
            assert_eq!(money.to_string(), shown);
        }
    }

    #[test]
    fn an_amount_out_of_bounds_becomes_the_nearest_bound() {
        let most = Amount::MAX.get();
        for (minor_units, amount) in [(-1, 0), (0, 0), (5, 5), (most, most), (most + 1, most)] {
            assert_eq!(Amount::of_minor_units(minor_units).get(), amount, "{minor_units}");
        }
    }

    #[test]
    fn negative_fractional_quoted_and_too_large_amounts_are_refused() {
        for raw in [
            r#"{"amount": -1, "currency": "EUR"}"#,
            r#"{"amount": 1.5, "currency": "EUR"}"#,
            r#"{"amount": "1", "currency": "EUR"}"#,
            r#"{"amount": 9007199254740992, "currency": "EUR"}"#,
            r#"{"amount": 1, "currency": "???"}"#,
        ] {
            assert!(serde_json::from_str::<Money>(raw).is_err(), "{raw}");
        }
    }
}
