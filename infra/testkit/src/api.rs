//! An API under test, and the platform behind it.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::call::{Call, Http};
use crate::control::Control;
use crate::description::Description;
use crate::environment::skip;
use crate::in_process::{InProcess, Running};
use crate::response::ApiResponse;

/// How often a client repeats one request before it gives up.
const REPEATS_MAX: u32 = 200;

/// The operator's key: neither policies nor faults apply to its calls.
const OPERATOR: &str = "AWS4-HMAC-SHA256 Credential=OPERATOR/20260101/eu-west-1/x/aws4_request, \
                        SignedHeaders=host, Signature=0";

/// An API under test. Each test has a separate client, whose connections end with the test. Clones
/// share client and platform.
pub struct Api<R: Running> {
    url: String,
    http: Http,
    inside: Option<Arc<InProcess<R>>>,
}

impl<R: Running> Api<R> {
    /// The API of a platform in this process.
    pub(crate) fn of(inside: Arc<InProcess<R>>, description: Option<&'static Description>) -> Self {
        let url = inside.running().platform().api_url();
        Self { url, http: Http::new(description), inside: Some(inside) }
    }

    /// The API of a deployment.
    pub(crate) fn deployed(url: String, description: Option<&'static Description>) -> Self {
        Self { url, http: Http::new(description), inside: None }
    }

    /// The base URL, without a slash at its end: `http://127.0.0.1:40123`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same API, called from another address of this machine: `127.0.0.2`.
    #[must_use]
    pub fn with_source(&self, source: &str) -> Self {
        let mut api = self.clone();
        api.http = self.http.with_source(source.parse().expect("an address"));
        api
    }

    /// A request without a body: `api.get("/notes?limit=1")`.
    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    /// A request with a body in JSON.
    pub fn post(&self, path: &str, body: &Value) -> Call {
        self.call(Method::POST, path).json(body)
    }

    /// A request with a body in JSON.
    pub fn put(&self, path: &str, body: &Value) -> Call {
        self.call(Method::PUT, path).json(body)
    }

    /// A request with a body in JSON.
    pub fn patch(&self, path: &str, body: &Value) -> Call {
        self.call(Method::PATCH, path).json(body)
    }

    /// A request without a body.
    pub fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    /// A request of any method, without a body yet.
    pub fn call(&self, method: Method, path: &str) -> Call {
        self.http.call(method, &format!("{}{path}", self.url))
    }

    /// Repeats a request until its response has one of these statuses. Repeats follow 429 and 5xx
    /// only, after pauses that grow to 100 ms.
    ///
    /// # Panics
    /// After any other status, and after 200 repeats, with the canonical log lines of the last one.
    pub async fn until(&self, settled: &[u16], ask: impl AsyncFn() -> ApiResponse) -> ApiResponse {
        let mut last = None;
        for repeat in 0..REPEATS_MAX {
            let answer = ask().await;
            match answer.status {
                status if settled.contains(&status) => return answer,
                429 | 500..=599 => {
                    sleep(Duration::from_millis(u64::from(5 * repeat.min(20)))).await;
                }
                _ => panic!("a client must never see this: {answer:?}"),
            }
            last = Some(answer);
        }
        let last = last.expect("at least one attempt was made");
        let lines = match self.control() {
            Some(control) => control.requests(last.header("x-request-id")).await,
            None => Vec::new(),
        };
        panic!("not settled by {REPEATS_MAX} tries: {last:?} {lines:?}");
    }

    /// The platform behind the API, with the service's values. If a deployment is tested, reports
    /// that the test is [skipped](skip) and returns `None`.
    pub fn inside(&self) -> Option<&R> {
        if self.inside.is_none() {
            skip("the platform in its own process");
        }
        self.running()
    }

    /// As [`inside`](Self::inside), without a report: for code that needs no platform.
    pub fn running(&self) -> Option<&R> {
        self.inside.as_deref().map(InProcess::running)
    }

    /// The platform's control address. If a deployment is tested, reports that the test is
    /// [skipped](skip) and returns `None`.
    pub fn control(&self) -> Option<Control> {
        let url = self.inside()?.platform().control_url();
        Some(Control::new(url, self.http.unchecked()))
    }

    /// Calls the platform's AWS services directly, without a function: `DynamoDB_20120810.Scan`,
    /// with the input and the output of AWS's JSON protocol.
    ///
    /// # Panics
    /// If a deployment is tested, or the service refuses the call.
    pub async fn ask_stores(&self, target: &str, input: &Value) -> Value {
        let call = self.http.unchecked().call(Method::POST, &self.platform().stores().endpoint());
        let call = call
            .header("x-amz-target", target)
            .header("content-type", "application/x-amz-json-1.0")
            .header("authorization", OPERATOR)
            .header("x-amz-date", "20260101T000000Z")
            .body(input.to_string());
        let answer = call.send().await;
        assert_eq!(answer.status, 200, "{target}: {answer:?}");
        answer.json()
    }

    /// Puts an item into a table directly: plain JSON, its key included. The table is named by its
    /// logical id in the template.
    ///
    /// # Panics
    /// If a deployment is tested, or the item does not match the table's schema.
    pub fn put_item(&self, table: &str, item: Value) {
        let item: serde_dynamo::Item =
            serde_dynamo::to_item(item).expect("the item is a JSON object");
        let item = serde_json::to_value(item).expect("an item has a JSON form");
        let stores = self.platform().stores();
        stores.put_item(table, &item).expect("the item is well-formed");
    }

    /// All items of a table of any size, as plain JSON, by consistent reads. The table is named by
    /// its logical id in the template.
    ///
    /// # Panics
    /// If a deployment is tested, or the template has no such table.
    pub async fn scan(&self, table: &str) -> Vec<Value> {
        let table = self.platform().stores().names().table(table).expect("the template has it");
        let (mut items, mut start) = (Vec::new(), Value::Null);
        loop {
            let mut input = json!({ "TableName": table.name, "ConsistentRead": true });
            if !start.is_null() {
                input["ExclusiveStartKey"] = start;
            }
            let mut page = self.ask_stores("DynamoDB_20120810.Scan", &input).await;
            let found: Vec<serde_dynamo::Item> =
                serde_json::from_value(page["Items"].take()).expect("a page has items");
            items.extend(found.into_iter().map(|item| {
                serde_dynamo::from_item::<_, Value>(item).expect("an item has a JSON form")
            }));
            start = page["LastEvaluatedKey"].take();
            if start.is_null() {
                return items;
            }
        }
    }

    fn platform(&self) -> &emulator::Platform {
        self.running().expect("a platform in this process").platform()
    }
}

impl<R: Running> Clone for Api<R> {
    fn clone(&self) -> Self {
        let Self { url, http, inside } = self;
        Self { url: url.clone(), http: http.clone(), inside: inside.clone() }
    }
}

impl<R: Running> Drop for Api<R> {
    fn drop(&mut self) {
        if let Some(inside) = &self.inside {
            inside.note_used_permissions();
        }
    }
}
