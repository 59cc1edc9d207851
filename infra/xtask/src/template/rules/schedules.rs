//! Schedules: a failed run is not retried, so the alarm must fire on a single error.

use super::stack::Stack;
use super::words;

/// Lambda's maximum age of an event.
const AGE_MAX_S: u64 = 21_600;

pub(super) fn complaints(main: Stack<'_>, alarms: Stack<'_>) -> Vec<String> {
    let mut complaints = Vec::new();
    for rule in main.resources("AWS::Events::Rule") {
        let Some(function) = main.function(rule.property("/Targets/0/Arn")) else { continue };
        let mut settings = main.resources("AWS::Lambda::EventInvokeConfig");
        let settings =
            settings.find(|it| words::referred(it.property("/FunctionName")) == Some(function.id));
        let once = settings.is_some_and(|it| {
            let age_s = it.property("/MaximumEventAgeInSeconds").as_u64();
            let next_s = interval_s(rule.property("/ScheduleExpression").as_str());
            it.is("/MaximumRetryAttempts", 0) && age_s.is_some_and(|age_s| age_s <= next_s)
        });
        if !once {
            complaints.push(format!("{}: failed runs are retried for hours", function.id));
        }
        let name = words::own_name(function.property("/FunctionName"));
        let errors = alarms.resources("AWS::CloudWatch::Alarm").find(|alarm| {
            alarm.is("/MetricName", "Errors")
                && words::own_name(alarm.property("/Dimensions/0/Value")) == name
        });
        if !errors.is_some_and(|alarm| alarm.is("/Threshold", 1)) {
            complaints
                .push(format!("{}: its errors never reach the alarm's threshold", function.id));
        }
    }
    complaints
}

/// The seconds until the next run of a rate; Lambda's maximum age for another expression.
fn interval_s(expression: Option<&str>) -> u64 {
    let rate =
        expression.and_then(|it| it.strip_prefix("rate(")?.strip_suffix(')')?.split_once(' '));
    let seconds = rate.and_then(|(count, unit)| {
        let unit_s = match unit.trim_end_matches('s') {
            "minute" => 60,
            "hour" => 60 * 60,
            "day" => 24 * 60 * 60,
            _ => return None,
        };
        Some(count.parse::<u64>().ok()? * unit_s)
    });
    seconds.unwrap_or(AGE_MAX_S).min(AGE_MAX_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_may_wait_until_the_next_one_of_its_rate() {
        for (expression, expected_s) in [
            (Some("rate(1 minute)"), 60),
            (Some("rate(5 minutes)"), 300),
            (Some("rate(2 hours)"), 7200),
            (Some("rate(1 day)"), AGE_MAX_S),
            (Some("cron(0 3 * * ? *)"), AGE_MAX_S),
            (None, AGE_MAX_S),
        ] {
            assert_eq!(interval_s(expression), expected_s, "{expression:?}");
        }
    }
}
