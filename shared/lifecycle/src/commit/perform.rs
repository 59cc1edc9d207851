//! One commit of all durable effects, or one message in its place.

use serde_dynamo::Item;

use super::failed::FailedWrite;
use super::outbox::OutboxRow;
use super::outgoing::{EventOrigin, ready, seal};
use crate::effects::{Effects, OnConditionFailed, Write, WriteAction};
use crate::error::{DomainError, ServiceError};
use crate::ports::{Adapter, CommitError, Transaction};
use crate::resource::{Action, Resource};
use crate::{Moment, random};

/// The result of an attempt to commit.
#[derive(Debug)]
pub(crate) enum CommitOutcome {
    /// Everything is written.
    Committed,
    /// Nothing is written: the idempotency table already has this request or record, or the outbox
    /// has its event.
    Duplicate(Option<Item>),
    /// Nothing is written: a condition with a rejection did not hold.
    Rejected(DomainError),
    /// Nothing is written: the facts are stale. These conditions did not hold.
    Stale(Vec<FailedWrite>),
    /// Nothing is written: another transaction uses the same items.
    Conflict,
}

/// All durable effects in order: the writes, the outbox rows, and last the record for the
/// idempotency table.
fn durable(
    effects: &Effects,
    ledger: Option<Write>,
    uses: &[Resource],
    moment: &Moment,
    cause: &EventOrigin,
) -> Result<Vec<Write>, ServiceError> {
    if !effects.parts().is_empty() {
        return Err(ServiceError::internal(
            "only consumers without an inbox may have effects in parts",
        ));
    }
    let mut writes = effects.writes().to_vec();
    // The ids ascend: the rows of one aggregate have the order in which the events were added.
    for (number, event) in (0..).zip(effects.events()) {
        let id = moment.numbered_id(&cause.event_label(number, event), number);
        let envelope = seal(event, id, moment, cause);
        let row = OutboxRow::waiting(envelope, moment.now());
        // Another function may have published an event whose id is known. Its consumers
        // recognise it by that, and the other effects must not fail.
        writes.push(if event.id.is_some() { Write::put(&row) } else { Write::create(&row) });
    }
    // A write must be declared, or the IAM policy would not allow it. The description declares the
    // lifecycle's own writes to the idempotency table.
    for write in &writes {
        let verb = verb_of(write);
        if !uses.iter().any(|usage| usage.covers(write.table, verb)) {
            let message = format!("{verb:?} on table {} is not declared", write.table.name());
            return Err(ServiceError::internal(message));
        }
    }
    writes.extend(ledger);
    Ok(writes)
}

/// Commits the effects together with their idempotency record, and derives the result from the
/// failed conditions.
///
/// If the condition of the idempotency record or of an outbox row failed, the request or record is
/// known, and other failed conditions do not matter.
pub(crate) async fn commit(
    adapter: &dyn Adapter,
    effects: &Effects,
    ledger: Option<Write>,
    uses: &[Resource],
    moment: &Moment,
    cause: &EventOrigin,
) -> Result<CommitOutcome, ServiceError> {
    let has_ledger = ledger.is_some();
    let writes = durable(effects, ledger, uses, moment, cause)?;
    if let Some(message) = effects.handed_over() {
        if !writes.is_empty() {
            return Err(ServiceError::internal(
                "effects with a message in place of the commit also have writes",
            ));
        }
        let message = ready(&format!("{}handed-over", cause.part), message, moment, cause);
        let failed = adapter.send(&[message]).await.into_iter().next();
        return failed.map_or(Ok(CommitOutcome::Committed), |(_, fault)| Err(fault));
    }
    if writes.is_empty() {
        return Ok(CommitOutcome::Committed);
    }
    let ledger = has_ledger.then(|| writes.len() - 1);
    // The token is random, because it identifies one transaction. The moment is the same for every
    // delivery of a record, but the decision may differ. The idempotency table prevents a second
    // effect.
    let transaction = Transaction { token: random::uuid_v4().to_string(), writes };
    let failed = match adapter.commit(&transaction).await {
        Ok(()) => return Ok(CommitOutcome::Committed),
        Err(CommitError::Conflict) => return Ok(CommitOutcome::Conflict),
        Err(CommitError::Invalid(reason)) => return Err(ServiceError::internal(reason)),
        Err(CommitError::ServiceError(fault)) => return Err(fault),
        Err(CommitError::Conditions(failed)) => failed,
    };
    if let Some(known) = failed.iter().find(|failed| Some(failed.write) == ledger) {
        return Ok(CommitOutcome::Duplicate(known.stored.clone()));
    }
    // The derived ids of a record's events are the same in each delivery. So a row that exists is
    // from an earlier delivery, whose commit was this one: a record without an inbox needs no other
    // mark.
    let rows = effects.writes().len()..effects.writes().len() + effects.events().len();
    if failed.iter().any(|failed| rows.contains(&failed.write)) {
        return Ok(CommitOutcome::Duplicate(None));
    }
    let rejections = failed.iter().filter_map(|failed| {
        match &transaction.writes.get(failed.write)?.on_condition_failed {
            OnConditionFailed::Reject(rejection) => Some(rejection.clone()),
            OnConditionFailed::Retry => None,
        }
    });
    if let Some(rejection) = rejections.reduce(DomainError::together) {
        return Ok(CommitOutcome::Rejected(rejection));
    }
    let failed = failed.into_iter().filter_map(|failed| {
        Some(FailedWrite::of(transaction.writes.get(failed.write)?, failed.stored))
    });
    Ok(CommitOutcome::Stale(failed.collect()))
}

fn verb_of(write: &Write) -> Action {
    match write.action {
        WriteAction::Put(_) => Action::PutItem,
        WriteAction::Update(_) => Action::UpdateItem,
        WriteAction::Delete => Action::DeleteItem,
        WriteAction::Check => Action::ConditionCheckItem,
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;
    use crate::Timestamp;
    use crate::effects::{Event, EventData};
    use crate::record::{Key, Record, TableName};
    use crate::resource::OUTBOX;
    use crate::telemetry::TraceContext;
    use crate::testing::Memory;

    #[derive(Serialize, serde::Deserialize)]
    struct Loan {
        book: String,
    }

    impl Record for Loan {
        const TABLE: TableName = TableName::new("loans");

        fn key(&self) -> Key {
            Key::new(&self.book)
        }
    }

    #[derive(Serialize)]
    struct Lent;

    impl EventData for Lent {
        const TYPE: &'static str = "Lent";
    }

    #[tokio::test]
    async fn a_published_event_with_a_known_id_does_not_prevent_the_other_effects() {
        const USES: &[Resource] =
            &[Resource::Table(Loan::TABLE, &[Action::PutItem]), Resource::Outbox];
        let memory = Memory::new();
        let cause = EventOrigin::of("request", &TraceContext::continued(None, None, None));
        let derived = || Event::about("emma", &Lent);
        let known = || derived().known_as("lent-1");
        for (record, book, event, is_committed) in [
            ("r1", "emma", known(), true),
            ("r2", "dune", known(), true),
            ("r3", "ulysses", derived(), true),
            ("r3", "again", derived(), false),
        ] {
            let moment = Moment::of_record(Timestamp::from_millis(0), "queue", record);
            let loan = Write::put(&Loan { book: book.to_owned() });
            let effects = Effects::none().write(loan).event(event);
            let outcome = commit(&memory, &effects, None, USES, &moment, &cause).await.unwrap();
            assert_eq!(matches!(outcome, CommitOutcome::Committed), is_committed, "{outcome:?}");
            assert_eq!(memory.get::<Loan>(&Key::new(book)).is_some(), is_committed);
        }
        assert_eq!(memory.items(OUTBOX).len(), 2);
    }

    #[tokio::test]
    async fn the_events_of_a_commit_have_their_order_in_the_outbox() {
        let cause = EventOrigin::of("request", &TraceContext::continued(None, None, None));
        for seed in 0..20 {
            let memory = Memory::new();
            let moment = Moment::new(Timestamp::from_millis(0), [seed; 32]);
            let first = Event { event_type: "Closed", ..Event::about("emma", &Lent) };
            let effects = Effects::none().event(first).event(Event::about("emma", &Lent));
            let uses = [Resource::Outbox];
            commit(&memory, &effects, None, &uses, &moment, &cause).await.unwrap();
            let mut rows = memory.outbox();
            rows.sort_by(|one, other| one.event_id.cmp(&other.event_id));
            let types: Vec<_> = rows.iter().map(|row| row.event_type.as_str()).collect();
            assert_eq!(types, ["Closed", Lent::TYPE]);
        }
    }
}
