//! Dashboards: each metric that they show exists in the code.

use std::collections::BTreeSet;

/// Whether the code at this path writes metrics.
pub(super) fn is_source(path: &str) -> bool {
    ["shared/", "infra/emulator/src/"].iter().any(|folder| path.starts_with(folder))
}

/// The metrics of a dashboard that no code writes.
pub(super) fn unwritten(path: &str, dashboard: &str, sources: &str) -> Vec<String> {
    if !path.starts_with("infra/dashboards/") {
        return Vec::new();
    }
    let shown = metrics_in(dashboard).into_iter();
    let unwritten = shown.filter(|metric| !sources.contains(&format!("\"{metric}\"")));
    unwritten.map(|metric| format!("{path} shows {metric}, which no code writes")).collect()
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
            ["infra/dashboards/one.json shows hits_total, which no code writes"]
        );
    }
}
