//! Orders of one product by many customers.

use std::collections::BTreeSet;

use domain::catalogue::{Product, ProductDraft, StockedProduct};
use domain::people::{Address, AddressDraft, UserId};
use lifecycle::{Moment, Timestamp};
use serde_json::{Value, json};
use simulation::Millis;
use simulation::random::Seeded;
use simulation::world::{
    BEGINNING, Client, Event, Happened, Oracle, Planned, Simulation, View, Workload,
};
use uuid::Uuid;

use super::figures::Done;
use super::load::Load;
use crate::items::{self, Order, StockPart, tables};
use crate::opening::{item, made, product_id};
use crate::people::{Person, fixed_id};

/// The function that places orders.
pub(super) const FUNCTION: &str = "CreateOrderFunction";

/// A request as API Gateway passes it on.
const EVENT: &str = include_str!("../../events/create_order.json");

/// The customers. Each stays below its rate limit.
const CUSTOMERS: u64 = 1_000;
/// The attempts of a customer who gets no definite answer, and the pause between them.
const ATTEMPTS_MAX: u64 = 20;
const PAUSE: Millis = Millis::seconds(1);
/// The note about an order that was accepted or refused.
const DECIDED: &str = "decided";

/// The product that all customers order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shop {
    stock: u64,
    /// The parts that its stock is in from the beginning.
    parts: u16,
}

impl Shop {
    /// A product with more pieces than are ordered. Its stock is in one item at first.
    pub(super) fn with_enough(load: Load) -> Self {
        Self { stock: load.count() + 1_000, parts: 0 }
    }

    /// A product with too few pieces, which are in parts.
    pub(super) fn that_sells_out(load: Load) -> Self {
        Self { stock: load.count() * 6 / 10, parts: 32 }
    }

    fn items(self) -> Vec<(String, Value)> {
        let draft: ProductDraft = made(json!({
            "productId": product_id(0), "name": "Desk lamp", "description": "It shines.",
            "price": { "amount": 1_000, "currency": "EUR" }, "discount": 0, "stock": self.stock,
        }));
        let product = Product::new(&moment(), UserId::from(Person::Merchant.id()), &draft);
        let stocked = match self.parts {
            0 => StockedProduct { product, parts: Vec::new() },
            parts => StockedProduct::split(product, parts),
        };
        stocked.parts.iter().map(item).chain([item(&stocked.product)]).collect()
    }
}

/// The world with the product and the customers' addresses, and with all orders.
pub(super) fn world(world: Simulation, load: Load, shop: Shop) -> Simulation {
    let addresses = (0..CUSTOMERS).map(|customer| item(&address(customer)));
    let items = shop.items().into_iter().chain(addresses);
    let world = items.fold(world, |world, (table, item)| world.item(&table, item));
    let sold = Sold { load, shop, accepted: BTreeSet::new(), refused: 0 };
    world.workload(Orders { load }).check(sold)
}

/// The orders that were accepted or refused.
pub(super) fn done(events: &[Event]) -> Vec<Done> {
    let decided = events.iter().filter_map(|event| match &event.what {
        Happened::Noted { name, value, .. } if name == DECIDED => {
            Some(Done { at: event.at, took: Millis(value["tookMs"].as_u64()?) })
        }
        _ => None,
    });
    decided.collect()
}

fn moment() -> Moment {
    let opened_ms = i64::try_from(BEGINNING.0).unwrap_or_default() - 1_000;
    Moment::new(Timestamp::from_millis(opened_ms), [0; 32])
}

fn customer_id(customer: u64) -> Uuid {
    fixed_id(0x20_0000 + u128::from(customer))
}

fn address_id(customer: u64) -> Uuid {
    fixed_id(0x30_0000 + u128::from(customer))
}

fn address(customer: u64) -> Address {
    let draft: AddressDraft = made(json!({
        "addressId": address_id(customer), "buildingNumber": 44, "streetName": "Main Street",
        "city": "Springfield", "country": "US",
    }));
    Address::new(&moment(), UserId::from(customer_id(customer)), &draft)
}

/// The event of an order of one piece.
fn event(number: u64) -> Value {
    let customer = number % CUSTOMERS;
    let body = json!({
        "items": [{ "productId": product_id(0), "quantity": 1 }],
        "addressId": address_id(customer), "paymentMethod": "CARD",
    });
    let body = body.to_string();
    let mut event: Value = serde_json::from_str(EVENT).unwrap_or_default();
    event["headers"]["content-length"] = json!(body.len().to_string());
    event["headers"]["idempotency-key"] = json!(format!("order-{number}"));
    event["headers"]["x-request-id"] = json!(format!("order-{number}"));
    event["requestContext"]["authorizer"]["lambda"]["sub"] = json!(customer_id(customer));
    event["body"] = json!(body);
    event
}

/// A definite answer to an order.
#[derive(Debug, PartialEq, Eq)]
enum Decision {
    /// It is accepted, with this id.
    Accepted(String),
    /// It is out of stock.
    Refused,
}

impl Decision {
    /// The decision in an answer of the function, if it is definite.
    fn of(answer: &Value) -> Option<Self> {
        let body: Value = serde_json::from_str(answer["body"].as_str()?).ok()?;
        match answer["statusCode"].as_u64()? {
            201 => Some(Self::Accepted(body["data"]["orderId"].as_str()?.to_owned())),
            422 if body["error"]["code"] == "OUT_OF_STOCK" => Some(Self::Refused),
            _ => None,
        }
    }

    /// The id of an accepted order.
    fn order_id(self) -> Option<String> {
        match self {
            Self::Accepted(order_id) => Some(order_id),
            Self::Refused => None,
        }
    }
}

/// Places the orders, each by one customer who tries again.
#[derive(Debug, Clone, Copy)]
struct Orders {
    load: Load,
}

impl Workload for Orders {
    type Operation = u64;

    fn plan(&self, _: &mut Seeded) -> Vec<Planned<u64>> {
        self.load.planned()
    }

    async fn perform(&self, client: Client, number: &u64) {
        let (event, began) = (event(*number), client.now());
        for _ in 0..ATTEMPTS_MAX {
            let answer = client.invoke(FUNCTION, event.clone()).await.unwrap_or_default();
            if let Some(decision) = Decision::of(&answer) {
                let took = client.now().since(began);
                let order_id = decision.order_id();
                client.note(DECIDED, json!({ "orderId": order_id, "tookMs": took.0 }));
                return;
            }
            client.wait(PAUSE).await;
        }
    }
}

/// Checks that no accepted order is lost, and that no piece is lost or sold twice.
#[derive(Debug, Clone)]
struct Sold {
    load: Load,
    shop: Shop,
    accepted: BTreeSet<String>,
    refused: u64,
}

impl Oracle for Sold {
    fn name(&self) -> &'static str {
        "no order is lost and no piece is sold twice"
    }

    fn observe(&mut self, event: &Event, _view: &View<'_>) -> Result<(), String> {
        let Happened::Noted { name, value, .. } = &event.what else { return Ok(()) };
        if name != DECIDED {
            return Ok(());
        }
        let Some(order_id) = value["orderId"].as_str() else {
            self.refused += 1;
            return Ok(());
        };
        if self.accepted.insert(order_id.to_owned()) {
            return Ok(());
        }
        Err(format!("order {order_id} was answered twice"))
    }

    fn at_rest(&mut self, view: &View<'_>) -> Result<(), String> {
        let orders: Vec<Order> = items::all(view, tables::ORDERS);
        let products: Vec<items::Product> = items::all(view, tables::PRODUCTS);
        let parts: Vec<StockPart> = items::all(view, tables::PRODUCTS);
        let stored: BTreeSet<String> = orders.iter().map(|order| order.order_id.clone()).collect();
        if stored != self.accepted {
            let (stored, accepted) = (stored.len(), self.accepted.len());
            return Err(format!("{stored} orders are stored, and {accepted} were accepted"));
        }
        let left = products.iter().map(|it| it.stock).chain(parts.iter().map(|it| it.pieces));
        let left: Vec<i64> = left.collect();
        let lines = orders.iter().flat_map(|order| &order.items);
        let sold: i64 = lines.map(|line| line.quantity).sum();
        self.balance(&left, sold)
    }
}

impl Sold {
    /// Whether the pieces left and the pieces sold are the pieces of the beginning, and each
    /// order was answered.
    fn balance(&self, left: &[i64], sold: i64) -> Result<(), String> {
        let stock = self.shop.stock;
        let sum: i64 = left.iter().sum();
        if left.iter().any(|pieces| *pieces < 0) || u64::try_from(sum + sold) != Ok(stock) {
            return Err(format!("of {stock} pieces {sold} are sold, and {sum} are left"));
        }
        let accepted = u64::try_from(self.accepted.len()).unwrap_or(u64::MAX);
        let expected = stock.min(self.load.count());
        let (refused, count) = (self.refused, self.load.count());
        if accepted == expected && accepted + refused == count {
            return Ok(());
        }
        Err(format!(
            "of {count} orders {accepted} were accepted and {refused} refused, with {stock} pieces"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_is_of_its_customer_and_has_its_own_key() {
        let (first, second) = (event(0), event(CUSTOMERS));
        let of = |event: &Value, pointer: &str| event.pointer(pointer).cloned().unwrap();
        let sub = "/requestContext/authorizer/lambda/sub";
        assert_eq!(of(&first, sub), json!(customer_id(0)));
        assert_eq!(of(&first, sub), of(&second, sub));
        let key = "/headers/idempotency-key";
        assert_ne!(of(&first, key), of(&second, key));
        let body: Value = serde_json::from_str(of(&first, "/body").as_str().unwrap()).unwrap();
        assert_eq!(body["addressId"], json!(address(0).address_id));
    }

    #[test]
    fn an_answer_is_definite_if_the_order_is_accepted_or_out_of_stock() {
        let answer =
            |status, body: Value| json!({ "statusCode": status, "body": body.to_string() });
        let accepted = answer(201, json!({ "data": { "orderId": "o" } }));
        assert_eq!(Decision::of(&accepted), Some(Decision::Accepted("o".to_owned())));
        let refused = |code| answer(422, json!({ "error": { "code": code } }));
        assert_eq!(Decision::of(&refused("OUT_OF_STOCK")), Some(Decision::Refused));
        assert_eq!(Decision::of(&refused("PRODUCT_UNKNOWN")), None);
        assert_eq!(Decision::of(&answer(503, json!({}))), None);
    }

    #[test]
    fn lost_pieces_sold_twice_and_orders_without_an_answer_are_found() {
        let load = Load { per_second: 5, seconds: 2, seed: 1 };
        let sold = |stock, accepted: u64, refused| {
            let shop = Shop { stock, parts: 0 };
            let accepted = (0..accepted).map(|number| number.to_string()).collect();
            Sold { load, shop, accepted, refused }
        };
        assert!(sold(6, 6, 4).balance(&[0, 0], 6).is_ok());
        assert!(sold(20, 10, 0).balance(&[7, 3], 10).is_ok());
        sold(6, 6, 4).balance(&[1, -1], 6).unwrap_err();
        sold(6, 6, 4).balance(&[1], 6).unwrap_err();
        sold(6, 7, 3).balance(&[0], 7).unwrap_err();
        sold(6, 5, 5).balance(&[1], 5).unwrap_err();
        sold(20, 9, 0).balance(&[11], 9).unwrap_err();
    }
}
