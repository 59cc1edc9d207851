//! The faults of a run, and how often each happens.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::Millis;
use crate::random::Chance;
use crate::services::Freedom;

/// A kind of fault that the world can draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// A request of a function does not reach the service.
    LostRequest,
    /// A service performs the request, and its response is lost.
    LostResponse,
    /// A service refuses a request since there are too many.
    ThrottledCall,
    /// A service answers with an internal error. It may have performed the request: half of them have.
    ServiceError,
    /// A request or a response takes up to [`FaultMix::slow_max`].
    SlowCall,
    /// A table or a queue refuses all requests of functions, or does not answer them, for up to
    /// [`FaultMix::outage_max`]. For other services it is an operation.
    Outage,
    /// An upstream answers with an error. Half of the requests with a 5xx are performed nevertheless.
    FailingUpstream,
    /// An upstream answers with a body that it does not document.
    WrongUpstream,
    /// An upstream takes up to [`FaultMix::slow_max`].
    SlowUpstream,
    /// An execution environment dies at an await point of an invocation.
    Death,
    /// An execution environment runs out of memory at an await point of an invocation.
    OutOfMemory,
    /// An execution environment dies after its response: in the deferred work, if there is some.
    DeathAfterResponse,
    /// An execution environment cannot start.
    FailingStart,
    /// A new execution environment starts although one is idle.
    ColdStart,
    /// An invocation is throttled although the concurrency is not used up.
    ThrottledInvocation,
    /// A client's request does not reach the API.
    LostClientRequest,
    /// The API's response does not reach the client.
    LostClientResponse,
    /// A batch of messages or records is delivered twice.
    DuplicateBatch,
    /// A batch of messages is deleted late or not at all.
    LostDelete,
    /// A schedule invokes twice.
    DuplicateSchedule,
    /// A schedule invokes late.
    LateSchedule,
}

impl Fault {
    /// All kinds.
    pub const ALL: [Self; 21] = [
        Self::LostRequest,
        Self::LostResponse,
        Self::ThrottledCall,
        Self::ServiceError,
        Self::SlowCall,
        Self::Outage,
        Self::FailingUpstream,
        Self::WrongUpstream,
        Self::SlowUpstream,
        Self::Death,
        Self::OutOfMemory,
        Self::DeathAfterResponse,
        Self::FailingStart,
        Self::ColdStart,
        Self::ThrottledInvocation,
        Self::LostClientRequest,
        Self::LostClientResponse,
        Self::DuplicateBatch,
        Self::LostDelete,
        Self::DuplicateSchedule,
        Self::LateSchedule,
    ];
}

/// Formats the name in words: `lost request`.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, letter) in format!("{self:?}").chars().enumerate() {
            if index > 0 && letter.is_ascii_uppercase() {
                f.write_str(" ")?;
            }
            write!(f, "{}", letter.to_ascii_lowercase())?;
        }
        Ok(())
    }
}

/// How often each fault happens, and how far delays go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultMix {
    chances: BTreeMap<Fault, Chance>,
    /// The longest usual time of a request or of a response between a function and a service.
    pub latency_max: Millis,
    /// The longest time of a slow one.
    pub slow_max: Millis,
    /// The longest outage.
    pub outage_max: Millis,
    /// The longest time of a cold start.
    pub cold_start_max: Millis,
    /// The number of polls of an invocation among which the one at which it dies is drawn. For a quarter
    /// of the deaths it is 16 times as many.
    pub death_polls_max: u32,
    /// The most by which the clock of an environment is ahead of the world's.
    pub clock_skew_max: Millis,
    /// The longest delay of a late schedule.
    pub schedule_delay_max: Millis,
    /// How far the services use the freedom of AWS's documents.
    pub freedom: Freedom,
}

impl FaultMix {
    /// No fault, and no freedom of the services.
    pub const fn none() -> Self {
        Self {
            chances: BTreeMap::new(),
            latency_max: Millis(5),
            slow_max: Millis(0),
            outage_max: Millis(0),
            cold_start_max: Millis(0),
            death_polls_max: 0,
            clock_skew_max: Millis(0),
            schedule_delay_max: Millis(0),
            freedom: Freedom::none(),
        }
    }

    /// Every fault, each more often than in a bad week on AWS.
    pub fn full() -> Self {
        use Fault as F;
        let chances = [
            (F::LostRequest, 4_000),
            (F::LostResponse, 4_000),
            (F::ThrottledCall, 10_000),
            (F::ServiceError, 5_000),
            (F::SlowCall, 10_000),
            (F::Outage, 1_000),
            (F::FailingUpstream, 60_000),
            (F::WrongUpstream, 20_000),
            (F::SlowUpstream, 40_000),
            (F::Death, 20_000),
            (F::OutOfMemory, 5_000),
            (F::DeathAfterResponse, 20_000),
            (F::FailingStart, 5_000),
            (F::ColdStart, 50_000),
            (F::ThrottledInvocation, 10_000),
            (F::LostClientRequest, 5_000),
            (F::LostClientResponse, 20_000),
            (F::DuplicateBatch, 30_000),
            (F::LostDelete, 20_000),
            (F::DuplicateSchedule, 50_000),
            (F::LateSchedule, 100_000),
        ];
        let chances = chances.map(|(fault, chance)| (fault, Chance::per_million(chance)));
        Self {
            chances: BTreeMap::from(chances),
            latency_max: Millis(20),
            slow_max: Millis::seconds(20),
            outage_max: Millis::seconds(90),
            cold_start_max: Millis(600),
            death_polls_max: 40,
            clock_skew_max: Millis(500),
            schedule_delay_max: Millis::seconds(90),
            freedom: Freedom::usual(),
        }
    }

    /// Only this fault of [`FaultMix::full`], with its delays, at this chance.
    pub fn only(fault: Fault, chance: Chance) -> Self {
        let freedom = Freedom::none();
        let clock_skew_max = Millis(0);
        let chances = BTreeMap::from([(fault, chance)]);
        Self { chances, clock_skew_max, freedom, ..Self::full() }
    }

    /// The mix with another chance of a fault.
    #[must_use]
    pub fn with(mut self, fault: Fault, chance: Chance) -> Self {
        self.chances.insert(fault, chance);
        self
    }

    /// The mix without a fault.
    #[must_use]
    pub fn without(mut self, fault: Fault) -> Self {
        self.chances.remove(&fault);
        self
    }

    /// The mix without any fault, with the usual times of requests.
    pub(super) fn ended(&self) -> Self {
        Self { latency_max: self.latency_max, ..Self::none() }
    }

    /// How often a fault happens.
    pub fn chance(&self, fault: Fault) -> Chance {
        self.chances.get(&fault).copied().unwrap_or(Chance::NEVER)
    }

    /// The faults that can happen.
    pub fn faults(&self) -> impl Iterator<Item = Fault> {
        let possible = self.chances.iter().filter(|(_, chance)| **chance != Chance::NEVER);
        possible.map(|(fault, _)| *fault)
    }
}

impl Default for FaultMix {
    fn default() -> Self {
        Self::none()
    }
}

/// Formats the faults that can happen: `death, lost response`, or `no faults`.
impl fmt::Display for FaultMix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.faults().map(|fault| fault.to_string()).collect();
        match names.as_slice() {
            [] => f.write_str("no faults"),
            names => f.write_str(&names.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_full_mix_has_every_fault_and_a_fault_can_be_taken_out() {
        let full = FaultMix::full();
        assert_eq!(full.faults().collect::<Vec<_>>(), Fault::ALL);

        let fewer = full.without(Fault::Death);

        assert_eq!(fewer.chance(Fault::Death), Chance::NEVER);
        assert_eq!(fewer.faults().count(), Fault::ALL.len() - 1);
    }

    #[test]
    fn a_mix_names_its_faults_in_words() {
        assert_eq!(FaultMix::none().to_string(), "no faults");
        let mix = FaultMix::only(Fault::LostResponse, Chance::ALWAYS);
        assert_eq!(mix.to_string(), "lost response");
    }
}
