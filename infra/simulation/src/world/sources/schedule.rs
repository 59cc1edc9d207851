//! Schedules in `EventBridge`'s syntax: `rate(5 minutes)`, `cron(0 12 ? * MON-FRI *)`.

use std::sync::Arc;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
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

/// The times at which a run is due.
#[derive(Debug)]
pub(super) enum Schedule {
    /// At this interval; the first run is one interval after the start.
    Rate(Millis),
    /// Whenever the pattern matches, in UTC.
    Cron(Box<Cron>),
    /// Once.
    At(Millis),
}

impl Schedule {
    /// # Errors
    /// The reason why the expression is no schedule.
    pub(super) fn parse(expression: &str) -> Result<Self, String> {
        let inner =
            |kind: &str| expression.strip_prefix(kind)?.strip_prefix('(')?.strip_suffix(')');
        let read = match (inner("rate"), inner("cron"), inner("at")) {
            (Some(rate), ..) => rate_of(rate),
            (_, Some(cron), _) => cron_of(cron),
            (.., Some(at)) => at_of(at),
            _ => Err("expected rate(…), cron(…) or at(…)".to_owned()),
        };
        read.map_err(|reason| format!("`{expression}` is not a schedule: {reason}"))
    }

    /// The time of the next run after this time; `None` if there is none.
    pub(super) fn next(&self, now: Millis) -> Option<Millis> {
        match self {
            Self::Rate(rate) => Some(now + *rate),
            Self::At(at) => Some(*at).filter(|at| *at > now),
            Self::Cron(cron) => {
                let now = Timestamp::from_millisecond(i64::try_from(now.0).ok()?).ok()?;
                let civil: DateTime = TimeZone::UTC.to_datetime(now);
                let next = cron.find_next_occurrence(&civil, false).ok()?;
                let next = TimeZone::UTC.to_timestamp(next).ok()?;
                Some(Millis(u64::try_from(next.as_millisecond()).ok()?))
            }
        }
    }
}

fn rate_of(rate: &str) -> Result<Schedule, String> {
    let (count, unit) = rate.split_once(' ').ok_or("expected a number and a unit")?;
    let count: u64 = count.parse().map_err(|_| format!("`{count}` is not a number"))?;
    let seconds = match (count, unit) {
        (0, _) => return Err("a rate is at least 1".to_owned()),
        (1, "minute") | (2.., "minutes") => 60,
        (1, "hour") | (2.., "hours") => 3_600,
        (1, "day") | (2.., "days") => 86_400,
        _ => return Err(format!("`{unit}` is not valid with {count}")),
    };
    Ok(Schedule::Rate(Millis::seconds(count.saturating_mul(seconds))))
}

fn cron_of(cron: &str) -> Result<Schedule, String> {
    if cron.split_whitespace().count() != 6 {
        return Err("expected minutes, hours, day of month, month, day of week and year".to_owned());
    }
    // As in Quartz, days of the week count from 1 for Sunday, and both day fields must match.
    let parser = CronParser::builder()
        .seconds(Seconds::Required)
        .year(Year::Required)
        .alternative_weekdays(true)
        .dom_and_dow(true)
        .sloppy_ranges(true)
        .build();
    let cron = parser.parse(&format!("0 {cron}")).map_err(|error| error.to_string())?;
    Ok(Schedule::Cron(Box::new(cron)))
}

fn at_of(at: &str) -> Result<Schedule, String> {
    let at: DateTime = at.parse().map_err(|_| format!("`{at}` is not a time"))?;
    let at = TimeZone::UTC.to_timestamp(at).map_err(|error| error.to_string())?;
    let at = u64::try_from(at.as_millisecond()).map_err(|error| error.to_string())?;
    Ok(Schedule::At(Millis(at)))
}

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
        while let Some(next) = scheduled.schedule.next(due) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(text: &str) -> Millis {
        let at: Timestamp = text.parse().unwrap();
        Millis(u64::try_from(at.as_millisecond()).unwrap())
    }

    #[test]
    fn a_schedule_is_due_at_the_time_that_eventbridge_computes() {
        for (expression, now, expected_s) in [
            ("rate(1 minute)", "2026-01-01T00:00:00Z", 60),
            ("cron(15 10 * * ? *)", "2026-01-01T10:00:00Z", 900),
            ("cron(0/15 * * * ? *)", "2026-01-01T10:01:00Z", 840),
            // The 1st of January 2026 is a Thursday, day 5 of the week.
            ("cron(0 0 ? * 6 *)", "2026-01-01T00:00:00Z", 86_400),
            ("cron(0 0 ? * MON-FRI *)", "2026-01-02T00:00:00Z", 3 * 86_400),
            ("at(2026-01-01T00:01:00)", "2026-01-01T00:00:00Z", 60),
        ] {
            let now = millis(now);
            let next = Schedule::parse(expression).unwrap().next(now);
            assert_eq!(next, Some(now + Millis::seconds(expected_s)), "{expression}");
        }
        let past = Schedule::parse("at(2026-01-01T00:01:00)").unwrap();
        assert_eq!(past.next(millis("2026-01-01T00:01:00Z")), None);
    }

    #[test]
    fn an_invalid_schedule_is_an_error_with_the_reason() {
        for (expression, reason) in [
            ("every minute", "expected rate(…)"),
            ("rate(1 minutes)", "`minutes` is not valid with 1"),
            ("cron(* * * * *)", "expected minutes, hours"),
        ] {
            let error = Schedule::parse(expression).unwrap_err();
            assert!(error.contains(reason), "{expression}: {error}");
        }
    }
}
