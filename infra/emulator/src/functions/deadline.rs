//! The next deadline of an environment, which its supervisor awaits.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// The time at which the supervisor looks for overruns. Each invocation sets it and clears it, so the
/// supervisor is woken only for an earlier time than the one that it awaits. At that time it reads
/// the present one.
#[derive(Debug)]
pub(super) struct Deadline {
    times: Mutex<Times>,
    is_earlier: Notify,
}

#[derive(Debug, Clone, Copy)]
struct Times {
    /// The present deadline, if any.
    at: Option<Instant>,
    /// The one that the supervisor has read last.
    awaited: Option<Instant>,
}

impl Deadline {
    pub(super) fn new(at: Instant) -> Self {
        let times = Times { at: Some(at), awaited: None };
        Self { times: Mutex::new(times), is_earlier: Notify::new() }
    }

    /// Sets it, or clears it.
    pub(super) fn set(&self, at: Option<Instant>) {
        let awaited = {
            let mut times = self.lock();
            times.at = at;
            times.awaited
        };
        if at.is_some_and(|at| awaited.is_none_or(|awaited| at < awaited)) {
            self.is_earlier.notify_one();
        }
    }

    /// Returns when it has passed.
    pub(super) async fn passed(&self) {
        loop {
            match self.read() {
                None => self.is_earlier.notified().await,
                Some(at) if at <= Instant::now() => return,
                Some(at) => tokio::select! {
                    () = sleep_until(at) => {}
                    () = self.is_earlier.notified() => {}
                },
            }
        }
    }

    /// The present deadline, from now on the awaited one.
    fn read(&self) -> Option<Instant> {
        let mut times = self.lock();
        times.awaited = times.at;
        times.at
    }

    fn lock(&self) -> MutexGuard<'_, Times> {
        // No code under the lock can panic.
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Context, Wake, Waker};
    use std::time::Duration;

    use super::*;

    /// Counts how often the supervisor is woken.
    #[derive(Default)]
    struct Wakes(AtomicU32);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn after(seconds: u64) -> Instant {
        Instant::now() + Duration::from_secs(seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn invocations_with_later_deadlines_do_not_wake_the_supervisor() {
        let wakes = Arc::<Wakes>::default();
        let waker = Waker::from(Arc::clone(&wakes));
        let mut context = Context::from_waker(&waker);
        let deadline = Deadline::new(after(10));
        let mut passed = pin!(deadline.passed());
        assert!(passed.as_mut().poll(&mut context).is_pending());

        for seconds in [11, 12, 13] {
            deadline.set(Some(after(seconds)));
            deadline.set(None);
        }
        assert_eq!(wakes.0.load(Ordering::Relaxed), 0);
        deadline.set(Some(after(9)));
        assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn each_deadline_passes_at_its_own_time() {
        let began = Instant::now();
        let deadline = Deadline::new(after(10));
        let changed = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            deadline.set(None);
            tokio::time::sleep(Duration::from_secs(1)).await;
            deadline.set(Some(after(20)));
        };
        tokio::join!(deadline.passed(), changed);
        assert_eq!(began.elapsed().as_secs(), 22);

        deadline.set(None);
        let changed = async {
            tokio::time::sleep(Duration::from_secs(30)).await;
            deadline.set(Some(after(3)));
            tokio::time::sleep(Duration::from_secs(1)).await;
            deadline.set(Some(after(1)));
        };
        tokio::join!(deadline.passed(), changed);
        assert_eq!(began.elapsed().as_secs(), 22 + 30 + 1 + 1);
    }
}
