use lifecycle::effects::{Change, Condition, WriteAction};
use lifecycle::record::{Record, item_of};
use lifecycle::{DomainError, Moment, Timestamp};
use proptest::prelude::*;
use serde_dynamo::Item;
use serde_json::json;
use uuid::Uuid;

use super::{PlacedOrder, STOCK_WRITES_MAX, place_order};
use crate::BusinessRules;
use crate::catalogue::{Product, StockedProduct, Supply};
use crate::orders::{Order, OrderDraft, OrderFacts, OrderStatus, PlaceOrder};
use crate::people::{Address, SignedIn, Tier, User};
use crate::resources::BY_CREATION;

#[test]
fn an_order_adds_up_with_discount_and_shipping() {
    let shop = Shop::of([product(1, 200, 10, 5), product(2, 1_000, 0, 5)]);
    let order = shop.order([(1, 2), (2, 1)]).unwrap();
    assert_eq!(order.items[0].actual_price.amount.get(), 180);
    assert_eq!(order.shipping.amount.get(), 490);
    assert_eq!(order.total.amount.get(), 2 * 180 + 1_000 + 490);
    assert_eq!(order.user_id, shop.caller.user_id);
}

#[test]
fn gold_ships_free_by_the_customers_record_and_without_one_by_the_token() {
    let mut shop = Shop::of([product(1, 200, 0, 5)]);
    shop.caller.tier = Tier::Gold;
    assert_eq!(shop.order([(1, 1)]).unwrap().shipping.amount.get(), 0);
    shop.customer = Some(customer(Tier::Standard));
    assert_eq!(shop.order([(1, 1)]).unwrap().shipping.amount.get(), 490);
    shop.caller.tier = Tier::Standard;
    shop.customer = Some(customer(Tier::Gold));
    assert_eq!(shop.order([(1, 1)]).unwrap().shipping.amount.get(), 0);
}

#[test]
fn stored_products_and_orders_are_read_unchanged() {
    let product = product(1, 199, 10, 5);
    assert_eq!(serde_dynamo::from_item::<_, Product>(item_of(&product)).unwrap(), product);
    let order = Shop::of([product]).order([(1, 2)]).unwrap();
    assert_eq!(serde_dynamo::from_item::<_, Order>(item_of(&order)).unwrap(), order);
    let mut old = item_of(&order).into_inner();
    old.remove("settleBy");
    let old: Order = serde_dynamo::from_item(Item::from(old)).unwrap();
    assert_eq!(old.settle_by, Timestamp::from_millis(0), "an order without a deadline is overdue");
}

#[test]
fn only_a_pending_order_is_listed_by_its_deadline() {
    let mut shop = Shop::of([product(1, 200, 0, 5)]);
    shop.rules.saga_timeout_seconds = 60.try_into().unwrap();
    let mut order = shop.order([(1, 1)]).unwrap();
    assert_eq!(order.settle_by, order.created_at.plus_seconds(60));
    let places = order.indexed();
    assert_eq!(places[0].position, format!("{}#{}", order.created_at, order.order_id));
    assert_eq!(places[1].position, format!("{}#{}", order.settle_by, order.order_id));
    order.status = OrderStatus::Approved;
    let indexes: Vec<_> = order.indexed().into_iter().map(|place| place.index).collect();
    assert_eq!(indexes, [BY_CREATION]);
}

#[test]
fn every_unknown_product_is_named_and_none_is_dropped() {
    let rejection = Shop::of([product(1, 200, 0, 5)]).order([(8, 1), (1, 1), (9, 1)]).unwrap_err();
    assert_refused(&rejection, "PRODUCT_UNKNOWN", &["/items/0/productId", "/items/2/productId"]);
}

#[test]
fn a_product_that_is_not_for_sale_is_named() {
    let mut off = product(2, 200, 0, 5);
    off.available = false;
    let rejection = Shop::of([product(1, 200, 0, 5), off]).order([(1, 1), (2, 1)]).unwrap_err();
    assert_refused(&rejection, "PRODUCT_UNAVAILABLE", &["/items/1/productId"]);
}

#[test]
fn every_item_that_is_out_of_stock_is_named() {
    let shop = Shop::of([product(1, 200, 0, 1), product(2, 200, 0, 1), product(3, 200, 0, 0)]);
    let rejection = shop.order([(1, 2), (2, 1), (3, 1)]).unwrap_err();
    assert_refused(&rejection, "OUT_OF_STOCK", &["/items/0/quantity", "/items/2/quantity"]);
}

#[test]
fn an_order_of_a_product_in_parts_remembers_its_part() {
    let mut shop = Shop::of([product(1, 200, 0, 5)]);
    shop.split(4);
    let placed = shop.place([(1, 1)]).unwrap();
    let [taken] = &placed.order.taken_from[..] else { panic!("{placed:?}") };
    assert_eq!(json!(taken.product_id), json!(id(1)));
    assert_eq!(placed.reserve_stock().count(), 1);
    assert_refused(&shop.order([(1, 6)]).unwrap_err(), "OUT_OF_STOCK", &["/items/0/quantity"]);
}

#[test]
fn an_order_of_the_last_pieces_of_many_products_fits_a_transaction() {
    // Each product has one piece in each of 30 parts.
    let mut shop = Shop::of((1..=4).map(|number| product(number, 200, 0, 30)));
    shop.split(30);
    let placed = shop.place((1..=3).map(|number| (number, 29))).unwrap();
    assert_eq!(placed.reserve_stock().count(), 87);
    assert!(placed.reserve_stock().count() <= STOCK_WRITES_MAX);
    let rejection = shop.order((1..=4).map(|number| (number, 29))).unwrap_err();
    assert_refused(&rejection, "STOCK_SCATTERED", &["/items/3/quantity"]);
}

#[test]
fn an_item_leaves_one_write_for_each_later_item() {
    let mut shop = Shop::of([product(1, 200, 0, 89), product(2, 200, 0, 89)]);
    shop.split(89);
    let placed = shop.place([(1, 89), (2, 1)]).unwrap();
    assert_eq!(placed.reserve_stock().count(), STOCK_WRITES_MAX);
    let rejection = shop.order([(1, 89), (2, 2)]).unwrap_err();
    assert_refused(&rejection, "STOCK_SCATTERED", &["/items/1/quantity"]);
    let rejection = shop.order([(1, 89), (2, 90)]).unwrap_err();
    assert_refused(&rejection, "OUT_OF_STOCK", &["/items/1/quantity"]);
}

#[test]
fn an_address_of_another_user_is_refused_like_an_unknown_one() {
    let mut shop = Shop::of([product(1, 200, 0, 5)]);
    shop.address.as_mut().unwrap().user_id = Uuid::from_bytes([66; 16]).into();
    let of_another = shop.order([(1, 1)]).unwrap_err();
    shop.address = None;
    assert_refused(&of_another, "ADDRESS_UNKNOWN", &["/addressId"]);
    assert_eq!(shop.order([(1, 1)]).unwrap_err(), of_another);
}

#[test]
fn an_order_with_two_currencies_is_refused_with_the_item() {
    let shop = Shop::of([product(1, 200, 0, 5), in_dollars(product(2, 200, 0, 5))]);
    let rejection = shop.order([(1, 1), (2, 1)]).unwrap_err();
    assert_refused(&rejection, "CURRENCY_MIXED", &["/items/1/productId"]);
}

#[test]
fn an_order_without_a_shipping_price_is_taken_only_with_free_shipping() {
    let mut shop = Shop::of([in_dollars(product(1, 200, 0, 5))]);
    assert_refused(&shop.order([(1, 1)]).unwrap_err(), "SHIPPING_UNAVAILABLE", &["/items"]);
    shop.caller.tier = Tier::Gold;
    assert_eq!(shop.order([(1, 1)]).unwrap().total.to_string(), "2.00 USD");
}

#[test]
fn the_rules_can_be_tighter_than_the_syntax() {
    let mut shop = Shop::of([product(1, 200, 0, 99), product(2, 200, 0, 99)]);
    shop.rules.quantity_per_item = 3.try_into().unwrap();
    let rejection = shop.order([(1, 3), (2, 4)]).unwrap_err();
    assert_refused(&rejection, "QUANTITY_TOO_LARGE", &["/items/1/quantity"]);
    shop.rules.items_per_order = 1.try_into().unwrap();
    assert_refused(&shop.order([(1, 1), (2, 1)]).unwrap_err(), "TOO_MANY_ITEMS", &["/items"]);
}

proptest! {
    /// The write fails below the ordered quantity, so the stock is never negative.
    #[test]
    fn no_order_takes_more_than_the_stock(
        stocks in prop::collection::vec(0_i64..200, 1..=25),
        quantity in 1_i64..=99,
    ) {
        let products = (1_u8..).zip(&stocks).map(|(id, stock)| product(id, 100, 0, *stock));
        let shop = Shop::of(products);
        let items: Vec<_> = (1_u8..).take(stocks.len()).map(|id| (id, quantity)).collect();
        let enough = stocks.iter().all(|stock| *stock >= quantity);
        let placed = shop.place(items);
        prop_assert_eq!(placed.is_ok(), enough);
        for write in placed.iter().flat_map(PlacedOrder::reserve_stock) {
            prop_assert_eq!(&write.condition, &Some(Condition::AtLeast("stock", quantity)));
            let WriteAction::Update(changes) = write.action else { panic!("not an update") };
            prop_assert!(changes.contains(&Change::Add("stock", -quantity)));
        }
    }

    #[test]
    fn a_total_is_the_sum_of_its_lines_and_shipping(
        priced in prop::collection::vec((0_i64..=10_000_000_000, 0_i64..=99, 1_i64..=99), 1..=25),
    ) {
        let products = (1_u8..).zip(&priced).map(|(id, (price, off, _))| product(id, *price, *off, 99));
        let shop = Shop::of(products);
        let items: Vec<_> = (1_u8..).zip(&priced).map(|(id, (.., quantity))| (id, *quantity)).collect();
        let order = shop.order(items).unwrap();
        let lines: i64 = order.items.iter()
            .map(|line| line.actual_price.amount.get() * line.quantity.get())
            .sum();
        prop_assert_eq!(order.total.amount.get(), lines + order.shipping.amount.get());
    }
}

/// A caller with an address, and the products that they can order.
struct Shop {
    caller: SignedIn,
    address: Option<Address>,
    customer: Option<User>,
    products: Vec<Product>,
    supplies: Vec<Supply>,
    rules: BusinessRules,
}

impl Shop {
    fn of(products: impl IntoIterator<Item = Product>) -> Self {
        let user_id = Uuid::from_bytes([7; 16]).into();
        let caller = SignedIn {
            user_id,
            roles: Vec::new(),
            tier: Tier::Standard,
            email_verified: true,
            expires_at: Timestamp::from_millis(0),
        };
        let draft = serde_json::from_value(json!({
            "buildingNumber": 44, "streetName": "Street", "city": "City", "country": "DE"
        }));
        let address = Some(Address::new(&moment(), user_id, &draft.unwrap()));
        Self {
            caller,
            address,
            customer: None,
            products: products.into_iter().collect(),
            supplies: Vec::new(),
            rules: BusinessRules::default(),
        }
    }

    /// Splits the stock of all products into parts, and reads all of them.
    fn split(&mut self, count: u16) {
        for product in &mut self.products {
            let split = StockedProduct::split(product.clone(), count);
            *product = split.product;
            let supply = Supply::of(&product.clone().into(), &moment()).unwrap();
            self.supplies.push(supply.with_all(split.parts));
        }
    }

    fn order(&self, items: impl IntoIterator<Item = (u8, i64)>) -> Result<Order, DomainError> {
        self.place(items).map(|placed| placed.order)
    }

    fn place(
        &self,
        items: impl IntoIterator<Item = (u8, i64)>,
    ) -> Result<PlacedOrder, DomainError> {
        let items: Vec<_> = items
            .into_iter()
            .map(|(product, quantity)| json!({ "productId": id(product), "quantity": quantity }))
            .collect();
        let draft: OrderDraft = serde_json::from_value(json!({
            "items": items, "addressId": Uuid::nil(), "paymentMethod": "CARD"
        }))
        .unwrap();
        let command = PlaceOrder::try_from(draft).unwrap();
        let product = |id| self.products.iter().find(|product| product.product_id == id).cloned();
        let facts = OrderFacts {
            products: command
                .items
                .as_slice()
                .iter()
                .map(|item| product(item.product_id).map(Into::into))
                .collect(),
            supplies: self.supplies.clone(),
            address: self.address.clone().map(Into::into),
            customer: self.customer.clone().map(Into::into),
            rules: self.rules.clone(),
        };
        place_order(&moment(), &self.caller, &command, facts)
    }
}

fn assert_refused(rejection: &DomainError, code: &str, fields: &[&str]) {
    let named: Vec<_> = rejection.details.iter().map(|detail| detail.field.as_str()).collect();
    assert_eq!((rejection.code, named.as_slice()), (code, fields));
}

fn customer(tier: Tier) -> User {
    let draft = serde_json::from_value(json!({
        "email": "ann@example.com", "password": "correct-horse-battery", "name": "Ann"
    }));
    let (user, _) = User::sign_up(&moment(), &draft.unwrap(), String::new());
    User { tier, ..user }
}

fn product(number: u8, price: i64, discount: i64, stock: i64) -> Product {
    let draft = serde_json::from_value(json!({
        "productId": id(number), "name": "Thing", "description": "",
        "price": { "amount": price, "currency": "EUR" }, "discount": discount, "stock": stock
    }));
    Product::new(&moment(), Uuid::nil().into(), &draft.unwrap())
}

fn in_dollars(mut product: Product) -> Product {
    product.price.currency = "USD".to_owned().try_into().unwrap();
    product
}

fn id(number: u8) -> Uuid {
    Uuid::from_bytes([number; 16])
}

fn moment() -> Moment {
    Moment::new(Timestamp::from_millis(0), [1; 32])
}
