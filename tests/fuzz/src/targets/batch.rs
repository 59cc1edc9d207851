//! Batches of messages and of stream records, runs of schedules, events of other services, and
//! steps of rotations.
//!
//! The ids of a batch's answer are among those of its records, each at most once. Without any, all
//! records are consumed. A record that cannot be read is in the dead-letter queue, or its id is in
//! the answer. An event that is no batch is a failed invocation.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::seeds::{events, named, seed};
use crate::store::{Changes, invoke, names, of_kind};
use crate::{Seed, Target, mutate};

/// The target.
pub const BATCH: Target = Target {
    name: "batch",
    run,
    seeds,
    mutate: mutate::json,
    max_len: 32 * 1024,
    dictionary: &[
        "\"Records\"",
        "\"messageId\"",
        "\"eventID\"",
        "\"SequenceNumber\"",
        "\"NewImage\"",
        "\"MessageGroupId\"",
        "\"ApproximateReceiveCount\"",
        ".fifo",
        "\"receiptHandle\"",
    ],
};

fn run(input: &[u8]) {
    let Some((function, event)) = named(input) else { return };
    if !is_covered(function) {
        return;
    }
    let invoked = invoke(function, event, Changes::default());
    let Ok(payload) = invoked.answer else { return };
    let parsed: Json = serde_json::from_slice(event).unwrap_or_default();
    let Some(records) = parsed["Records"].as_array() else { return };
    let Some(failed) = payload["batchItemFailures"].as_array() else { return };
    let id = |record: &Json| {
        let id = record.get("messageId").or_else(|| record.pointer("/dynamodb/SequenceNumber"));
        id.and_then(Json::as_str).map(str::to_owned)
    };
    let given: BTreeSet<String> = records.iter().filter_map(id).collect();
    let mut told = BTreeSet::new();
    for failure in failed {
        let id = failure["itemIdentifier"].as_str();
        let id = id.unwrap_or_else(|| panic!("{function}: a failure without an id: {payload}"));
        assert!(given.contains(id), "{function}: {id} is no id of the batch: {payload}");
        assert!(told.insert(id) || given.len() < records.len(), "{function}: twice: {payload}");
    }
    let dead = invoked.messages.keys().filter(|queue| queue.contains("DeadLetter"));
    let dead: usize = dead.map(|queue| invoked.messages[queue].len()).sum();
    let unreadable = records.iter().filter(|record| is_unreadable(record)).count();
    assert!(
        dead + failed.len() >= unreadable,
        "{function}: {unreadable} records cannot be read, {dead} are dead letters: {payload}"
    );
}

fn is_covered(function: &str) -> bool {
    names().any(|name| name == function)
        && ["consumer", "rotation"].iter().any(|kind| of_kind(kind).any(|name| name == function))
}

/// A message with an id whose body is no JSON.
fn is_unreadable(record: &Json) -> bool {
    let has_id = record["messageId"].as_str().is_some_and(|id| !id.is_empty());
    let body = record["body"].as_str();
    has_id && body.is_some_and(|body| serde_json::from_str::<Json>(body).is_err())
}

fn seeds() -> Vec<Seed> {
    let functions = of_kind("consumer").chain(of_kind("rotation"));
    let each = events(functions).flat_map(|(name, event)| {
        let mut twice = event.clone();
        if let Some(records) = twice["Records"].as_array_mut() {
            let mut other = records[0].clone();
            if !other["messageId"].is_null() {
                other["messageId"] = json!("8d1f3f0e-6f2b-4b43-9a52-9a2f2f1d7c99");
            }
            records.push(other);
        }
        [
            seed(&name, "", event.to_string().as_bytes()),
            seed(&name, ".twice", twice.to_string().as_bytes()),
        ]
    });
    each.collect()
}
