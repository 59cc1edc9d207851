//! Fault injection: decides by the active faults and a seeded generator whether a call or delivery
//! fails.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::call::{Call, Resource, Store};
use super::rng::Dice;
use crate::faults::{Faults, Rate, TableFault, named};

/// The active faults, and the random numbers that decide about each call.
#[derive(Debug, Default)]
pub struct FaultInjector {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    faults: Faults,
    dice: Dice,
}

/// The error of a call that fails before it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InjectedError {
    /// Throttled.
    Throttled,
    /// An internal error of the service.
    Failed,
    /// A transaction conflict.
    Conflict,
}

/// The faults of one call.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Injection {
    /// The delay before the call.
    pub delay: Duration,
    /// The error, if the call fails.
    pub refusal: Option<InjectedError>,
    /// Whether the caller's process is killed before the write.
    pub kill_before_commit: bool,
    /// Whether the caller's process is killed after the write.
    pub kill_after_commit: bool,
}

impl FaultInjector {
    /// Replaces the active faults and restarts the random numbers.
    pub fn set(&self, faults: Faults) {
        let mut state = self.lock();
        state.dice = Dice::new(faults.seed);
        state.faults = faults;
    }

    /// The active faults.
    pub fn get(&self) -> Faults {
        self.lock().faults.clone()
    }

    /// Decides about a call. Only functions' calls are affected, so that tests can inspect the
    /// stores undisturbed.
    pub(super) fn inject(&self, call: &Call) -> Injection {
        let Some(caller) = &call.caller else {
            return Injection::default();
        };
        let mut state = self.lock();
        let mut strike = Injection::default();
        for (place, fault) in state.faults.on(call) {
            strike.delay = strike.delay.max(fault.delay_ms.into());
            let refusal = state.dice.refusal(&place, fault, call.is_commit());
            strike.refusal = strike.refusal.or(refusal);
        }
        if call.is_commit() {
            let function = &caller.function;
            let kill = named(&state.faults.kill, function);
            strike.kill_before_commit =
                state.dice.falls(&format!("kill/{function}/before"), kill.before_commit);
            strike.kill_after_commit =
                state.dice.falls(&format!("kill/{function}/after"), kill.after_commit);
        }
        strike
    }

    /// The tables whose writes are dropped from transactions.
    pub(super) fn dropped_writes(&self) -> BTreeSet<String> {
        self.lock().faults.torn.clone()
    }

    /// Whether this record of a table's stream, by its sequence number, is lost to all readers.
    pub fn loses(&self, table: &str, number: &str) -> bool {
        let state = self.lock();
        let rate = f64::from(named(&state.faults.streams, table).drop);
        rate > 0.0 && state.dice.of_its_own(&format!("drop/{table}/{number}")) < rate
    }

    /// Whether this delivery of an event source is made twice.
    pub fn duplicates(&self, source: &str) -> bool {
        let mut state = self.lock();
        let rate = state.faults.deliveries.duplicate;
        state.dice.falls(&format!("duplicate/{source}"), rate)
    }

    /// Whether this message of a queue is delayed until later ones were delivered.
    pub fn reorders(&self, source: &str) -> bool {
        let mut state = self.lock();
        let rate = state.faults.deliveries.reorder;
        state.dice.falls(&format!("reorder/{source}"), rate)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere cannot leave the faults inconsistent; continuing is harmless.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Faults {
    /// The faults that apply to a call, each with its place for random numbers.
    fn on(&self, call: &Call) -> Vec<(String, TableFault)> {
        if call.store == Store::Mail {
            return vec![("mail".to_owned(), self.mail.into())];
        }
        let mut found: Vec<(String, TableFault)> = Vec::new();
        for access in &*call.accesses {
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
}

impl Dice {
    fn refusal(
        &mut self,
        place: &str,
        fault: TableFault,
        is_commit: bool,
    ) -> Option<InjectedError> {
        let throttled = self.falls(&format!("{place}/throttle"), fault.throttle);
        let failed = self.falls(&format!("{place}/fail"), fault.fail);
        let conflict = self.falls(&format!("{place}/conflict"), fault.conflict);
        match (throttled, failed, conflict && is_commit) {
            (true, _, _) => Some(InjectedError::Throttled),
            (_, true, _) => Some(InjectedError::Failed),
            (_, _, true) => Some(InjectedError::Conflict),
            _ => None,
        }
    }

    fn falls(&mut self, place: &str, rate: Rate) -> bool {
        let rate = f64::from(rate);
        rate > 0.0 && self.throw(place) < rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::call::tests::call_by;

    fn switch(faults: serde_json::Value) -> FaultInjector {
        let switch = FaultInjector::default();
        switch.set(serde_json::from_value(faults).unwrap());
        switch
    }

    #[test]
    fn the_same_seed_fails_the_same_calls() {
        let faults = serde_json::json!({"seed": 7, "tables": {"*": {"throttle": 0.3}}});
        let call = call_by("GetUserFunction", "PutItem", r#"{"TableName": "local-UsersTable"}"#);
        let struck = |switch: FaultInjector| {
            (0..100).map(|_| switch.inject(&call).refusal.is_some()).collect::<Vec<_>>()
        };
        let first = struck(switch(faults.clone()));
        assert_eq!(first, struck(switch(faults)));
        let hits = first.iter().filter(|hit| **hit).count();
        assert!((15..45).contains(&hits), "about three in ten, not {hits}");
    }

    #[test]
    fn a_process_is_killed_only_at_writes() {
        let switch = switch(serde_json::json!({"kill": {"GetUserFunction": {"beforeCommit": 1}}}));
        let body = r#"{"TableName": "local-UsersTable"}"#;
        assert!(switch.inject(&call_by("GetUserFunction", "PutItem", body)).kill_before_commit);
        assert!(!switch.inject(&call_by("GetUserFunction", "GetItem", body)).kill_before_commit);
        assert!(!switch.inject(&call_by("PostUserFunction", "PutItem", body)).kill_before_commit);
    }
}
