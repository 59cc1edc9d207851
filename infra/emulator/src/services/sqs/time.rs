//! The time of the embedded SQS. It follows moves of the platform's clock: delays, visibility
//! timeouts and deduplication intervals end early.
//!
//! The embedded SQS reads tokio's clock, which only a runtime of one thread can move. So it has such
//! a runtime to itself, and all its work runs there.
//!
//! SQS knows durations only. A move therefore goes no further than the last pending end of one: the
//! embedded SQS catches up on each second that passes, and a month has many.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use futures::FutureExt as _;
use serde_json::Value;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, advance, pause, resume};

/// The interval within which a FIFO queue recognises repeated messages. Any call may start one.
const DEDUPLICATION: Duration = Duration::from_mins(5);

/// The runtime of the embedded SQS, with its clock. It ends when this is dropped.
pub(super) struct Time {
    handle: Handle,
    pending: Pending,
    /// The runtime ends when this is dropped.
    _running: oneshot::Sender<()>,
}

/// When the last duration ends that a call has started.
#[derive(Debug, Clone, Default)]
pub(super) struct Pending(Arc<Mutex<Ends>>);

#[derive(Debug, Default)]
struct Ends {
    last: Option<Instant>,
    /// The longest duration that a queue's attributes set for calls that set none.
    longest: Duration,
}

impl Time {
    /// Starts the runtime.
    ///
    /// # Errors
    /// If the system has no thread for it.
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_time().build()?;
        let handle = runtime.handle().clone();
        let (running, ended) = oneshot::channel();
        thread::Builder::new().name("sqs".to_owned()).spawn(move || {
            // Ends with an error, when the sender is dropped.
            let _: Result<(), _> = runtime.block_on(ended);
        })?;
        Ok(Self { handle, pending: Pending::default(), _running: running })
    }

    /// The record of started durations.
    pub(super) fn pending(&self) -> Pending {
        self.pending.clone()
    }

    /// Runs work by this clock. The work ends early if the caller stops waiting for it.
    pub(super) async fn run<T>(&self, work: impl Future<Output = T> + Send + 'static) -> T
    where
        T: Send + 'static,
    {
        let mut tasks = JoinSet::new();
        tasks.spawn_on(work, &self.handle);
        let done = tasks.join_next().await.expect("a task has been spawned");
        done.expect("work for SQS does not panic, and its runtime lives as long as its time")
    }

    /// Lets this much time pass, or less if nothing is pending for so long.
    pub(super) async fn pass(&self, duration: Duration) {
        let pending = self.pending();
        self.run(async move {
            let Some(last) = pending.ends().last else { return };
            // Ends that fall on the last instant have passed, too.
            let left = last.saturating_duration_since(Instant::now()) + Duration::from_millis(1);
            // No other task runs between these three lines: the clock is never seen to stand still.
            pause();
            let moved = advance(duration.min(left)).now_or_never();
            resume();
            // It moves before it first waits, and only yields then.
            debug_assert!(moved.is_none());
            // Due messages become visible before the next call.
            yield_now().await;
        })
        .await;
    }
}

impl Pending {
    /// Notes the durations that a call has started, by its input, within the runtime.
    pub(super) fn note(&self, input: &Value) {
        let entries = input["Entries"].as_array().into_iter().flatten();
        let explicit = entries.chain([input, &input["Attributes"]]).map(longest).max();
        let explicit = explicit.unwrap_or_default();
        let mut ends = self.ends();
        if input["Attributes"].is_object() {
            ends.longest = ends.longest.max(explicit);
        }
        let end = Instant::now() + explicit.max(ends.longest).max(DEDUPLICATION);
        ends.last = ends.last.max(Some(end));
    }

    fn ends(&self) -> MutexGuard<'_, Ends> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The longest duration in a call's input, an entry of it, or a queue's attributes.
fn longest(input: &Value) -> Duration {
    let names =
        ["DelaySeconds", "ReceiveMessageWaitTimeSeconds", "VisibilityTimeout", "WaitTimeSeconds"];
    let seconds = names.into_iter().filter_map(|name| match &input[name] {
        Value::String(text) => text.parse().ok(),
        number => number.as_u64(),
    });
    Duration::from_secs(seconds.max().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    async fn now(time: &Time) -> Instant {
        time.run(async { Instant::now() }).await
    }

    async fn note(time: &Time, input: Value) {
        let pending = time.pending();
        time.run(async move { pending.note(&input) }).await;
    }

    #[tokio::test]
    async fn time_passes_no_further_than_the_last_pending_end() {
        let time = Time::start().unwrap();
        let begun = now(&time).await;
        time.pass(Duration::from_hours(24)).await;
        assert!(now(&time).await - begun < Duration::from_secs(5), "nothing is pending");

        note(&time, json!({ "QueueName": "q", "Attributes": { "VisibilityTimeout": "900" } }))
            .await;
        time.pass(Duration::from_mins(10)).await;
        let passed = now(&time).await - begun;
        assert!((600..605).contains(&passed.as_secs()), "{passed:?}");
        time.pass(Duration::from_hours(24)).await;
        let passed = now(&time).await - begun;
        assert!((900..905).contains(&passed.as_secs()), "{passed:?}");

        note(&time, json!({ "Entries": [{ "Id": "0", "VisibilityTimeout": 43_200 }] })).await;
        time.pass(Duration::from_hours(24)).await;
        let passed = now(&time).await - begun;
        assert!((44_100..44_105).contains(&passed.as_secs()), "{passed:?}");
    }

    #[tokio::test]
    async fn a_sleep_ends_early_when_time_passes() {
        let time = Time::start().unwrap();
        note(&time, json!({ "DelaySeconds": 600 })).await;
        let begun = std::time::Instant::now();
        let sleep = time.run(async { tokio::time::sleep(Duration::from_mins(10)).await });
        let ((), ()) = tokio::join!(sleep, async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            time.pass(Duration::from_mins(10)).await;
        });
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn work_ends_when_its_caller_stops_waiting() {
        let time = Time::start().unwrap();
        let (held, dropped) = oneshot::channel::<()>();
        let work = time.run(async move {
            let _held = held;
            std::future::pending::<()>().await;
        });
        tokio::time::timeout(Duration::from_millis(20), work).await.unwrap_err();
        let dropped = tokio::time::timeout(Duration::from_secs(5), dropped).await;
        dropped.expect("the work is dropped").unwrap_err();
    }
}
