//! The figures of a run: throughput, conflicts, throttled calls and latencies.

use std::fmt;

use simulation::Millis;
use simulation::world::{BEGINNING, Event, Happened};

use super::load::Load;

/// An operation that is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Done {
    /// When it was done.
    pub(super) at: Millis,
    /// The time from its beginning.
    pub(super) took: Millis,
}

/// The measurements of a hot spot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    name: &'static str,
    offered: u64,
    /// The operations that were done in a second, without the first second.
    pub(super) per_second: u64,
    done: usize,
    calls: usize,
    conflicts: usize,
    throttled: usize,
    /// The time of half of the operations, of 99 of 100, and of all, in milliseconds.
    latencies_ms: [u64; 3],
}

impl Figures {
    /// The figures of a run with these events.
    pub(super) fn of(name: &'static str, load: Load, events: &[Event], done: &[Done]) -> Self {
        let (from, to) = (Millis::seconds(1), Millis::seconds(load.seconds));
        let is_measured = |done: &&Done| (from..to).contains(&done.at.since(BEGINNING));
        let measured = u64::try_from(done.iter().filter(is_measured).count()).unwrap_or(u64::MAX);
        let refused = |reason: &'static str| {
            let is_refused = move |event: &&Event| match &event.what {
                Happened::Performed { status, body, .. } => *status != 200 && body.contains(reason),
                _ => false,
            };
            events.iter().filter(is_refused).count()
        };
        let calls = events.iter().filter(|event| matches!(event.what, Happened::Performed { .. }));
        Self {
            name,
            offered: load.per_second,
            per_second: measured / load.seconds.saturating_sub(1).max(1),
            done: done.len(),
            calls: calls.count(),
            conflicts: refused("TransactionConflict"),
            throttled: refused("Throttling"),
            latencies_ms: latencies(done),
        }
    }
}

/// The times in milliseconds at 50 %, 99 % and 100 %.
fn latencies(done: &[Done]) -> [u64; 3] {
    let mut times: Vec<u64> = done.iter().map(|done| done.took.0).collect();
    times.sort_unstable();
    let last = times.len().saturating_sub(1);
    [50, 99, 100].map(|percent| times.get(last * percent / 100).copied().unwrap_or_default())
}

/// One line: `approvals: 2000 a second offered, 1998 done; 6000 done, 12 conflicts, …`.
impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, offered, per_second, done, calls, conflicts, throttled, .. } = self;
        let [half, most, longest] = self.latencies_ms;
        write!(
            f,
            "{name}: {offered} a second offered, {per_second} done; in all {done} done by {calls} \
             calls, {conflicts} conflicts, {throttled} throttled; p50 {half} ms, p99 {most} ms, \
             longest {longest} ms"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(at_ms: u64, took_ms: u64) -> Done {
        Done { at: BEGINNING + Millis(at_ms), took: Millis(took_ms) }
    }

    #[test]
    fn the_first_second_and_the_backlog_after_the_last_do_not_count() {
        let load = Load { per_second: 1, seconds: 3, seed: 1 };
        let all = [999, 1_000, 1_500, 2_000, 2_999, 3_000].map(|at| done(at, at / 10));
        let figures = Figures::of("orders", load, &[], &all);
        assert_eq!((figures.per_second, figures.done), (2, 6));
        assert_eq!(figures.latencies_ms, [150, 299, 300]);
        assert_eq!(Figures::of("orders", load, &[], &[]).latencies_ms, [0; 3]);
    }

    #[test]
    fn conflicts_and_throttled_calls_are_counted() {
        let performed = |status, body: &str| Event {
            number: 0,
            at: BEGINNING,
            what: Happened::Performed { call: 1, status, body: body.to_owned() },
        };
        let events = [
            performed(400, "[None, TransactionConflict]"),
            performed(400, "ThrottlingException"),
            performed(200, "TransactionConflict in a text"),
            performed(400, "ConditionalCheckFailed"),
        ];
        let load = Load { per_second: 1, seconds: 2, seed: 1 };
        let figures = Figures::of("orders", load, &events, &[]);
        assert_eq!((figures.calls, figures.conflicts, figures.throttled), (4, 1, 1));
    }
}
