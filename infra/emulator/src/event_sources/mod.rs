//! Event sources: they invoke functions besides the API, like Lambda's event source mappings,
//! `EventBridge` and Secrets Manager.
//!
//! Each source is a separate task. A [`queue`] is polled and a [`stream`] is read in order. A
//! [`schedule`] runs by the clock; a [`rotation`] runs by the clock or on request. All deliver at
//! least once.

mod events;
mod mapping;
mod outcome;
mod permissions;
mod queue;
mod rotation;
mod runs;
mod schedule;
mod stream;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use sam_template::schedules::BadSchedule;
use sam_template::schedules::Schedule;
use sam_template::{EventSource, Template, Trigger};
use tokio::task::JoinSet;

use self::mapping::Mapping;
pub use self::mapping::{Invoke, Report};
use self::runs::Runs;
pub use self::runs::{LastRun, ScheduleReport};
use self::schedule::Scheduled;
pub use self::schedule::Schedules;
use crate::services::{StoreError, Stores};

/// The running event sources. They end when this is dropped.
#[derive(Default)]
pub struct Sources {
    schedules: Vec<Scheduled>,
    tasks: JoinSet<()>,
}

impl Sources {
    /// The schedules, for running them by hand.
    pub fn schedules(&self) -> Schedules {
        Schedules::new(self.schedules.clone())
    }
}

/// The reason why an event source cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The schedule expression is invalid.
    #[error("{function}: {reason}")]
    Schedule {
        /// The function it would invoke.
        function: String,
        /// The cause.
        reason: BadSchedule,
    },
    /// The function's policy does not allow an action that Lambda performs for the source.
    #[error("{function}: its policy does not allow {action} on {resource}")]
    NotAllowed {
        /// The function it would invoke.
        function: String,
        /// The action.
        action: &'static str,
        /// The resource's ARN.
        resource: String,
    },
    /// The stream or the queue cannot be read.
    #[error("{function}: {reason}")]
    Store {
        /// The function it would invoke.
        function: String,
        /// The cause.
        reason: StoreError,
    },
}

/// Starts all event sources of a template.
///
/// # Errors
/// If a source refers to a resource that does not exist or may not be read, or a schedule is
/// invalid.
pub fn start(
    template: &Template,
    stores: &Stores,
    functions: &Arc<dyn Invoke>,
    report: &Report,
) -> Result<Sources, SourceError> {
    let mut sources = Sources::default();
    for source in &template.event_sources {
        let mapping = Mapping {
            function: source.function.clone(),
            name: format!("{}.{}", source.function, source.name),
            stores: stores.clone(),
            functions: Arc::clone(functions),
            report: Arc::clone(report),
        };
        start_one(source, mapping, template, &mut sources)?;
    }
    Ok(sources)
}

fn start_one(
    source: &EventSource,
    mapping: Mapping,
    template: &Template,
    sources: &mut Sources,
) -> Result<(), SourceError> {
    let function = source.function.clone();
    for (action, resource) in permissions::needed(source, mapping.stores.names()) {
        if !mapping.stores.allow(&function, action, &resource) {
            return Err(SourceError::NotAllowed { function, action, resource });
        }
    }
    match &source.trigger {
        Trigger::Queue(trigger) => {
            let queue = template.queues.get(&trigger.queue);
            let queue = queue.expect("a template's trigger names one of its queues");
            sources.tasks.spawn(queue::poll(mapping, trigger.clone(), queue.clone()));
        }
        Trigger::Stream(trigger) => {
            let lanes = stream::lanes(&mapping, trigger);
            let lanes = lanes.map_err(|reason| SourceError::Store { function, reason })?;
            for lane in lanes {
                sources.tasks.spawn(stream::read(lane));
            }
        }
        Trigger::Schedule(trigger) => {
            let schedule = read_schedule(&trigger.expression, function)?;
            let (service, input) = (trigger.service, trigger.input.clone());
            let (expression, runs) = (trigger.expression.clone(), Runs::default());
            let scheduled = Scheduled { mapping, expression, runs, service, input };
            sources.schedules.push(scheduled.clone());
            sources.tasks.spawn(schedule::keep(scheduled, schedule));
        }
        Trigger::Rotation(trigger) => {
            let schedule = read_schedule(&trigger.expression, function)?;
            sources.tasks.spawn(rotation::keep(mapping, trigger.secret.clone(), schedule));
        }
    }
    Ok(())
}

fn read_schedule(expression: &str, function: String) -> Result<Schedule, SourceError> {
    Schedule::parse(expression).map_err(|reason| SourceError::Schedule { function, reason })
}
