//! The faults of the stand-ins in force, and whom they strike.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Faults, Trouble};

/// The faults in force, and how many requests they have met.
#[derive(Debug, Default)]
pub(super) struct Switch {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    faults: Faults,
    met: HashMap<&'static str, Met>,
}

/// The requests since the faults were set.
#[derive(Debug, Default)]
struct Met {
    asked: f64,
    struck: u64,
}

impl Switch {
    /// Puts these faults in force in place of those before.
    pub(super) fn set(&self, faults: Faults) {
        *self.lock() = State { faults, met: HashMap::new() };
    }

    /// The faults in force.
    pub(super) fn faults(&self) -> Faults {
        self.lock().faults.clone()
    }

    /// The trouble that a request meets; none if it is spared.
    pub(super) fn strike(
        &self,
        trouble_of: impl FnOnce(&Faults) -> (&'static str, &Trouble),
    ) -> Trouble {
        let state = &mut *self.lock();
        let (place, trouble) = trouble_of(&state.faults);
        let met = state.met.entry(place).or_default();
        if met.are_struck(trouble) { trouble.clone() } else { Trouble::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves the faults as they were; going on with them is harmless.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Met {
    /// Whether the next request is struck. Shares are dealt evenly, without chance: of a fifth it
    /// is every fifth request.
    fn are_struck(&mut self, trouble: &Trouble) -> bool {
        let share = trouble.share.map_or(1.0, f64::from);
        let due = ((self.asked + 1.0) * share).floor() > (self.asked * share).floor();
        self.asked += 1.0;
        let struck = due && trouble.times.is_none_or(|times| self.struck < times);
        self.struck += u64::from(struck);
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_dealt_evenly_and_ends_after_so_many_times() {
        for (trouble, struck) in [
            (r#"{"down": true}"#, "1111111111"),
            (r#"{"down": true, "share": 0.2}"#, "0000100001"),
            (r#"{"down": true, "times": 3}"#, "1110000000"),
            (r#"{"down": true, "share": 0.5, "times": 2}"#, "0101000000"),
        ] {
            let trouble: Trouble = serde_json::from_str(trouble).unwrap();
            let switch = Switch::default();
            let mut faults = Faults::default();
            faults.partner.products = trouble;
            switch.set(faults);
            let strike = |_| switch.strike(|faults| ("test", &faults.partner.products)).down;
            let dealt: String = (0..10).map(|i| if strike(i) { '1' } else { '0' }).collect();
            assert_eq!(dealt, struck);
        }
    }
}
