//! Schedules in `EventBridge`'s syntax: `rate(5 minutes)`, `cron(0 12 ? * MON-FRI *)`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::events;
use super::mapping::Mapping;
use super::runs::{Runs, ScheduleReport};
use crate::activity::Cause;
use crate::functions::InvokeError;
use sam_template::ScheduleService;

/// A day in seconds.
const DAY_S: u64 = 86_400;

/// The times at which a run is due.
#[derive(Debug)]
pub(super) enum Schedule {
    /// At this interval; the first run is one interval after the start.
    Rate(Duration),
    /// Whenever the cron pattern matches, in UTC.
    Cron(Box<Cron>),
    /// Once, at this time in UTC.
    At(Timestamp),
}

/// An invalid schedule expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{expression}` is not a schedule: {reason}")]
pub struct BadSchedule {
    expression: String,
    reason: String,
}

/// Invokes the function whenever the schedule is due, until the task is aborted.
pub(super) async fn keep(scheduled: Scheduled, schedule: Schedule) {
    let clock = scheduled.mapping.stores.clock().clone();
    loop {
        let reading = clock.read();
        let Some(wait) = schedule.wait(reading.now()) else { break };
        scheduled.runs.is_due_at(reading.now().checked_add(wait).ok());
        clock.sleep(reading, wait).await;
        // The next run must not wait for the end of this one.
        let scheduled = scheduled.clone();
        tokio::spawn(async move {
            if let Err(error) = scheduled.run().await {
                scheduled.mapping.say(&format!("a scheduled run failed: {error}"));
            }
        });
    }
    scheduled.runs.is_due_at(None);
}

/// A schedule's function and its event.
#[derive(Clone)]
pub(super) struct Scheduled {
    pub(super) mapping: Mapping,
    /// The schedule expression.
    pub(super) expression: String,
    pub(super) runs: Runs,
    pub(super) service: ScheduleService,
    /// The event's input, instead of the service's default.
    pub(super) input: Option<String>,
}

impl Scheduled {
    async fn run(&self) -> Result<Bytes, InvokeError> {
        let event = self.input.clone();
        let (name, now) = (self.mapping.name.as_str(), self.mapping.now());
        let event = event.unwrap_or_else(|| events::of_schedule(self.service, name, now));
        let run = self.runs.begin(now);
        let cause = Cause::Schedule(name.to_owned());
        let result = self.mapping.invoke(event, cause).await;
        run.end(self.mapping.now(), result.as_ref().err().map(ToString::to_string));
        result
    }
}

/// The schedules of a template, for showing them and running them by hand.
#[derive(Clone, Default)]
pub struct Schedules(Arc<Vec<Scheduled>>);

impl Schedules {
    pub(super) fn new(schedules: Vec<Scheduled>) -> Self {
        Self(Arc::new(schedules))
    }

    /// The logical ids of the functions.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        let functions: BTreeSet<&str> =
            self.0.iter().map(|scheduled| scheduled.mapping.function.as_str()).collect();
        functions.into_iter()
    }

    /// Each schedule with its next and its last run.
    pub fn reports(&self) -> Vec<ScheduleReport> {
        self.0.iter().map(Scheduled::report).collect()
    }

    /// Invokes a function now as its schedule would, and waits for the end of the run. `None` if
    /// the function has no schedule.
    pub async fn run(&self, function: &str) -> Option<Result<Bytes, InvokeError>> {
        let mut latest = self.0.iter().rev();
        Some(latest.find(|scheduled| scheduled.mapping.function == function)?.run().await)
    }
}

impl Scheduled {
    fn report(&self) -> ScheduleReport {
        let (function, name) = (self.mapping.function.clone(), self.mapping.name.clone());
        self.runs.report(function, name, self.expression.clone())
    }
}

impl Schedule {
    /// Parses a schedule expression.
    pub(super) fn parse(expression: &str) -> Result<Self, BadSchedule> {
        let inner =
            |kind: &str| expression.strip_prefix(kind)?.strip_prefix('(')?.strip_suffix(')');
        let read = match (inner("rate"), inner("cron"), inner("at")) {
            (Some(rate), ..) => parse_rate(rate),
            (_, Some(cron), _) => parse_cron(cron),
            (.., Some(at)) => parse_at(at),
            _ => Err("expected rate(…) or cron(…)".to_owned()),
        };
        read.map_err(|reason| BadSchedule { expression: expression.to_owned(), reason })
    }

    /// The time until the next run; `None` if there is none.
    pub(super) fn wait(&self, now: Timestamp) -> Option<Duration> {
        match self {
            Self::Rate(rate) => Some(*rate),
            Self::Cron(cron) => {
                let civil: DateTime = TimeZone::UTC.to_datetime(now);
                let next = cron.find_next_occurrence(&civil, false).ok()?;
                let next = TimeZone::UTC.to_timestamp(next).ok()?;
                next.duration_since(now).try_into().ok()
            }
            Self::At(at) if *at > now => at.duration_since(now).try_into().ok(),
            Self::At(_) => None,
        }
    }
}

fn parse_rate(rate: &str) -> Result<Schedule, String> {
    let (count, unit) = rate.split_once(' ').ok_or("expected a number and a unit")?;
    let count: u64 = count.parse().map_err(|_| format!("`{count}` is not a number"))?;
    let seconds = match (count, unit) {
        (0, _) => return Err("a rate is at least 1".to_owned()),
        (1, "minute") | (2.., "minutes") => 60,
        (1, "hour") | (2.., "hours") => 3_600,
        (1, "day") | (2.., "days") => DAY_S,
        _ => return Err(format!("`{unit}` is not valid with {count}")),
    };
    Ok(Schedule::Rate(Duration::from_secs(count.saturating_mul(seconds))))
}

fn parse_cron(cron: &str) -> Result<Schedule, String> {
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

fn parse_at(at: &str) -> Result<Schedule, String> {
    let at: DateTime = at.parse().map_err(|_| format!("`{at}` is not a time"))?;
    let at = TimeZone::UTC.to_timestamp(at).map_err(|error| error.to_string())?;
    Ok(Schedule::At(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_due_at_the_time_that_eventbridge_computes() {
        let cases = [
            ("rate(1 minute)", "2026-01-01T00:00:00Z", 60),
            ("rate(12 hours)", "2026-01-01T00:00:00Z", 43_200),
            ("cron(15 10 * * ? *)", "2026-01-01T10:00:00Z", 900),
            ("cron(0/15 * * * ? *)", "2026-01-01T10:01:00Z", 840),
            // The 1st of January 2026 is a Thursday, day 5 of the week.
            ("cron(0 0 ? * 6 *)", "2026-01-01T00:00:00Z", DAY_S),
            ("cron(0 0 ? * MON-FRI *)", "2026-01-02T00:00:00Z", 3 * DAY_S),
            ("cron(0 0 1 * ? 2027)", "2026-12-31T00:00:00Z", DAY_S),
        ];
        for (expression, now, expected) in cases {
            let wait = Schedule::parse(expression).unwrap().wait(now.parse().unwrap());
            assert_eq!(wait, Some(Duration::from_secs(expected)), "{expression}");
        }
    }

    #[test]
    fn a_schedule_at_a_time_is_due_once() {
        let schedule = Schedule::parse("at(2026-01-01T00:01:00)").unwrap();
        let wait = |now: &str| schedule.wait(now.parse().unwrap());
        assert_eq!(wait("2026-01-01T00:00:00Z"), Some(Duration::from_mins(1)));
        assert_eq!(wait("2026-01-01T00:01:00Z"), None);
    }

    #[test]
    fn an_invalid_schedule_is_an_error_with_the_reason() {
        let cases = [
            ("every minute", "expected rate(…) or cron(…)"),
            ("rate(1 minutes)", "`minutes` is not valid with 1"),
            ("rate(0 minutes)", "a rate is at least 1"),
            ("cron(* * * * *)", "expected minutes, hours"),
            ("cron(61 * * * ? *)", "is not a schedule"),
        ];
        for (expression, reason) in cases {
            let error = Schedule::parse(expression).unwrap_err().to_string();
            assert!(error.contains(reason), "{expression}: {error}");
        }
    }
}
