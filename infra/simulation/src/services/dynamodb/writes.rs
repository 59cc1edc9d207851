//! `PutItem`, `UpdateItem` and `DeleteItem`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::capacity::{Consumed, ReturnConsumed, Use};
use super::expression::projected;
use super::plan::{Action, Change, Expressions, NotWritten, OnFailure, Plan};
use super::value::{Item, item_to_json};
use super::{Author, Call, DynamoDb};
use crate::services::wire::{AwsError, parsed};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Write {
    table_name: String,
    item: Option<Json>,
    key: Option<Json>,
    condition_expression: Option<String>,
    update_expression: Option<String>,
    expression_attribute_names: Option<BTreeMap<String, String>>,
    expression_attribute_values: Option<Json>,
    #[serde(default)]
    return_values: ReturnValues,
    #[serde(default)]
    return_values_on_condition_check_failure: OnFailure,
    #[serde(default)]
    return_consumed_capacity: ReturnConsumed,
    #[serde(default, rename = "ReturnItemCollectionMetrics")]
    _return_item_collection_metrics: Option<String>,
}

/// `ReturnValues`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ReturnValues {
    #[default]
    None,
    AllOld,
    UpdatedOld,
    AllNew,
    UpdatedNew,
}

impl Write {
    fn expressions(&self) -> Expressions<'_> {
        Expressions {
            condition: self.condition_expression.as_deref(),
            update: self.update_expression.as_deref(),
            names: self.expression_attribute_names.as_ref(),
            values: self.expression_attribute_values.as_ref(),
        }
    }

    /// Writes other than updates return at most the old item.
    fn check_only_old(&self) -> Result<(), AwsError> {
        if matches!(self.return_values, ReturnValues::None | ReturnValues::AllOld) {
            return Ok(());
        }
        Err(AwsError::invalid("ReturnValues can only be ALL_OLD or NONE"))
    }
}

impl DynamoDb {
    pub(super) fn put_item(&mut self, body: &[u8], call: &mut Call<'_>) -> Result<Json, AwsError> {
        let request: Write = parsed(body)?;
        check_access(call, "PutItem", &request.table_name)?;
        request.check_only_old()?;
        let item = request.item.as_ref().ok_or_else(|| missing("Item"))?;
        let table = &self.table(&request.table_name)?.definition;
        let on_failure = request.return_values_on_condition_check_failure;
        let plan = Plan::put(table, item, &request.expressions(), on_failure)?;
        self.perform(&plan, &request, call)
    }

    pub(super) fn delete_item(
        &mut self,
        body: &[u8],
        call: &mut Call<'_>,
    ) -> Result<Json, AwsError> {
        let request: Write = parsed(body)?;
        check_access(call, "DeleteItem", &request.table_name)?;
        request.check_only_old()?;
        let key = request.key.as_ref().ok_or_else(|| missing("Key"))?;
        let table = &self.table(&request.table_name)?.definition;
        let on_failure = request.return_values_on_condition_check_failure;
        let plan = Plan::of_key(table, Action::Delete, key, &request.expressions(), on_failure)?;
        self.perform(&plan, &request, call)
    }

    pub(super) fn update_item(
        &mut self,
        body: &[u8],
        call: &mut Call<'_>,
    ) -> Result<Json, AwsError> {
        let request: Write = parsed(body)?;
        check_access(call, "UpdateItem", &request.table_name)?;
        let key = request.key.as_ref().ok_or_else(|| missing("Key"))?;
        let table = &self.table(&request.table_name)?.definition;
        let on_failure = request.return_values_on_condition_check_failure;
        let plan = Plan::update(table, key, &request.expressions(), on_failure)?;
        self.perform(&plan, &request, call)
    }

    fn perform(
        &mut self,
        plan: &Plan,
        request: &Write,
        call: &mut Call<'_>,
    ) -> Result<Json, AwsError> {
        if self.transactions.holds(&plan.table, &plan.key) {
            return Err(AwsError::new(
                "TransactionConflictException",
                "Transaction is ongoing for the item",
            ));
        }
        let table = self.table_mut(&plan.table)?;
        table.admit(0, Use::Write, &plan.key.partition, call.now)?;
        let mut consumed = Consumed::default();
        let change = match plan.change(table) {
            Ok(change) => change,
            Err(NotWritten::Invalid(error) | NotWritten::EmptyKey(error)) => return Err(error),
            Err(NotWritten::Condition(stored)) => {
                // A failed condition consumes the units of the stored item.
                let stored = stored.as_ref();
                table.charge_write(&plan.key, stored, stored, false, call.now, &mut consumed);
                return Err(condition_failed(plan, stored));
            }
        };
        let (old, new) = (change.old.as_ref(), change.new.as_ref());
        table.charge_write(&plan.key, old, new, false, call.now, &mut consumed);
        self.write(&plan.table, &plan.key, new, Author::Caller, &mut call.turn());
        let mut answer = json!({});
        if let Some(returned) = returned(request.return_values, plan, &change) {
            answer["Attributes"] = item_to_json(&returned);
        }
        if let Some(consumed) = consumed.one(request.return_consumed_capacity) {
            answer["ConsumedCapacity"] = consumed;
        }
        Ok(answer)
    }
}

fn condition_failed(plan: &Plan, stored: Option<&Arc<Item>>) -> AwsError {
    let error = AwsError::new("ConditionalCheckFailedException", "The conditional request failed");
    match stored {
        Some(item) if plan.on_failure == OnFailure::AllOld => {
            error.with("Item", item_to_json(item))
        }
        _ => error,
    }
}

fn returned(wanted: ReturnValues, plan: &Plan, change: &Change) -> Option<Item> {
    let (old, new) = (change.old.as_deref(), change.new.as_deref());
    let parts = |item: Option<&Item>| {
        let parts = projected(&plan.paths(), item?);
        (!parts.is_empty()).then_some(parts)
    };
    match wanted {
        ReturnValues::None => None,
        ReturnValues::AllOld => old.cloned(),
        ReturnValues::AllNew => new.cloned(),
        ReturnValues::UpdatedOld => parts(old),
        ReturnValues::UpdatedNew => parts(new),
    }
}

pub(super) fn check_access(call: &Call<'_>, action: &str, table: &str) -> Result<(), AwsError> {
    call.access.check(&format!("dynamodb:{action}"), &format!("table/{table}"))
}

fn missing(member: &str) -> AwsError {
    let (first, rest) = member.split_at(1);
    AwsError::invalid(format!(
        "1 validation error detected: Value null at '{}{rest}' failed to satisfy constraint: \
         Member must not be null",
        first.to_lowercase()
    ))
}
