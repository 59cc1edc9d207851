//! Counters that expire.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use lifecycle::ServiceError;
use lifecycle::effects::{Change, Condition, number};
use lifecycle::limit::LIMITS;
use lifecycle::ports::{Count, Counter};
use lifecycle::record::Key;
use lifecycle::telemetry::observe_query;
use tokio::time::Instant;

use super::expressions::{Expressions, SdkItem, key_of};
use crate::Aws;
use crate::errors::fault;

/// The counted total.
const TOTAL: &str = "total";
/// When the store may delete the counter, in seconds since 1970.
const EXPIRES_AT: &str = "expiresAt";

impl Aws {
    /// Adds to the counter by one conditional update, and returns the total.
    ///
    /// It is not idempotent: an SDK retry after a lost response counts twice. A limit then refuses
    /// one attempt too early, which is safe. If the repeated call gave an attempt back, the limit
    /// admits one too many.
    pub(crate) async fn add_to_counter(&self, counter: &Counter) -> Result<Count, ServiceError> {
        if let Some(adapter) = self.in_memory() {
            return adapter.count(counter).await;
        }
        let key = Key::new(&counter.key);
        let mut expressions = Expressions::on(LIMITS);
        let update = expressions.update(&[
            Change::Add(TOTAL, i64::from(counter.amount)),
            Change::Set(EXPIRES_AT, number(counter.expires_at.as_seconds())),
        ]);
        let condition = match counter.maximum {
            None => None,
            Some(maximum) => {
                let room = i64::from(maximum) - i64::from(counter.amount);
                if room < 0 {
                    return Ok(Count::Exceeded);
                }
                let below = Condition::Below(TOTAL, room + 1);
                Some(expressions.condition(&Condition::Any(vec![Condition::Absent, below])))
            }
        };
        let request = self
            .dynamodb()
            .update_item()
            .table_name(self.table_name(LIMITS)?)
            .set_key(Some(key_of(LIMITS, &key)))
            .set_update_expression(update)
            .set_condition_expression(condition)
            .set_expression_attribute_names(expressions.names())
            .set_expression_attribute_values(expressions.values())
            .return_values(ReturnValue::UpdatedNew);
        let started = Instant::now();
        let answer = request.send().await;
        observe_query("UpdateItem", LIMITS.name(), started.elapsed());
        match answer {
            Ok(answer) => total(answer.attributes.as_ref()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(Count::Exceeded)
            }
            Err(error) => Err(fault("UpdateItem", LIMITS.name(), error)),
        }
    }
}

/// The total of an item; 0 without one.
fn total(item: Option<&SdkItem>) -> Result<Count, ServiceError> {
    match item.and_then(|item| item.get(TOTAL)) {
        None => Ok(Count::Total(0)),
        Some(AttributeValue::N(total)) => {
            let total: i64 = total.parse().map_err(ServiceError::internal)?;
            Ok(Count::Total(u32::try_from(total.max(0)).unwrap_or(u32::MAX)))
        }
        Some(other) => Err(ServiceError::internal(format!("a counter holds {other:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_of_released_versions_are_read() {
        let item = serde_json::json!({ "pk": "limit#hash", TOTAL: 7, EXPIRES_AT: 1_800_000_000 });
        let present = vec![serde_dynamo::to_item(item).unwrap()];
        lifecycle::released::holds_items(LIMITS.name(), "Counter", present, |item| {
            let read = total(Some(&item.into())).map_err(|error| error.to_string())?;
            if read == Count::Total(7) { Ok(vec![]) } else { Err(format!("{read:?}")) }
        });
    }
}
