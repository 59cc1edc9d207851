//! Prices and discounts.

use lifecycle::newtypes::bounded_int;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Amount, Currency, Money};

/// The price of one piece. In JSON it is [`Money`] with a smaller maximum, so that no total of an
/// order can overflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Price {
    /// In minor units of the currency.
    pub amount: PriceAmount,
    /// The currency.
    pub currency: Currency,
}

impl Price {
    /// The price less a discount, rounded half up to the minor unit.
    ///
    /// Seed 002 words the discount as a percentage and its example fits, though its code
    /// subtracted an absolute amount: 200 less 10 is 180.
    #[must_use]
    pub fn less(self, discount: Discount) -> Self {
        // A stored discount may be beyond the bounds; no price becomes negative by it, or higher.
        let remaining = 100 - discount.get().clamp(0, 100);
        let hundredths = self.amount.get().saturating_mul(remaining);
        Self { amount: PriceAmount(hundredths.saturating_add(50) / 100), currency: self.currency }
    }

    /// The price of this many pieces.
    pub const fn times(self, pieces: i64) -> Money {
        let amount = Amount::of_minor_units(self.amount.get().saturating_mul(pieces));
        Money { amount, currency: self.currency }
    }
}

bounded_int! {
    /// Minor units of a price: a hundred million euros at most.
    PriceAmount: 0..=10_000_000_000
}

bounded_int! {
    /// A whole percentage of the price.
    Discount: 0..=99
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_discount_is_a_percentage_rounded_half_up() {
        for (amount, discount, actual) in [
            (200, 10, 180),
            (199, 10, 179),
            (5, 10, 5),
            (5, 50, 3),
            (0, 99, 0),
            (1, 99, 0),
            (50, 99, 1),
            // Beyond the bounds of input.
            (50, -1, 50),
            (50, 101, 0),
            (50, i64::MIN, 50),
            (50, i64::MAX, 0),
        ] {
            assert_eq!(
                euros(amount).less(Discount(discount)),
                euros(actual),
                "{amount} less {discount} %"
            );
        }
    }

    proptest! {
        #[test]
        fn a_discounted_price_is_within_bounds_and_at_most_half_a_unit_off(
            amount in 0..=PriceAmount::MAX.get(),
            discount in 0_i64..=99,
        ) {
            let actual = euros(amount).less(Discount(discount)).amount.get();
            prop_assert!((0..=amount).contains(&actual));
            prop_assert!((actual * 100 - amount * (100 - discount)).abs() <= 50);
        }

        #[test]
        fn the_total_of_the_largest_order_is_exact(
            amount in 0..=PriceAmount::MAX.get(),
            pieces in 0_i64..=25 * 99,
        ) {
            prop_assert_eq!(euros(amount).times(pieces).amount.get(), amount * pieces);
        }
    }

    fn euros(cents: i64) -> Price {
        Price { amount: PriceAmount(cents), currency: Currency::EUR }
    }
}
