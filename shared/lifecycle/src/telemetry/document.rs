//! A log line that is a metrics record as well (`CloudWatch`'s embedded metric format).

use std::io::Write as _;

use serde::Serialize;

use crate::Timestamp;

/// The maximum number of values of one metric in one line (specification of the embedded metric
/// format). `CloudWatch` drops a line with more.
pub(super) const VALUES_MAX: usize = 100;

/// One JSON object: members for readers of the log, some of which are metrics or their labels. It is
/// written member by member, since each request writes one.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    namespace: &'a str,
    names: Vec<&'a str>,
    members: Vec<u8>,
    directives: Vec<u8>,
}

impl<'a> Document<'a> {
    /// A line without members, whose metrics are in this namespace.
    pub(crate) fn new(namespace: &'a str) -> Self {
        Self {
            namespace,
            names: Vec::with_capacity(24),
            members: Vec::with_capacity(640),
            directives: Vec::with_capacity(512),
        }
    }

    /// Adds a member.
    pub(crate) fn member(&mut self, name: &'a str, value: impl Serialize) {
        if !self.members.is_empty() {
            self.members.push(b',');
        }
        write_json(&mut self.members, name);
        self.members.push(b':');
        write_json(&mut self.members, value);
        self.names.push(name);
    }

    /// Adds a metric with its labels, and their members.
    pub(crate) fn metric(
        &mut self,
        labels: &[(&'a str, &'a str)],
        name: &'a str,
        unit: &str,
        value: impl Serialize,
    ) {
        let names: Vec<&str> = labels.iter().map(|(label, _)| *label).collect();
        self.declare(&names, name, unit);
        for &(label, text) in labels {
            self.member(label, text);
        }
        self.member(name, value);
    }

    /// Makes a member a metric, and others its labels.
    pub(crate) fn declare(&mut self, labels: &[&str], name: &str, unit: &str) {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Directive<'d> {
            namespace: &'d str,
            dimensions: [&'d [&'d str]; 1],
            metrics: [Metric<'d>; 1],
        }
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Metric<'d> {
            name: &'d str,
            unit: &'d str,
        }
        if !self.directives.is_empty() {
            self.directives.push(b',');
        }
        let (namespace, dimensions) = (self.namespace, [labels]);
        let directive = Directive { namespace, dimensions, metrics: [Metric { name, unit }] };
        write_json(&mut self.directives, directive);
    }

    /// Whether a metric with these labels can be added: a line has one member of each name.
    pub(crate) fn takes(&self, labels: &[(&str, &str)], name: &str) -> bool {
        let is_free = |name: &str| !self.names.contains(&name);
        is_free(name) && labels.iter().all(|(label, _)| is_free(label))
    }

    /// The namespace of its metrics.
    pub(crate) fn namespace(&self) -> &'a str {
        self.namespace
    }

    /// Returns the line.
    pub(crate) fn into_json(self, at: Timestamp) -> String {
        let mut line = Vec::with_capacity(self.directives.len() + self.members.len() + 64);
        line.push(b'{');
        if !self.directives.is_empty() {
            let millis = at.as_millis();
            write!(line, r#""_aws":{{"Timestamp":{millis},"CloudWatchMetrics":["#)
                .expect("memory takes every byte");
            line.extend_from_slice(&self.directives);
            line.extend_from_slice(b"]}");
            if !self.members.is_empty() {
                line.push(b',');
            }
        }
        line.extend_from_slice(&self.members);
        line.push(b'}');
        String::from_utf8(line).expect("JSON is UTF-8")
    }
}

fn write_json(to: &mut Vec<u8>, value: impl Serialize) {
    serde_json::to_writer(to, &value).expect("the values of a line always have a JSON form");
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn at() -> Timestamp {
        Timestamp::from_millis(0)
    }

    #[test]
    fn a_line_has_its_members_and_a_directive_for_each_metric() {
        let mut line = Document::new("store");
        line.member("message", "a \"line\"\n");
        line.metric(&[("source", "emails")], "records_total", "Count", 2);
        line.declare(&["source", "message"], "took", "Seconds");
        line.member("took", [0.5, 1.0]);
        let line: Value = serde_json::from_str(&line.into_json(at())).unwrap();
        let directive = |labels: Value, metric: Value| json!({ "Namespace": "store", "Dimensions": [labels], "Metrics": [metric] });
        let expected = json!({
            "_aws": { "Timestamp": 0, "CloudWatchMetrics": [
                directive(json!(["source"]), json!({ "Name": "records_total", "Unit": "Count" })),
                directive(json!(["source", "message"]), json!({ "Name": "took", "Unit": "Seconds" })),
            ] },
            "message": "a \"line\"\n", "source": "emails", "records_total": 2, "took": [0.5, 1.0],
        });
        assert_eq!(line, expected);
    }

    #[test]
    fn a_line_without_metrics_has_no_directives() {
        assert_eq!(Document::new("store").into_json(at()), "{}");
        let mut line = Document::new("store");
        line.member("level", "INFO");
        assert_eq!(line.namespace(), "store");
        assert_eq!(line.into_json(at()), r#"{"level":"INFO"}"#);
    }

    #[test]
    fn a_metric_is_not_taken_if_one_of_its_members_has_another_meaning() {
        let mut line = Document::new("store");
        line.metric(&[("table", "users")], "reads_total", "Count", 1);
        assert!(line.takes(&[("operation", "GetItem")], "writes_total"));
        assert!(!line.takes(&[("table", "orders")], "writes_total"));
        assert!(!line.takes(&[], "reads_total"));
    }
}
