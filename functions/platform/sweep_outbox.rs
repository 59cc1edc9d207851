//! Consumer of the clock: relays the rows of the outbox that the stream has passed over.

use std::process::ExitCode;

use adapters::{Range, Table};
use domain::events::{SUBSCRIBED, relay};
use lifecycle::commit::{BY_WAITING, OUTBOX, OutboxRow};
use lifecycle::consumer::{Delivered, Inbox, Run, Source};
use lifecycle::platform::Transaction;
use lifecycle::uses::{Use, Verb};
use lifecycle::{Consumer, Effects, Fault, Moment, Permit, Rejection, Violations};

fn main() -> ExitCode {
    adapters::consume(|aws| SweepOutbox { outbox: aws.table() })
}

struct SweepOutbox {
    outbox: Table<OutboxRow>,
}

/// A row that waits longer has been passed over: the stream takes less than a second.
const WAITING_S_MAX: i64 = 120;
/// How many rows one run relays: as many as one commit can note.
const ROWS_MAX: usize = Transaction::WRITES_MAX;

impl Consumer for SweepOutbox {
    const SOURCE: Source = Source::Schedule;

    /// A row may be relayed twice: whoever gets its event remembers the event's id.
    const INBOX: Inbox = Inbox::None;

    const USES: &'static [Use] = &[
        Use::Table(OUTBOX, &[Verb::PutItem]),
        Use::Index(OUTBOX, BY_WAITING),
        Use::Queues(SUBSCRIBED),
    ];

    // 4. Deserialisation
    type Input = Run;

    // 5. Syntax validation: a run has nothing to say but that it is time
    type Command = ();

    fn parse(_: Run) -> Result<(), Violations> {
        Ok(())
    }

    // 6. Retrieval: the rows that have waited too long, the oldest first
    type Facts = Vec<OutboxRow>;

    async fn retrieve(&self, permit: &Permit<Delivered>, (): &()) -> Result<Self::Facts, Fault> {
        let latest = permit.moment().now().plus_seconds(-WAITING_S_MAX);
        let overdue = Range::spread(BY_WAITING).up_to(latest);
        let found = self.outbox.first_of(permit, &overdue, ROWS_MAX).await?;
        Ok(found.into_iter().map(|found| found.record).collect())
    }

    // 7. and 8. Each is relayed as the stream would have had it relayed
    fn decide(moment: &Moment, (): &(), rows: Vec<OutboxRow>) -> Result<Effects, Rejection> {
        if !rows.is_empty() {
            tracing::warn!(rows = rows.len(), "rows of the outbox have waited too long");
        }
        let all = |effects, row| relay(effects, row, moment.now());
        Ok(rows.iter().fold(Effects::none(), all))
    }
}

#[cfg(test)]
mod tests {
    use domain::examples::{moment, outbox_row};
    use domain::tables::{CUSTOMER_APPROVALS, EMAILS};

    use super::*;

    #[test]
    fn everything_that_waits_is_relayed_in_order() {
        let rows = vec![outbox_row("OrderCreated"), outbox_row("NobodyCares")];
        let effects = SweepOutbox::decide(&moment(), &(), rows).unwrap();
        let queues: Vec<_> = effects.messages().iter().map(|message| message.queue).collect();
        assert_eq!(queues, [CUSTOMER_APPROVALS, EMAILS]);
        assert_eq!(effects.writes().len(), 2);
    }
}
