//! The surroundings of simulated functions: time, randomness, log and background tasks. They are
//! set for futures, so that several simulations can run in one process.

mod tasks;

use std::future::Future;
use std::sync::{Arc, Weak};

use tracing::level_filters::LevelFilter;

pub(crate) use self::tasks::{Tasks, driven};
use crate::Timestamp;

/// The time, the randomness and the log of a simulation.
///
/// All randomness of a function comes from [`Surroundings::fill`]. With separate surroundings,
/// each execution environment has a stream of it that the others do not disturb.
pub trait Surroundings: Send + Sync {
    /// The time. [`clock::now`](crate::clock::now) returns it, so this must not call that.
    fn now(&self) -> Timestamp;

    /// Fills the bytes with random ones. The same calls must get the same bytes in a second run.
    fn fill(&self, bytes: &mut [u8]);

    /// Takes a line that a function would write to its log: a JSON object, without a line break.
    /// By default it is dropped. It never goes to standard output.
    fn log(&self, line: &str) {
        let _ = line;
    }
}

/// The execution environment that a future belongs to.
#[derive(Clone)]
pub(crate) struct Environment {
    /// The name of the function.
    pub(crate) function: Arc<str>,
    /// The level of its log.
    pub(crate) log_level: LevelFilter,
    /// Weak, because the tasks have this value too.
    pub(crate) tasks: Weak<Tasks>,
}

tokio::task_local! {
    static SURROUNDINGS: Arc<dyn Surroundings>;
    static ENVIRONMENT: Environment;
}

/// Runs a future in these surroundings: the library gets time and randomness from them, and writes
/// its log lines to them. The future's tasks have them too, if the library spawns them.
///
/// ```
/// use std::sync::Arc;
///
/// use lifecycle::testing::simulated::{Surroundings, within};
/// use lifecycle::{Timestamp, clock, random};
///
/// struct Fixed;
///
/// impl Surroundings for Fixed {
///     fn now(&self) -> Timestamp {
///         Timestamp::from_millis(1_800_000_000_000)
///     }
///
///     fn fill(&self, bytes: &mut [u8]) {
///         bytes.fill(7);
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let seen = within(Arc::new(Fixed), async { (clock::now(), random::uuid_v4()) }).await;
/// assert_eq!(seen.0.to_string(), "2027-01-15T08:00:00.000Z");
/// assert_eq!(seen.1.to_string(), "07070707-0707-4707-8707-070707070707");
/// # }
/// ```
pub fn within<F: Future>(
    surroundings: Arc<dyn Surroundings>,
    future: F,
) -> impl Future<Output = F::Output> {
    SURROUNDINGS.scope(surroundings, future)
}

/// Runs a function in an execution environment.
pub(crate) fn started_in<T>(environment: Environment, start: impl FnOnce() -> T) -> T {
    ENVIRONMENT.sync_scope(environment, start)
}

/// Runs a future in these surroundings and in this environment.
pub(crate) async fn all<F: Future>(
    surroundings: Option<Arc<dyn Surroundings>>,
    environment: Option<Environment>,
    future: F,
) -> F::Output {
    match (surroundings, environment) {
        (Some(surroundings), Some(environment)) => {
            SURROUNDINGS.scope(surroundings, ENVIRONMENT.scope(environment, future)).await
        }
        (Some(surroundings), None) => SURROUNDINGS.scope(surroundings, future).await,
        (None, Some(environment)) => ENVIRONMENT.scope(environment, future).await,
        (None, None) => future.await,
    }
}

/// The surroundings of the running future.
pub(crate) fn current() -> Option<Arc<dyn Surroundings>> {
    SURROUNDINGS.try_with(Arc::clone).ok()
}

/// The execution environment of the running future.
pub(crate) fn environment() -> Option<Environment> {
    ENVIRONMENT.try_with(Clone::clone).ok()
}

/// Whether the running future belongs to a simulation.
pub(crate) fn is_simulated() -> bool {
    SURROUNDINGS.try_with(|_| ()).is_ok() || ENVIRONMENT.try_with(|_| ()).is_ok()
}

/// The simulated time.
pub(crate) fn now() -> Option<Timestamp> {
    SURROUNDINGS.try_with(|surroundings| surroundings.now()).ok()
}

/// Fills the bytes in a simulation; otherwise returns false.
pub(crate) fn fill(bytes: &mut [u8]) -> bool {
    SURROUNDINGS.try_with(|surroundings| surroundings.fill(bytes)).is_ok()
}

/// Takes log lines in a simulation; otherwise returns false.
pub(crate) fn log(lines: &str) -> bool {
    let log = |surroundings: &Arc<dyn Surroundings>| {
        lines.lines().for_each(|line| surroundings.log(line));
    };
    SURROUNDINGS.try_with(log).is_ok()
}

/// The name of the simulated function that the running future belongs to.
pub(crate) fn function() -> Option<Arc<str>> {
    ENVIRONMENT.try_with(|environment| Arc::clone(&environment.function)).ok()
}

/// The log level of the simulated function that the running future belongs to. Surroundings without a
/// function have the default level. Outside of simulations there is no log.
pub(crate) fn log_level() -> LevelFilter {
    let other = if is_simulated() { LevelFilter::INFO } else { LevelFilter::OFF };
    ENVIRONMENT.try_with(|environment| environment.log_level).unwrap_or(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Frozen;

    impl Surroundings for Frozen {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(0)
        }

        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[tokio::test]
    async fn a_future_is_simulated_in_surroundings_or_in_an_environment() {
        for (has_surroundings, has_environment) in
            [(false, false), (false, true), (true, false), (true, true)]
        {
            let surroundings = has_surroundings.then(|| Arc::new(Frozen) as Arc<dyn Surroundings>);
            let environment = Environment {
                function: "get_note".into(),
                log_level: LevelFilter::WARN,
                tasks: Weak::default(),
            };
            let environment = has_environment.then_some(environment);
            let seen = async { (is_simulated(), now().is_some(), function(), log_level()) };
            let (simulated, has_time, function, level) = all(surroundings, environment, seen).await;
            assert_eq!(simulated, has_surroundings || has_environment);
            assert_eq!(has_time, has_surroundings);
            assert_eq!(function.as_deref(), has_environment.then_some("get_note"));
            let expected = match (has_surroundings, has_environment) {
                (_, true) => LevelFilter::WARN,
                (true, false) => LevelFilter::INFO,
                (false, false) => LevelFilter::OFF,
            };
            assert_eq!(level, expected);
        }
    }
}
