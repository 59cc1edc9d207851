//! Reads whole tables as items, and changes items in place by conditional writes.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    ConsumedCapacity, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure as OnFailure,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use lifecycle::ServiceError;
use lifecycle::effects::size_bytes_of;
use lifecycle::record::{Key, TableName};
use lifecycle::telemetry::{observe_query, without_values};
use serde_dynamo::Item;
use tokio::time::Instant;

use super::scan::patient;
use super::{Operator, Segment};
use crate::dynamodb::commit::WRITTEN_BY;
use crate::dynamodb::expressions::{Expressions, SdkItem, key_in, key_of, plain};
use crate::errors::fault;

/// The maximum of items of a page. A page is also the unit of progress, so it is not larger.
const PAGE_MAX: i32 = 250;

/// A page of a segment, as items.
#[non_exhaustive]
pub struct ItemPage {
    /// The items with their keys.
    pub items: Vec<(Key, Item)>,
    /// The key after which the next page begins; none on the last page.
    pub next: Option<Key>,
    /// The capacity units of the read.
    pub units: f64,
}

/// An attempt to change an item in place.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// Its result.
    pub result: Changed,
    /// The capacity units that it consumed; estimated from the item's size if nothing is changed.
    pub units: f64,
}

/// The result of changing an item in place. Only [`Done`](Self::Done) changes it.
#[derive(Debug, Clone, PartialEq)]
pub enum Changed {
    /// The item is changed.
    Done,
    /// The item differs from the read one. Has the stored item.
    Moved(Item),
    /// The item was deleted.
    Gone,
    /// A transaction is writing the item.
    Busy,
    /// DynamoDB rejects the changed item: it is too large, or a key of an index is invalid. Has the
    /// reason, without stored values.
    Refused(String),
}

impl Operator {
    /// A page of a segment as items, from the beginning or after a key.
    ///
    /// # Errors
    ///
    /// When the table cannot be read.
    pub async fn scan_items(
        &self,
        table: TableName,
        segment: Segment,
        after: Option<&Key>,
    ) -> Result<ItemPage, ServiceError> {
        let request = self
            .0
            .dynamodb()
            .scan()
            .table_name(self.0.table_name(table)?)
            .segment(segment.number.into())
            .total_segments(segment.of.into())
            .limit(PAGE_MAX)
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .set_exclusive_start_key(after.map(|key| key_of(table, key)));
        let started = Instant::now();
        let answer = request.customize().config_override(patient()).send().await;
        observe_query("Scan", table.name(), started.elapsed());
        let answer = answer.map_err(|error| fault("Scan", table.name(), error))?;
        let keyed = |item: SdkItem| Some((key_in(table, &item)?, plain(item)));
        Ok(ItemPage {
            units: units(answer.consumed_capacity.as_ref()),
            next: answer.last_evaluated_key.as_ref().and_then(|item| key_in(table, item)),
            items: answer.items.unwrap_or_default().into_iter().filter_map(keyed).collect(),
        })
    }

    /// Writes the attributes in which `changed` differs from `read`, if the stored item still
    /// equals `read`: each attribute has its value, and attributes of `optional` that it lacked are
    /// still missing. Unknown attributes are left alone.
    ///
    /// # Errors
    ///
    /// When the table cannot be written to.
    pub async fn change_item(
        &self,
        table: TableName,
        key: &Key,
        read: &Item,
        changed: &Item,
        optional: &[&str],
    ) -> Result<Attempt, ServiceError> {
        let mut expressions = Expressions::on(table);
        let Some(update) = difference(&mut expressions, read, changed) else {
            return Ok(Attempt { result: Changed::Done, units: 0.0 });
        };
        let unchanged = unchanged(&mut expressions, read, changed, optional);
        let request = self
            .0
            .dynamodb()
            .update_item()
            .table_name(self.0.table_name(table)?)
            .set_key(Some(key_of(table, key)))
            .update_expression(update)
            .condition_expression(unchanged)
            .set_expression_attribute_names(expressions.names())
            .set_expression_attribute_values(expressions.values())
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .return_values_on_condition_check_failure(OnFailure::AllOld);
        let started = Instant::now();
        let answer = request.send().await;
        observe_query("UpdateItem", table.name(), started.elapsed());
        let error = match answer {
            Ok(answer) => {
                let units = units(answer.consumed_capacity.as_ref());
                return Ok(Attempt { result: Changed::Done, units });
            }
            Err(error) => error,
        };
        match unchanged_because(&error) {
            Some(result) => Ok(Attempt { units: units_of_failed(read, &result), result }),
            None => Err(fault("UpdateItem", table.name(), error)),
        }
    }

    /// The approximate number of items of a table, as DynamoDB counted them within the last six
    /// hours; `None` if it is not known.
    pub async fn items_count(&self, table: TableName) -> Option<u64> {
        let name = self.0.table_name(table).ok()?;
        let described = self.0.dynamodb().describe_table().table_name(name).send().await.ok()?;
        u64::try_from(described.table?.item_count?).ok()
    }

    /// The physical name of a table.
    ///
    /// # Errors
    ///
    /// When the environment does not name the table.
    pub fn name_of(&self, table: TableName) -> Result<&str, ServiceError> {
        self.0.table_name(table)
    }

    /// A key for output: hashed if it is personal data.
    pub fn shown_key(key: &Key, is_personal: bool) -> String {
        let shown = |part: &str| {
            if is_personal { crate::dynamodb::table::hashed(part) } else { part.to_owned() }
        };
        let parts = [Some(&key.pk), key.sk.as_ref()].into_iter().flatten();
        parts.map(|part| shown(part)).collect::<Vec<_>>().join(" ")
    }
}

/// The update that turns `read` into `changed`; `None` if they are equal.
fn difference(expressions: &mut Expressions, read: &Item, changed: &Item) -> Option<String> {
    let (mut sets, mut removes) = (Vec::new(), Vec::new());
    for name in names_in(changed) {
        let value = &changed[name];
        if read.get(name) != Some(value) {
            sets.push(format!(
                "{} = {}",
                expressions.name(name),
                expressions.value(value.clone().into())
            ));
        }
    }
    for name in names_in(read).into_iter().filter(|name| !changed.contains_key(*name)) {
        removes.push(expressions.name(name));
    }
    let clauses = [("SET", sets), ("REMOVE", removes)].into_iter();
    let clauses: Vec<_> = clauses
        .filter(|(_, parts)| !parts.is_empty())
        .map(|(verb, parts)| format!("{verb} {}", parts.join(", ")))
        .collect();
    (!clauses.is_empty()).then(|| clauses.join(" "))
}

/// The condition that the stored item still equals `read`.
///
/// A condition of DynamoDB cannot list all attributes of an item. So each attribute that may be
/// added is named, including the stamp of single writes.
fn unchanged(
    expressions: &mut Expressions,
    read: &Item,
    changed: &Item,
    optional: &[&str],
) -> String {
    let mut conditions = Vec::new();
    for name in names_in(read) {
        let value = expressions.value(read[name].clone().into());
        conditions.push(format!("{} = {value}", expressions.name(name)));
    }
    let mut absent: BTreeSet<&str> = names_in(changed).into_iter().collect();
    absent.extend(optional);
    absent.insert(WRITTEN_BY);
    for name in absent.into_iter().filter(|name| !read.contains_key(*name)) {
        conditions.push(format!("attribute_not_exists({})", expressions.name(name)));
    }
    conditions.join(" AND ")
}

/// The sorted names of an item's attributes, so that the same change has the same text.
fn names_in(item: &Item) -> Vec<&str> {
    let names: BTreeSet<&str> = item.keys().map(String::as_str).collect();
    names.into_iter().collect()
}

/// The result that a failed change means; `None` if the call itself failed.
fn unchanged_because(error: &SdkError<UpdateItemError, HttpResponse>) -> Option<Changed> {
    match error.as_service_error()? {
        UpdateItemError::ConditionalCheckFailedException(failed) => {
            let stored = failed.item.clone().map(plain);
            Some(stored.map_or(Changed::Gone, Changed::Moved))
        }
        UpdateItemError::TransactionConflictException(_) => Some(Changed::Busy),
        other if other.code() == Some("ValidationException") => {
            let reason = other.message().unwrap_or("without a reason");
            Some(Changed::Refused(without_values(reason)))
        }
        _ => None,
    }
}

/// The units that a failed change consumed. DynamoDB does not return them: it charges a unit for
/// each KiB of the stored item.
fn units_of_failed(read: &Item, result: &Changed) -> f64 {
    let stored = match result {
        Changed::Moved(stored) => stored,
        Changed::Done | Changed::Gone | Changed::Busy | Changed::Refused(_) => read,
    };
    let units = size_bytes_of(stored).div_ceil(1024).max(1);
    // An item has at most 400 KiB.
    f64::from(u32::try_from(units).unwrap_or(u32::MAX))
}

fn units(consumed: Option<&ConsumedCapacity>) -> f64 {
    consumed.and_then(|consumed| consumed.capacity_units).unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::error::{
        ConditionalCheckFailedException, TransactionConflictException,
    };
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_conflict_is_busy_and_a_rejected_item_is_refused_but_a_throttle_is_a_fault() {
        let generic = |code: &str| {
            let message = "Item size to update has exceeded the maximum allowed size";
            let metadata = ErrorMetadata::builder().code(code).message(message).build();
            UpdateItemError::generic(metadata)
        };
        let gone = ConditionalCheckFailedException::builder().build();
        let busy = TransactionConflictException::builder().build();
        let refused = "Item size to update has exceeded the maximum allowed size".to_owned();
        for (error, result) in [
            (UpdateItemError::ConditionalCheckFailedException(gone), Some(Changed::Gone)),
            (UpdateItemError::TransactionConflictException(busy), Some(Changed::Busy)),
            (generic("ValidationException"), Some(Changed::Refused(refused))),
            (generic("ThrottlingException"), None),
            (generic("AccessDeniedException"), None),
        ] {
            let raw = HttpResponse::new(StatusCode::try_from(400).unwrap(), SdkBody::empty());
            let error = SdkError::service_error(error, raw);
            assert_eq!(unchanged_because(&error), result, "{error:?}");
        }
    }

    #[test]
    fn a_failed_change_costs_a_unit_for_each_kib_of_the_stored_item() {
        let small = item(&json!({ "pk": "1" }));
        let large = item(&json!({ "pk": "1", "text": "a".repeat(2_500) }));
        for (result, units) in
            [(Changed::Gone, 1.0), (Changed::Busy, 1.0), (Changed::Moved(large.clone()), 3.0)]
        {
            let counted = units_of_failed(&small, &result);
            assert!((counted - units).abs() < f64::EPSILON, "{result:?} has {counted} units");
        }
        assert!(units_of_failed(&large, &Changed::Busy) > 2.0);
    }

    #[test]
    fn only_attributes_that_differ_are_written() {
        let read = json!({ "pk": "1", "a": 1, "b": 1, "c": { "d": [1] } });
        for (changed, update, names) in [
            (json!({ "pk": "1", "a": 1, "b": 1, "c": { "d": [1] } }), None, &[][..]),
            (
                json!({ "pk": "1", "a": 2, "b": 1, "c": { "d": [1] } }),
                Some("SET #n0 = :v0"),
                &["a"],
            ),
            (json!({ "pk": "1", "a": 1, "c": { "d": [1] } }), Some("REMOVE #n0"), &["b"]),
            (
                json!({ "pk": "1", "b": 1, "c": { "d": [2] }, "e": 1 }),
                Some("SET #n0 = :v0, #n1 = :v1 REMOVE #n2"),
                &["c", "e", "a"],
            ),
        ] {
            let mut expressions = Expressions::on(TableName::new("notes"));
            let written = difference(&mut expressions, &item(&read), &item(&changed));
            assert_eq!(written.as_deref(), update, "{changed}");
            let aliased = expressions.names().unwrap_or_default();
            for (number, name) in names.iter().enumerate() {
                assert_eq!(aliased[&format!("#n{number}")], *name, "{changed}");
            }
        }
    }

    #[test]
    fn the_condition_names_every_read_and_every_optional_attribute() {
        let mut expressions = Expressions::on(TableName::new("notes"));
        let read = item(&json!({ "pk": "1", "a": 1 }));
        let changed = item(&json!({ "pk": "1", "a": 2, "b": 1 }));
        let condition = unchanged(&mut expressions, &read, &changed, &["relayedAt", "a"]);
        let expected = "#n0 = :v0 AND #n1 = :v1 AND attribute_not_exists(#n2) AND \
                        attribute_not_exists(#n3) AND attribute_not_exists(#n4)";
        assert_eq!(condition, expected);
        let names = expressions.names().unwrap();
        let named = ["#n0", "#n1", "#n2", "#n3", "#n4"].map(|alias| names[alias].as_str());
        assert_eq!(named, ["a", "pk", "b", "relayedAt", "writtenBy"]);
    }

    #[test]
    fn a_personal_key_is_shown_as_its_hash() {
        let key = Key::sorted("email#ada@example.com", "1");
        assert_eq!(Operator::shown_key(&key, false), "email#ada@example.com 1");
        assert!(!Operator::shown_key(&key, true).contains("ada"));
    }

    fn item(value: &Value) -> Item {
        serde_dynamo::to_item(value).unwrap()
    }
}
