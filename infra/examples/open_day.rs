//! A schedule: every night a new day of ticket sales is opened.
//!
//! Each run has an id, which the inbox remembers: a run that is delivered twice opens one day. Run it
//! at once with `curl -X POST http://127.0.0.1:3001/schedules/OpenDayFunction`.

use lifecycle::Consumer;
use lifecycle::prelude::*;
use lifecycle::record::{Key, Record, TableName};
use serde::{Deserialize, Serialize};

fn main() -> ExitCode {
    aws::consume(|_| OpenDay)
}

const TICKET_DAYS: TableName = TableName::new("ticket_days");

/// The tickets of a day.
const TICKETS: u32 = 500;

struct OpenDay;

impl Consumer for OpenDay {
    /// Five past midnight, UTC.
    const SOURCE: Source = Source::Schedule(Schedule::cron("5 0 * * ? *"));

    const RESOURCES: Resources = &[Resource::Table(TICKET_DAYS, &[PutItem])];

    // 4. Deserialisation
    type Input = ScheduledRun;

    // 5. Syntax validation: a run carries no data to check
    type Command = ScheduledRun;

    // 6. Retrieval: nothing is needed
    type Facts = ();

    async fn retrieve(&self, _: &Permit<DeliveredMessage>, _: &ScheduledRun) -> Retrieved<()> {
        Ok(())
    }

    // 7. and 8. The day for which the run was scheduled, also if it runs late
    fn decide(_: &Moment, run: &ScheduledRun, (): ()) -> Result<Effects, DomainError> {
        let date = run.time.to_string().chars().take_while(|&character| character != 'T').collect();
        Ok(Effects::none().write(Write::put(&TicketDay { date, left: TICKETS })))
    }
}

/// A day of ticket sales.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct TicketDay {
    /// The date: `2026-01-31`.
    date: String,
    /// The tickets that are left.
    left: u32,
}

impl Record for TicketDay {
    const TABLE: TableName = TICKET_DAYS;

    fn key(&self) -> Key {
        Key::new(&self.date)
    }
}

#[cfg(test)]
mod tests {
    use lifecycle::testing::{self, Memory};

    use super::*;

    #[tokio::test]
    async fn a_run_that_is_delivered_twice_opens_its_day_once() {
        let memory = Memory::new();
        let open_day =
            testing::consumer(OpenDay, &memory).at("2027-02-01T00:05:00Z".parse().unwrap());

        assert!(open_day.run("run-1").await.failed.is_empty());
        assert!(open_day.run("run-1").await.failed.is_empty());

        let day = memory.get::<TicketDay>(&Key::new("2027-02-01")).unwrap();
        assert_eq!(day.left, TICKETS);
        assert_eq!(memory.commits().len(), 1);
    }
}
