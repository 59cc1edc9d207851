//! Metrics in Prometheus' text format.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The maximum number of series. Further ones are left out and counted.
const SERIES_MAX: usize = 10_000;

/// The default bucket bounds in seconds.
const BUCKETS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The bucket bounds in seconds of the metrics that seed 000 defines.
const OWN_BUCKETS: [(&str, &[f64]); 2] = [
    ("db_query_duration_seconds", &[0.001, 0.01, 0.1, 0.5, 1.0]),
    ("http_request_duration_seconds", &[0.01, 0.05, 0.1, 0.5, 1.0, 2.0, 5.0]),
];

/// Label names and values, ordered by name.
pub(super) type Labels = Vec<(String, String)>;

/// All series by metric and labels.
#[derive(Debug, Clone, Default)]
pub(super) struct Metrics {
    families: BTreeMap<String, BTreeMap<Labels, Series>>,
    series_count: usize,
    left_out: u64,
}

#[derive(Debug, Clone)]
enum Series {
    Counter(f64),
    Gauge(f64),
    Histogram { bounds: &'static [f64], counts: Vec<u64>, sum: f64, count: u64 },
}

impl Metrics {
    /// Adds values. The metric's name decides: `…_total` is a counter, `…_seconds` a histogram; any
    /// other is a gauge.
    pub(super) fn observe(&mut self, metric: &str, labels: Labels, values: &[f64]) {
        let name = prometheus_name(metric);
        let is_new = self.families.get(&name).is_none_or(|family| !family.contains_key(&labels));
        if is_new && self.series_count == SERIES_MAX {
            self.left_out += 1;
            return;
        }
        self.series_count += usize::from(is_new);
        let family = self.families.entry(name.clone()).or_default();
        let series = family.entry(labels).or_insert_with(|| Series::new(&name));
        for value in values {
            series.observe(*value);
        }
    }

    /// The number of series of each metric.
    pub(super) fn label_sets(&self) -> BTreeMap<String, usize> {
        self.families.iter().map(|(name, family)| (name.clone(), family.len())).collect()
    }

    /// All metrics in the text format, ordered by name.
    pub(super) fn render(&self) -> String {
        let mut text = String::new();
        for (name, family) in &self.families {
            let Some(first) = family.values().next() else {
                continue;
            };
            line(&mut text, format_args!("# TYPE {name} {}", first.kind()));
            for (labels, series) in family {
                series.render(&mut text, name, labels);
            }
        }
        line(&mut text, format_args!("# TYPE local_series_left_out_total counter"));
        line(&mut text, format_args!("local_series_left_out_total {}", self.left_out));
        text
    }
}

impl Series {
    fn new(name: &str) -> Self {
        if name.ends_with("_total") {
            return Self::Counter(0.0);
        }
        if !name.ends_with("_seconds") {
            return Self::Gauge(0.0);
        }
        let own = OWN_BUCKETS.iter().find(|(metric, _)| *metric == name);
        let bounds = own.map_or(BUCKETS, |(_, bounds)| bounds);
        Self::Histogram { bounds, counts: vec![0; bounds.len()], sum: 0.0, count: 0 }
    }

    fn observe(&mut self, value: f64) {
        match self {
            Self::Counter(total) => *total += value,
            Self::Gauge(last) => *last = value,
            Self::Histogram { bounds, counts, sum, count } => {
                // Buckets are cumulative, so each value counts in all buckets from its bound up.
                let buckets = counts.iter_mut().zip(*bounds);
                buckets.filter(|(_, bound)| value <= **bound).for_each(|(count, _)| *count += 1);
                *sum += value;
                *count += 1;
            }
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Counter(_) => "counter",
            Self::Gauge(_) => "gauge",
            Self::Histogram { .. } => "histogram",
        }
    }

    fn render(&self, text: &mut String, name: &str, labels: &Labels) {
        match self {
            Self::Counter(value) | Self::Gauge(value) => {
                line(text, format_args!("{name}{} {value}", braced(labels, None)));
            }
            Self::Histogram { bounds, counts, sum, count } => {
                for (bound, count) in bounds.iter().zip(counts) {
                    let labels = braced(labels, Some(&bound.to_string()));
                    line(text, format_args!("{name}_bucket{labels} {count}"));
                }
                let all = braced(labels, Some("+Inf"));
                let labels = braced(labels, None);
                line(text, format_args!("{name}_bucket{all} {count}"));
                line(text, format_args!("{name}_sum{labels} {sum}"));
                line(text, format_args!("{name}_count{labels} {count}"));
            }
        }
    }
}

fn line(text: &mut String, content: std::fmt::Arguments<'_>) {
    writeln!(text, "{content}").expect("writing to a string does not fail");
}

fn braced(labels: &Labels, bound: Option<&str>) -> String {
    let own = labels.iter().map(|(name, value)| (prometheus_name(name), value.as_str()));
    let bound = bound.map(|bound| ("le".to_owned(), bound));
    let pairs = own.chain(bound).map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
    let pairs: Vec<String> = pairs.collect();
    if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// A valid Prometheus name: letters, digits and underscores, not beginning with a digit.
fn prometheus_name(name: &str) -> String {
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut allowed: String =
        name.chars().map(|letter| if is_allowed(letter) { letter } else { '_' }).collect();
    if allowed.starts_with(|letter: char| letter.is_ascii_digit()) {
        allowed.insert(0, '_');
    }
    allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(name: &str, value: &str) -> Labels {
        vec![(name.to_owned(), value.to_owned())]
    }

    #[test]
    fn the_name_decides_the_type_of_a_metric() {
        let mut metrics = Metrics::default();
        metrics.observe("errors_total", label("type", "a \"b\""), &[1.0, 2.0]);
        metrics.observe("db_query_duration_seconds", label("table", "orders"), &[0.004, 0.4, 4.0]);
        metrics.observe("queue.depth", Labels::new(), &[7.0, 3.0]);

        let expected = r#"# TYPE db_query_duration_seconds histogram
db_query_duration_seconds_bucket{table="orders",le="0.001"} 0
db_query_duration_seconds_bucket{table="orders",le="0.01"} 1
db_query_duration_seconds_bucket{table="orders",le="0.1"} 1
db_query_duration_seconds_bucket{table="orders",le="0.5"} 2
db_query_duration_seconds_bucket{table="orders",le="1"} 2
db_query_duration_seconds_bucket{table="orders",le="+Inf"} 3
db_query_duration_seconds_sum{table="orders"} 4.404
db_query_duration_seconds_count{table="orders"} 3
# TYPE errors_total counter
errors_total{type="a \"b\""} 3
# TYPE queue_depth gauge
queue_depth 3
# TYPE local_series_left_out_total counter
local_series_left_out_total 0
"#;
        assert_eq!(metrics.render(), expected);
    }

    #[test]
    fn series_beyond_the_limit_are_left_out_and_counted() {
        let mut metrics = Metrics::default();
        for number in 0..SERIES_MAX + 2 {
            metrics.observe("errors_total", label("n", &number.to_string()), &[1.0]);
        }

        metrics.observe("errors_of_order_1_total", Labels::new(), &[1.0]);

        assert!(metrics.render().contains("local_series_left_out_total 3"));
        assert_eq!(metrics.families.len(), 1, "a name without a series is not kept");
    }
}
