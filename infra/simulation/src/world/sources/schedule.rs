//! Schedules, which invoke a function whenever they are due.

use std::sync::Arc;

use jiff::Timestamp;
use sam_template::schedules::Schedule;
use sam_template::{ScheduleService, ScheduleTrigger};
use serde_json::Value as Json;
use tokio::time::{sleep, sleep_until};

use super::events;
use super::mapping::Mapping;
use crate::Millis;
use crate::random::Random;
use crate::world::faults::Fault;
use crate::world::ids;
use crate::world::state::lock;
use crate::world::trace::{Cause, Happened};

/// A schedule of a function.
pub(super) struct Scheduled {
    pub(super) mapping: Mapping,
    pub(super) trigger: ScheduleTrigger,
    pub(super) schedule: Schedule,
}

impl Scheduled {
    /// Invokes the function when it is due, sometimes late or twice, until the task is dropped.
    pub(super) async fn keep(self) {
        let scheduled = Arc::new(self);
        let world = &scheduled.mapping.world;
        let mut due = world.now();
        while let Some(next) = next_run(&scheduled.schedule, due) {
            due = next;
            sleep_until(world.instant(due)).await;
            let schedule = scheduled.mapping.name.clone();
            world.record(Happened::Due { schedule });
            let event = scheduled.event(due);
            // The next run does not wait for this one. A repeated run has the same event.
            tokio::spawn(Arc::clone(&scheduled).run(event.clone()));
            if scheduled.mapping.draws(Fault::DuplicateSchedule) {
                tokio::spawn(Arc::clone(&scheduled).run(event));
            }
        }
    }

    fn event(&self, due: Millis) -> Json {
        let input = self.trigger.input.as_deref();
        let input = input.and_then(|input| serde_json::from_str(input).ok());
        input.unwrap_or_else(|| {
            let is_of_scheduler = self.trigger.service == ScheduleService::Scheduler;
            let id = self.mapping.draw(ids::uuid);
            events::of_schedule(is_of_scheduler, &self.mapping.name, &id, due)
        })
    }

    async fn run(self: Arc<Self>, event: Json) {
        let mapping = &self.mapping;
        if mapping.draws(Fault::LateSchedule) {
            let delay_max = lock(&mapping.world.mix).schedule_delay_max;
            sleep(mapping.draw(|random| random.up_to(delay_max)).as_duration()).await;
        }
        let _busy = mapping.world.busy();
        // A failed run is not repeated: the model of templates has no retries of schedules.
        let cause = Cause::Schedule(mapping.name.clone());
        if let Err(error) = mapping.invoke(&event, cause).await {
            mapping.record_failed(Vec::new(), &error.to_string());
        }
    }
}

/// The time of the next run after this time; `None` if there is none.
fn next_run(schedule: &Schedule, now: Millis) -> Option<Millis> {
    let at = Timestamp::from_millisecond(i64::try_from(now.0).ok()?).ok()?;
    schedule.wait(at).map(|wait| now + Millis::of(wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(text: &str) -> Millis {
        let at: Timestamp = text.parse().unwrap();
        Millis(u64::try_from(at.as_millisecond()).unwrap())
    }

    #[test]
    fn the_next_run_is_at_a_time_of_the_world() {
        let next = |expression: &str, now: &str| {
            next_run(&Schedule::parse(expression).unwrap(), millis(now))
        };
        for (expression, now, expected) in [
            ("rate(1 minute)", "2026-01-01T10:01:00.250Z", "2026-01-01T10:02:00.250Z"),
            ("cron(0/15 * * * ? *)", "2026-01-01T10:01:00.250Z", "2026-01-01T10:15:00Z"),
            ("at(2026-01-01T00:01:00)", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"),
        ] {
            assert_eq!(next(expression, now), Some(millis(expected)), "{expression}");
        }
        assert_eq!(next("at(2026-01-01T00:01:00)", "2026-01-01T00:01:00Z"), None);
    }
}
