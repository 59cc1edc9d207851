//! The faults that `PUT /faults` of the control address sets, and the one-shot fault of the next
//! request that fits ([`NextFaults`]), which `PUT /activity/next-fault` arms.

mod build;
mod next;
mod upstream;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::next::{CommitSide, FaultPoint, FaultStage, NextFault, NextFaults, NoFaultStage};
pub use self::upstream::{FakeResponse, Status, UpstreamFault};
pub use self::values::{DelayMs, Rate};

/// The name for every table, queue, secret or function.
const EVERY: &str = "*";

/// All faults that can be injected; by default none.
///
/// Names are the template's logical ids, or `*` for all of a kind. Unknown fields and values are
/// rejected, so that a typing error cannot be silently ignored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Faults {
    /// The seed. With the same seed, the n-th call at a place always has the same result.
    pub seed: u64,
    /// By table.
    pub tables: BTreeMap<String, TableFault>,
    /// The stream faults by table.
    pub streams: BTreeMap<String, StreamFault>,
    /// By queue.
    pub queues: BTreeMap<String, StoreFault>,
    /// By secret.
    pub secrets: BTreeMap<String, StoreFault>,
    /// The mail service.
    pub mail: StoreFault,
    /// By function.
    pub kill: BTreeMap<String, KillFault>,
    /// Tables whose writes are silently dropped from transactions. A negative control: the
    /// invariant check must then fail.
    pub torn: BTreeSet<String>,
    /// Faults of deliveries to functions.
    pub deliveries: DeliveryFaults,
    /// Whether every invocation gets a new execution environment.
    pub cold_starts: bool,
    /// The stand-ins for third-party services, by name. Each stand-in reads its faults.
    pub standins: StandinFaults,
}

/// The faults of stand-ins by name, in JSON. Each stand-in has its type for them.
pub type StandinFaults = BTreeMap<String, Value>;

/// The faults of calls on a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TableFault {
    /// Share of calls throttled.
    pub throttle: Rate,
    /// Share of calls that fail with an internal error, without effect.
    pub fail: Rate,
    /// Share of writes that fail with a transaction conflict.
    pub conflict: Rate,
    /// Delay before every call.
    pub delay_ms: DelayMs,
}

/// The faults of a table's stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct StreamFault {
    /// Share of records that no reader receives, as if the reader had been down for the retention
    /// time of 24 hours.
    pub drop: Rate,
}

/// The faults of calls on a queue, a secret or the mail service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct StoreFault {
    /// Share of calls throttled.
    pub throttle: Rate,
    /// Share of calls that fail with an internal error, without effect.
    pub fail: Rate,
    /// Delay before every call.
    pub delay_ms: DelayMs,
}

/// When a function's process is killed around a write to a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct KillFault {
    /// Share of writes before which the process is killed.
    pub before_commit: Rate,
    /// Share of writes after which the process is killed, before it reads the response.
    pub after_commit: Rate,
}

/// The faults of event sources, within at-least-once delivery.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DeliveryFaults {
    /// Share of messages, or of stream batches, that are delivered twice.
    pub duplicate: Rate,
    /// Share of a standard queue's messages that are delivered after later ones.
    pub reorder: Rate,
}

impl Faults {
    /// Every name in the faults, with the kind of its resource.
    pub fn names(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let tables = self.tables.keys().map(|name| ("table", name.as_str()));
        let streams = self.streams.keys().map(|name| ("table", name.as_str()));
        let queues = self.queues.keys().map(|name| ("queue", name.as_str()));
        let secrets = self.secrets.keys().map(|name| ("secret", name.as_str()));
        let functions = self.kill.keys().map(|name| ("function", name.as_str()));
        let torn = self.torn.iter().map(|name| ("table", name.as_str()));
        let all = tables.chain(streams).chain(queues).chain(secrets).chain(functions).chain(torn);
        all.filter(|(_, name)| *name != EVERY)
    }
}

impl From<StoreFault> for TableFault {
    fn from(fault: StoreFault) -> Self {
        Self {
            throttle: fault.throttle,
            fail: fault.fail,
            conflict: Rate::default(),
            delay_ms: fault.delay_ms,
        }
    }
}

/// The fault of this name, or else the fault of all.
pub(crate) fn named<F: Copy + Default>(faults: &BTreeMap<String, F>, name: &str) -> F {
    faults.get(name).or_else(|| faults.get(EVERY)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_field_or_value_is_an_error_that_names_it() {
        let refused = [
            (r#"{"table": {}}"#, "unknown field `table`"),
            (r#"{"tables": {"T": {"throtle": 1}}}"#, "unknown field `throtle`"),
            (r#"{"tables": {"T": {"throttle": 1.5}}}"#, "a rate is between 0 and 1, not 1.5"),
            (r#"{"mail": {"delayMs": 60001}}"#, "a delay is at most 60000 ms, not 60001"),
        ];
        for (input, complaint) in refused {
            let error = serde_json::from_str::<Faults>(input).unwrap_err().to_string();
            assert!(error.contains(complaint), "{input}: {error}");
        }
    }
}
