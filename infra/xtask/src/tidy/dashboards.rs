//! Dashboards and alarms: each metric that they read exists in the code.

use std::collections::BTreeSet;

/// Whether the code at this path writes metrics.
pub(super) fn is_source(path: &str) -> bool {
    ["shared/", "infra/emulator/src/"].iter().any(|folder| path.starts_with(folder))
}

/// The stacks that read metrics.
const STACKS: [&str; 2] = ["infra/alarms.yaml", "infra/dashboard.yaml"];

/// The metrics of a dashboard or a stack that neither the code nor one of its metric filters
/// writes.
pub(super) fn unwritten(path: &str, text: &str, sources: &str) -> Vec<String> {
    if !path.starts_with("infra/dashboards/") && !STACKS.contains(&path) {
        return Vec::new();
    }
    let is_written = |metric: &str| {
        sources.contains(&format!("\"{metric}\""))
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

    #[test]
    fn a_metric_that_no_code_writes_is_found() {
        let dashboard = "rate(hits_total[1m]) / rate(took_seconds_bucket{le=\"1\"}[1m])";
        let unwritten = |sources| unwritten("infra/dashboards/one.json", dashboard, sources);
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
        let unwritten = |sources| unwritten("infra/alarms.yaml", stack, sources);
        assert!(unwritten("\"hits_total\"").is_empty());
        assert_eq!(unwritten(""), ["infra/alarms.yaml reads hits_total, which no code writes"]);
    }
}
