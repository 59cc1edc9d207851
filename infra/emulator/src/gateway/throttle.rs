//! The stage's throttle: a token bucket over all routes.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use sam_template::Throttle;

/// A token bucket: the burst size and the rate per second.
pub(super) struct Bucket {
    settings: Throttle,
    state: Mutex<State>,
}

struct State {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    pub(super) fn new(settings: Throttle) -> Self {
        let tokens = f64::from(settings.burst);
        Self { settings, state: Mutex::new(State { tokens, at: Instant::now() }) }
    }

    /// Takes a token, if there is one.
    pub(super) fn take(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let refill = now.duration_since(state.at).as_secs_f64() * self.settings.rate_per_s;
        state.tokens = (state.tokens + refill).min(f64::from(self.settings.burst));
        state.at = now;
        let taken = state.tokens >= 1.0;
        if taken {
            state.tokens -= 1.0;
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn after_a_burst_only_the_refill_rate_passes() {
        let bucket = Bucket::new(Throttle { burst: 2, rate_per_s: 1.0 });

        assert_eq!([bucket.take(), bucket.take(), bucket.take()], [true, true, false]);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!([bucket.take(), bucket.take()], [true, false]);
    }
}
