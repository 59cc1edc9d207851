//! The pace of a run: at most the given capacity units a second, and slower while throttled.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Limits the capacity units that are spent a second.
pub(super) struct Pace {
    units_per_s_max: f64,
    state: Mutex<State>,
}

struct State {
    units_per_s: f64,
    /// When the pace allows the next unit.
    paid_at: Instant,
    /// When the pace was halved last.
    halved_at: Option<Instant>,
}

/// The minimum time between two halvings: concurrent calls are throttled together.
const HALVED_EVERY: Duration = Duration::from_secs(1);
/// The factor by which each consumed unit raises the pace.
const GROWTH: f64 = 1.02;

impl Pace {
    /// At most so many units a second.
    pub(super) fn new(units_per_s: u32) -> Self {
        let units_per_s_max = f64::from(units_per_s.max(1));
        let state =
            State { units_per_s: units_per_s_max, paid_at: Instant::now(), halved_at: None };
        Self { units_per_s_max, state: Mutex::new(state) }
    }

    /// Waits until a unit may be spent, and spends it.
    pub(super) async fn turn(&self) {
        let at = {
            let mut state = self.lock();
            let at = state.paid_at.max(Instant::now());
            state.paid_at = at + Duration::from_secs_f64(1.0 / state.units_per_s);
            at
        };
        sleep_until(at).await;
    }

    /// Adds the units that a call has consumed. Its [`turn`](Self::turn) spent the first one.
    pub(super) fn took(&self, units: f64) {
        let mut state = self.lock();
        let units = units.max(1.0);
        let more = Duration::from_secs_f64((units - 1.0) / state.units_per_s);
        state.paid_at += more;
        state.units_per_s = (state.units_per_s * GROWTH.powf(units)).min(self.units_per_s_max);
    }

    /// Halves the pace, unless it was halved within the last second. Each consumed unit raises it
    /// again.
    pub(super) fn throttled(&self) {
        let (mut state, now) = (self.lock(), Instant::now());
        if state.halved_at.is_some_and(|at| now < at + HALVED_EVERY) {
            return;
        }
        state.halved_at = Some(now);
        state.units_per_s = (state.units_per_s / 2.0).max(1.0);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pace_of_10_units_spends_at_most_10_a_second() {
        let (pace, began) = (Pace::new(10), Instant::now());
        for _ in 0..11 {
            pace.turn().await;
        }
        assert_seconds(began, 1.0);
        pace.turn().await;
        pace.took(31.0);
        pace.turn().await;
        assert_seconds(began, 4.2);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_are_throttled_together_halve_the_pace_once() {
        let pace = Pace::new(100);
        for _ in 0..32 {
            pace.throttled();
        }
        let began = Instant::now();
        for _ in 0..51 {
            pace.turn().await;
        }
        assert_seconds(began, 1.0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_raises_the_pace_by_each_of_its_units() {
        let pace = slowed(100).await;
        pace.took(250.0);
        pace.turn().await;
        let fast = Instant::now();
        for _ in 0..100 {
            pace.turn().await;
        }
        assert_seconds(fast, 1.0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttled_pace_is_halved_and_grows_again() {
        let pace = slowed(100).await;
        let slow = Instant::now();
        for _ in 0..6 {
            pace.turn().await;
        }
        assert_seconds(slow, 5.0);
        for _ in 0..300 {
            pace.took(1.0);
        }
        let fast = Instant::now();
        for _ in 0..102 {
            pace.turn().await;
        }
        assert!(fast.elapsed() < Duration::from_secs(3), "{:?}", fast.elapsed());
    }

    /// A pace that was throttled for 20 seconds.
    async fn slowed(units_per_s: u32) -> Pace {
        let pace = Pace::new(units_per_s);
        for _ in 0..20 {
            pace.throttled();
            advance(HALVED_EVERY).await;
        }
        pace
    }

    fn assert_seconds(began: Instant, seconds: f64) {
        let took = began.elapsed().as_secs_f64();
        assert!((took - seconds).abs() < 0.1, "{took} s and not {seconds} s");
    }
}
