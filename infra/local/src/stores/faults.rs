//! Faults on request: what `PUT /faults` of the control address asks for, and where each strikes.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{
    call::{Call, Resource, Store},
    dice::Dice,
};

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
    /// By queue.
    pub queues: BTreeMap<String, StoreFault>,
    /// By secret.
    pub secrets: BTreeMap<String, StoreFault>,
    /// The mail service.
    pub mail: StoreFault,
    /// By function.
    pub kill: BTreeMap<String, KillFault>,
    /// What event sources hand to functions.
    pub deliveries: DeliveryFaults,
    /// Whether every invocation gets a fresh execution environment.
    pub cold_starts: bool,
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
            Err(format!(
                "a delay is at most {DELAY_MS_MAX} ms, not {delay_ms}"
            ))
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

/// The faults in force, and the dice that decide whom they strike.
#[derive(Debug, Default)]
pub struct FaultSwitch {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    faults: Faults,
    dice: Dice,
}

/// How a call is refused without having been made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Over the throughput or the rate.
    Throttled,
    /// The service's own fault.
    Failed,
    /// Another transaction holds the item.
    Conflict,
}

/// What happens to one call before it reaches its store.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Strike {
    /// How long the call is held up first.
    pub delay: Duration,
    /// Whether, and how, it is then refused.
    pub refusal: Option<Refusal>,
    /// Whether the caller's process dies instead of the write being made.
    pub kill_before_commit: bool,
    /// Whether the caller's process dies once the write has been made.
    pub kill_after_commit: bool,
}

impl FaultSwitch {
    /// Puts these faults in force in place of those before, the dice starting anew.
    pub fn set(&self, faults: Faults) {
        let mut state = self.lock();
        state.dice = Dice::new(faults.seed);
        state.faults = faults;
    }

    /// The faults in force.
    pub fn get(&self) -> Faults {
        self.lock().faults.clone()
    }

    /// Decides what becomes of a call. Only a function's calls are struck: whoever inspects the
    /// stores afterwards must be able to count undisturbed.
    pub(super) fn strike(&self, call: &Call) -> Strike {
        let Some(caller) = &call.caller else {
            return Strike::default();
        };
        let mut state = self.lock();
        let mut strike = Strike::default();
        for (place, fault) in state.faults.on(call) {
            strike.delay = strike.delay.max(fault.delay_ms.into());
            let refusal = state.dice.refusal(&place, fault, call.is_commit());
            strike.refusal = strike.refusal.or(refusal);
        }
        if call.is_commit() {
            let function = &caller.function;
            let kill = named(&state.faults.kill, function);
            strike.kill_before_commit = state
                .dice
                .falls(&format!("kill/{function}/before"), kill.before_commit);
            strike.kill_after_commit = state
                .dice
                .falls(&format!("kill/{function}/after"), kill.after_commit);
        }
        strike
    }

    /// Whether this delivery of an event source is made twice.
    pub fn duplicates(&self, source: &str) -> bool {
        let mut state = self.lock();
        let rate = state.faults.deliveries.duplicate;
        state.dice.falls(&format!("duplicate/{source}"), rate)
    }

    /// Whether this message of a queue is held back until others have overtaken it.
    pub fn reorders(&self, source: &str) -> bool {
        let mut state = self.lock();
        let rate = state.faults.deliveries.reorder;
        state.dice.falls(&format!("reorder/{source}"), rate)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // A panic elsewhere leaves the faults as they were; going on with them is harmless.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Faults {
    /// The faults that bear on a call, each with the place it is decided at.
    fn on(&self, call: &Call) -> Vec<(String, TableFault)> {
        if call.store == Store::Mail {
            return vec![("mail".to_owned(), self.mail.into())];
        }
        let mut found: Vec<(String, TableFault)> = Vec::new();
        for access in &call.accesses {
            let (kind, name, fault) = match &access.resource {
                Resource::Table(name) | Resource::Index(name, _) => {
                    ("table", name, named(&self.tables, name))
                }
                Resource::Queue(name) => ("queue", name, named(&self.queues, name).into()),
                Resource::Secret(name) => ("secret", name, named(&self.secrets, name).into()),
                Resource::Any | Resource::Other(_) => continue,
            };
            let place = format!("{kind}/{name}");
            if found.iter().all(|(known, _)| *known != place) {
                found.push((place, fault));
            }
        }
        found
    }

    /// Every name the faults mention, with the kind of thing it is meant to be.
    pub fn names(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let tables = self.tables.keys().map(|name| ("table", name.as_str()));
        let queues = self.queues.keys().map(|name| ("queue", name.as_str()));
        let secrets = self.secrets.keys().map(|name| ("secret", name.as_str()));
        let functions = self.kill.keys().map(|name| ("function", name.as_str()));
        let all = tables.chain(queues).chain(secrets).chain(functions);
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
fn named<F: Copy + Default>(faults: &BTreeMap<String, F>, name: &str) -> F {
    faults
        .get(name)
        .or_else(|| faults.get(EVERY))
        .copied()
        .unwrap_or_default()
}

impl Dice {
    fn refusal(&mut self, place: &str, fault: TableFault, is_commit: bool) -> Option<Refusal> {
        let throttled = self.falls(&format!("{place}/throttle"), fault.throttle);
        let failed = self.falls(&format!("{place}/fail"), fault.fail);
        let conflict = self.falls(&format!("{place}/conflict"), fault.conflict);
        match (throttled, failed, conflict && is_commit) {
            (true, _, _) => Some(Refusal::Throttled),
            (_, true, _) => Some(Refusal::Failed),
            (_, _, true) => Some(Refusal::Conflict),
            _ => None,
        }
    }

    fn falls(&mut self, place: &str, rate: Rate) -> bool {
        rate.0 > 0.0 && self.throw(place) < rate.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stores::call::tests::call_by;

    fn switch(faults: serde_json::Value) -> FaultSwitch {
        let switch = FaultSwitch::default();
        switch.set(serde_json::from_value(faults).unwrap());
        switch
    }

    #[test]
    fn what_is_not_known_is_refused_and_named() {
        let refused = [
            (r#"{"table": {}}"#, "unknown field `table`"),
            (
                r#"{"tables": {"T": {"throtle": 1}}}"#,
                "unknown field `throtle`",
            ),
            (
                r#"{"tables": {"T": {"throttle": 1.5}}}"#,
                "a rate is between 0 and 1, not 1.5",
            ),
            (
                r#"{"mail": {"delayMs": 60001}}"#,
                "a delay is at most 60000 ms, not 60001",
            ),
        ];
        for (input, complaint) in refused {
            let error = serde_json::from_str::<Faults>(input)
                .unwrap_err()
                .to_string();
            assert!(error.contains(complaint), "{input}: {error}");
        }
    }

    #[test]
    fn the_same_seed_strikes_the_same_calls() {
        let faults = serde_json::json!({"seed": 7, "tables": {"*": {"throttle": 0.3}}});
        let call = call_by(
            "GetUserFunction",
            "PutItem",
            r#"{"TableName": "local-UsersTable"}"#,
        );
        let struck = |switch: FaultSwitch| {
            (0..100)
                .map(|_| switch.strike(&call).refusal.is_some())
                .collect::<Vec<_>>()
        };
        let first = struck(switch(faults.clone()));
        assert_eq!(first, struck(switch(faults)));
        let hits = first.iter().filter(|hit| **hit).count();
        assert!((15..45).contains(&hits), "about three in ten, not {hits}");
    }

    #[test]
    fn a_process_is_killed_around_writes_only() {
        let switch = switch(serde_json::json!({"kill": {"GetUserFunction": {"beforeCommit": 1}}}));
        let body = r#"{"TableName": "local-UsersTable"}"#;
        assert!(
            switch
                .strike(&call_by("GetUserFunction", "PutItem", body))
                .kill_before_commit
        );
        assert!(
            !switch
                .strike(&call_by("GetUserFunction", "GetItem", body))
                .kill_before_commit
        );
        assert!(
            !switch
                .strike(&call_by("PostUserFunction", "PutItem", body))
                .kill_before_commit
        );
    }
}
