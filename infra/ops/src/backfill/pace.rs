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
}

impl Pace {
    /// At most so many units a second.
    pub(super) fn new(units_per_s: u32) -> Self {
        let units_per_s_max = f64::from(units_per_s.max(1));
        let state = State { units_per_s: units_per_s_max, paid_at: Instant::now() };
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
        let more = Duration::from_secs_f64((units - 1.0).max(0.0) / state.units_per_s);
        state.paid_at += more;
        state.units_per_s = (state.units_per_s * 1.02).min(self.units_per_s_max);
    }

    /// Halves the pace. Each successful call raises it again.
    pub(super) fn throttled(&self) {
        let mut state = self.lock();
        state.units_per_s = (state.units_per_s / 2.0).max(1.0);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pause before a retry after so many failures: 100 ms, doubling to 30 s, half of it random.
pub(super) fn pause(failures: u32) -> Duration {
    let doubled =
        Duration::from_millis(100).saturating_mul(1 << failures.saturating_sub(1).min(16));
    doubled.min(Duration::from_secs(30)).mul_f64(0.5 + fastrand::f64() / 2.0)
}

#[cfg(test)]
mod tests {
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
    async fn a_throttled_pace_is_halved_and_grows_again() {
        let pace = Pace::new(100);
        for _ in 0..20 {
            pace.throttled();
        }
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

    #[test]
    fn pauses_grow_to_half_a_minute() {
        assert!(pause(1) <= Duration::from_millis(100));
        assert!((15..=30).contains(&pause(40).as_secs()));
    }

    fn assert_seconds(began: Instant, seconds: f64) {
        let took = began.elapsed().as_secs_f64();
        assert!((took - seconds).abs() < 0.1, "{took} s and not {seconds} s");
    }
}
