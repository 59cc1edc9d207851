//! Parses metrics in the embedded metric format from functions' log lines.

use serde::Deserialize;
use serde_json::{Map, Value};

/// The maximum characters of the name of a metric or a dimension in `CloudWatch`.
const NAME_MAX: usize = 255;

/// The maximum characters of a dimension's value in `CloudWatch`.
const VALUE_MAX: usize = 1_024;

/// Values of a metric for one set of dimensions.
#[derive(Debug, PartialEq)]
pub(super) struct Observation {
    /// The metric's name.
    pub(super) metric: String,
    /// Dimensions and their values, ordered by dimension.
    pub(super) labels: Vec<(String, String)>,
    /// The observed values, at least one.
    pub(super) values: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    #[serde(default)]
    cloud_watch_metrics: Vec<Directive>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Directive {
    #[serde(default)]
    dimensions: Vec<Vec<String>>,
    metrics: Vec<Metric>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    name: String,
}

/// The observations of a log line: none without a valid `_aws` directive. As on AWS, each dimension
/// set of a directive is a separate metric, and a set without a value or with a longer text than
/// `CloudWatch` stores is left out.
pub(super) fn observations(line: &Map<String, Value>) -> Vec<Observation> {
    let metadata = line.get("_aws").map(Metadata::deserialize);
    let Some(Ok(metadata)) = metadata else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for directive in metadata.cloud_watch_metrics {
        let mut sets = directive.dimensions;
        if sets.is_empty() {
            sets.push(Vec::new());
        }
        for metric in &directive.metrics {
            let values = line.get(&metric.name).map(values).unwrap_or_default();
            if values.is_empty() || !fits(&metric.name, NAME_MAX) {
                continue;
            }
            for labels in sets.iter().filter_map(|set| labels(line, set)) {
                let metric = metric.name.clone();
                found.push(Observation { metric, labels, values: values.clone() });
            }
        }
    }
    found
}

fn values(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().filter_map(Value::as_f64).collect(),
        single => single.as_f64().into_iter().collect(),
    }
}

fn labels(line: &Map<String, Value>, dimensions: &[String]) -> Option<Vec<(String, String)>> {
    let label = |name: &String| {
        let value = line.get(name)?.as_str()?;
        (fits(name, NAME_MAX) && fits(value, VALUE_MAX)).then(|| (name.clone(), value.to_owned()))
    };
    let mut labels = dimensions.iter().map(label).collect::<Option<Vec<_>>>()?;
    labels.sort();
    Some(labels)
}

/// Whether a text has at most this many characters.
fn fits(text: &str, characters_max: usize) -> bool {
    text.chars().nth(characters_max).is_none()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_dimension_set_is_a_separate_metric() {
        let line = json!({
            "_aws": {"Timestamp": 1, "CloudWatchMetrics": [{
                "Namespace": "shop",
                "Dimensions": [["path", "method"], ["method"], ["missing"]],
                "Metrics": [{"Name": "http_requests_total", "Unit": "Count"}, {"Name": "absent"}],
            }]},
            "method": "GET",
            "path": "/users/{userId}",
            "http_requests_total": [1, 2.5],
        });

        let found = observations(line.as_object().unwrap());

        let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let method = label("method", "GET");
        let observation = |labels| Observation {
            metric: "http_requests_total".to_owned(),
            labels,
            values: vec![1.0, 2.5],
        };
        let both = vec![method.clone(), label("path", "/users/{userId}")];
        assert_eq!(found, [observation(both), observation(vec![method])]);
    }

    #[test]
    fn longer_texts_than_cloudwatch_stores_are_left_out() {
        let count = |metric: &str, dimension: &str, value: &str| {
            let directive = json!({"Dimensions": [[dimension], []], "Metrics": [{"Name": metric}]});
            let line = json!({
                "_aws": {"CloudWatchMetrics": [directive]}, dimension: value, metric: 1,
            });
            observations(line.as_object().unwrap()).len()
        };
        let text = |length: usize| "a".repeat(length);

        assert_eq!(count(&text(255), "path", &text(1_024)), 2);
        assert_eq!(count("total", "path", &text(1_025)), 1);
        assert_eq!(count("total", &text(256), "a"), 1);
        assert_eq!(count(&text(256), "path", "a"), 0);
    }

    #[test]
    fn a_line_without_a_directive_has_no_observations() {
        for line in [json!({"message": "hi"}), json!({"_aws": 1}), json!({"_aws": {}})] {
            assert_eq!(observations(line.as_object().unwrap()), []);
        }
    }
}
