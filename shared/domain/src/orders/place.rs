//! The rules for placing an order.

use lifecycle::effects::Write;
use lifecycle::{DomainError, ErrorCode, Moment, Timestamp};

use super::{
    AddressOwner, Order, OrderFacts, OrderItem, OrderLine, OrderStatus, PlaceOrder, TakenFrom,
};
use crate::catalogue::{
    Amount, Currency, Money, OfferedProduct, Shortage, Supply, Taken, take_pieces,
};
use crate::people::{SignedIn, Tier};
use crate::{BusinessRules, error_codes};

/// The maximum of writes that take pieces out of stock. With the order and its idempotency record, a
/// transaction stays below 100.
const STOCK_WRITES_MAX: usize = 90;

/// A placed order, and the writes that reserve its stock.
#[derive(Debug, Clone)]
pub struct PlacedOrder {
    /// The order.
    pub order: Order,
    stock: Vec<Write>,
}

impl PlacedOrder {
    /// Takes the ordered pieces out of stock.
    pub fn reserve_stock(&self) -> impl Iterator<Item = Write> {
        self.stock.iter().cloned()
    }
}

/// Decides on an order.
///
/// # Errors
///
/// The first condition that does not hold, with every item at fault. In this order: the rules'
/// limits, existing products, available products, an address of the caller's, one currency, a
/// shipping price in it, and enough stock, in parts that one transaction can write.
pub fn place_order(
    moment: &Moment,
    caller: &SignedIn,
    command: &PlaceOrder,
    facts: OrderFacts,
) -> Result<PlacedOrder, DomainError> {
    within_limits(command, &facts.rules)?;
    let ordered = known_products(command, &facts.products)?;
    available(&ordered)?;
    own_address(caller, facts.address.as_ref())?;
    let currency = one_currency(&ordered)?;
    // The stored tier is newer than the token's; without a record the token's tier holds.
    let tier = facts.customer.map_or(caller.tier, |customer| customer.tier);
    let shipping = shipping(&facts.rules, tier, currency)?;
    let taken = take_stock(&ordered, &facts.supplies, moment.now())?;

    let taken_from = ordered.iter().zip(&taken).filter_map(|((item, _), taken)| {
        Some(TakenFrom { product_id: item.product_id, part: taken.part? })
    });
    let taken_from = taken_from.collect();
    let stock = taken.into_iter().flat_map(|taken| taken.writes).collect();
    let items: Vec<OrderLine> = ordered.into_iter().map(line).collect();
    let goods: i64 = items.iter().map(|item| item.total().amount.get()).sum();
    let waits_s = facts.rules.saga_timeout_seconds.get();
    let total = Amount::of_minor_units(goods.saturating_add(shipping.amount.get()));
    let order = Order {
        order_id: command.order_id.unwrap_or_else(|| moment.id("order").into()),
        user_id: caller.user_id,
        status: OrderStatus::Pending,
        payment_method: command.payment_method,
        items,
        address_id: command.address_id,
        shipping,
        total: Money { amount: total, currency },
        serial_number: None,
        taken_from,
        version: 1,
        created_at: moment.now(),
        updated_at: moment.now(),
        settle_by: moment.now().plus_seconds(waits_s),
        created_event_id: Some(moment.id("OrderCreated").to_string()),
    };
    Ok(PlacedOrder { order, stock })
}

/// An item and its product.
type Ordered<'a> = (OrderItem, &'a OfferedProduct);

fn within_limits(command: &PlaceOrder, rules: &BusinessRules) -> Result<(), DomainError> {
    let items_max = rules.items_per_order.get();
    if i64::try_from(command.items.as_slice().len()).is_ok_and(|items| items > items_max) {
        let message = format!("must have at most {items_max} items");
        return Err(error_codes::TOO_MANY_ITEMS.at("/items", message));
    }
    let quantity_max = rules.quantity_per_item.get();
    let too_large = command.items.as_slice().iter().map(|item| item.quantity.get() > quantity_max);
    let message = format!("must be at most {quantity_max}");
    refuse_items(error_codes::QUANTITY_TOO_LARGE, "quantity", &message, too_large)
}

fn known_products<'a>(
    command: &PlaceOrder,
    products: &'a [Option<OfferedProduct>],
) -> Result<Vec<Ordered<'a>>, DomainError> {
    let unknown = products.iter().map(Option::is_none);
    refuse_items(error_codes::PRODUCT_UNKNOWN, "productId", "there is no such product", unknown)?;
    Ok(command.items.as_slice().iter().copied().zip(products.iter().flatten()).collect())
}

fn available(ordered: &[Ordered]) -> Result<(), DomainError> {
    let unavailable = ordered.iter().map(|(_, product)| !product.available);
    refuse_items(error_codes::PRODUCT_UNAVAILABLE, "productId", "is not available", unavailable)
}

/// The address of another user is refused like one that does not exist.
fn own_address(caller: &SignedIn, address: Option<&AddressOwner>) -> Result<(), DomainError> {
    if address.is_some_and(|address| address.user_id == caller.user_id) {
        Ok(())
    } else {
        Err(error_codes::ADDRESS_UNKNOWN.at("/addressId", "must be an address of your own"))
    }
}

fn one_currency(ordered: &[Ordered]) -> Result<Currency, DomainError> {
    let currency = ordered.first().map_or(Currency::EUR, |(_, product)| product.price.currency);
    let other = ordered.iter().map(|(_, product)| product.price.currency != currency);
    let message = format!("must have its price in {currency}, like the first item");
    refuse_items(error_codes::CURRENCY_MIXED, "productId", &message, other)?;
    Ok(currency)
}

/// The shipping price has one currency, and there are no exchange rates: an order in another
/// currency is possible only with free shipping.
fn shipping(rules: &BusinessRules, tier: Tier, currency: Currency) -> Result<Money, DomainError> {
    if rules.free_shipping_tiers.contains(&tier) || rules.shipping.amount == Amount::ZERO {
        Ok(Money::zero(currency))
    } else if rules.shipping.currency == currency {
        Ok(rules.shipping)
    } else {
        let message = format!("shipping is paid in {}", rules.shipping.currency);
        Err(error_codes::SHIPPING_UNAVAILABLE.at("/items", message))
    }
}

fn take_stock(
    ordered: &[Ordered],
    supplies: &[Supply],
    at: Timestamp,
) -> Result<Vec<Taken>, DomainError> {
    let mut writes_left = STOCK_WRITES_MAX;
    let taken = ordered.iter().enumerate().map(|(index, (item, product))| {
        let supply = supplies.iter().find(|supply| supply.product_id() == product.product_id);
        // Each later item needs one at least.
        let writes_max = writes_left.saturating_sub(ordered.len() - index - 1);
        let taken = take_pieces(product, supply, item.quantity.get(), at, writes_max)?;
        writes_left = writes_left.saturating_sub(taken.writes.len());
        Ok(taken)
    });
    let taken: Vec<Result<Taken, Shortage>> = taken.collect();
    let short_of =
        |shortage| taken.iter().map(move |taken| taken.as_ref().err() == Some(&shortage));
    let short = short_of(Shortage::OutOfStock);
    refuse_items(error_codes::OUT_OF_STOCK, "quantity", "is more than there is in stock", short)?;
    let scattered = short_of(Shortage::Scattered);
    let message = "is in too many parts of the stock";
    refuse_items(error_codes::STOCK_SCATTERED, "quantity", message, scattered)?;
    Ok(taken.into_iter().flatten().collect())
}

/// Refuses an order with items at fault, and names every such item.
fn refuse_items(
    refusal: ErrorCode,
    field: &str,
    message: &str,
    at_fault: impl Iterator<Item = bool>,
) -> Result<(), DomainError> {
    let mut at_fault = at_fault.enumerate().filter_map(|(index, fault)| fault.then_some(index));
    let Some(first) = at_fault.next() else {
        return Ok(());
    };
    let rejection = refusal.at(format!("/items/{first}/{field}"), message);
    Err(at_fault.fold(rejection, |rejection, index| {
        rejection.at(format!("/items/{index}/{field}"), message)
    }))
}

fn line((item, product): Ordered) -> OrderLine {
    OrderLine {
        product_id: product.product_id,
        name: product.name.clone(),
        quantity: item.quantity,
        unit_price: product.price,
        actual_price: product.actual_price(),
    }
}

#[cfg(test)]
mod tests;
