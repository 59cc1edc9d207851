//! Commits: all writes of a transaction, or none.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Delete, Put,
    ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem, Update,
};
use lifecycle::effects::{Change, Write, WriteAction, text};
use lifecycle::idempotency::IDEMPOTENCY_KEYS;
use lifecycle::ports::{CommitError, FailedCondition, Transaction};
use lifecycle::telemetry::observe_query;
use lifecycle::{ServiceError, random};
use tokio::time::Instant;

use super::attempts::Attempts;
use super::expressions::{Expressions, SdkItem, key_of, plain};
use super::impossible_writes::Possible;
use crate::Aws;
use crate::errors::{fault, is_throttle, unavailable};

/// The attribute with the token of the commit that last wrote an item, if that commit was a plain
/// write.
///
/// A plain write has no client token. When its response is lost, the SDK retries, and the retry
/// finds the item of the first attempt. Its condition (`Absent`, a version) then fails although the
/// commit succeeded. The stored item carries the commit's token, so this failure counts as a
/// success. If the item carries another token, a third write may have followed ours: see
/// [`refused`].
pub(crate) const WRITTEN_BY: &str = "writtenBy";

/// Adds table, condition and expressions to a builder of a write. All kinds of builders have these
/// setters, and no common trait.
macro_rules! conditional {
    ($builder:expr, $table:expr, $condition:expr, $expressions:expr) => {
        $builder
            .table_name($table)
            .set_condition_expression($condition)
            .set_expression_attribute_names($expressions.names())
            .set_expression_attribute_values($expressions.values())
            .return_values_on_condition_check_failure(OnFailure::AllOld)
    };
}

impl Aws {
    /// Commits a transaction. A single repeatable write is a plain conditional call, at half the
    /// price and latency. All other writes are one `TransactWriteItems`, whose client token makes a
    /// repeated call harmless for ten minutes.
    pub(crate) async fn commit_transaction(
        &self,
        transaction: &Transaction,
    ) -> Result<(), CommitError> {
        if let Some(adapter) = self.in_memory() {
            return adapter.commit(transaction).await;
        }
        transaction.check()?;
        let possible = Possible::of(transaction)?;
        let transaction: &Transaction = &possible.transaction;
        let committed = match transaction.writes.as_slice() {
            [] => Ok(()),
            [write] => match &write.action {
                WriteAction::Put(item) => self.put(write, item, &transaction.token).await,
                WriteAction::Update(changes) if is_repeatable(changes) => {
                    self.update(write, changes, &transaction.token).await
                }
                _ => self.transact(transaction).await,
            },
            _ => self.transact(transaction).await,
        };
        committed.map_err(|error| possible.renumbered(error))
    }

    /// One write by an adapter, separate from the request's commit.
    pub(crate) async fn write(&self, write: Write) -> Result<(), CommitError> {
        let token = random::uuid_v4().to_string();
        self.commit_transaction(&Transaction { token, writes: vec![write] }).await
    }

    async fn put(
        &self,
        write: &Write,
        item: &serde_dynamo::Item,
        token: &str,
    ) -> Result<(), CommitError> {
        let mut expressions = Expressions::on(write.table);
        let condition = write.condition.as_ref().map(|it| expressions.condition(it));
        let mut stored: SdkItem = item.clone().into();
        stored.insert(WRITTEN_BY.to_owned(), AttributeValue::S(token.to_owned()));
        let table = self.table_name(write.table).map_err(CommitError::ServiceError)?;
        let request = self.dynamodb().put_item().set_item(Some(stored));
        let request = conditional!(request, table, condition, expressions);
        let attempts = Attempts::default();
        let request = request.customize().interceptor(attempts.clone());
        let started = Instant::now();
        let answer = request.send().await;
        observe_query("PutItem", write.table.name(), started.elapsed());
        let Err(error) = answer else { return Ok(()) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                refused(failed.item.clone(), token, &attempts, write.table.name())
            }
            Some(PutItemError::TransactionConflictException(_)) => {
                Err(met_a_transaction(&attempts, write.table.name()))
            }
            _ => Err(CommitError::ServiceError(fault("PutItem", write.table.name(), error))),
        }
    }

    async fn update(
        &self,
        write: &Write,
        changes: &[Change],
        token: &str,
    ) -> Result<(), CommitError> {
        let mut expressions = Expressions::on(write.table);
        let mut changes = changes.to_vec();
        changes.push(Change::Set(WRITTEN_BY, text(token)));
        let update = expressions.update(&changes);
        let condition = write.condition.as_ref().map(|it| expressions.condition(it));
        let table = self.table_name(write.table).map_err(CommitError::ServiceError)?;
        let key = key_of(write.table, &write.key);
        let request =
            self.dynamodb().update_item().set_key(Some(key)).set_update_expression(update);
        let request = conditional!(request, table, condition, expressions);
        let attempts = Attempts::default();
        let request = request.customize().interceptor(attempts.clone());
        let started = Instant::now();
        let answer = request.send().await;
        observe_query("UpdateItem", write.table.name(), started.elapsed());
        let Err(error) = answer else { return Ok(()) };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                refused(failed.item.clone(), token, &attempts, write.table.name())
            }
            Some(UpdateItemError::TransactionConflictException(_)) => {
                Err(met_a_transaction(&attempts, write.table.name()))
            }
            _ => Err(CommitError::ServiceError(fault("UpdateItem", write.table.name(), error))),
        }
    }

    /// Timed under the table of the first write, which the decision is about. A fault names all
    /// tables: any of them may be its cause.
    async fn transact(&self, transaction: &Transaction) -> Result<(), CommitError> {
        let items = transaction
            .writes
            .iter()
            .map(|write| {
                let table = self.table_name(write.table).map_err(CommitError::ServiceError)?;
                transact_item(write, table)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let request = self
            .dynamodb()
            .transact_write_items()
            .set_transact_items(Some(items))
            .client_request_token(&transaction.token);
        let table = transaction.writes.first().map_or("", |write| write.table.name());
        let started = Instant::now();
        let answer = request.send().await;
        observe_query("TransactWriteItems", table, started.elapsed());
        let Err(error) = answer else { return Ok(()) };
        match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                Err(cancelled_because(cancelled.cancellation_reasons(), &transaction.writes))
            }
            // Not a conflict: the first attempt of this transaction may still commit. Only a retry
            // with the same client token or idempotency key is harmless then.
            Some(TransactWriteItemsError::TransactionInProgressException(_)) => {
                Err(CommitError::ServiceError(unavailable("this transaction is still in progress")))
            }
            Some(TransactWriteItemsError::IdempotentParameterMismatchException(_)) => {
                Err(CommitError::Invalid(
                    "the client token was used for another transaction".to_owned(),
                ))
            }
            _ => Err(CommitError::ServiceError(fault(
                "TransactWriteItems",
                &tables_of(&transaction.writes),
                error,
            ))),
        }
    }
}

/// The logical names of the tables, each once.
fn tables_of(writes: &[Write]) -> String {
    let names: BTreeSet<_> = writes.iter().map(|write| write.table.name()).collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// Whether making the changes twice is the same as making them once.
fn is_repeatable(changes: &[Change]) -> bool {
    !changes.iter().any(|change| matches!(change, Change::Add(..)))
}

/// The result of a plain write whose condition failed: a success if the stored item carries our
/// token.
///
/// Otherwise the decision is made again from the stored item, but only if each attempt had an answer.
/// An attempt without one may have written, and another writer may have changed the item since. A
/// second write would then undo that change. So the outcome is unknown, and the client decides.
fn refused(
    stored: Option<SdkItem>,
    token: &str,
    attempts: &Attempts,
    table: &str,
) -> Result<(), CommitError> {
    let written_by = stored.as_ref().and_then(|item| item.get(WRITTEN_BY));
    if matches!(written_by, Some(AttributeValue::S(by)) if by == token) {
        return Ok(());
    }
    if attempts.have_unknown() {
        return Err(unknown_outcome(table));
    }
    Err(CommitError::Conditions(vec![FailedCondition { write: 0, stored: stored.map(plain) }]))
}

/// The error of a plain write that met a transaction on its item. As in [`refused`], the decision is
/// made again only if each attempt had an answer.
fn met_a_transaction(attempts: &Attempts, table: &str) -> CommitError {
    if attempts.have_unknown() { unknown_outcome(table) } else { CommitError::Conflict }
}

fn unknown_outcome(table: &str) -> CommitError {
    let reason = format!(
        "an attempt at a write on {table} had no answer, and another writer uses the item; the \
         outcome is unknown"
    );
    CommitError::ServiceError(unavailable(reason))
}

/// The error of a cancelled transaction. Each write has its reason, in order.
///
/// A failed condition is a result, so it precedes a conflict or throttling, which only ask for a
/// retry. The SDK never retries a cancelled transaction; the lifecycle does, after a new decision.
/// The exception is a conflict at the idempotency record. Then the same request commits at this
/// moment, and perhaps its own item made the condition fail.
fn cancelled_because(reasons: &[CancellationReason], writes: &[Write]) -> CommitError {
    let (mut conditions, mut busy, mut repeats) = (Vec::new(), false, false);
    for (write, reason) in reasons.iter().enumerate() {
        let message = reason.message().unwrap_or_default();
        match reason.code().unwrap_or("None") {
            "None" => {}
            "ConditionalCheckFailed" => {
                let stored = reason.item.clone().filter(|item| !item.is_empty()).map(plain);
                conditions.push(FailedCondition { write, stored });
            }
            "TransactionConflict" => {
                busy = true;
                repeats |= writes.get(write).is_some_and(|write| write.table == IDEMPOTENCY_KEYS);
            }
            "ThrottlingError" | "ProvisionedThroughputExceeded" => busy = true,
            code if is_throttle(code) => busy = true,
            code => {
                let table = writes.get(write).map_or("", |write| write.table.name());
                return CommitError::Invalid(format!(
                    "write {write} on {table}: {code}: {message}"
                ));
            }
        }
    }
    if !conditions.is_empty() && !repeats {
        CommitError::Conditions(conditions)
    } else if busy {
        CommitError::Conflict
    } else {
        CommitError::ServiceError(ServiceError::internal(
            "a transaction was cancelled without a reason",
        ))
    }
}

/// Finishes a builder of a transaction's write.
macro_rules! finished {
    ($builder:expr, $table:expr, $condition:expr, $expressions:expr) => {
        conditional!($builder, $table, $condition, $expressions)
            .build()
            .map_err(|error| CommitError::Invalid(error.to_string()))?
    };
}

fn transact_item(write: &Write, table: &str) -> Result<TransactWriteItem, CommitError> {
    let mut expressions = Expressions::on(write.table);
    let condition = write.condition.as_ref().map(|it| expressions.condition(it));
    let item = TransactWriteItem::builder();
    let item = match &write.action {
        WriteAction::Put(put) => {
            let builder = Put::builder().set_item(Some(put.clone().into()));
            item.put(finished!(builder, table, condition, expressions))
        }
        WriteAction::Update(changes) => {
            let update = expressions.update(changes);
            let builder = Update::builder()
                .set_key(Some(key_of(write.table, &write.key)))
                .set_update_expression(update);
            item.update(finished!(builder, table, condition, expressions))
        }
        WriteAction::Delete => {
            let builder = Delete::builder().set_key(Some(key_of(write.table, &write.key)));
            item.delete(finished!(builder, table, condition, expressions))
        }
        WriteAction::Check => {
            let builder = ConditionCheck::builder().set_key(Some(key_of(write.table, &write.key)));
            item.condition_check(finished!(builder, table, condition, expressions))
        }
    };
    Ok(item.build())
}

#[cfg(test)]
mod tests {
    use lifecycle::effects::OnConditionFailed;
    use lifecycle::record::{Key, TableName};

    use super::*;

    fn reason(code: &str) -> CancellationReason {
        CancellationReason::builder().code(code).message("inner message").build()
    }

    #[test]
    fn a_cancelled_transaction_is_mapped_by_its_reasons() {
        let failed = || reason("ConditionalCheckFailed");
        let (none, conflict) = (|| reason("None"), || reason("TransactionConflict"));
        let throttle = || reason("ThrottlingError");
        let read = |reasons: &[CancellationReason]| match cancelled_because(reasons, &[]) {
            CommitError::Conditions(failed) => {
                format!("conditions {:?}", failed.iter().map(|it| it.write).collect::<Vec<_>>())
            }
            CommitError::Conflict => "conflict".to_owned(),
            CommitError::Invalid(_) => "invalid".to_owned(),
            CommitError::ServiceError(ServiceError::Unavailable { .. }) => "unavailable".to_owned(),
            CommitError::ServiceError(_) => "internal".to_owned(),
        };
        for (reasons, meaning) in [
            (vec![none(), failed(), none(), failed()], "conditions [1, 3]"),
            (vec![conflict(), failed()], "conditions [1]"),
            (vec![none(), conflict()], "conflict"),
            (vec![throttle(), conflict()], "conflict"),
            (vec![throttle(), none()], "conflict"),
            (vec![reason("ProvisionedThroughputExceeded")], "conflict"),
            (vec![failed(), reason("ItemCollectionSizeLimitExceeded")], "invalid"),
            (vec![reason("ValidationError")], "invalid"),
            (vec![none()], "internal"),
        ] {
            assert_eq!(read(&reasons), meaning, "{reasons:?}");
        }
    }

    #[test]
    fn a_condition_that_failed_on_our_own_write_is_a_success() {
        let ours = SdkItem::from([(WRITTEN_BY.to_owned(), AttributeValue::S("token".to_owned()))]);
        let refused = |stored, token| refused(stored, token, &Attempts::default(), "products");
        assert!(refused(Some(ours.clone()), "token").is_ok());
        assert!(matches!(refused(Some(ours), "another"), Err(CommitError::Conditions(_))));
        assert!(matches!(refused(None, "token"), Err(CommitError::Conditions(_))));
    }

    fn write(table: TableName) -> Write {
        Write {
            table,
            key: Key::new("a"),
            action: WriteAction::Delete,
            key_is_personal: false,
            condition: None,
            on_condition_failed: OnConditionFailed::Retry,
        }
    }

    #[test]
    fn a_condition_is_no_result_while_the_same_request_commits() {
        let reasons = [reason("ConditionalCheckFailed"), reason("TransactionConflict")];
        let meaning =
            |second| cancelled_because(&reasons, &[write(TableName::new("orders")), write(second)]);
        assert!(matches!(meaning(IDEMPOTENCY_KEYS), CommitError::Conflict));
        assert!(matches!(meaning(TableName::new("products")), CommitError::Conditions(_)));
    }

    #[test]
    fn an_invalid_write_and_a_fault_name_their_tables() {
        let writes = ["products", "ratings", "products"].map(|name| write(TableName::new(name)));
        let reasons = [reason("None"), reason("ValidationError")];
        let CommitError::Invalid(reason) = cancelled_because(&reasons, &writes) else {
            panic!("a write that is not valid can never be committed")
        };
        assert_eq!(reason, "write 1 on ratings: ValidationError: inner message");
        assert_eq!(tables_of(&writes), "products, ratings");
    }

    #[test]
    fn only_an_add_is_not_repeatable() {
        assert!(is_repeatable(&[Change::Set("status", text("SOLD")), Change::Remove("draft")]));
        assert!(!is_repeatable(&[Change::Add("stock", -1)]));
    }
}
