//! The circuit breaker of the whole fleet.

#[cfg(test)]
mod tests;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lifecycle::effects::Write;
use lifecycle::platform::CommitError;
use lifecycle::record::Record;
use lifecycle::telemetry::observe_error;
use lifecycle::{Fault, Permit, Timestamp, Upstream};
use tokio::time::timeout;

use super::circuit::{Admission, Circuit, Event};
use super::now;
use crate::faults::unavailable;
use crate::{Aws, Table};

/// For how long an instance goes by what it has read.
const HELD_S: i64 = 5;
/// The store is there to spare us calls that fail; it is not worth waiting for.
const PATIENCE: Duration = Duration::from_millis(500);
/// A change is overtaken only by changes of others. Five failures open a circuit, and then there
/// is nothing left to change.
const ATTEMPTS_MAX: u32 = 8;

/// Keeps requests from an upstream that fails.
///
/// Five failures in 30 s, counted across all instances, cut it off for 30 s. Then one request at a
/// time may try, in the whole fleet; three in a row that succeed let everybody in again.
///
/// What the fleet knows is one item of a table, changed by conditional writes, so that no failure
/// is lost and no two requests are the probe. While all goes well nothing is written, and it is
/// read every five seconds. So an instance may learn late that others have opened the circuit; but
/// its own next failure tells it, and each instance lets no more than one request (of those it
/// serves at a time) fail after the opening. When the table fails, requests pass.
pub struct Breaker {
    table: Table<Circuit>,
    upstream: Upstream,
    held: Mutex<Option<Held>>,
}

/// What was read of the circuit, and when.
#[derive(Clone)]
struct Held {
    circuit: Circuit,
    since: Timestamp,
}

/// What a call says of its upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// The upstream answered as it should, whatever the answer means to the client.
    Up,
    /// The upstream was of no use: a failure that counts against it.
    Down,
    /// Nothing: the call failed by a fault of our own. A probe is given back.
    Unknown,
}

/// What came of a call that was let through.
#[derive(Debug)]
pub struct Guarded<T> {
    /// What the call gave.
    pub value: T,
    /// How long it took.
    pub took: Duration,
    /// Whether it was the failure that opened the circuit.
    pub opened: bool,
}

/// Why an upstream is not asked.
#[derive(Debug, thiserror::Error)]
#[error("{} is cut off: it has failed too often", .0.name())]
struct CutOff(Upstream);

/// How an attempt to change the circuit ended.
#[derive(Debug)]
enum Changed {
    /// It is this now, by our doing.
    Stored(Circuit),
    /// It is this, and there was nothing to change.
    Kept(Circuit),
    /// The table does not answer.
    Unknown,
}

impl Aws {
    /// The circuit breaker of an upstream, kept in the table [`CIRCUITS`](super::CIRCUITS).
    ///
    /// # Panics
    ///
    /// As [`Aws::table`].
    pub fn breaker(&self, upstream: Upstream) -> Breaker {
        Breaker { table: self.table(), upstream, held: Mutex::default() }
    }
}

impl Breaker {
    /// Makes a call of the upstream, unless it is cut off, and remembers what it says of the
    /// upstream's health.
    ///
    /// # Errors
    ///
    /// [`Fault::Unavailable`] while it is cut off, with the seconds until it is worth trying.
    pub async fn guard<C, T>(
        &self,
        permit: &Permit<C>,
        call: impl Future<Output = T>,
        health: impl FnOnce(&T) -> Health,
    ) -> Result<Guarded<T>, Fault> {
        // Every request of the fleet has ids of its own.
        let id = permit.moment().id("probe").to_string();
        let probe = self.admit(&id, now()).await?;
        let started = Instant::now();
        let value = call.await;
        let took = started.elapsed();
        let event = match health(&value) {
            Health::Up => Event::Succeeded,
            Health::Down => Event::Failed,
            Health::Unknown => Event::GaveUp,
        };
        let opened = self.tell(event, probe, now()).await;
        Ok(Guarded { value, took, opened })
    }

    /// Lets a request in, or not; gives its id if it is a probe.
    async fn admit<'a>(&self, id: &'a str, now: Timestamp) -> Result<Option<&'a str>, Fault> {
        let known = self.known(now).await;
        let admission = match known.admission(now) {
            Admission::AsProbe => match self.change(known, |it| it.probed(id, now), now).await {
                Changed::Stored(_) => return Ok(Some(id)),
                Changed::Kept(circuit) => circuit.admission(now),
                Changed::Unknown => Admission::Open,
            },
            admission => admission,
        };
        match admission {
            Admission::NotBefore(then) => {
                let wait_ms = u32::try_from(then.as_millis() - now.as_millis()).unwrap_or(0);
                let retry_after_s = wait_ms.div_ceil(1000).max(1);
                let source = Box::new(CutOff(self.upstream));
                Err(Fault::Unavailable { retry_after_s, source })
            }
            Admission::Open | Admission::AsProbe => Ok(None),
        }
    }

    /// Remembers what came of a request; gives whether that opened the circuit.
    async fn tell(&self, event: Event, probe: Option<&str>, now: Timestamp) -> bool {
        if event != Event::Failed && probe.is_none() {
            return false;
        }
        let known = self.known(now).await;
        let opened = match self.change(known, |it| it.after(event, probe, now), now).await {
            Changed::Stored(circuit) => circuit.is_open(),
            Changed::Kept(_) | Changed::Unknown => false,
        };
        if opened {
            observe_error("CIRCUIT_OPENED");
            tracing::error!(upstream = self.upstream.name(), "the circuit is open");
        }
        opened
    }

    /// The circuit as it was within the last seconds; closed if the table does not answer.
    async fn known(&self, now: Timestamp) -> Circuit {
        if let Some(held) = self.held(now) {
            return held;
        }
        let key = Circuit::key_of(self.upstream.name());
        let read = within_patience(self.table.load(&key, true)).await.unwrap_or_else(|fault| {
            self.warn(&fault);
            None
        });
        let circuit = read.unwrap_or_else(|| Circuit::of(self.upstream.name()));
        self.hold(circuit.clone(), now);
        circuit
    }

    /// Changes the circuit as it is now, however stale what is known of it.
    async fn change(
        &self,
        mut circuit: Circuit,
        step: impl Fn(&Circuit) -> Option<Circuit>,
        now: Timestamp,
    ) -> Changed {
        for _ in 0..ATTEMPTS_MAX {
            let Some(next) = step(&circuit) else {
                self.hold(circuit.clone(), now);
                return Changed::Kept(circuit);
            };
            match within_patience(self.store(&circuit, &next)).await {
                Ok(None) => {
                    self.hold(next.clone(), now);
                    return Changed::Stored(next);
                }
                Ok(Some(moved)) => circuit = moved,
                Err(fault) => {
                    self.warn(&fault);
                    break;
                }
            }
        }
        Changed::Unknown
    }

    /// Stores what follows on a circuit; gives what is stored instead if it has moved.
    async fn store(&self, circuit: &Circuit, next: &Circuit) -> Result<Option<Circuit>, Fault> {
        let write = match circuit.version {
            0 => Write::create(next),
            read => Write::replace(next, read),
        };
        match self.table.aws().write(write).await {
            Ok(()) => Ok(None),
            Err(CommitError::Conditions(failed)) => {
                let stored = failed.into_iter().find_map(|failed| failed.stored);
                let stored = stored.map(Circuit::of_item).transpose();
                let stored = stored.map_err(Fault::internal)?;
                Ok(Some(stored.unwrap_or_else(|| Circuit::of(self.upstream.name()))))
            }
            Err(CommitError::Fault(fault)) => Err(fault),
            Err(error) => Err(unavailable(format!("{error:?}"))),
        }
    }

    fn held(&self, now: Timestamp) -> Option<Circuit> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let held = held.as_ref().filter(|held| now < held.since.plus_seconds(HELD_S));
        held.map(|held| held.circuit.clone())
    }

    fn hold(&self, circuit: Circuit, since: Timestamp) {
        let held = Held { circuit, since };
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
    }

    fn warn(&self, fault: &Fault) {
        observe_error("CIRCUIT_UNKNOWN");
        let error: &dyn std::error::Error = fault;
        tracing::warn!(upstream = self.upstream.name(), error, "requests pass unguarded");
    }
}

/// What the table answers, unless that takes too long.
async fn within_patience<T>(answer: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let answer = timeout(PATIENCE, answer).await;
    answer.unwrap_or_else(|_| Err(unavailable("it takes too long")))
}
