//! Schedules in `EventBridge`'s syntax: `rate(5 minutes)`, `cron(0 12 ? * MON-FRI *)`.

use std::time::Duration;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A day in seconds.
const DAY_S: u64 = 86_400;

/// The times at which a run is due.
#[derive(Debug, Clone)]
pub struct Schedule(Times);

#[derive(Debug, Clone)]
enum Times {
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

impl Schedule {
    /// Parses a schedule expression.
    ///
    /// # Errors
    /// If it is no `rate(…)`, `cron(…)` or `at(…)`, or is invalid inside.
    pub fn parse(expression: &str) -> Result<Self, BadSchedule> {
        let inner =
            |kind: &str| expression.strip_prefix(kind)?.strip_prefix('(')?.strip_suffix(')');
        let read = match (inner("rate"), inner("cron"), inner("at")) {
            (Some(rate), ..) => parse_rate(rate),
            (_, Some(cron), _) => parse_cron(cron),
            (.., Some(at)) => parse_at(at),
            _ => Err("expected rate(…), cron(…) or at(…)".to_owned()),
        };
        read.map(Self).map_err(|reason| BadSchedule { expression: expression.to_owned(), reason })
    }

    /// The time until the next run; `None` if there is none.
    pub fn wait(&self, now: Timestamp) -> Option<Duration> {
        match &self.0 {
            Times::Rate(rate) => Some(*rate),
            Times::Cron(cron) => {
                let civil: DateTime = TimeZone::UTC.to_datetime(now);
                let next = cron.find_next_occurrence(&civil, false).ok()?;
                let next = TimeZone::UTC.to_timestamp(next).ok()?;
                next.duration_since(now).try_into().ok()
            }
            Times::At(at) if *at > now => at.duration_since(now).try_into().ok(),
            Times::At(_) => None,
        }
    }
}

fn parse_rate(rate: &str) -> Result<Times, String> {
    let (count, unit) = rate.split_once(' ').ok_or("expected a number and a unit")?;
    let count: u64 = count.parse().map_err(|_| format!("`{count}` is not a number"))?;
    let seconds = match (count, unit) {
        (0, _) => return Err("a rate is at least 1".to_owned()),
        (1, "minute") | (2.., "minutes") => 60,
        (1, "hour") | (2.., "hours") => 3_600,
        (1, "day") | (2.., "days") => DAY_S,
        _ => return Err(format!("`{unit}` is not valid with {count}")),
    };
    Ok(Times::Rate(Duration::from_secs(count.saturating_mul(seconds))))
}

fn parse_cron(cron: &str) -> Result<Times, String> {
    let fields: Vec<&str> = cron.split(' ').collect();
    let [minutes, hours, day, month, week_day, year] = fields[..] else {
        return Err("expected minutes, hours, day of month, month, day of week and year".to_owned());
    };
    if [minutes, hours, month, year].contains(&"?") || (day == "?") == (week_day == "?") {
        return Err("expected `?` for one of the two days, and nowhere else".to_owned());
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
    Ok(Times::Cron(Box::new(cron)))
}

fn parse_at(at: &str) -> Result<Times, String> {
    let at: DateTime = at.parse().map_err(|_| format!("`{at}` is not a time"))?;
    let at = TimeZone::UTC.to_timestamp(at).map_err(|error| error.to_string())?;
    Ok(Times::At(at))
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
            ("every minute", "expected rate(…), cron(…) or at(…)"),
            ("rate(1 minutes)", "`minutes` is not valid with 1"),
            ("rate(0 minutes)", "a rate is at least 1"),
            ("cron(* * * * *)", "expected minutes, hours"),
            ("cron(61 * * * ? *)", "is not a schedule"),
            ("cron(0  3 * * ? *)", "expected minutes, hours"),
            ("cron(0 3 * * * *)", "expected `?` for one of the two days"),
            ("cron(0 3 ? * ? *)", "expected `?` for one of the two days"),
            ("cron(? 3 * * ? *)", "expected `?` for one of the two days"),
            ("cron(0 3 1 * ? ?)", "expected `?` for one of the two days"),
            ("at(noon)", "`noon` is not a time"),
        ];
        for (expression, reason) in cases {
            let error = Schedule::parse(expression).unwrap_err().to_string();
            assert!(error.contains(reason), "{expression}: {error}");
        }
    }
}
