//! The active faults of the stand-ins, and the requests that they affect.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Faults, UpstreamFault};

/// The active faults, and the number of requests so far.
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
    /// Replaces the active faults.
    pub(super) fn set(&self, faults: Faults) {
        *self.lock() = State { faults, met: HashMap::new() };
    }

    /// The active faults.
    pub(super) fn faults(&self) -> Faults {
        self.lock().faults.clone()
    }

    /// The fault of a request, if one applies.
    pub(super) fn strike(
        &self,
        trouble_of: impl FnOnce(&Faults) -> (&'static str, &UpstreamFault),
    ) -> UpstreamFault {
        let state = &mut *self.lock();
        let (place, trouble) = trouble_of(&state.faults);
        let met = state.met.entry(place).or_default();
        if met.are_struck(trouble) { trouble.clone() } else { UpstreamFault::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere cannot leave the faults inconsistent; continuing is harmless.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Met {
    /// Whether the fault applies to the next request. Shares are spread evenly, not randomly: with
    /// 0.2, it is every fifth request.
    fn are_struck(&mut self, trouble: &UpstreamFault) -> bool {
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
    fn a_share_is_spread_evenly_and_ends_after_the_set_times() {
        for (trouble, struck) in [
            (r#"{"down": true}"#, "1111111111"),
            (r#"{"down": true, "share": 0.2}"#, "0000100001"),
            (r#"{"down": true, "times": 3}"#, "1110000000"),
            (r#"{"down": true, "share": 0.5, "times": 2}"#, "0101000000"),
        ] {
            let trouble: UpstreamFault = serde_json::from_str(trouble).unwrap();
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
