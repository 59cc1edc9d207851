//! A schedule: every night a new day of ticket sales is opened.
//!
//! A day that is open stays as it is, whether a run is delivered twice or started by hand. Run it at
//! once with `curl -X POST http://127.0.0.1:3001/schedules/OpenDayFunction`.

use aws::Table;
use lifecycle::Consumer;
use lifecycle::prelude::*;
use lifecycle::record::{Key, Record, TableName};
use serde::{Deserialize, Serialize};

fn main() -> ExitCode {
    aws::consume(|aws| OpenDay { days: aws.table() })
}

const TICKET_DAYS: TableName = TableName::new("ticket_days");

/// The tickets of a day.
const TICKETS: u32 = 500;

struct OpenDay {
    days: Table<TicketDay>,
}

impl Consumer for OpenDay {
    /// Five past midnight, UTC.
    const SOURCE: Source = Source::Schedule(Schedule::cron("5 0 * * ? *"));

    const RESOURCES: Resources = &[Resource::Table(TICKET_DAYS, &[GetItem, PutItem])];

    // 4. Deserialisation
    type Input = ScheduledRun;

    // 5. Syntax validation: the day for which the run was scheduled, also if it runs late
    type Command = Date;

    // 6. Retrieval
    type Facts = Option<TicketDay>;

    async fn retrieve(
        &self,
        permit: &Permit<DeliveredMessage>,
        date: &Date,
    ) -> Retrieved<Option<TicketDay>> {
        Ok(self.days.get(permit, &Key::new(&date.0)).await?)
    }

    // 7. and 8. Tickets may have been sold since the day was opened
    fn decide(_: &Moment, date: &Date, day: Option<TicketDay>) -> Result<Effects, DomainError> {
        if day.is_some() {
            return Ok(Effects::none());
        }
        let day = TicketDay { date: date.0.clone(), left: TICKETS };
        Ok(Effects::none().write(Write::create(&day)))
    }
}

/// A date: `2026-01-31`.
#[derive(Debug)]
struct Date(String);

impl From<ScheduledRun> for Date {
    fn from(run: ScheduledRun) -> Self {
        Self(run.time.to_string().chars().take_while(|&character| character != 'T').collect())
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
    use aws::testing::InMemory;
    use lifecycle::testing::Memory;

    use super::*;

    #[tokio::test]
    async fn a_day_is_opened_once_by_a_repeated_run_and_by_another_one() {
        let memory = Memory::new();
        let open_day = InMemory::new(&memory)
            .consumer(|aws| OpenDay { days: aws.table() })
            .at("2027-02-01T00:05:00Z".parse().unwrap());
        let stored = || memory.get::<TicketDay>(&Key::new("2027-02-01")).unwrap().left;

        assert!(open_day.run("run-1").await.failed.is_empty());
        assert!(open_day.run("run-1").await.failed.is_empty());
        assert_eq!((stored(), memory.commits().len()), (TICKETS, 1));

        memory.put(&TicketDay { date: "2027-02-01".to_owned(), left: 1 });
        assert!(open_day.run("run-2").await.failed.is_empty());
        assert_eq!(stored(), 1);
    }
}
