//! The platform's control address: its state, and its faults.

use std::fmt::Display;

use emulator::faults::Faults;
use http::Method;
use serde_json::{Value, json};

use super::call::Client;
use super::{ApiResponse, Call, eventually};

/// A control address.
#[derive(Clone)]
pub(crate) struct Control {
    url: String,
    client: Client,
}

impl Control {
    pub(super) fn new(url: String, client: Client) -> Self {
        Self { url, client }
    }

    /// The mails to an address.
    pub(crate) async fn mails(&self, to: &str) -> Vec<Value> {
        // In a query, a plus means a space.
        let to = to.replace('+', "%2B");
        list(self.get(&format!("/mailbox?to={to}")).await, "mails")
    }

    /// The first mail to an address with this beginning of the subject, once it has arrived.
    pub(crate) async fn mail(&self, to: &str, subject: &str) -> Value {
        let begins = |mail: &Value| mail["subject"].as_str().unwrap().starts_with(subject);
        let find = async || {
            let mails = self.mails(to).await;
            mails.iter().find(|mail| begins(mail)).cloned().ok_or(mails)
        };
        eventually(&format!("a mail to {to}: {subject}"), find).await
    }

    /// The state of all queues.
    pub(crate) async fn queues(&self) -> Vec<Value> {
        list(self.get("/queues").await, "queues")
    }

    /// A queue's state and its first messages.
    pub(crate) async fn queue(&self, queue: &str) -> Value {
        self.queues()
            .await
            .into_iter()
            .find(|report| report["queue"] == queue)
            .expect("the template has the queue")
    }

    /// The events of a type, as the outbox stores them.
    pub(crate) async fn events(&self, event_type: &str) -> Vec<Value> {
        let mut rows = self.table("OutboxTable").await;
        rows.retain(|row| row["eventType"] == event_type);
        rows
    }

    /// The outbox row of an aggregate's event, once the event has been relayed.
    pub(crate) async fn relayed(&self, event_type: &str, of: impl Display) -> Option<Value> {
        let (events, aggregate_id) = (self.events(event_type).await, of.to_string());
        let row = events
            .into_iter()
            .find(|row| row["pk"] == aggregate_id)
            .expect("the outbox has the event");
        row.get("relayedAt").is_some().then_some(row)
    }

    /// All items of a table.
    pub(crate) async fn table(&self, table: &str) -> Vec<Value> {
        list(self.get(&format!("/tables/{table}")).await, "items")
    }

    /// One item of a table, by its partition key.
    pub(crate) async fn item(&self, table: &str, pk: impl Display) -> Value {
        let (items, pk) = (self.table(table).await, pk.to_string());
        items.into_iter().find(|item| item["pk"] == pk).expect("the item exists")
    }

    /// Lambda's steps for a function, invocation by invocation.
    pub(crate) async fn invocations(&self, function: &str) -> Vec<Value> {
        list(self.get(&format!("/invocations?function={function}")).await, "invocations")
    }

    /// The canonical log lines of a request.
    pub(crate) async fn requests(&self, request_id: &str) -> Vec<Value> {
        list(self.get(&format!("/requests?requestId={request_id}")).await, "requests")
    }

    /// The log lines of functions about a request.
    pub(crate) async fn logs_of(&self, request_id: &str) -> Vec<Value> {
        list(self.get(&format!("/logs?requestId={request_id}")).await, "lines")
    }

    /// All log lines of functions.
    pub(crate) async fn logs(&self) -> Vec<Value> {
        list(self.get("/logs").await, "lines")
    }

    /// All metrics, in Prometheus' text format.
    pub(crate) async fn metrics(&self) -> String {
        let answer = self.call(Method::GET, "/metrics").send().await;
        String::from_utf8(answer.body.to_vec()).unwrap()
    }

    /// The sum of a metric over all series whose labels contain these; 0 if there is none.
    pub(crate) async fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let metrics = self.metrics().await;
        let series = metrics.lines().filter_map(|line| line.strip_prefix(name));
        let series = series.filter(|rest| rest.starts_with(['{', ' ']));
        let meant = series.filter(|rest| labels.iter().all(|label| rest.contains(label)));
        meant.map(|rest| rest.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    }

    /// The requests that a stand-in has received.
    pub(crate) async fn standin(&self, name: &str) -> Value {
        self.get(&format!("/standins/{name}")).await
    }

    /// The requests for a path that a stand-in has received, oldest first.
    pub(crate) async fn requests_to(&self, standin: &str, path: &str) -> Vec<Value> {
        let mut requests = list(self.standin(standin).await, "requests");
        requests.retain(|request| request["path"] == path);
        requests
    }

    /// Puts a message into a queue, as another system would.
    pub(crate) async fn send(&self, queue: &str, message: &Value) {
        let answer =
            self.call(Method::POST, &format!("/queues/{queue}")).json(message).send().await;
        assert_eq!(answer.status, 204, "{queue}: {answer:?}");
    }

    /// Runs the schedule of a function now, and waits until it is done.
    pub(crate) async fn run_schedule(&self, function: &str) {
        let answer = self.call(Method::POST, &format!("/schedules/{function}")).send().await;
        assert_eq!(answer.status, 204, "{function}: {answer:?}");
    }

    /// Moves the platform's clock forward. New processes serve from then on, without caches. Not for
    /// the shared platform, because the other tests' time would pass too.
    pub(crate) async fn pass(&self, seconds: u32) {
        let offset_s = self.get("/clock").await["offsetS"].as_u64().unwrap() + u64::from(seconds);
        let offset = json!({ "offsetS": offset_s });
        let answer = self.call(Method::PUT, "/clock").json(&offset).send().await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Activates these faults, and ends all others.
    pub(crate) async fn inject(&self, faults: &Faults) {
        let faults = json!(faults);
        let answer = self.call(Method::PUT, "/faults").json(&faults).send().await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Ends all faults.
    pub(crate) async fn no_faults(&self) {
        self.inject(&Faults::default()).await;
    }

    async fn get(&self, path: &str) -> Value {
        let answer: ApiResponse = self.call(Method::GET, path).send().await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        Call::new(&self.client, method, &format!("{}{path}", self.url))
    }
}

fn list(mut answer: Value, name: &str) -> Vec<Value> {
    match answer[name].take() {
        Value::Array(items) => items,
        other => panic!("{name} is not a list: {other}"),
    }
}
