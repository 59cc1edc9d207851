//! The calls of an invocation: as they are, as facts that were read, and as used permissions.

use serde_json::Value;

use super::items::{expression, hide_values, key_of};
use crate::activity::record::{CallRecord, Invocation, ms};
use crate::activity::redaction::Redaction;
use crate::activity::view::{CallView, Fact, PermissionView};
use crate::services::{plain_item, with_exact_numbers};

/// The members that have JSON as text.
const EMBEDDED: [&str; 3] = ["Body", "MessageBody", "SecretString"];

/// All calls, in order.
pub(super) fn calls(invocation: &Invocation, redaction: &Redaction) -> Vec<CallView> {
    invocation.calls.iter().map(|call| view(invocation, call, redaction)).collect()
}

fn view(invocation: &Invocation, call: &CallRecord, redaction: &Redaction) -> CallView {
    let after = call.began.saturating_duration_since(invocation.began());
    let before = invocation.began().saturating_duration_since(call.began);
    CallView {
        service: call.service.to_owned(),
        operation: call.operation.clone(),
        resources: call.resources.clone(),
        status: call.status,
        error: error(call).map(|error| redaction.text(&error)),
        fault: call.fault.clone(),
        at_ms: ms(after) - ms(before),
        took_ms: call.ended.map(|ended| ms(ended.saturating_duration_since(call.began))),
        deferred: call.deferred,
        request: body(&call.body, redaction),
        response: body(&call.response, redaction),
    }
}

/// The body of a call without secrets. A body that is not JSON is text.
fn body(bytes: &[u8], redaction: &Redaction) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    match serde_json::from_slice::<Value>(bytes) {
        Ok(mut value) => {
            hide_values(&mut value, redaction);
            unfold(&mut value);
            with_exact_numbers(redaction.json(value))
        }
        Err(_) => Value::String(redaction.text(&String::from_utf8_lossy(bytes))),
    }
}

/// Replaces JSON in texts by its value, so that its members are seen.
fn unfold(value: &mut Value) {
    match value {
        Value::Array(members) => members.iter_mut().for_each(unfold),
        Value::Object(members) => {
            for (name, member) in members {
                let inner = member.as_str().filter(|_| EMBEDDED.contains(&name.as_str()));
                let inner = inner.and_then(|text| serde_json::from_str::<Value>(text).ok());
                match inner {
                    Some(inner) if inner.is_object() => *member = inner,
                    _ => unfold(member),
                }
            }
        }
        _ => {}
    }
}

/// The error of a call, in its service's words: `ConditionalCheckFailedException: …`.
pub(super) fn error(call: &CallRecord) -> Option<String> {
    if call.status == 0 || call.succeeded() {
        return None;
    }
    let answer: Value = serde_json::from_slice(&call.response).unwrap_or_default();
    let kind = answer["__type"].as_str().and_then(|kind| kind.rsplit('#').next());
    let message = answer["message"].as_str().or_else(|| answer["Message"].as_str());
    Some(match (kind, message) {
        (Some(kind), Some(message)) => format!("{kind}: {message}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => format!("status {}", call.status),
    })
}

/// The items, lists and secrets that were read before the response.
pub(super) fn facts(invocation: &Invocation, redaction: &Redaction) -> Vec<Fact> {
    let mut facts = Vec::new();
    for (place, call) in invocation.calls.iter().enumerate().filter(|(_, call)| !call.deferred) {
        let took = call.ended.map(|ended| ms(ended.saturating_duration_since(call.began)));
        let fact = |source: &str, key: String, found: Option<usize>| Fact {
            source: source.to_owned(),
            key: redaction.text(&key),
            operation: call.operation.clone(),
            found,
            read_units: call.units.map(|(read, _)| read),
            took_ms: took.unwrap_or_default(),
            error: error(call).map(|error| redaction.text(&error)),
            call: place,
        };
        let table = call.resources.first().map_or("", String::as_str);
        let is_read = ["BatchGetItem", "GetItem", "Query", "Scan", "TransactGetItems"]
            .contains(&call.operation.as_str());
        let is_secret = call.operation == "GetSecretValue";
        if !is_read && !is_secret {
            continue;
        }
        let input: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let answer: Value = serde_json::from_slice(&call.response).unwrap_or_default();
        let ended = call.succeeded();
        match call.operation.as_str() {
            "GetItem" => {
                let found = ended.then(|| usize::from(answer["Item"].is_object()));
                facts.push(fact(table, key_of(&input["Key"]), found));
            }
            "Query" | "Scan" => {
                let mut key = String::new();
                for kind in ["KeyConditionExpression", "FilterExpression"] {
                    if let Some(text) = input[kind].as_str() {
                        let before = if key.is_empty() { "" } else { ", filtered by " };
                        key.push_str(before);
                        key.push_str(&expression(text, &input, redaction));
                    }
                }
                if let Some(index) = input["IndexName"].as_str() {
                    key = format!("{index}: {key}");
                }
                let count = answer["Count"].as_u64().and_then(|count| count.try_into().ok());
                facts.push(fact(table, key, count));
            }
            "BatchGetItem" => {
                for (place, (name, keys)) in
                    input["RequestItems"].as_object().into_iter().flatten().enumerate()
                {
                    let source = call.resources.get(place).map_or(name.as_str(), String::as_str);
                    let items = answer["Responses"][name].as_array();
                    for key in keys["Keys"].as_array().into_iter().flatten() {
                        let items = items.into_iter().flatten();
                        let found = items.filter(|item| has_key(item, key)).count();
                        facts.push(fact(source, key_of(key), ended.then_some(found)));
                    }
                }
            }
            "TransactGetItems" => {
                let gets = input["TransactItems"].as_array().into_iter().flatten();
                for (place, get) in gets.enumerate() {
                    let found = answer["Responses"][place]["Item"].is_object();
                    let name = get["Get"]["TableName"].as_str().unwrap_or(table);
                    let source = call.resources.iter().find(|it| name.ends_with(it.as_str()));
                    let source = source.map_or(name, String::as_str);
                    let found = ended.then(|| usize::from(found));
                    facts.push(fact(source, key_of(&get["Get"]["Key"]), found));
                }
            }
            _ => {
                let version = input["VersionStage"].as_str().unwrap_or("the current version");
                let found = ended.then_some(1);
                facts.push(Fact { read_units: None, ..fact(table, version.to_owned(), found) });
            }
        }
    }
    facts
}

fn has_key(item: &Value, key: &Value) -> bool {
    let item = plain_item(item);
    let key = plain_item(key);
    key.as_object().is_some_and(|key| key.iter().all(|(name, value)| item[name] == *value))
}

/// The permissions that the calls used, and the missing ones.
pub(super) fn permissions(invocation: &Invocation) -> Vec<PermissionView> {
    let mut all: Vec<PermissionView> = Vec::new();
    let mut add = |(action, resource): &(String, String), allowed: bool| {
        let known = all
            .iter_mut()
            .find(|it| it.action == *action && it.resource == *resource && it.allowed == allowed);
        match known {
            Some(known) => known.count += 1,
            None => all.push(PermissionView {
                action: action.clone(),
                resource: resource.clone(),
                allowed,
                count: 1,
            }),
        }
    };
    for call in &invocation.calls {
        call.denials.iter().for_each(|denied| add(denied, false));
        // Of this batch, the other statements were run.
        if call.denials.is_empty() || call.operation == "BatchExecuteStatement" {
            let named = call.accesses.named();
            let allowed = named.iter().filter(|access| !call.denials.contains(access));
            allowed.for_each(|access| add(access, true));
        }
    }
    all.sort_by_key(|permission| permission.allowed);
    all
}
