//! Every order is settled, and all records agree on it. Clients order and cancel through
//! throttling, crashes, and repeated or reordered deliveries. Then everything is counted.
//!
//! The test runs a short day. This runs a long one:
//! `SETTLED_ORDERS=500 SETTLED_CLIENTS=25 SETTLED_SEED=7 cargo test -p blackbox settled --
//! --nocapture`

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::catalogue::ProductId;
use domain::orders::{OrderDraft, OrderStatus};
use emulator::faults::{Faults, KillFault, StoreFault};
use futures::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::harness::{
    Api, CUSTOMER, changed_platform, euros, new_product, order_of, read, setting, stock_in, text,
    unlimited,
};

/// How long the system may take to come to rest: messages of a killed process wait out their
/// visibility timeout, perhaps more than once.
const REST: Duration = Duration::from_mins(5);
/// The price of each order in cents: a piece of 1.80 EUR, and shipping.
const PRICE: u64 = 670;
/// The functions that are killed at random.
const KILLED: [&str; 6] = [
    "CreateOrderFunction",
    "DeleteOrderFunction",
    "ApproveCustomerFunction",
    "SettleOrderFunction",
    "ProjectOrdersFunction",
    "RelayOutboxFunction",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_order_is_settled_and_all_records_agree_on_it() {
    let day = Day::asked_for();
    let Some(api) = day.open().await else { return };
    let product = day.trade(&api).await;
    let state = State::at_rest(&api, product).await;
    println!("{day:?}\n{}", state.counts());
    state.agree(&day).unwrap();
    assert_eq!(projected(&api).await, state.approved(), "the projection equals the write model");
}

/// The parameters of a run.
#[derive(Debug, Clone, Copy)]
struct Day {
    /// Orders of one piece each. The customer's credit suffices for three of five.
    orders: usize,
    clients: usize,
    seed: u64,
}

impl Day {
    fn asked_for() -> Self {
        let (orders, clients) = (setting("SETTLED_ORDERS", 60), setting("SETTLED_CLIENTS", 6));
        Self { orders, clients, seed: setting("SETTLED_SEED", 1) as u64 }
    }

    fn credit(&self) -> u64 {
        self.orders as u64 * 3 / 5 * PRICE
    }

    /// A platform with a short visibility timeout, so that messages of a killed process return
    /// soon, and with scarce credit.
    async fn open(&self) -> Option<Api> {
        let sooner =
            |template: String| template.replace("VisibilityTimeout: 120", "VisibilityTimeout: 20");
        let api = changed_platform(unlimited(), sooner).await?;
        api.set_rule("openCredit", json!({ "amount": self.credit(), "currency": "EUR" }));
        Some(api)
    }

    /// Lets the clients order, and cancel one order of four, under faults.
    async fn trade(&self, api: &Api) -> ProductId {
        let stock = i64::try_from(self.orders).unwrap();
        let product = new_product(&api.person("merchant").await, stock).await;
        let order = order_of(product, 1);
        let customer = api.token("customer").await;
        let control = api.control().unwrap();
        let faults = Faults::default()
            .seed(self.seed)
            .table("*", StoreFault::throttle(0.05))
            .deliveries(0.1, 0.2);
        let killed = |faults: Faults, name| faults.kill(name, KillFault::around_commit(0.01));
        control.inject(&KILLED.into_iter().fold(faults, killed)).await;
        let clients = (0..self.clients).map(|client| {
            let keys = (client..self.orders).step_by(self.clients);
            order_and_cancel(api, &customer, &order, keys)
        });
        join_all(clients).await;
        control.no_faults().await;
        product
    }
}

async fn order_and_cancel(
    api: &Api,
    customer: &str,
    order: &OrderDraft,
    keys: impl Iterator<Item = usize>,
) {
    for key in keys {
        let name = format!("order-{key}");
        let created = api.until(&[201], async || api.order(customer, &name, order).send().await);
        let order_id = text(&created.await.data(201)["orderId"]);
        if key % 4 == 0 {
            let path = format!("/orders/{order_id}");
            let cancel = async || api.delete(&path).token(customer).send().await;
            for _ in 0..100 {
                let answer = api.until(&[204, 404, 409], cancel).await;
                if answer.status != 409 || answer.json()["error"]["code"] != "ORDER_PENDING" {
                    break;
                }
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// All records about the orders.
#[derive(Debug, Default, PartialEq)]
struct State {
    /// The orders' status and serial number, by their ids.
    orders: BTreeMap<String, (String, Option<u64>)>,
    pieces_left: u64,
    /// The last position of a serial number.
    last_position: u64,
    /// The reserved part of the customer's credit.
    reserved: u64,
    /// Events in the outbox, and how many of them still wait for the relay.
    events: usize,
    events_waiting: usize,
    /// The orders that the projection shows.
    shown: BTreeSet<String>,
    /// Messages in all queues except dead-letter queues.
    messages: u64,
    /// The reports of the dead-letter queues that are not empty.
    dead_letters: Vec<Value>,
}

impl State {
    /// Reads until two reads in a row agree and nothing waits any more.
    async fn at_rest(api: &Api, product: ProductId) -> Self {
        let end = Instant::now() + REST;
        let mut last = Self::default();
        loop {
            let now = Self::read(api, product).await;
            let resting = now.messages == 0 && now.events_waiting == 0 && now.of("PENDING") == 0;
            if (resting && now == last) || Instant::now() > end {
                return now;
            }
            last = now;
            sleep(Duration::from_secs(1)).await;
        }
    }

    async fn read(api: &Api, product: ProductId) -> Self {
        let orders = api.scan("OrdersTable").await;
        let orders = orders.iter().map(|order| {
            let number = order["serialNumber"].as_u64();
            (text(&order["orderId"]), (text(&order["status"]), number))
        });
        let products = api.scan("ProductsTable").await;
        let counters = api.scan("CountersTable").await;
        let credits = api.scan("CreditsTable").await;
        let outbox = api.scan("OutboxTable").await;
        let waiting = outbox.iter().filter(|row| row["by_waiting_pk"].is_string());
        let summaries = api.scan("OrderSummariesTable").await;
        let shown = summaries.iter().filter(|row| row["by_customer_pk"].is_string());
        let queues = api.control().unwrap().queues().await;
        let dead = |queue: &Value| queue["queue"].as_str().unwrap().contains("DeadLetter");
        let (letters, queues): (Vec<_>, Vec<_>) = queues.into_iter().partition(dead);
        let waiting_in = |queue: &Value| {
            let states = ["visible", "inFlight", "delayed"];
            states.map(|state| queue[state].as_u64().unwrap()).iter().sum::<u64>()
        };
        Self {
            orders: orders.collect(),
            pieces_left: stock_in(&products, product),
            last_position: counters.first().and_then(|it| it["last"].as_u64()).unwrap_or(0),
            reserved: credits.iter().filter_map(|item| item["reserved"].as_u64()).sum(),
            events: outbox.len(),
            events_waiting: waiting.count(),
            shown: shown.map(|row| text(&row["orderId"])).collect(),
            messages: queues.iter().map(waiting_in).sum(),
            dead_letters: letters.into_iter().filter(|queue| waiting_in(queue) > 0).collect(),
        }
    }

    fn of(&self, status: &str) -> usize {
        self.orders.values().filter(|order| order.0 == status).count()
    }

    fn approved(&self) -> BTreeSet<String> {
        let approved = self.orders.iter().filter(|(_, order)| order.0 == "APPROVED");
        approved.map(|(id, _)| id.clone()).collect()
    }

    /// How often each serial number was given.
    fn numbers(&self) -> BTreeMap<u64, usize> {
        let mut given = BTreeMap::new();
        for number in self.orders.values().filter_map(|order| order.1) {
            *given.entry(number).or_default() += 1;
        }
        given
    }

    /// The counts as a table.
    fn counts(&self) -> String {
        let count = |number: usize| number.to_string();
        let rows = [
            ("orders", count(self.orders.len())),
            ("  pending", count(self.of("PENDING"))),
            ("  approved", count(self.of("APPROVED"))),
            ("  rejected", count(self.of("REJECTED"))),
            ("  timed out", count(self.of("TIMED_OUT"))),
            ("  cancelled", count(self.of("CANCELLED"))),
            ("serial numbers given", count(self.numbers().values().sum())),
            ("pieces left", self.pieces_left.to_string()),
            ("credit reserved", self.reserved.to_string()),
            ("events in the outbox", count(self.events)),
            ("events waiting", count(self.events_waiting)),
            ("orders projected", count(self.shown.len())),
            ("messages in queues", self.messages.to_string()),
            ("dead-letter queues", count(self.dead_letters.len())),
        ];
        rows.map(|(what, count)| format!("{what:<22}{count:>8}\n")).concat()
    }

    /// Checks that all records agree.
    fn agree(&self, day: &Day) -> Result<(), String> {
        let equal = |what: &str, found: u64, expected: u64| {
            if found == expected { Ok(()) } else { Err(format!("{what}: {found}, not {expected}")) }
        };
        if !self.dead_letters.is_empty() {
            return Err(format!("dead letters: {:#?}", self.dead_letters));
        }
        let (all, approved) = (self.orders.len() as u64, self.of("APPROVED") as u64);
        equal("orders", all, day.orders as u64)?;
        equal("pending orders", self.of("PENDING") as u64, 0)?;
        equal("pieces left", self.pieces_left, all - approved)?;
        equal("credit reserved", self.reserved, approved * PRICE)?;
        if self.reserved > day.credit() {
            return Err(format!("{} of {} reserved", self.reserved, day.credit()));
        }
        if self.shown != self.approved() {
            return Err("the projection shows other orders than are approved".to_owned());
        }
        let numbered = (self.of("APPROVED") + self.of("CANCELLED")) as u64;
        let given = self.numbers();
        equal("serial numbers", given.values().sum::<usize>() as u64, numbered)?;
        // Each position has one order at most; those of killed functions are left out.
        for (number, times) in given {
            let positions = (self.last_position + 100 - number) / 100;
            if times as u64 > positions {
                return Err(format!("{times} orders have the number {number} of {positions}"));
            }
        }
        equal("events waiting", self.events_waiting as u64, 0)?;
        equal("messages", self.messages, 0)?;
        Ok(())
    }
}

/// The orders that the customer sees, page by page.
async fn projected(api: &Api) -> BTreeSet<String> {
    let customer = api.person("customer").await;
    let (mut seen, mut asked) = (BTreeSet::new(), read(json!({ "limit": 100 })));
    loop {
        let page = customer.list_user_orders(CUSTOMER.into(), &asked).await.unwrap().data;
        for order in &page.items {
            assert_eq!(order.order_status, OrderStatus::Approved);
            assert_eq!(order.total_price, euros(PRICE.cast_signed()));
            assert!(seen.insert(order.order_id.to_string()), "shown twice");
        }
        match page.next(&asked) {
            Some(next) => asked = next,
            None => return seen,
        }
    }
}
