//! The faults that `PUT /faults` of the control address asks for.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::standins;

/// The name that stands for every table, queue, secret or function.
const EVERY: &str = "*";

/// The longest delay a fault may add to a call: longer than any function's time limit.
const DELAY_MS_MAX: u64 = 60_000;

/// Everything that can be made to go wrong; the default is that nothing does.
///
/// Names are the template's logical ids, or `*` for all of a kind. Strict on input: a field or a
/// value that is not known is refused rather than silently left without effect.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Faults {
    /// The same seed makes the same calls fail: the n-th call at a place always fares alike.
    pub seed: u64,
    /// By table.
    pub tables: BTreeMap<String, TableFault>,
    /// By table: its stream.
    pub streams: BTreeMap<String, StreamFault>,
    /// By queue.
    pub queues: BTreeMap<String, StoreFault>,
    /// By secret.
    pub secrets: BTreeMap<String, StoreFault>,
    /// The mail service.
    pub mail: StoreFault,
    /// By function.
    pub kill: BTreeMap<String, KillFault>,
    /// Tables whose writes are torn out of transactions: what no store ever does. It is there so
    /// that whoever balances the books afterwards can be seen to notice.
    pub torn: BTreeSet<String>,
    /// What event sources hand to functions.
    pub deliveries: DeliveryFaults,
    /// Whether every invocation gets a fresh execution environment.
    pub cold_starts: bool,
    /// Other people's services, by the names of their stand-ins.
    pub standins: standins::Faults,
}

/// How calls on a table fail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TableFault {
    /// Share of calls refused for throughput.
    pub throttle: Rate,
    /// Share of calls that end in an internal error, nothing having been done.
    pub fail: Rate,
    /// Share of writes refused because another transaction holds the item.
    pub conflict: Rate,
    /// Added before every call.
    pub delay_ms: DelayMs,
}

/// How a table's stream fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct StreamFault {
    /// Share of records that no reader ever sees, as if a reader had been down for the day that
    /// a stream keeps them.
    pub drop: Rate,
}

/// How calls on a queue, a secret or the mail service fail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct StoreFault {
    /// Share of calls refused for their rate.
    pub throttle: Rate,
    /// Share of calls that end in an internal error, nothing having been done.
    pub fail: Rate,
    /// Added before every call.
    pub delay_ms: DelayMs,
}

/// When a function's process dies around a write to a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct KillFault {
    /// Share of writes that the process does not live to make.
    pub before_commit: Rate,
    /// Share of writes that are made, and whose answer the process does not live to read.
    pub after_commit: Rate,
}

/// How event sources stray, within what at-least-once delivery allows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DeliveryFaults {
    /// Share of messages, or of stream batches, that are delivered a second time.
    pub duplicate: Rate,
    /// Share of a standard queue's messages that others overtake.
    pub reorder: Rate,
}

/// A share from 0 (never) to 1 (always).
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Rate(f64);

impl TryFrom<f64> for Rate {
    type Error = String;

    fn try_from(rate: f64) -> Result<Self, String> {
        if (0.0..=1.0).contains(&rate) {
            Ok(Self(rate))
        } else {
            Err(format!("a rate is between 0 and 1, not {rate}"))
        }
    }
}

impl From<Rate> for f64 {
    fn from(rate: Rate) -> Self {
        rate.0
    }
}

/// A delay in milliseconds, at most a minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct DelayMs(u64);

impl TryFrom<u64> for DelayMs {
    type Error = String;

    fn try_from(delay_ms: u64) -> Result<Self, String> {
        if delay_ms <= DELAY_MS_MAX {
            Ok(Self(delay_ms))
        } else {
            Err(format!("a delay is at most {DELAY_MS_MAX} ms, not {delay_ms}"))
        }
    }
}

impl From<DelayMs> for u64 {
    fn from(delay: DelayMs) -> Self {
        delay.0
    }
}

impl From<DelayMs> for Duration {
    fn from(delay: DelayMs) -> Self {
        Self::from_millis(delay.0)
    }
}

impl Faults {
    /// Every name the faults mention, with the kind of thing it is meant to be.
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

/// The fault set for this very name, else the one set for all.
pub(super) fn named<F: Copy + Default>(faults: &BTreeMap<String, F>, name: &str) -> F {
    faults.get(name).or_else(|| faults.get(EVERY)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_refused_and_named() {
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
