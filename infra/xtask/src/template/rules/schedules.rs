//! Schedules: a failed run is not retried, so the alarm must fire on a single error.

use super::stack::Stack;
use super::words;

/// The maximum age of an event: until the next one is due.
const AGE_MAX_S: u64 = 60;

pub(super) fn complaints(main: Stack<'_>, alarms: Stack<'_>) -> Vec<String> {
    let mut complaints = Vec::new();
    for rule in main.resources("AWS::Events::Rule") {
        let Some(function) = main.function(rule.property("/Targets/0/Arn")) else { continue };
        let mut settings = main.resources("AWS::Lambda::EventInvokeConfig");
        let settings =
            settings.find(|it| words::referred(it.property("/FunctionName")) == Some(function.id));
        let once = settings.is_some_and(|it| {
            let age_s = it.property("/MaximumEventAgeInSeconds").as_u64();
            it.is("/MaximumRetryAttempts", 0) && age_s.is_some_and(|age_s| age_s <= AGE_MAX_S)
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
