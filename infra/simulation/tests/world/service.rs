//! A service of three functions: `POST /orders` stores an order and its event in one commit, the
//! relay sends the event to a queue, and a consumer counts the pieces.

use std::collections::BTreeMap;
use std::process::ExitCode;

use lifecycle::effects::{EventData, QueueName, text};
use lifecycle::prelude::*;
use lifecycle::record::{Key, Record, TableName};
use lifecycle::relay::Subscriptions;
use lifecycle::{Consumer, Endpoint};
use sam_template::Template;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use simulation::world::Simulation;

const ORDERS: TableName = TableName::new("orders");
const TOTALS: TableName = TableName::new("totals");
const ORDER_EVENTS: QueueName = QueueName::new("order_events");

/// The template of the service.
pub(crate) const TEMPLATE: &str = include_str!("template.yaml");

/// The service without `POST /orders`.
pub(crate) fn service(seed: u64) -> Simulation {
    service_of(TEMPLATE, seed)
}

/// The service of another template, without `POST /orders`.
pub(crate) fn service_of(template: &str, seed: u64) -> Simulation {
    let template = Template::parse(template, &BTreeMap::new()).unwrap();
    Simulation::new(seed)
        .template(&template)
        .function("RelayOutboxFunction", relay_outbox)
        .function("CountPiecesFunction", count_pieces)
}

/// `POST /orders`.
pub(crate) fn place_order() -> ExitCode {
    aws::serve(|_| PlaceOrder::<true>)
}

/// `POST /orders` with a mistake that oracles must find: without idempotency keys, and with an id for each request.
pub(crate) fn careless_place_order() -> ExitCode {
    aws::serve(|_| PlaceOrder::<false>)
}

fn relay_outbox() -> ExitCode {
    aws::functions::relay_outbox::<OrderEvents>()
}

fn count_pieces() -> ExitCode {
    aws::consume(|_| CountPieces)
}

lifecycle::error_codes! {
    /// There is an order with this id.
    ORDER_EXISTS: Conflict = "There is an order with this id.";
}

lifecycle::single_line! {
    /// The id of an order, drawn by the client.
    OrderId: 1..=40
}

struct PlaceOrder<const KEYED: bool>;

impl<const KEYED: bool> Endpoint for PlaceOrder<KEYED> {
    const ROUTE: Route = Route::post("/orders");
    type Caller = Anyone;
    const ACCESS: Access<NoRole> = Access::Public;
    const LIMIT: Limit = Limit::OFF;
    const IDEMPOTENCY: Idempotency = if KEYED { Idempotency::Required } else { Idempotency::None };
    const BODY_BYTES_MAX: usize = 4 * 1024;
    const RESOURCES: Resources = &[Resource::Table(ORDERS, &[PutItem]), Resource::Outbox];
    type Input = Json<OrderDraft>;
    type Command = OrderDraft;
    type Facts = ();

    async fn retrieve(&self, _: &Permit<Anyone>, _: &OrderDraft) -> Retrieved<()> {
        Ok(())
    }

    const ALLOW: Allow<Self> = Allow::Always;
    const CONDITIONS: Conditions<()> = Conditions::Creation(Some(ORDER_EXISTS));
    type Outcome = Order;
    const ERRORS: &'static [ErrorCode] = &[ORDER_EXISTS];

    fn decide(
        moment: &Moment,
        _: &Anyone,
        draft: &OrderDraft,
        (): (),
    ) -> Result<Order, DomainError> {
        let OrderDraft { order_id, pieces } = draft.clone();
        let key = if KEYED { order_id.as_str().to_owned() } else { moment.id("order").to_string() };
        Ok(Order { key, order_id, pieces })
    }

    fn effects(order: &Order) -> Effects {
        let placed = OrderPlaced { pieces: order.pieces };
        Effects::none()
            .write(Write::create(order).or_reject(ORDER_EXISTS.at("/orderId", "is taken")))
            .event(Event::about(&order.key, &placed))
    }

    type Reply = reply::Created<Order>;

    fn reply(order: Order) -> reply::Created<Order> {
        reply::Created::of(order)
    }
}

/// An order, as a client places it.
#[derive(Debug, Clone, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OrderDraft {
    order_id: OrderId,
    pieces: u32,
}

/// An order.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Order {
    key: String,
    order_id: OrderId,
    pieces: u32,
}

impl Record for Order {
    const TABLE: TableName = ORDERS;

    fn key(&self) -> Key {
        Key::new(&self.key)
    }
}

/// An order was placed.
#[derive(Debug, Serialize, Deserialize)]
struct OrderPlaced {
    pieces: u32,
}

impl EventData for OrderPlaced {
    const TYPE: &'static str = "OrderPlaced";
}

struct OrderEvents;

impl Subscriptions for OrderEvents {
    const QUEUES: &'static [QueueName] = &[ORDER_EVENTS];

    fn subscribers(_: &str) -> &'static [QueueName] {
        &[ORDER_EVENTS]
    }
}

/// The pieces of all orders.
#[derive(Debug, Serialize, Deserialize)]
struct Total {
    name: String,
    pieces: u32,
}

impl Record for Total {
    const TABLE: TableName = TOTALS;

    fn key(&self) -> Key {
        Key::new(&self.name)
    }
}

fn added(placed: &Envelope<OrderPlaced>) -> Effects {
    let total = Write::update::<Total>(Key::new("all"));
    Effects::none()
        .write(total.set("name", text("all")).add("pieces", i64::from(placed.data.pieces)))
}

struct CountPieces;

impl Consumer for CountPieces {
    const SOURCE: Source = Source::Queue(ORDER_EVENTS);
    const RESOURCES: Resources = &[Resource::Table(TOTALS, &[UpdateItem])];
    type Input = Envelope<OrderPlaced>;
    type Command = Envelope<OrderPlaced>;
    type Facts = ();

    async fn retrieve(
        &self,
        _: &Permit<DeliveredMessage>,
        _: &Envelope<OrderPlaced>,
    ) -> Retrieved<()> {
        Ok(())
    }

    fn decide(_: &Moment, placed: &Envelope<OrderPlaced>, (): ()) -> Result<Effects, DomainError> {
        Ok(added(placed))
    }
}
