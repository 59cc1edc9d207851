//! Builders of faults, for tests: `Faults::default().table("UsersTable", StoreFault::fail(1.0))`.

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    DelayMs, DeliveryFaults, Faults, KillFault, Rate, StoreFault, StreamFault, TableFault,
};

impl Faults {
    /// Sets the seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Adds the fault of a table, or of all tables by the name `*`.
    #[must_use]
    pub fn table(mut self, table: &str, fault: impl Into<TableFault>) -> Self {
        self.tables.insert(table.to_owned(), fault.into());
        self
    }

    /// Drops this share of a table's stream records.
    ///
    /// # Panics
    /// If the share is not between 0 and 1.
    #[must_use]
    pub fn dropped_records(mut self, table: &str, share: f64) -> Self {
        self.streams.insert(table.to_owned(), StreamFault { drop: Rate::of(share) });
        self
    }

    /// Adds the fault of a queue.
    #[must_use]
    pub fn queue(mut self, queue: &str, fault: StoreFault) -> Self {
        self.queues.insert(queue.to_owned(), fault);
        self
    }

    /// Adds the fault of a secret.
    #[must_use]
    pub fn secret(mut self, secret: &str, fault: StoreFault) -> Self {
        self.secrets.insert(secret.to_owned(), fault);
        self
    }

    /// Sets the fault of the mail service.
    #[must_use]
    pub fn mail(mut self, fault: StoreFault) -> Self {
        self.mail = fault;
        self
    }

    /// Adds the kills of a function.
    #[must_use]
    pub fn kill(mut self, function: &str, fault: KillFault) -> Self {
        self.kill.insert(function.to_owned(), fault);
        self
    }

    /// Drops the writes to a table from transactions.
    #[must_use]
    pub fn torn(mut self, table: &str) -> Self {
        self.torn.insert(table.to_owned());
        self
    }

    /// Sets the shares of messages that are delivered twice, and after later ones.
    ///
    /// # Panics
    /// If a share is not between 0 and 1.
    #[must_use]
    pub fn deliveries(mut self, duplicate: f64, reorder: f64) -> Self {
        let (duplicate, reorder) = (Rate::of(duplicate), Rate::of(reorder));
        self.deliveries = DeliveryFaults { duplicate, reorder };
        self
    }

    /// Gives every invocation a new execution environment.
    #[must_use]
    pub fn cold_starts(mut self) -> Self {
        self.cold_starts = true;
        self
    }

    /// Sets one member of a stand-in's faults.
    ///
    /// # Panics
    /// If the value cannot be written as JSON.
    #[must_use]
    pub fn standin(mut self, name: &str, member: &str, value: impl Serialize) -> Self {
        let value: Value = serde_json::to_value(value).expect("faults can be written as JSON");
        self.standins.entry(name.to_owned()).or_insert_with(|| json!({}))[member] = value;
        self
    }
}

impl StoreFault {
    /// This share of calls fails.
    ///
    /// # Panics
    /// If the share is not between 0 and 1.
    pub fn fail(share: f64) -> Self {
        Self { fail: Rate::of(share), ..Self::default() }
    }

    /// This share of calls is throttled.
    ///
    /// # Panics
    /// If the share is not between 0 and 1.
    pub fn throttle(share: f64) -> Self {
        Self { throttle: Rate::of(share), ..Self::default() }
    }

    /// Every call is delayed.
    ///
    /// # Panics
    /// If the delay is more than a minute.
    pub fn delay_ms(delay_ms: u64) -> Self {
        let delay_ms = DelayMs::try_from(delay_ms).expect("a delay is at most a minute");
        Self { delay_ms, ..Self::default() }
    }
}

impl KillFault {
    /// The process is killed before this share of its commits.
    ///
    /// # Panics
    /// If the share is not between 0 and 1.
    pub fn before_commit(share: f64) -> Self {
        Self { before_commit: Rate::of(share), ..Self::default() }
    }

    /// The process is killed after this share of its commits.
    ///
    /// # Panics
    /// If the share is not between 0 and 1.
    pub fn after_commit(share: f64) -> Self {
        Self { after_commit: Rate::of(share), ..Self::default() }
    }

    /// The process is killed before this share of its commits, and after as many.
    ///
    /// # Panics
    /// If the share is not between 0 and 1.
    pub fn around_commit(share: f64) -> Self {
        Self { before_commit: Rate::of(share), after_commit: Rate::of(share) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::UpstreamFault;

    #[test]
    fn built_faults_are_those_of_the_json() {
        let built = Faults::default()
            .seed(7)
            .table("UsersTable", StoreFault::throttle(0.5))
            .dropped_records("OutboxTable", 1.0)
            .queue("EmailsQueue", StoreFault::delay_ms(20))
            .secret("*", StoreFault::fail(1.0))
            .mail(StoreFault::fail(0.25))
            .kill("GetUserFunction", KillFault::around_commit(0.1))
            .torn("LedgerTable")
            .deliveries(0.1, 0.2)
            .cold_starts();
        let written = json!({
            "seed": 7,
            "tables": { "UsersTable": { "throttle": 0.5 } },
            "streams": { "OutboxTable": { "drop": 1 } },
            "queues": { "EmailsQueue": { "delayMs": 20 } },
            "secrets": { "*": { "fail": 1 } },
            "mail": { "fail": 0.25 },
            "kill": { "GetUserFunction": { "beforeCommit": 0.1, "afterCommit": 0.1 } },
            "torn": ["LedgerTable"],
            "deliveries": { "duplicate": 0.1, "reorder": 0.2 },
            "coldStarts": true,
        });
        assert_eq!(built, serde_json::from_value(written).unwrap());
    }

    #[test]
    fn members_of_a_stand_in_are_set_one_by_one() {
        let refusal = UpstreamFault::answer(403, json!({ "code": "P08" })).retry_after_s(3);
        let built = Faults::default()
            .standin("partner", "products", refusal.times(1).share(0.5))
            .standin("partner", "tokens", UpstreamFault::down());
        let partner = &built.standins["partner"];
        let answer = json!({ "status": 403, "body": { "code": "P08" }, "retryAfterS": 3 });
        assert_eq!(partner["products"]["answer"], answer);
        assert_eq!(
            (&partner["products"]["times"], &partner["products"]["share"]),
            (&json!(1), &json!(0.5))
        );
        assert_eq!(partner["tokens"]["down"], true);
    }
}
