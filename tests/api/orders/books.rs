//! The books balance. Clients order through throttling, crashes and repeated deliveries. Then
//! orders, stock, idempotency records, events, reservations and mails must agree exactly.
//!
//! The test runs a short day. This runs a long one:
//! `BOOKS_ORDERS=1000 BOOKS_CLIENTS=50 BOOKS_SEED=7 cargo test -p blackbox books -- --nocapture`

use std::collections::BTreeSet;
use std::time::Duration;

use domain::catalogue::ProductId;
use domain::orders::OrderDraft;
use emulator::faults::{Faults, KillFault, StoreFault};
use futures::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::harness::{
    Api, ApiResponse, fresh_platform, new_product, order_of, setting, stock_in, text, unlimited,
};

/// How long the system may take to come to rest: a message that has failed six times waits for a
/// minute.
const REST: Duration = Duration::from_mins(3);
/// With dropped writes, the system never comes to rest. The stored orders and the idempotency records
/// are wrong from the last response on.
const RESTLESS: Duration = Duration::from_secs(10);
/// The seconds by which the clock moves after the faults. Then the schedules run, and nearly all messages
/// that have failed return. A message in progress stays hidden for longer, and a pending order has
/// more time.
const AFTER_FAULTS_S: u32 = 61;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_books_balance_after_a_day_of_random_faults() {
    let day = Day::asked_for();
    let Some(books) = day.run(&[]).await else { return };
    println!("{day:?}\n{}", books.counts());
    books.balance(&day).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn books_without_idempotency_records_do_not_balance() {
    let day = Day { orders: 40, clients: 8, seed: 3, kill: 0.2 };
    let Some(books) = day.run(&["LedgerTable"]).await else { return };
    println!("{}", books.counts());
    books.balance(&day).unwrap_err();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn books_without_the_stock_do_not_balance() {
    let day = Day { orders: 20, clients: 4, seed: 3, kill: 0.0 };
    let Some(books) = day.run(&["ProductsTable"]).await else { return };
    println!("{}", books.counts());
    books.balance(&day).unwrap_err();
}

/// The parameters of a run.
#[derive(Debug, Clone, Copy)]
struct Day {
    /// The orders, each with another key.
    orders: usize,
    clients: usize,
    seed: u64,
    /// The share of processes killed before their commit, and the share killed after it.
    kill: f64,
}

impl Day {
    fn asked_for() -> Self {
        let (orders, clients) = (setting("BOOKS_ORDERS", 100), setting("BOOKS_CLIENTS", 10));
        Self { orders, clients, seed: setting("BOOKS_SEED", 1) as u64, kill: 0.01 }
    }

    /// Enough for three of five orders.
    fn stock(&self) -> usize {
        self.orders * 3 / 5
    }

    /// Lets the clients order under faults, waits for rest, and reads all records.
    async fn run(&self, torn: &[&str]) -> Option<Books> {
        let api = fresh_platform(unlimited()).await?;
        // No customer reaches the credit limit.
        api.set_rule("openCredit", json!({ "amount": 1_000_000_000, "currency": "EUR" }));
        let control = api.control()?;
        let stock = i64::try_from(self.stock()).unwrap();
        let product = new_product(&api.person("merchant").await, stock).await;
        let order = order_of(product, 1);
        let customer = api.token("customer").await;

        let faults = Faults::default()
            .seed(self.seed)
            .table("*", StoreFault::throttle(0.05))
            .kill("CreateOrderFunction", KillFault::around_commit(self.kill))
            .deliveries(0.1, 0.0);
        let faults = torn.iter().fold(faults, |faults, table| faults.torn(table));
        control.inject(&faults).await;
        let clients = (0..self.clients).map(|client| {
            let keys = (client..self.orders).step_by(self.clients);
            order_all(&api, &customer, &order, keys, torn.is_empty())
        });
        let orders_told = join_all(clients).await.into_iter().flatten().flatten().collect();
        let mut books = Books { orders_told, ..Books::default() };
        control.no_faults().await;
        control.pass(AFTER_FAULTS_S).await;
        let rest = if torn.is_empty() { REST } else { RESTLESS };
        books.read_at_rest(&api, product, rest).await;
        Some(books)
    }
}

/// One client orders under its keys, one after the other, and repeats each until it is settled.
/// Every third is repeated once more: without dropped writes the response must be the same.
async fn order_all(
    api: &Api,
    customer: &str,
    order: &OrderDraft,
    keys: impl Iterator<Item = usize>,
    honest: bool,
) -> Vec<Option<String>> {
    let mut told = Vec::new();
    for key in keys {
        let name = format!("order-{key}");
        let answer = until_settled(api, customer, &name, order).await;
        if key % 3 == 0 {
            let again = until_settled(api, customer, &name, order).await;
            let same = (again.status, &again.body) == (answer.status, &answer.body);
            assert!(same || !honest || answer.status == 422, "{again:?} after {answer:?}");
        }
        told.push((answer.status == 201).then(|| id_of(&answer)));
    }
    told
}

async fn until_settled(api: &Api, customer: &str, key: &str, order: &OrderDraft) -> ApiResponse {
    let ask = async || api.order(customer, key, order).send().await;
    let answer = api.until(&[201, 422], ask).await;
    if answer.status == 422 {
        answer.error(422, "OUT_OF_STOCK");
    }
    answer
}

fn id_of(answer: &ApiResponse) -> String {
    answer.json()["data"]["orderId"].as_str().unwrap().to_owned()
}

/// The numbers of everything received by clients, stored, decided and mailed.
#[derive(Debug, Default)]
struct Books {
    orders_told: BTreeSet<String>,
    orders_stored: BTreeSet<String>,
    orders_approved: BTreeSet<String>,
    pieces_left: usize,
    idempotency_records: usize,
    /// The events that the orders carry.
    events_carried: BTreeSet<String>,
    /// The orders that the customer service has reserved credit for.
    orders_reserved: BTreeSet<String>,
    orders_mailed: BTreeSet<String>,
    /// Mails that were sent again with the same id: after overlapping deliveries, or a crash
    /// between the mail and its record.
    mails_repeated: usize,
    dead_letters: usize,
}

impl Books {
    /// Reads all records, until two reads in a row agree.
    async fn read_at_rest(&mut self, api: &Api, product: ProductId, rest: Duration) {
        let end = Instant::now() + rest;
        let mut seen = [usize::MAX; 4];
        loop {
            self.read(api, product).await;
            let orders = self.orders_stored.len();
            let (reserved, mailed) = (self.orders_reserved.len(), self.orders_mailed.len());
            let now = [orders, reserved, mailed, self.orders_approved.len()];
            if (now == seen && now == [orders; 4]) || Instant::now() > end {
                return;
            }
            seen = now;
            sleep(Duration::from_millis(1500)).await;
        }
    }

    async fn read(&mut self, api: &Api, product: ProductId) {
        let mut orders = api.scan("OrdersTable").await;
        let ids = |orders: &[Value]| orders.iter().map(|order| text(&order["orderId"])).collect();
        self.orders_stored = ids(&orders);
        self.events_carried = orders.iter().map(|order| text(&order["createdEventId"])).collect();
        orders.retain(|order| order["status"] == "APPROVED");
        self.orders_approved = ids(&orders);
        let products = api.scan("ProductsTable").await;
        self.pieces_left = usize::try_from(stock_in(&products, product)).unwrap();
        let ledger = api.scan("LedgerTable").await;
        let of_orders = ledger.iter().filter(|record| {
            text(&record["pk"]).starts_with("idempotency#")
                && text(&record["body"]).contains("\"orderId\"")
        });
        self.idempotency_records = of_orders.count();
        let credits = api.scan("CreditsTable").await;
        let held = credits.iter().filter(|item| item["status"] == "HELD");
        self.orders_reserved = held.map(|item| text(&item["orderId"])).collect();
        let mails = api.inside().unwrap().platform().stores().mailbox().mails(None);
        let mails = mails.iter().map(|mail| serde_json::to_value(mail).unwrap());
        let texts = mails.map(|mail| mail["text"].as_str().unwrap_or_default().to_owned());
        let orders = texts.filter_map(|text| {
            let rest = text.split("received your order ").nth(1)?;
            Some(rest.split('.').next()?.to_owned())
        });
        let mailed: Vec<String> = orders.collect();
        self.orders_mailed = mailed.iter().cloned().collect();
        self.mails_repeated = mailed.len() - self.orders_mailed.len();
        self.dead_letters = 0;
        for queue in [
            "EmailsDeadLetterQueue",
            "OutboxDeadLetterQueue",
            "CustomerApprovalsDeadLetterQueue",
            "CustomerSagaDeadLetterQueue",
        ] {
            self.dead_letters += receive_all(api, queue).await.len();
        }
    }

    /// The counts as a table.
    fn counts(&self) -> String {
        let rows = [
            ("orders answered 201", self.orders_told.len()),
            ("orders stored", self.orders_stored.len()),
            ("orders approved", self.orders_approved.len()),
            ("pieces left", self.pieces_left),
            ("idempotency records", self.idempotency_records),
            ("events carried", self.events_carried.len()),
            ("orders reserved", self.orders_reserved.len()),
            ("orders with a mail", self.orders_mailed.len()),
            ("mails repeated", self.mails_repeated),
            ("dead letters", self.dead_letters),
        ];
        rows.map(|(what, count)| format!("{what:<22}{count:>6}\n")).concat()
    }

    /// Checks that all counts agree.
    fn balance(&self, day: &Day) -> Result<(), String> {
        let sold = day.stock();
        let equal = |what: &str, found: usize, expected: usize| {
            if found == expected { Ok(()) } else { Err(format!("{what}: {found}, not {expected}")) }
        };
        equal("orders stored", self.orders_stored.len(), sold)?;
        equal("orders answered 201", self.orders_told.len(), sold)?;
        if self.orders_told != self.orders_stored {
            return Err("clients received other order ids than are stored".to_owned());
        }
        if self.orders_approved != self.orders_stored {
            return Err(format!("{} orders were approved", self.orders_approved.len()));
        }
        equal("pieces left", self.pieces_left, 0)?;
        equal("idempotency records", self.idempotency_records, sold)?;
        equal("events carried", self.events_carried.len(), sold)?;
        if self.orders_reserved != self.orders_stored {
            return Err(format!("credit is reserved for {} orders", self.orders_reserved.len()));
        }
        if self.orders_mailed != self.orders_stored {
            return Err(format!("{} orders have a mail", self.orders_mailed.len()));
        }
        equal("dead letters", self.dead_letters, 0)
    }
}

/// Receives all messages of a queue.
async fn receive_all(api: &Api, queue: &str) -> Vec<String> {
    let url = &api.inside().unwrap().platform().stores().names().queue(queue).unwrap().url;
    let input = json!({ "QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 3600 });
    let mut bodies = Vec::new();
    loop {
        let received = api.ask_stores("AmazonSQS.ReceiveMessage", &input).await;
        let messages = received["Messages"].as_array().cloned().unwrap_or_default();
        if messages.is_empty() {
            return bodies;
        }
        bodies.extend(messages.iter().map(|message| message["Body"].as_str().unwrap().to_owned()));
    }
}
