//! Common parts of tests that run for a day of random faults.

use std::time::Duration;

use demo::seed;
use emulator::options::Options;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Api, ApiResponse};

/// How often a client repeats one request before it gives up.
const REPEATS_MAX: u32 = 200;

/// A platform with the demo's users and unreachable rate limits.
pub(crate) fn unlimited() -> Options {
    Options { demo: true, parameters: seed::limits_out_of_reach().into(), ..Options::default() }
}

/// Repeats a request until its response has one of these statuses.
pub(crate) async fn until(
    settled: &[u16],
    api: &Api,
    ask: impl AsyncFn() -> ApiResponse,
) -> ApiResponse {
    let mut last = None;
    for repeat in 0..REPEATS_MAX {
        let answer = ask().await;
        match answer.status {
            status if settled.contains(&status) => return answer,
            429 | 500..=599 => sleep(Duration::from_millis(u64::from(5 * repeat.min(20)))).await,
            _ => panic!("a client must never see this: {answer:?}"),
        }
        last = Some(answer);
    }
    let last = last.expect("at least one attempt was made");
    let said = match api.control() {
        Some(control) => control.requests(last.header("x-request-id")).await,
        None => Vec::new(),
    };
    panic!("not settled by {REPEATS_MAX} tries: {last:?} {said:?}");
}

/// All items of a table of any size, as plain JSON.
pub(crate) async fn scan(api: &Api, table: &str) -> Vec<Value> {
    let name = &api.inside().unwrap().platform().stores().names().table(table).unwrap().name;
    let (mut items, mut start) = (Vec::new(), Value::Null);
    loop {
        let mut input = json!({ "TableName": name, "ConsistentRead": true });
        if !start.is_null() {
            input["ExclusiveStartKey"] = start;
        }
        let mut page = api.ask_stores("DynamoDB_20120810.Scan", &input).await;
        let found: Vec<serde_dynamo::Item> = serde_json::from_value(page["Items"].take()).unwrap();
        items.extend(
            found.into_iter().map(|item| serde_dynamo::from_item::<_, Value>(item).unwrap()),
        );
        start = page["LastEvaluatedKey"].take();
        if start.is_null() {
            return items;
        }
    }
}

/// A text of an item; empty if it is absent.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
