//! The schedule of a consumer, as it declares it.

use std::fmt;

/// The seconds for which Lambda may keep an event that it has not yet processed
/// (`MaximumEventAgeInSeconds`): the least and the most.
const EVENT_AGE_S: (u64, u64) = (60, 6 * 60 * 60);

/// The times at which a consumer runs: a rate, or a cron expression in UTC.
///
/// It displays the expression of `EventBridge`. `cargo lifecycle codegen` writes it into the template.
///
/// ```
/// use lifecycle::consumer::Schedule;
///
/// const MINUTELY: Schedule = Schedule::every_minutes(1);
/// const WORKDAYS: Schedule = Schedule::cron("30 7 ? * MON-FRI *");
///
/// assert_eq!(MINUTELY.to_string(), "rate(1 minute)");
/// assert_eq!(WORKDAYS.to_string(), "cron(30 7 ? * MON-FRI *)");
/// ```
///
/// A constant that `EventBridge` would refuse does not compile:
///
/// ```compile_fail
/// # use lifecycle::consumer::Schedule;
/// const NEVER: Schedule = Schedule::every_hours(0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule(Expression);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expression {
    Rate { count: u32, unit: Unit },
    Cron(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Minute,
    Hour,
    Day,
}

impl Schedule {
    /// A run every so many minutes.
    ///
    /// # Panics
    ///
    /// If the number is 0; a constant then does not compile.
    pub const fn every_minutes(count: u32) -> Self {
        Self::rate(count, Unit::Minute)
    }

    /// A run every so many hours.
    ///
    /// # Panics
    ///
    /// If the number is 0; a constant then does not compile.
    pub const fn every_hours(count: u32) -> Self {
        Self::rate(count, Unit::Hour)
    }

    /// A run every so many days.
    ///
    /// # Panics
    ///
    /// If the number is 0; a constant then does not compile.
    pub const fn every_days(count: u32) -> Self {
        Self::rate(count, Unit::Day)
    }

    /// Runs at the times of a cron expression, in UTC. Its six fields are minutes, hours, day of the
    /// month, month, day of the week, and year; one of the two days is `?`.
    ///
    /// # Panics
    ///
    /// If it does not have six fields, each separated by one space, or not exactly one of the days
    /// is `?`, or another field is; a constant then does not compile.
    pub const fn cron(fields: &'static str) -> Self {
        let bytes = fields.as_bytes();
        let (mut at, mut start, mut field, mut open_days) = (0, 0, 0, 0);
        while at <= bytes.len() {
            if at == bytes.len() || bytes[at] == b' ' {
                assert!(at > start, "a field of a cron expression is empty");
                if at == start + 1 && bytes[start] == b'?' {
                    assert!(field == 2 || field == 4, "only a day of a cron expression can be `?`");
                    open_days += 1;
                }
                field += 1;
                start = at + 1;
            }
            at += 1;
        }
        assert!(field == 6, "a cron expression has six fields");
        assert!(open_days == 1, "one of a cron expression's two days is `?`");
        Self(Expression::Cron(fields))
    }

    const fn rate(count: u32, unit: Unit) -> Self {
        assert!(count > 0, "a rate is at least 1");
        Self(Expression::Rate { count, unit })
    }

    /// The seconds after which a run that has not begun is dropped: until the next run, within the
    /// limits of Lambda. For a cron expression it is Lambda's maximum.
    pub(crate) fn event_age_s_max(self) -> u64 {
        let (least, most) = EVENT_AGE_S;
        match self.0 {
            Expression::Rate { count, unit } => {
                (u64::from(count) * unit.seconds()).clamp(least, most)
            }
            Expression::Cron(_) => most,
        }
    }
}

impl Unit {
    fn seconds(self) -> u64 {
        match self {
            Self::Minute => 60,
            Self::Hour => 60 * 60,
            Self::Day => 24 * 60 * 60,
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Expression::Rate { count, unit } => {
                let unit = match unit {
                    Unit::Minute => "minute",
                    Unit::Hour => "hour",
                    Unit::Day => "day",
                };
                // EventBridge refuses `rate(1 minutes)` and `rate(5 minute)`.
                write!(f, "rate({count} {unit}{})", if count == 1 { "" } else { "s" })
            }
            Expression::Cron(fields) => write!(f, "cron({fields})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn a_rate_has_its_unit_in_the_singular_for_one_only() {
        for (schedule, expression, age_s_max) in [
            (Schedule::every_minutes(1), "rate(1 minute)", 60),
            (Schedule::every_minutes(5), "rate(5 minutes)", 300),
            (Schedule::every_hours(1), "rate(1 hour)", 3600),
            (Schedule::every_hours(12), "rate(12 hours)", 21_600),
            (Schedule::every_days(1), "rate(1 day)", 21_600),
            (Schedule::every_days(30), "rate(30 days)", 21_600),
            (Schedule::cron("0/5 * * * ? *"), "cron(0/5 * * * ? *)", 21_600),
            (Schedule::cron("0 3 ? * MON *"), "cron(0 3 ? * MON *)", 21_600),
        ] {
            assert_eq!(schedule.to_string(), expression);
            assert_eq!(schedule.event_age_s_max(), age_s_max, "{expression}");
        }
    }

    #[test]
    fn an_expression_that_eventbridge_refuses_is_not_a_schedule() {
        for fields in [
            "",
            "0 3 * * ?",
            "0 3 * * ? * *",
            "0 3 * * * *",
            "0 3 ? * ? *",
            "? 3 * * ? *",
            "0 ? ? * 2 *",
            "0 3 ? ? 2 *",
            "0 3 * * ? ?",
            "0  3 * * ? *",
            " 0 3 * * ? *",
            "0 3 * * ? * ",
        ] {
            assert!(catch_unwind(|| Schedule::cron(fields)).is_err(), "{fields:?}");
        }
        assert!(catch_unwind(|| Schedule::every_days(0)).is_err());
    }
}
