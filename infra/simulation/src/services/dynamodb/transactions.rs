//! `TransactWriteItems`: all writes or none, with a beginning and an end.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::capacity::{Consumed, Consumer, HalfUnits, ReturnConsumed, Use};
use super::in_progress::{Open, Token};
use super::key::Key;
use super::plan::{Action, Change, Expressions, NotWritten, OnFailure, Plan};
use super::value::{item_bytes, item_to_json};
use super::{Answer, Author, Call, CallId, DynamoDb, Event, Finished, Turn};
use crate::Millis;
use crate::services::wire::{AwsError, parsed, parsed_part};

/// The maximum number of actions.
pub(super) const ACTIONS_MAX: usize = 100;
/// The maximum size of all items, in bytes.
pub(super) const BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long a client token is valid after its transaction.
const TOKEN: Millis = Millis::seconds(600);
/// The maximum length of a client token.
const TOKEN_CHARS_MAX: usize = 36;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TransactWriteItems {
    transact_items: Vec<Map<String, Json>>,
    client_request_token: Option<String>,
    #[serde(default)]
    return_consumed_capacity: ReturnConsumed,
    #[serde(default, rename = "ReturnItemCollectionMetrics")]
    _return_item_collection_metrics: Option<String>,
}

/// One action of a transaction.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ActionRequest {
    table_name: String,
    item: Option<Json>,
    key: Option<Json>,
    condition_expression: Option<String>,
    update_expression: Option<String>,
    expression_attribute_names: Option<BTreeMap<String, String>>,
    expression_attribute_values: Option<Json>,
    #[serde(default)]
    return_values_on_condition_check_failure: OnFailure,
}

/// Why an action cancels its transaction.
#[derive(Debug)]
pub(super) struct Reason {
    pub(super) code: &'static str,
    message: String,
    item: Option<Json>,
}

impl Reason {
    pub(super) fn conflict() -> Self {
        Self::new("TransactionConflict", "Transaction is ongoing for the item")
    }

    pub(super) fn invalid(error: AwsError) -> Self {
        Self::new("ValidationError", error.message)
    }

    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), item: None }
    }
}

/// The error with the reason of each action, in order.
pub(super) fn cancelled(reasons: &[Option<Reason>]) -> AwsError {
    let codes: Vec<&str> =
        reasons.iter().map(|reason| reason.as_ref().map_or("None", |it| it.code)).collect();
    let message = format!(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
        codes.join(", ")
    );
    let reasons = reasons.iter().map(|reason| {
        let Some(Reason { code, message, item }) = reason else { return json!({ "Code": "None" }) };
        let mut json = json!({ "Code": code, "Message": message });
        if let Some(item) = item {
            json["Item"] = item.clone();
        }
        json
    });
    let error = AwsError::new("TransactionCanceledException", message.clone());
    error.with("Message", json!(message)).with("CancellationReasons", reasons.collect())
}

impl DynamoDb {
    pub(super) fn transact_write_items(
        &mut self,
        body: &[u8],
        call: &mut Call<'_>,
    ) -> Result<Answer, AwsError> {
        let request: TransactWriteItems = parsed(body)?;
        let plans = self.transaction_plans(&request.transact_items, call)?;
        let token = request.client_request_token.filter(|token| !token.is_empty());
        if let Some(token) = &token
            && self.is_repeated(token, &request.transact_items, call.now)?
        {
            let plans: Vec<Plan> = plans.into_iter().flatten().collect();
            return Ok(Answer::Now(self.repeated(&plans, request.return_consumed_capacity)));
        }
        let plans = self.all_valid(plans)?;
        self.check_free(&plans, call.now)?;
        let return_consumed = request.return_consumed_capacity;
        if let Some(token) = &token {
            let actions = request.transact_items;
            self.transactions.tokens.insert(token.clone(), Token { actions, committed_at: None });
        }
        let duration = call.random.up_to(call.freedom.transaction_max);
        let open = Open { plans, token, return_consumed };
        if duration == Millis(0) {
            return self.commit_open(open, &mut call.turn()).map(Answer::Now);
        }
        for plan in &open.plans {
            self.transactions.held.insert((plan.table.clone(), plan.key.clone()));
        }
        self.transactions.open.insert(call.id, open);
        let at = call.now + duration;
        self.schedule(at, Event::Commits(call.id));
        Ok(Answer::Later(at))
    }

    /// Ends a transaction.
    pub(super) fn commit(&mut self, id: CallId, turn: &mut Turn<'_>) -> Option<Finished> {
        let open = self.transactions.open.remove(&id)?;
        for plan in &open.plans {
            self.transactions.held.remove(&(plan.table.clone(), plan.key.clone()));
        }
        let result = self.commit_open(open, turn);
        Some(Finished { id, result })
    }

    fn commit_open(&mut self, open: Open, turn: &mut Turn<'_>) -> Result<Json, AwsError> {
        let now = turn.now;
        let changes = self.changes(&open.plans);
        if let (Some(token), Err(_)) = (&open.token, &changes) {
            // A cancelled transaction may be tried again with its token.
            self.transactions.tokens.remove(token);
        }
        let changes = changes?;
        if let Some(token) = open.token.as_ref().and_then(|it| self.transactions.tokens.get_mut(it))
        {
            token.committed_at = Some(now);
        }
        let mut consumed = Consumed::default();
        for (plan, Change { old, new }) in open.plans.iter().zip(&changes) {
            if let Some(table) = self.tables.get_mut(&plan.table) {
                let (old, new) = (old.as_ref(), new.as_ref());
                table.charge_write(&plan.key, old, new, true, now, &mut consumed);
            }
            if plan.action != Action::Check {
                let new = new.as_ref();
                self.write(&plan.table, &plan.key, new, Author::Caller, turn);
            }
        }
        Ok(answer(&consumed, open.return_consumed, Use::Write))
    }

    /// The plans, if all items and keys match their tables. Otherwise the transaction is cancelled.
    fn all_valid(&self, plans: Vec<Result<Plan, AwsError>>) -> Result<Vec<Plan>, AwsError> {
        if plans.iter().all(Result::is_ok) {
            return Ok(plans.into_iter().flatten().collect());
        }
        let mut reasons = Vec::new();
        for plan in plans {
            reasons.push(match plan {
                Ok(plan) => plan.change(self.table(&plan.table)?).err().map(|it| reason(&plan, it)),
                Err(error) => Some(Reason::invalid(error)),
            });
        }
        Err(cancelled(&reasons))
    }

    /// The changes of all actions, or the reasons why one or more of them are impossible.
    fn changes(&self, plans: &[Plan]) -> Result<Vec<Change>, AwsError> {
        let (mut changes, mut reasons) = (Vec::new(), Vec::new());
        for plan in plans {
            let reason = match plan.change(self.table(&plan.table)?) {
                Ok(change) => {
                    changes.push(change);
                    None
                }
                Err(NotWritten::EmptyKey(error)) => return Err(error),
                Err(error) => Some(reason(plan, error)),
            };
            reasons.push(reason);
        }
        if reasons.iter().any(Option::is_some) {
            return Err(cancelled(&reasons));
        }
        let bytes = changes.iter().map(|change| change.new.as_ref().map_or(0, |it| item_bytes(it)));
        if bytes.sum::<usize>() > BYTES_MAX {
            return Err(AwsError::invalid(
                "Collection size exceeded: a transaction has at most 4 MB of items",
            ));
        }
        Ok(changes)
    }

    /// An error if another transaction has an item, or a partition has no throughput left.
    fn check_free(&mut self, plans: &[Plan], now: Millis) -> Result<(), AwsError> {
        let mut reasons = Vec::new();
        for plan in plans {
            reasons.push(self.not_free(&plan.table, &plan.key, Use::Write, now)?);
        }
        if reasons.iter().any(Option::is_some) { Err(cancelled(&reasons)) } else { Ok(()) }
    }

    /// Why a transaction cannot use an item now: another one has it, or its partition has no
    /// throughput left.
    pub(super) fn not_free(
        &mut self,
        table: &str,
        key: &Key,
        used: Use,
        now: Millis,
    ) -> Result<Option<Reason>, AwsError> {
        if self.transactions.holds(table, key) {
            return Ok(Some(Reason::conflict()));
        }
        let admitted = self.table_mut(table)?.admit(0, used, &key.partition, now);
        Ok(admitted.err().map(|error| Reason::new("ThrottlingError", error.message)))
    }

    /// Whether the token's transaction was committed in the last ten minutes.
    fn is_repeated(
        &mut self,
        token: &str,
        actions: &[Map<String, Json>],
        now: Millis,
    ) -> Result<bool, AwsError> {
        if token.chars().count() > TOKEN_CHARS_MAX {
            return Err(AwsError::invalid(format!(
                "1 validation error detected: Value '{token}' at 'clientRequestToken' failed to \
                 satisfy constraint: Member must have length less than or equal to \
                 {TOKEN_CHARS_MAX}"
            )));
        }
        let is_valid = |token: &Token| token.committed_at.is_none_or(|at| now.since(at) <= TOKEN);
        self.transactions.tokens.retain(|_, token| is_valid(token));
        let Some(used) = self.transactions.tokens.get(token) else { return Ok(false) };
        if used.actions != actions {
            return Err(AwsError::new(
                "IdempotentParameterMismatchException",
                "Provided idempotency token is already used with different request parameters",
            ));
        }
        if used.committed_at.is_none() {
            return Err(AwsError::new(
                "TransactionInProgressException",
                "The transaction with the given request token is already in progress.",
            ));
        }
        Ok(true)
    }

    /// The answer to a repeated transaction, which only reads.
    fn repeated(&self, plans: &[Plan], wanted: ReturnConsumed) -> Json {
        let mut consumed = Consumed::default();
        for plan in plans {
            let stored = self.tables.get(&plan.table).and_then(|table| table.item(&plan.key));
            let units = HalfUnits::read(stored.map_or(0, |item| item_bytes(item)), true);
            consumed.add(&plan.table, Consumer::Table, HalfUnits(2 * units.0));
        }
        answer(&consumed, wanted, Use::Read)
    }

    fn transaction_plans(
        &self,
        items: &[Map<String, Json>],
        call: &Call<'_>,
    ) -> Result<Vec<Result<Plan, AwsError>>, AwsError> {
        check_count(items.len())?;
        let mut plans = Vec::new();
        let mut places = BTreeSet::new();
        for item in items {
            let plan = match self.action_plan(item, call) {
                Err(error) if !error.is_of_item => return Err(error),
                plan => plan,
            };
            if let Ok(plan) = &plan
                && !places.insert((plan.table.clone(), plan.key.clone()))
            {
                return Err(two_on_one());
            }
            plans.push(plan);
        }
        if plans.iter().flatten().map(Plan::bytes).sum::<usize>() > BYTES_MAX {
            return Err(AwsError::invalid(
                "Collection size exceeded: a transaction has at most 4 MB of items",
            ));
        }
        Ok(plans)
    }

    fn action_plan(&self, item: &Map<String, Json>, call: &Call<'_>) -> Result<Plan, AwsError> {
        let mut members = item.iter();
        let (Some((kind, request)), None) = (members.next(), members.next()) else {
            return Err(AwsError::invalid(
                "TransactItems can only contain one of Check, Put, Update or Delete",
            ));
        };
        let request: ActionRequest = parsed_part(request)?;
        let expressions = Expressions {
            condition: request.condition_expression.as_deref(),
            update: request.update_expression.as_deref(),
            names: request.expression_attribute_names.as_ref(),
            values: request.expression_attribute_values.as_ref(),
        };
        let missing = |member: &str| AwsError::invalid(format!("{kind} needs {member}"));
        let table = &self.table(&request.table_name)?.definition;
        let on_failure = request.return_values_on_condition_check_failure;
        let key = || request.key.as_ref().ok_or_else(|| missing("Key"));
        let plan = match kind.as_str() {
            "Put" => {
                let item = request.item.as_ref().ok_or_else(|| missing("Item"))?;
                Plan::put(table, item, &expressions, on_failure)?
            }
            "Update" if expressions.update.is_none() => return Err(missing("UpdateExpression")),
            "Update" => Plan::update(table, key()?, &expressions, on_failure)?,
            "Delete" => Plan::of_key(table, Action::Delete, key()?, &expressions, on_failure)?,
            "ConditionCheck" if expressions.condition.is_none() => {
                return Err(missing("ConditionExpression"));
            }
            "ConditionCheck" => {
                Plan::of_key(table, Action::Check, key()?, &expressions, on_failure)?
            }
            other => return Err(AwsError::invalid(format!("unknown action {other}"))),
        };
        let resource = format!("table/{}", plan.table);
        call.access.check(plan.action.permission(), &resource)?;
        Ok(plan)
    }
}

/// The reason why an action is impossible.
fn reason(plan: &Plan, error: NotWritten) -> Reason {
    match error {
        NotWritten::Invalid(error) | NotWritten::EmptyKey(error) => Reason::invalid(error),
        NotWritten::Condition(stored) => {
            let message = "The conditional request failed";
            let mut reason = Reason::new("ConditionalCheckFailed", message);
            if plan.on_failure == OnFailure::AllOld {
                reason.item = stored.map(|item| item_to_json(&item));
            }
            reason
        }
    }
}

pub(super) fn check_count(count: usize) -> Result<(), AwsError> {
    if (1..=ACTIONS_MAX).contains(&count) {
        return Ok(());
    }
    Err(AwsError::invalid(format!(
        "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: \
         Member must have length from 1 to {ACTIONS_MAX}"
    )))
}

pub(super) fn two_on_one() -> AwsError {
    AwsError::invalid("Transaction request cannot include multiple operations on one item")
}

fn answer(consumed: &Consumed, wanted: ReturnConsumed, used: Use) -> Json {
    let consumed = consumed.of_transaction(wanted, used);
    consumed.map_or_else(|| json!({}), |consumed| json!({ "ConsumedCapacity": consumed }))
}
