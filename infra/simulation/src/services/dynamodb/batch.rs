//! `BatchWriteItem`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::capacity::{Consumed, ReturnConsumed, Use, throttled};
use super::plan::{Action, Expressions, NotWritten, OnFailure, Plan};
use super::writes::check_access;
use super::{Author, Call, DynamoDb};
use crate::services::wire::{AwsError, parsed, parsed_part};

/// The maximum number of writes of a batch.
const WRITES_MAX: usize = 25;
/// The maximum size of a batch, in bytes.
const BYTES_MAX: usize = 16 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct BatchWriteItem {
    request_items: BTreeMap<String, Vec<Json>>,
    #[serde(default)]
    return_consumed_capacity: ReturnConsumed,
    #[serde(default, rename = "ReturnItemCollectionMetrics")]
    _return_item_collection_metrics: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
enum Request {
    PutRequest(PutRequest),
    DeleteRequest(DeleteRequest),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PutRequest {
    item: Json,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DeleteRequest {
    key: Json,
}

impl DynamoDb {
    pub(super) fn batch_write_item(
        &mut self,
        body: &[u8],
        call: &mut Call<'_>,
    ) -> Result<Json, AwsError> {
        let request: BatchWriteItem = parsed(body)?;
        let plans = self.batch_plans(&request, body.len(), call)?;
        let mut consumed = Consumed::default();
        let mut unprocessed: BTreeMap<&str, Vec<Json>> = BTreeMap::new();
        let count = plans.len();
        let mut left = 0;
        for (name, given, plan) in plans {
            let is_held = self.transactions.holds(name, &plan.key);
            let table = self.table_mut(name)?;
            let is_admitted = !is_held
                && table.admit(0, Use::Write, &plan.key.partition, call.now).is_ok()
                && !call.random.happens(call.freedom.unprocessed);
            if !is_admitted {
                unprocessed.entry(name).or_default().push(given.clone());
                left += 1;
                continue;
            }
            let change = match plan.change(table) {
                Ok(change) => change,
                Err(NotWritten::Invalid(error) | NotWritten::EmptyKey(error)) => return Err(error),
                Err(NotWritten::Condition(_)) => continue,
            };
            let (old, new) = (change.old.as_ref(), change.new.as_ref());
            table.charge_write(&plan.key, old, new, false, call.now, &mut consumed);
            self.write(name, &plan.key, new, Author::Caller, &mut call.turn());
        }
        // Without a single processed item, the call fails as a whole.
        if left == count {
            return Err(throttled());
        }
        let mut items = Map::new();
        for (name, requests) in unprocessed {
            items.insert(name.to_owned(), Json::Array(requests));
        }
        let mut answer = json!({ "UnprocessedItems": items });
        if let Some(consumed) = consumed.all(request.return_consumed_capacity) {
            answer["ConsumedCapacity"] = consumed;
        }
        Ok(answer)
    }

    /// The writes of a batch, each with its table and its part of the request.
    fn batch_plans<'a>(
        &self,
        request: &'a BatchWriteItem,
        bytes: usize,
        call: &Call<'_>,
    ) -> Result<Vec<(&'a str, &'a Json, Plan)>, AwsError> {
        let count: usize = request.request_items.values().map(Vec::len).sum();
        if request.request_items.values().any(Vec::is_empty) || count == 0 {
            return Err(AwsError::invalid(
                "1 validation error detected: Value at 'requestItems' failed to satisfy \
                 constraint: Member must have length greater than or equal to 1",
            ));
        }
        if count > WRITES_MAX {
            return Err(AwsError::invalid("Too many items requested for the BatchWriteItem call"));
        }
        if bytes > BYTES_MAX {
            return Err(AwsError::invalid("Item collection too large: a batch has at most 16 MB"));
        }
        let mut plans = Vec::new();
        let mut places = BTreeSet::new();
        for (name, requests) in &request.request_items {
            check_access(call, "BatchWriteItem", name)?;
            let table = &self.table(name)?.definition;
            for given in requests {
                let one: Request = parsed_part(given)?;
                let none = Expressions::default();
                let plan = match one {
                    Request::PutRequest(put) => {
                        Plan::put(table, &put.item, &none, OnFailure::None)?
                    }
                    Request::DeleteRequest(delete) => {
                        Plan::of_key(table, Action::Delete, &delete.key, &none, OnFailure::None)?
                    }
                };
                if !places.insert((name.as_str(), plan.key.clone())) {
                    return Err(AwsError::invalid(
                        "Provided list of item keys contains duplicates",
                    ));
                }
                plans.push((name.as_str(), given, plan));
            }
        }
        Ok(plans)
    }
}
