//! Prices: each order has the prices and discounts of its time, and its total is their sum with the
//! shipping.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use simulation::Millis;
use simulation::world::{Event, Happened, Oracle, View};

use crate::items::{Money, tables};
use crate::opening::{self, product_id};

pub(super) const NAME: &str = "orders have the prices of their time";

/// The longest time from the read of a price to the write of its order: a function has ten seconds,
/// and its last request may be on its way for twenty.
const READ_BEFORE_MAX: Millis = Millis::seconds(60);

/// Checks each new order. An order and a change of a product need a call that names the products.
#[derive(Debug, Clone)]
pub(super) struct Prices {
    /// The calls in progress that name the products.
    calls: BTreeSet<u64>,
    /// The offers of each product, in order.
    offers: BTreeMap<String, Vec<Offer>>,
    /// The orders that were checked.
    known: BTreeSet<String>,
}

/// A price of a product.
#[derive(Debug, Clone)]
struct Offer {
    price: Money,
    discount: i64,
    /// When the next offer was seen.
    replaced_at: Option<Millis>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Product {
    product_id: String,
    price: Money,
    discount: i64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    order_id: String,
    user_id: String,
    items: Vec<Line>,
    shipping: Money,
    total: Money,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    product_id: String,
    quantity: i64,
    unit_price: Money,
    actual_price: Money,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Customer {
    user_id: String,
    tier: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rules {
    free_shipping_tiers: Vec<String>,
    shipping: Money,
}

impl Default for Prices {
    /// The offers with which the store opens.
    fn default() -> Self {
        let offer = |(index, (_, cents, discount, _)): (usize, (&str, u64, u8, u64))| {
            let amount = i64::try_from(cents).unwrap_or(i64::MAX);
            let price = Money { amount, currency: "EUR".to_owned() };
            let offer = Offer { price, discount: discount.into(), replaced_at: None };
            (product_id(index).to_string(), vec![offer])
        };
        let offers = opening::PRODUCTS.into_iter().enumerate().map(offer).collect();
        Self { calls: BTreeSet::new(), offers, known: BTreeSet::new() }
    }
}

impl Oracle for Prices {
    fn name(&self) -> &str {
        NAME
    }

    fn observe(&mut self, event: &Event, view: &View<'_>) -> Result<(), String> {
        match &event.what {
            Happened::Called { call, body, .. } if body.contains(tables::PRODUCTS) => {
                self.calls.insert(*call);
                Ok(())
            }
            Happened::Performed { call, .. } if self.calls.remove(call) => self.at_rest(view),
            _ => Ok(()),
        }
    }

    fn at_rest(&mut self, view: &View<'_>) -> Result<(), String> {
        for product in view.records::<Product>(tables::PRODUCTS) {
            self.notice(&product, view.now());
        }
        for order in view.records::<Order>(tables::ORDERS) {
            if self.known.contains(&order.order_id) {
                continue;
            }
            self.known.insert(order.order_id.clone());
            self.priced(&order, view.now())?;
            shipped(&order, view)?;
        }
        Ok(())
    }
}

impl Prices {
    /// Keeps the price of a product, if it is new.
    fn notice(&mut self, product: &Product, now: Millis) {
        let Product { product_id, price, discount } = product;
        let offers = self.offers.entry(product_id.clone()).or_default();
        if let Some(last) = offers.last_mut() {
            if last.price == *price && last.discount == *discount {
                return;
            }
            last.replaced_at = Some(now);
        }
        let price = price.clone();
        offers.push(Offer { price, discount: *discount, replaced_at: None });
    }

    /// Whether each line has an offer that could be read for the order, and the total is right.
    fn priced(&self, order: &Order, now: Millis) -> Result<(), String> {
        let mut total = order.shipping.amount;
        for line in &order.items {
            let mut offers = self.offers.get(&line.product_id).into_iter().flatten();
            if !offers.any(|offer| offer.was_valid(now) && offer.is_of(line)) {
                return Err(format!("order {} has a wrong price in {line:?}", order.order_id));
            }
            total += line.actual_price.amount * line.quantity;
        }
        let currency = &order.total.currency;
        let has_one_currency = order.shipping.currency == *currency
            && order.items.iter().all(|line| line.actual_price.currency == *currency);
        if has_one_currency && order.total.amount == total {
            return Ok(());
        }
        Err(format!("the total is not {total}: {order:?}"))
    }
}

impl Offer {
    fn was_valid(&self, now: Millis) -> bool {
        self.replaced_at.is_none_or(|at| now.since(at) <= READ_BEFORE_MAX)
    }

    /// Whether a line has the price, and the price less the discount, rounded half up.
    fn is_of(&self, line: &Line) -> bool {
        let Money { amount, currency } = &self.price;
        let amount = (amount * (100 - self.discount) + 50) / 100;
        line.unit_price == self.price
            && line.actual_price == Money { amount, currency: currency.clone() }
    }
}

/// Whether the shipping is that of the customer's tier.
fn shipped(order: &Order, view: &View<'_>) -> Result<(), String> {
    let customers = view.records::<Customer>(tables::USERS);
    let customer = customers.iter().find(|customer| customer.user_id == order.user_id);
    let rules = view.records::<Rules>(tables::SETTINGS);
    let (Some(customer), Some(rules)) = (customer, rules.first()) else {
        return Err(format!("order {} has no customer or no rules", order.order_id));
    };
    let is_right = has_shipping(order, &customer.tier, rules);
    if is_right { Ok(()) } else { Err(format!("the shipping is wrong: {order:?}")) }
}

fn has_shipping(order: &Order, tier: &str, rules: &Rules) -> bool {
    if rules.free_shipping_tiers.iter().any(|free| free == tier) {
        order.shipping.amount == 0
    } else {
        order.shipping == rules.shipping
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATER: Millis = Millis::seconds(1_000);

    fn euros(amount: i64) -> Money {
        Money { amount, currency: "EUR".to_owned() }
    }

    /// An order of two lamps, whose price is 29.99 less 10 %: 26.99.
    fn order(unit_price: i64, actual_price: i64, total: i64) -> Order {
        let line = Line {
            product_id: product_id(0).to_string(),
            quantity: 2,
            unit_price: euros(unit_price),
            actual_price: euros(actual_price),
        };
        Order {
            order_id: "o".to_owned(),
            user_id: "u".to_owned(),
            items: vec![line],
            shipping: euros(490),
            total: euros(total),
        }
    }

    #[test]
    fn a_wrong_price_discount_or_total_is_found() {
        let prices = Prices::default();
        assert_eq!(prices.priced(&order(2_999, 2_699, 5_888), LATER), Ok(()));
        for (unit_price, actual_price, total) in [
            (2_999, 2_999, 6_488),
            (2_999, 2_700, 5_890),
            (3_000, 2_699, 5_888),
            (2_999, 2_699, 5_398),
            (2_999, 2_699, 3_189),
        ] {
            prices.priced(&order(unit_price, actual_price, total), LATER).unwrap_err();
        }
        let mut foreign = order(2_999, 2_699, 5_888);
        foreign.total.currency = "USD".to_owned();
        prices.priced(&foreign, LATER).unwrap_err();
    }

    #[test]
    fn a_price_is_valid_until_shortly_after_the_next() {
        let mut prices = Prices::default();
        let product_id = product_id(0).to_string();
        prices.notice(&Product { product_id, price: euros(2_999), discount: 0 }, LATER);
        let (before, after) = (order(2_999, 2_699, 5_888), order(2_999, 2_999, 6_488));
        let soon = LATER + Millis::seconds(10);
        assert_eq!(prices.priced(&before, soon), Ok(()));
        assert_eq!(prices.priced(&after, soon), Ok(()));
        prices.priced(&before, LATER + Millis::seconds(61)).unwrap_err();
    }

    #[test]
    fn only_a_tier_of_the_rules_ships_free() {
        let rules = Rules { free_shipping_tiers: vec!["GOLD".to_owned()], shipping: euros(490) };
        let paid = order(2_999, 2_699, 5_888);
        let free = Order { shipping: euros(0), ..order(2_999, 2_699, 5_398) };
        for (order, tier, is_right) in [
            (&paid, "STANDARD", true),
            (&free, "GOLD", true),
            (&paid, "GOLD", false),
            (&free, "STANDARD", false),
        ] {
            assert_eq!(has_shipping(order, tier, &rules), is_right, "{tier} {order:?}");
        }
    }
}
