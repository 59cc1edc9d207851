//! The circuit breaker, shared by all instances.

#[cfg(test)]
mod tests;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lifecycle::clock::now;
use lifecycle::effects::Write;
use lifecycle::ports::CommitError;
use lifecycle::record::Record;
use lifecycle::telemetry::observe_error;
use lifecycle::{Permit, ServiceError, Timestamp, Upstream};
use tokio::time::{Instant, timeout};

use super::circuit::{Admission, Circuit, Event};
use crate::errors::unavailable;
use crate::{Aws, Table};

/// How long an instance uses the state that it has read, in seconds.
const HELD_S: i64 = 5;
/// Limit for a call of the table. The table only spares failing calls, which is not worth a longer
/// wait.
const PATIENCE: Duration = Duration::from_millis(500);
/// Attempts to change the circuit. Only a change by another instance requires another attempt.
/// After five failures the circuit is open, and nothing is left to change.
const ATTEMPTS_MAX: u32 = 8;
/// The error type of an opened circuit; an alarm reads it.
const CIRCUIT_OPENED: &str = "CIRCUIT_OPENED";
/// The error type of a circuit whose state cannot be read or changed; an alarm reads it.
const CIRCUIT_UNKNOWN: &str = "CIRCUIT_UNKNOWN";

/// Stops requests to an upstream that fails.
///
/// Five failures in 30 s, counted across all instances, open the circuit for 30 s. Then it is
/// half-open: one request at a time, across all instances, is a probe. Three successful probes in a
/// row close it.
///
/// The state is one item of a table, changed by conditional writes. So no failure is lost, and two
/// requests are never probes at once. While requests succeed nothing is written, and the item is
/// read every five seconds. So an instance may learn late that others opened the circuit. But its
/// next failure shows it: after the opening, each instance lets at most one request (of those it
/// serves at a time) fail. When the table fails, requests pass.
pub struct Breaker {
    table: Table<Circuit>,
    upstream: Upstream,
    held: Mutex<Option<Held>>,
}

/// The circuit as it was read, and when.
#[derive(Clone)]
struct Held {
    circuit: Circuit,
    since: Timestamp,
}

/// What a call shows about its upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// The upstream works, even if its response is an error for the client.
    Up,
    /// The upstream failed. This counts against it.
    Down,
    /// Unknown: the call failed by our own fault. A probe is given back.
    Unknown,
}

/// The result of an admitted call.
#[derive(Debug)]
pub struct Guarded<T> {
    /// The value of the call.
    pub value: T,
    /// How long it took.
    pub took: Duration,
    /// Whether its failure opened the circuit.
    pub opened: bool,
}

/// The error while the circuit stops requests.
#[derive(Debug, thiserror::Error)]
#[error("the circuit breaker stops requests to {}: it has failed too often", .0.name())]
struct CutOff(Upstream);

/// The result of an attempt to change the circuit.
#[derive(Debug)]
enum Changed {
    /// This circuit is stored now, by our change.
    Stored(Circuit),
    /// This circuit is stored, and nothing had to change.
    Kept(Circuit),
    /// The table failed.
    Unknown,
}

impl Aws {
    /// The circuit breaker of an upstream, stored in the table [`CIRCUITS`](super::CIRCUITS).
    ///
    /// # Panics
    ///
    /// As [`Aws::table`].
    pub fn breaker(&self, upstream: Upstream) -> Breaker {
        Breaker { table: self.table(), upstream, held: Mutex::default() }
    }
}

impl Breaker {
    /// Calls the upstream unless the circuit stops requests, and records the upstream's health.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Unavailable`] while the circuit stops requests, with the seconds until a
    /// retry is worthwhile.
    pub async fn guard<C, T>(
        &self,
        permit: &Permit<C>,
        call: impl Future<Output = T>,
        health: impl FnOnce(&T) -> Health,
    ) -> Result<Guarded<T>, ServiceError> {
        // The id of a request is unique across the fleet.
        let id = permit.moment().id("probe").to_string();
        // Boxed: the futures of the circuit's table are large.
        let probe = Box::pin(self.admit(&id, now())).await?;
        let started = Instant::now();
        let value = call.await;
        let took = started.elapsed();
        let event = match health(&value) {
            Health::Up => Event::Succeeded,
            Health::Down => Event::Failed,
            Health::Unknown => Event::GaveUp,
        };
        let opened = Box::pin(self.tell(event, probe, now())).await;
        Ok(Guarded { value, took, opened })
    }

    /// Admits or rejects a request. Returns its id if it is the probe.
    async fn admit<'a>(
        &self,
        id: &'a str,
        now: Timestamp,
    ) -> Result<Option<&'a str>, ServiceError> {
        let known = self.known(now).await;
        let admission = match known.admission(now) {
            Admission::AsProbe => match self.change(known, |it| it.probed(id, now), now).await {
                Changed::Kept(circuit) => circuit.admission(now),
                // A write without an answer may have happened: only the probe's own result ends it.
                Changed::Stored(_) | Changed::Unknown => return Ok(Some(id)),
            },
            admission => admission,
        };
        match admission {
            Admission::NotBefore(then) => {
                let wait_ms = u32::try_from(then.as_millis() - now.as_millis()).unwrap_or(0);
                let retry_after_s = wait_ms.div_ceil(1000).max(1);
                let source = Box::new(CutOff(self.upstream));
                Err(ServiceError::Unavailable { retry_after_s, source })
            }
            Admission::Open | Admission::AsProbe => Ok(None),
        }
    }

    /// Records the result of a request. Returns whether it opened the circuit.
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
            observe_error(CIRCUIT_OPENED);
            tracing::error!(upstream = self.upstream.name(), "the circuit is open");
        }
        opened
    }

    /// The circuit as it was within the last seconds; closed if the table fails.
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

    /// Changes the stored circuit, even if `circuit` is outdated.
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

    /// Replaces `circuit` by `next`. Returns the stored one if another instance has changed it.
    async fn store(
        &self,
        circuit: &Circuit,
        next: &Circuit,
    ) -> Result<Option<Circuit>, ServiceError> {
        let write = match circuit.version {
            0 => Write::create(next),
            read => Write::replace(next, read),
        };
        match self.table.aws().write(write).await {
            Ok(()) => Ok(None),
            Err(CommitError::Conditions(failed)) => {
                let stored = failed.into_iter().find_map(|failed| failed.stored);
                let stored = stored.map(Circuit::of_item).transpose();
                let stored = stored.map_err(ServiceError::internal)?;
                Ok(Some(stored.unwrap_or_else(|| Circuit::of(self.upstream.name()))))
            }
            Err(CommitError::ServiceError(fault)) => Err(fault),
            Err(error) => Err(unavailable(format!("{error:?}"))),
        }
    }

    fn held(&self, now: Timestamp) -> Option<Circuit> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        // A state that was read later than now is from before the clock was set back.
        let held = held.as_ref().filter(|held| held.since <= now);
        let held = held.filter(|held| now < held.since.plus_seconds(HELD_S));
        held.map(|held| held.circuit.clone())
    }

    fn hold(&self, circuit: Circuit, since: Timestamp) {
        let held = Held { circuit, since };
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
    }

    fn warn(&self, fault: &ServiceError) {
        observe_error(CIRCUIT_UNKNOWN);
        let error: &dyn std::error::Error = fault;
        tracing::warn!(
            upstream = self.upstream.name(),
            error,
            "circuit breaker state unavailable; request not guarded"
        );
    }
}

/// Limits the time of a call of the table.
async fn within_patience<T>(
    answer: impl Future<Output = Result<T, ServiceError>>,
) -> Result<T, ServiceError> {
    let answer = timeout(PATIENCE, answer).await;
    answer.unwrap_or_else(|_| Err(unavailable("the table of circuits took too long")))
}
