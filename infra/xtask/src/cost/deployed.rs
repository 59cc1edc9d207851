//! The resources of the templates that are paid for by the month.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sam_template::{Template, Trigger, parse_json};
use serde_json::Value;
use tooling::Error;

/// The parts of the templates that cost something.
#[derive(Debug, Clone, Default)]
pub(super) struct Deployed {
    /// The memory of each function in MB.
    pub(super) memory_mb: BTreeMap<String, u32>,
    /// The functions that consume a queue.
    pub(super) consumers: BTreeSet<String>,
    /// Event source mappings of queues.
    pub(super) mappings: u32,
    /// The routes that have an authorizer: `GET /users/{userId}`.
    pub(super) authorized: BTreeSet<String>,
    /// The function that verifies tokens.
    pub(super) authorizer: String,
    pub(super) secrets: u32,
    /// The secrets of each function that may read some, added up.
    pub(super) secret_readers: u32,
    /// Metrics in alarms: an alarm that compares two has two.
    pub(super) alarm_metrics: u32,
    pub(super) alarms: u32,
    pub(super) dashboards: u32,
    /// Whether API Gateway publishes metrics of each route, which are paid for.
    pub(super) route_metrics: bool,
    /// The number of possible response statuses of all routes, including `HEAD`.
    pub(super) answers: u32,
}

impl Deployed {
    pub(super) fn read(workspace: &Path) -> Result<Self, Error> {
        let read = |path: &str| -> Result<Value, Error> {
            Ok(parse_json(&fs_err::read_to_string(workspace.join(path))?)?)
        };
        let template = Template::read(&workspace.join("template.yaml"), &BTreeMap::new())?;
        let main = read("template.yaml")?;
        let alarms = read("infra/alarms.yaml")?;
        let alarms = resources(&alarms["Resources"], "AWS::CloudWatch::Alarm")?;
        let dashboard = read("infra/dashboard.yaml")?;
        let dashboards = resources(&dashboard["Resources"], "AWS::CloudWatch::Dashboard")?;
        let description = fs_err::read(workspace.join("infra/openapi.json"))?;
        let description: Value = serde_json::from_slice(&description)?;
        let api = template.root_api().ok_or("the template has no API")?;
        let consumers = template.event_sources.iter();
        let consumers: Vec<_> =
            consumers.filter(|it| matches!(it.trigger, Trigger::Queue(_))).collect();
        let authorized = api.routes.iter().filter(|route| route.authorizer.is_some());
        let authorizer = api.authorizers.values().next().map(|it| it.function.clone());
        let functions = template.functions.iter();
        Ok(Self {
            memory_mb: functions.map(|(id, it)| (id.clone(), it.memory_mb)).collect(),
            mappings: count(consumers.len()),
            consumers: consumers.iter().map(|it| it.function.clone()).collect(),
            authorized: authorized.map(|it| format!("{} {}", it.method, it.path)).collect(),
            authorizer: authorizer.unwrap_or_default(),
            secrets: count(template.secrets.len()),
            secret_readers: count(permitted_reads(&template)),
            alarm_metrics: alarms.iter().map(|(times, alarm)| times * metrics(alarm)).sum(),
            alarms: alarms.iter().map(|(times, _)| times).sum(),
            dashboards: dashboards.iter().map(|(times, _)| times).sum(),
            route_metrics: route_metrics(&main),
            answers: answers(&description),
        })
    }
}

/// The number of permissions of functions to read one secret.
fn permitted_reads(template: &Template) -> usize {
    let statements = template.functions.values().flat_map(|function| &function.policies);
    statements.filter(|statement| statement.action == "secretsmanager:GetSecretValue").count()
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// The resources of a type, each with the number that a loop makes of it.
fn resources<'a>(within: &'a Value, kind: &str) -> Result<Vec<(u32, &'a Value)>, Error> {
    let mut found = Vec::new();
    for (name, resource) in within.as_object().into_iter().flatten() {
        if name.starts_with("Fn::ForEach::") {
            let list = resource[1].as_array().ok_or_else(|| format!("{name} has no list"))?;
            let inner = resources(&resource[2], kind)?;
            found.extend(inner.into_iter().map(|(times, it)| (times * count(list.len()), it)));
        } else if resource["Type"] == kind {
            found.push((1, resource));
        }
    }
    Ok(found)
}

/// The number of paid metrics of an alarm: those of its expression, or its only one.
fn metrics(alarm: &Value) -> u32 {
    let named = alarm["Properties"]["Metrics"].as_array().into_iter().flatten();
    let named = named.filter(|metric| metric["MetricStat"].is_object());
    count(named.count()).max(1)
}

fn route_metrics(main: &Value) -> bool {
    let apis = main["Resources"].as_object().into_iter().flatten();
    let mut settings = apis.map(|(_, it)| &it["Properties"]["DefaultRouteSettings"]);
    settings.any(|settings| settings["DetailedMetricsEnabled"] == true)
}

fn answers(description: &Value) -> u32 {
    let paths = description["paths"].as_object().into_iter().flatten();
    let operations = paths.flat_map(|(_, path)| path.as_object().into_iter().flatten());
    let responses = operations.filter_map(|(_, operation)| operation["responses"].as_object());
    responses.map(|responses| count(responses.len())).sum()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_loop_makes_an_alarm_for_each_name_and_an_expression_has_several_metrics() {
        let alarm =
            json!({ "Type": "AWS::CloudWatch::Alarm", "Properties": { "MetricName": "Errors" } });
        let stat = json!({ "MetricStat": {} });
        let share = json!({ "Type": "AWS::CloudWatch::Alarm", "Properties": {
            "Metrics": [{ "Expression": "a / b" }, stat, stat],
        }});
        let template = json!({
            "Single": alarm,
            "Topic": { "Type": "AWS::SNS::Topic" },
            "Fn::ForEach::All": ["Name", ["a", "b", "c"], { "One": alarm, "Two": share }],
        });
        let found = resources(&template, "AWS::CloudWatch::Alarm").unwrap();
        assert_eq!(found.iter().map(|(times, _)| times).sum::<u32>(), 7);
        assert_eq!(found.iter().map(|(times, it)| times * metrics(it)).sum::<u32>(), 10);
        let reference = json!({ "Fn::ForEach::All": ["Name", { "Ref": "Names" }, {}] });
        assert!(resources(&reference, "AWS::CloudWatch::Alarm").is_err());
    }
}
