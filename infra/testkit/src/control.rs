//! The platform's control address: its state, its clock and its faults.

use std::fmt::Display;

use emulator::faults::{Faults, NextFault};
use http::Method;
use serde_json::{Value, json};

use crate::call::{Call, Http};
use crate::wait::eventually;

/// A client of a control address. Tables, queues and functions are named by their logical ids in
/// the template.
///
/// Values are JSON as the platform shows them, in camel case; each method names the type of the
/// [`emulator`] with its fields, where there is one.
///
/// # Panics
/// Each method panics if the control address refuses the request, for example because the template
/// has no such table.
#[derive(Clone)]
pub struct Control {
    url: String,
    http: Http,
}

impl Control {
    /// The control address at this URL: `http://127.0.0.1:3001` for a platform of another process.
    pub fn at(url: &str) -> Self {
        Self::new(url.trim_end_matches('/').to_owned(), Http::new(None))
    }

    pub(crate) fn new(url: String, http: Http) -> Self {
        Self { url, http }
    }

    /// The mails to an address, oldest first: each a [`Mail`](emulator::services::Mail).
    pub async fn mails(&self, to: &str) -> Vec<Value> {
        // In a query, a plus means a space.
        let to = to.replace('+', "%2B");
        list(self.get(&format!("/mailbox?to={to}")).await, "mails")
    }

    /// The first mail to an address with this beginning of the subject, once it has arrived. See
    /// [`eventually`] for how long it waits.
    pub async fn mail(&self, to: &str, subject: &str) -> Value {
        let begins = |mail: &Value| mail["subject"].as_str().expect("a text").starts_with(subject);
        let find = async || {
            let mails = self.mails(to).await;
            mails.iter().find(|mail| begins(mail)).cloned().ok_or(mails)
        };
        eventually(&format!("a mail to {to}: {subject}"), find).await
    }

    /// The state of all queues, each with its first messages: a
    /// [`QueueReport`](emulator::services::QueueReport).
    pub async fn queues(&self) -> Vec<Value> {
        list(self.get("/queues").await, "queues")
    }

    /// One queue's state and its first messages, as [`queues`](Self::queues) returns them.
    pub async fn queue(&self, queue: &str) -> Value {
        self.queues()
            .await
            .into_iter()
            .find(|report| report["queue"] == queue)
            .expect("the template has the queue")
    }

    /// The events of a type, as the lifecycle's outbox, `OutboxTable`, stores them: by `eventType`,
    /// with the id of their aggregate as `pk`.
    pub async fn events(&self, event_type: &str) -> Vec<Value> {
        let mut rows = self.table("OutboxTable").await;
        rows.retain(|row| row["eventType"] == event_type);
        rows
    }

    /// The outbox row of an aggregate's event; `None` until the event has been relayed.
    ///
    /// # Panics
    /// If the outbox has no such event.
    pub async fn relayed(&self, event_type: &str, of: impl Display) -> Option<Value> {
        let (events, aggregate_id) = (self.events(event_type).await, of.to_string());
        let row = events
            .into_iter()
            .find(|row| row["pk"] == aggregate_id)
            .expect("the outbox has the event");
        row.get("relayedAt").is_some().then_some(row)
    }

    /// The first 1,000 items of a table, as plain JSON. [`Api::scan`](crate::Api::scan) returns all
    /// items of a large table.
    pub async fn table(&self, table: &str) -> Vec<Value> {
        list(self.get(&format!("/tables/{table}")).await, "items")
    }

    /// One of the first 1,000 items of a table, by its partition key `pk`, as plain JSON.
    ///
    /// # Panics
    /// If none of them has this key.
    pub async fn item(&self, table: &str, pk: impl Display) -> Value {
        let (items, pk) = (self.table(table).await, pk.to_string());
        items.into_iter().find(|item| item["pk"] == pk).expect("the item exists")
    }

    /// The invocations of a function, newest last, with Lambda's steps and their times in
    /// milliseconds: each an [`InvocationRecord`](emulator::functions::InvocationRecord).
    pub async fn invocations(&self, function: &str) -> Vec<Value> {
        list(self.get(&format!("/invocations?function={function}")).await, "invocations")
    }

    /// The canonical log lines of a request, by its `x-request-id`, among the latest 1,000.
    pub async fn requests(&self, request_id: &str) -> Vec<Value> {
        list(self.get(&format!("/requests?requestId={request_id}")).await, "requests")
    }

    /// The log lines of functions about a request, by its `x-request-id`, among the latest 5,000.
    pub async fn logs_of(&self, request_id: &str) -> Vec<Value> {
        list(self.get(&format!("/logs?requestId={request_id}")).await, "lines")
    }

    /// The latest 5,000 log lines of functions, newest last. A line that is not JSON is a string.
    pub async fn logs(&self) -> Vec<Value> {
        list(self.get("/logs").await, "lines")
    }

    /// All metrics, in Prometheus' text format.
    pub async fn metrics(&self) -> String {
        let answer = self.call(Method::GET, "/metrics").send().await;
        String::from_utf8(answer.body.to_vec()).expect("the metrics are UTF-8")
    }

    /// The sum of a metric over all series whose labels contain these; 0 if there is none.
    pub async fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let metrics = self.metrics().await;
        let series = metrics.lines().filter_map(|line| line.strip_prefix(name));
        let series = series.filter(|rest| rest.starts_with(['{', ' ']));
        let meant = series.filter(|rest| labels.iter().all(|label| rest.contains(label)));
        let value =
            |rest: &str| rest.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok());
        meant.map(|rest| value(rest).unwrap_or_else(|| panic!("no number: {rest}"))).sum()
    }

    /// The requests that a stand-in has received: a [`Report`](emulator::standins::Report).
    pub async fn standin(&self, name: &str) -> Value {
        self.get(&format!("/standins/{name}")).await
    }

    /// The requests for a path that a stand-in has received, oldest first.
    pub async fn requests_to(&self, standin: &str, path: &str) -> Vec<Value> {
        let mut requests = list(self.standin(standin).await, "requests");
        requests.retain(|request| request["path"] == path);
        requests
    }

    /// Puts a message into a queue, as another system would.
    pub async fn send(&self, queue: &str, message: &Value) {
        let path = format!("/queues/{queue}");
        let answer = self.call(Method::POST, &path).json(message).send().await;
        assert_eq!(answer.status, 204, "{queue}: {answer:?}");
    }

    /// Invokes a function as its schedule does, and waits until it has ended.
    pub async fn run_schedule(&self, function: &str) {
        let answer = self.call(Method::POST, &format!("/schedules/{function}")).send().await;
        assert_eq!(answer.status, 204, "{function}: {answer:?}");
    }

    /// Moves the platform's clock forward by this many seconds. New processes serve from then on,
    /// without caches, and get the messages whose delay or visibility timeout has passed. Not for a shared platform, because the other tests' time would pass too.
    pub async fn pass(&self, seconds: u32) {
        let offset_s =
            self.get("/clock").await["offsetS"].as_u64().expect("a number") + u64::from(seconds);
        let offset = json!({ "offsetS": offset_s });
        let answer = self.call(Method::PUT, "/clock").json(&offset).send().await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Activates these faults, and ends all others. Not for a shared platform.
    pub async fn inject(&self, faults: &Faults) {
        let faults = json!(faults);
        let answer = self.call(Method::PUT, "/faults").json(&faults).send().await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Makes the next request that fits fail once. Not for a shared platform.
    pub async fn fail_next(&self, fault: &NextFault) {
        let answer =
            self.call(Method::PUT, "/activity/next-fault").json(&json!(fault)).send().await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Ends all faults.
    pub async fn no_faults(&self) {
        self.inject(&Faults::default()).await;
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.call(Method::GET, path).send().await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    /// A request to a path of the control address that has no method here.
    pub fn call(&self, method: Method, path: &str) -> Call {
        self.http.call(method, &format!("{}{path}", self.url))
    }
}

fn list(mut answer: Value, name: &str) -> Vec<Value> {
    match answer[name].take() {
        Value::Array(items) => items,
        other => panic!("{name} is not a list: {other}"),
    }
}
