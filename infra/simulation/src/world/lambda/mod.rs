//! Lambda: environments that start, freeze, thaw, are reused or not, and die at any await point.

mod environment;
mod function;
mod hosted;
mod mortal;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sam_template::batches::PAYLOAD_BYTES_MAX;
use serde_json::Value as Json;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use self::environment::Environment;
pub(super) use self::function::Settings;
use self::function::{Function, Place};
use self::hosted::{Ended, Hosted, Invocation};
use self::mortal::Mortal;
use super::faults::Fault;
use super::ids;
use super::network::{Hosts, Wire};
use super::state::{World, lock};
use super::trace::{Cause, Happened};
use super::version::Version;
use crate::Millis;
use crate::random::{Chance, Random, Seeded};

/// The time limit of the init phase.
const INIT_MAX: Duration = Duration::from_secs(10);
/// An idle environment is kept at least this long, and at most twice as long.
const IDLE_MIN: Millis = Millis::seconds(5 * 60);
/// The share of deaths that are drawn among more await points, and how many times as many.
const LATE_DEATH: Chance = Chance::percent(25);
const LATE_DEATH_FACTOR: u32 = 16;
/// The reason of a refused invocation when the concurrency is used up.
pub(crate) const THROTTLED: &str = "the function is throttled";

/// The reason of a refused invocation whose event is too large.
pub(crate) const TOO_LARGE: &str = "the event is too large";
/// The reason of [`Happened::Failed`] if an invocation reaches the time-out of its function.
pub const TIMED_OUT: &str = "Task timed out";

/// All functions.
pub(super) struct Lambda {
    world: Arc<World>,
    hosts: Arc<Hosts>,
    functions: BTreeMap<String, Arc<Function>>,
}

/// The reason why an invocation has no payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum InvokeError {
    /// The concurrency is used up.
    Throttled,
    /// The event is too large.
    TooLarge,
    /// The function failed: the message of its error.
    Failed(String),
}

impl std::fmt::Display for InvokeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Throttled => f.write_str(THROTTLED),
            Self::TooLarge => f.write_str(TOO_LARGE),
            Self::Failed(message) => f.write_str(message),
        }
    }
}

impl Lambda {
    pub(super) fn new(
        world: &Arc<World>,
        hosts: Hosts,
        functions: Vec<(Settings, Vec<Version>)>,
    ) -> Self {
        let function = |(settings, versions): (Settings, Vec<Version>)| {
            let id = settings.logical_id.clone();
            let random = world.streams.of(&format!("function {id}"));
            (id, Arc::new(Function::new(settings, versions, random)))
        };
        Self {
            world: Arc::clone(world),
            hosts: Arc::new(hosts),
            functions: functions.into_iter().map(function).collect(),
        }
    }

    /// Invokes a function and waits for its payload. If the future is dropped, the invocation goes
    /// on.
    ///
    /// # Errors
    /// If there is no payload.
    pub(super) async fn invoke(
        self: &Arc<Self>,
        function: &str,
        event: &Json,
        cause: Cause,
    ) -> Result<Json, InvokeError> {
        let refused = |error: InvokeError| {
            let (function, cause, reason) = (function.to_owned(), cause.clone(), error.to_string());
            self.world.record(Happened::Refused { function, cause, reason });
            Err(error)
        };
        let event = Bytes::from(event.to_string());
        if event.len() > PAYLOAD_BYTES_MAX {
            return refused(InvokeError::TooLarge);
        }
        let Some(known) = self.functions.get(function) else {
            return refused(InvokeError::Failed(format!("there is no function {function}")));
        };
        let throttled = Fault::ThrottledInvocation;
        let is_throttled = self.world.draws(throttled, function, &mut *lock(&known.random));
        let Some(place) = known.place().filter(|_| !is_throttled) else {
            return refused(InvokeError::Throttled);
        };
        let (sender, receiver) = oneshot::channel();
        let (lambda, known) = (Arc::clone(self), Arc::clone(known));
        tokio::spawn(async move {
            let _busy = lambda.world.busy();
            lambda.run(&known, place, event, cause, sender).await;
        });
        let gone = Err(InvokeError::Failed("Runtime.ExitError".to_owned()));
        receiver.await.unwrap_or(gone)
    }

    /// Deploys a version of a function.
    pub(super) fn deploy(&self, function: &str, version: usize) {
        let known = self.functions.get(function);
        let function = known.unwrap_or_else(|| panic!("there is no function {function}"));
        for environment in function.deploy(version) {
            environment.end(&self.world, "another version is deployed");
        }
    }

    async fn run(
        &self,
        function: &Arc<Function>,
        place: Place,
        event: Bytes,
        cause: Cause,
        answered: oneshot::Sender<Result<Json, InvokeError>>,
    ) {
        let answer = |result| {
            // The caller may have given up.
            let _ = answered.send(result);
        };
        let mut environment = match self.environment(function).await {
            Ok(environment) => environment,
            Err(reason) => {
                let function = function.settings.logical_id.clone();
                let refused = Happened::Refused { function, cause, reason: reason.clone() };
                self.world.record(refused);
                return answer(Err(InvokeError::Failed(reason)));
            }
        };
        let purpose = format!("invocation {} {}", environment.name, environment.invocations);
        let mut random = self.world.streams.of(&purpose);
        environment.invocations += 1;
        let id = ids::uuid(&mut random);
        self.world.record(Happened::Invoked {
            invocation: id.clone(),
            environment: environment.name.clone(),
            function: function.settings.logical_id.clone(),
            cause,
        });
        environment.wire.set_invocation(Some(&id));
        let ends = Instant::now() + function.settings.timeout.as_duration();
        let invocation = Invocation {
            id: id.clone(),
            event,
            deadline: ends,
            x_ray: Some(ids::trace_root(self.world.now(), &mut random)),
            cold_start: environment.invocations == 1,
        };
        let (death, reason) = self.death(&environment.name, &mut random);
        let work = Mortal::new(environment.hosted.invoke(invocation), death);
        let ended = timeout_at(ends, work).await;
        let reason = match ended {
            Ok(Ok(Ended { answer: returned, deferred })) => {
                self.world.record(match &returned {
                    Ok(payload) => {
                        Happened::Returned { invocation: id.clone(), payload: payload.clone() }
                    }
                    Err(reason) => {
                        Happened::Failed { invocation: id.clone(), reason: reason.clone() }
                    }
                });
                answer(returned.map_err(InvokeError::Failed));
                let after = Fault::DeathAfterResponse;
                let dies = self.world.draws(after, &environment.name, &mut random);
                let Some(deferred) = deferred else {
                    drop(place);
                    return if dies {
                        environment.end(&self.world, "it died after the response");
                    } else {
                        self.rest(function, environment);
                    };
                };
                let polls = dies.then(|| self.polls(&mut random));
                let done = timeout_at(ends, Mortal::new(deferred, polls)).await;
                let is_done = matches!(done, Ok(Ok(())));
                self.world.record(Happened::Deferred { invocation: id, is_done });
                drop(place);
                return match done {
                    Ok(Ok(())) => self.rest(function, environment),
                    Ok(Err(_)) => environment.end(&self.world, "it died after the response"),
                    Err(_) => environment.end(&self.world, "its deferred work took too long"),
                };
            }
            Ok(Err(_)) => reason,
            Err(_) => TIMED_OUT,
        };
        let failed = Happened::Failed { invocation: id, reason: reason.to_owned() };
        self.world.record(failed);
        environment.end(&self.world, reason);
        drop(place);
        answer(Err(InvokeError::Failed(reason.to_owned())));
    }

    /// The number of polls after which an invocation dies, and the error of its death.
    fn death(&self, environment: &str, random: &mut Seeded) -> (Option<u32>, &'static str) {
        for (fault, reason) in
            [(Fault::Death, "Runtime.ExitError"), (Fault::OutOfMemory, "Runtime.OutOfMemory")]
        {
            if self.world.draws(fault, environment, random) {
                return (Some(self.polls(random)), reason);
            }
        }
        (None, "Runtime.ExitError")
    }

    fn polls(&self, random: &mut Seeded) -> u32 {
        polls(lock(&self.world.mix).death_polls_max, random)
    }

    /// An idle environment, or a new one.
    async fn environment(&self, function: &Arc<Function>) -> Result<Environment, String> {
        let id = &function.settings.logical_id;
        for old in function.take_old(self.world.now()) {
            old.end(&self.world, "it was idle");
        }
        let is_cold = self.world.draws(Fault::ColdStart, id, &mut *lock(&function.random));
        let idle = if is_cold { None } else { function.take_idle() };
        match idle {
            Some(environment) => Ok(environment),
            None => self.start(function).await,
        }
    }

    async fn start(&self, function: &Arc<Function>) -> Result<Environment, String> {
        let (name, version, deployment) = function.next();
        let mut random = self.world.streams.of(&format!("start {name}"));
        let (delay_max, skew_max) = {
            let mix = lock(&self.world.mix);
            (mix.cold_start_max, mix.clock_skew_max)
        };
        sleep(random.up_to(delay_max).as_duration()).await;
        let skew = random.up_to(skew_max);
        if self.world.draws(Fault::FailingStart, &name, &mut random) {
            return Err("Runtime.ExitError".to_owned());
        }
        let code = function.versions.get(version).ok_or("the function has no code")?;
        let function_id = &function.settings.logical_id;
        let wire = Arc::new(Wire::new(&self.world, &self.hosts, function_id, &name));
        let variables = Arc::clone(&function.settings.variables);
        let hosted = Hosted::start(&self.world, &wire, &name, skew, variables, &*code.main).await?;
        let started = Happened::EnvironmentStarted {
            environment: name.clone(),
            function: function_id.clone(),
            version,
        };
        self.world.record(started);
        // On AWS an init phase that takes too long begins again with the first invocation.
        let _ = timeout(INIT_MAX, hosted.initialise()).await;
        let idle_max = IDLE_MIN + random.up_to(IDLE_MIN);
        let (invocations, idle_since) = (0, self.world.now());
        Ok(Environment { name, hosted, wire, deployment, invocations, idle_since, idle_max })
    }

    /// Freezes an environment until its next invocation.
    fn rest(&self, function: &Function, mut environment: Environment) {
        environment.wire.set_invocation(None);
        environment.idle_since = self.world.now();
        if let Some(replaced) = function.give_back(environment) {
            replaced.end(&self.world, "another version is deployed");
        }
    }
}

/// The poll at which an invocation dies. Some draws reach late await points, such as those of the last
/// records of a batch.
fn polls(mut max: u32, random: &mut Seeded) -> u32 {
    if random.happens(LATE_DEATH) {
        max = max.saturating_mul(LATE_DEATH_FACTOR);
    }
    u32::try_from(random.below(u64::from(max))).unwrap_or_default() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_deaths_are_early_and_some_are_late() {
        let mut random = Seeded::new(1);
        let drawn: Vec<u32> = (0..1_000).map(|_| polls(40, &mut random)).collect();
        let early = drawn.iter().filter(|poll| **poll <= 40).count();
        assert!((700..850).contains(&early), "{early}");
        assert!(drawn.iter().any(|poll| *poll > 400) && drawn.iter().all(|poll| *poll <= 640));
    }
}
