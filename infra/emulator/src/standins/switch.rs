//! The active faults of a stand-in, and the requests that they affect.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::faults::UpstreamFault;

/// The active faults, and the number of requests so far.
#[derive(Debug, Default)]
pub(super) struct Switch<F> {
    state: Mutex<State<F>>,
}

#[derive(Debug, Default)]
struct State<F> {
    faults: F,
    met: HashMap<&'static str, Met>,
}

/// The requests since the faults were set.
#[derive(Debug, Default)]
struct Met {
    asked: f64,
    struck: u64,
}

/// A change of faults that have been read and are valid.
pub(super) type Change = Box<dyn FnOnce() + Send>;

/// The faults of a stand-in as JSON, for any type of faults.
pub(super) trait JsonSwitch: Send + Sync {
    /// Reads faults and returns the change to them; without a value, to none.
    ///
    /// # Errors
    /// The path and the cause, if a member is unknown or invalid.
    fn read(self: Arc<Self>, faults: Option<&Value>) -> Result<Change, PathError>;

    /// The active faults, with all members.
    fn active(&self) -> Value;

    /// Whether any fault is active.
    fn is_on(&self) -> bool;
}

/// Why faults cannot be read.
pub(super) type PathError = serde_path_to_error::Error<serde_json::Error>;

impl<F> JsonSwitch for Switch<F>
where
    F: Clone + Default + Send + Serialize + DeserializeOwned + 'static,
{
    fn read(self: Arc<Self>, faults: Option<&Value>) -> Result<Change, PathError> {
        let faults: F = match faults {
            Some(faults) => serde_path_to_error::deserialize(faults)?,
            None => F::default(),
        };
        Ok(Box::new(move || self.set(faults)))
    }

    fn active(&self) -> Value {
        as_json(&self.faults())
    }

    fn is_on(&self) -> bool {
        self.active() != as_json(&F::default())
    }
}

fn as_json(faults: &impl Serialize) -> Value {
    serde_json::to_value(faults).expect("faults have a JSON form, they are read from it")
}

impl<F: Clone> Switch<F> {
    /// Replaces the active faults.
    fn set(&self, faults: F) {
        *self.lock() = State { faults, met: HashMap::new() };
    }

    /// The active faults.
    pub(super) fn faults(&self) -> F {
        self.lock().faults.clone()
    }

    /// The fault of a request, if one applies.
    pub(super) fn strike(
        &self,
        fault_of: impl FnOnce(&F) -> (&'static str, &UpstreamFault),
    ) -> UpstreamFault {
        let state = &mut *self.lock();
        let (place, fault) = fault_of(&state.faults);
        let met = state.met.entry(place).or_default();
        if met.are_struck(fault) { fault.clone() } else { UpstreamFault::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State<F>> {
        // A panic elsewhere cannot leave the faults inconsistent; continuing is harmless.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Met {
    /// Whether the fault applies to the next request. Shares are spread evenly, not randomly: with
    /// 0.2, it is every fifth request.
    fn are_struck(&mut self, fault: &UpstreamFault) -> bool {
        let share = fault.share.map_or(1.0, f64::from);
        let due = ((self.asked + 1.0) * share).floor() > (self.asked * share).floor();
        self.asked += 1.0;
        let struck = due && fault.times.is_none_or(|times| self.struck < times);
        self.struck += u64::from(struck);
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_spread_evenly_and_ends_after_the_set_times() {
        for (fault, struck) in [
            (r#"{"down": true}"#, "1111111111"),
            (r#"{"down": true, "share": 0.2}"#, "0000100001"),
            (r#"{"down": true, "times": 3}"#, "1110000000"),
            (r#"{"down": true, "share": 0.5, "times": 2}"#, "0101000000"),
        ] {
            let fault: UpstreamFault = serde_json::from_str(fault).unwrap();
            let switch = Switch::default();
            switch.set(fault);
            let strike = |_| switch.strike(|fault| ("test", fault)).down;
            let dealt: String = (0..10).map(|i| if strike(i) { '1' } else { '0' }).collect();
            assert_eq!(dealt, struck);
        }
    }
}
