//! Dashboards and alarms: each metric that they read exists in the code.

use std::collections::BTreeSet;

/// The stacks that read metrics of deployed functions.
const STACKS: [&str; 2] = ["infra/alarms.yaml", "infra/dashboard.yaml"];

/// The code that writes metrics.
pub(super) struct Sources {
    functions: String,
    emulator: String,
}

impl Sources {
    pub(super) fn of(texts: &[(&str, &str)]) -> Self {
        let below = |folder: &str| -> String {
            let inside = texts.iter().filter(|(path, _)| path.starts_with(folder));
            inside.map(|(_, text)| *text).collect()
        };
        Self { functions: below("shared/"), emulator: below("infra/emulator/src/") }
    }
}

/// The metrics of a dashboard or a stack that neither the code nor one of its metric filters
/// writes. The emulator's metrics are not deployed, so a stack cannot read them.
pub(super) fn unwritten(path: &str, text: &str, sources: &Sources) -> Vec<String> {
    let is_stack = STACKS.contains(&path);
    if !path.starts_with("infra/dashboards/") && !is_stack {
        return Vec::new();
    }
    let is_written = |metric: &str| {
        let name = format!("\"{metric}\"");
        sources.functions.contains(&name)
            || (!is_stack && sources.emulator.contains(&name))
            || text.contains(&format!("MetricName: {metric}, MetricValue"))
    };
    let unwritten = metrics_in(text).into_iter().filter(|metric| !is_written(metric));
    unwritten.map(|metric| format!("{path} reads {metric}, which no code writes")).collect()
}

/// The metric names in a text; a histogram by the name in the code.
fn metrics_in(text: &str) -> BTreeSet<&str> {
    let names = text.split(|letter: char| !(letter.is_ascii_lowercase() || letter == '_'));
    let names = names.map(|name| name.strip_suffix("_bucket").unwrap_or(name));
    names.filter(|name| name.ends_with("_total") || name.ends_with("_seconds")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn functions(code: &str) -> Sources {
        Sources::of(&[("shared/lifecycle/src/a.rs", code)])
    }

    #[test]
    fn a_metric_that_no_code_writes_is_found() {
        let dashboard = "rate(hits_total[1m]) / rate(took_seconds_bucket{le=\"1\"}[1m])";
        let unwritten = |code| unwritten("infra/dashboards/one.json", dashboard, &functions(code));
        assert!(unwritten("\"hits_total\" \"took_seconds\"").is_empty());
        assert_eq!(
            unwritten("\"took_seconds\""),
            ["infra/dashboards/one.json reads hits_total, which no code writes"]
        );
    }

    #[test]
    fn a_metric_of_an_alarm_is_written_by_the_code_or_by_a_metric_filter() {
        let stack = "MetricTransformations: [{MetricName: faults_total, MetricValue: \"1\"}]\n\
                     MetricName: faults_total\nMetricName: hits_total";
        let unwritten = |code| unwritten("infra/alarms.yaml", stack, &functions(code));
        assert!(unwritten("\"hits_total\"").is_empty());
        assert_eq!(unwritten(""), ["infra/alarms.yaml reads hits_total, which no code writes"]);
    }

    #[test]
    fn a_dashboard_may_read_a_metric_of_the_emulator_and_an_alarm_may_not() {
        let sources = Sources::of(&[("infra/emulator/src/a.rs", "\"starts_total\"")]);
        assert!(unwritten("infra/dashboards/one.json", "starts_total", &sources).is_empty());
        assert_eq!(
            unwritten("infra/alarms.yaml", "MetricName: starts_total", &sources),
            ["infra/alarms.yaml reads starts_total, which no code writes"]
        );
    }
}
