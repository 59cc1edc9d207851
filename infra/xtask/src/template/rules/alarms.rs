//! Alarms: each function, queue, stream, schedule and the API has the required alarms with an
//! action.

use std::collections::BTreeSet;

use serde_json::Value;

use super::stack::{Resource, Stack};
use super::words;

/// The subject of an alarm: a metric, and the name of a function or queue without the stack's.
type Watched = (String, String);

/// The subject of metrics without a name: rejected tokens are counted from the log.
const AUTHORIZER: &str = "authorizer";

pub(super) fn complaints(main: Stack<'_>, alarms: Stack<'_>) -> Vec<String> {
    let watched: BTreeSet<Watched> =
        alarms.resources("AWS::CloudWatch::Alarm").flat_map(watched_by).collect();
    let wanted = wanted(main);
    let missing = wanted.difference(&watched);
    let missing =
        missing.map(|(metric, name)| format!("{name}: no alarm on {metric} in infra/alarms.yaml"));
    let names: BTreeSet<&str> = named(main, "AWS::Lambda::Function", "/FunctionName")
        .chain(named(main, "AWS::SQS::Queue", "/QueueName"))
        .collect();
    let strange = watched.iter().filter(|(metric, name)| {
        let is_of_a_service = metric.starts_with("Api ") || metric.starts_with("Mail ");
        !is_of_a_service
            && !metric.contains('_')
            && name != ACCOUNT
            && !names.contains(name.as_str())
    });
    let strange = strange.map(|(_, name)| format!("{name}: has an alarm, but does not exist"));
    let silent = alarms.resources("AWS::CloudWatch::Alarm");
    let silent = silent.filter(|alarm| words::each(alarm.property("/AlarmActions")).count() == 0);
    let silent = silent.map(|alarm| format!("{}: has no action", alarm.id));
    missing.chain(strange).chain(silent).collect()
}

/// The subject of metrics that sum over all functions or tables of the account.
const ACCOUNT: &str = "the account";

/// The required alarms.
fn wanted(main: Stack<'_>) -> BTreeSet<Watched> {
    let watch = |metric: &str, name: &str| (metric.to_owned(), name.to_owned());
    let mut wanted = BTreeSet::from([
        watch("Api 5xx", "the API"),
        watch("Api Latency", "the API"),
        watch("authorizer_faults_total", AUTHORIZER),
        watch("ConcurrentExecutions", ACCOUNT),
        watch("SELECT SUM(ReadThrottleEvents) FROM \"AWS/DynamoDB\"", ACCOUNT),
        watch("SELECT SUM(WriteThrottleEvents) FROM \"AWS/DynamoDB\"", ACCOUNT),
    ]);
    for function in named(main, "AWS::Lambda::Function", "/FunctionName") {
        wanted.extend([watch("Throttles", function), watch("Errors", function)]);
    }
    if main.resources("AWS::SES::ConfigurationSet").next().is_some() {
        let rates = ["Mail Reputation.BounceRate", "Mail Reputation.ComplaintRate"];
        wanted.extend(rates.map(|rate| watch(rate, "the mail")));
    }
    for queue in named(main, "AWS::SQS::Queue", "/QueueName") {
        match queue.strip_suffix("-dead-letters") {
            Some(source) => {
                wanted.insert(watch("ApproximateNumberOfMessagesVisible", queue));
                wanted.insert(watch("records_total", source));
            }
            None => {
                wanted.insert(watch("ApproximateAgeOfOldestMessage", queue));
            }
        }
    }
    let by_alias = |reference: &Value| {
        let function = main.function(reference)?;
        words::own_name(function.property("/FunctionName"))
    };
    for mapping in main.resources("AWS::Lambda::EventSourceMapping") {
        let Some(function) = by_alias(mapping.property("/FunctionName")) else { continue };
        wanted.insert(watch("Duration", function));
        if main.named("AWS::DynamoDB::Table", mapping.property("/EventSourceArn")).is_some() {
            wanted.insert(watch("IteratorAge", function));
        }
    }
    for clock in main.resources("AWS::Events::Rule") {
        let Some(function) = by_alias(clock.property("/Targets/0/Arn")) else { continue };
        wanted.extend([watch("Duration", function), watch("Invocations", function)]);
    }
    wanted
}

/// The names of resources of a type, without the stack's name.
pub(super) fn named<'a>(
    stack: Stack<'a>,
    kind: &'static str,
    property: &'static str,
) -> impl Iterator<Item = &'a str> {
    stack.resources(kind).filter_map(move |it| words::own_name(it.property(property)))
}

/// The subjects of an alarm. For an expression, these are all of its inputs.
fn watched_by(alarm: Resource<'_>) -> Vec<Watched> {
    let of_formula = words::each(alarm.property("/Metrics")).map(|it| &it["MetricStat"]["Metric"]);
    let of_formula = of_formula.filter(|metric| !metric.is_null());
    let own = alarm.declaration["Properties"].get("MetricName");
    let metrics = of_formula.chain(own.map(|_| &alarm.declaration["Properties"])).map(metric);
    let queries =
        words::each(alarm.property("/Metrics")).map(|it| words::spelled(&it["Expression"]));
    let queries = queries.filter(|query| query.starts_with("SELECT "));
    metrics.chain(queries.map(|query| (query, ACCOUNT.to_owned()))).collect()
}

fn metric(metric: &Value) -> Watched {
    let name = metric["MetricName"].as_str().unwrap_or_default();
    if metric["Namespace"] == "AWS/ApiGateway" {
        return (format!("Api {name}"), "the API".to_owned());
    }
    if metric["Namespace"] == "AWS/SES" {
        return (format!("Mail {name}"), "the mail".to_owned());
    }
    let dimensions = words::each(&metric["Dimensions"]);
    let mut about = dimensions.filter_map(|it| match it["Name"].as_str()? {
        "FunctionName" | "QueueName" | "function" => words::own_name(&it["Value"]),
        "source" | "type" => it["Value"].as_str(),
        _ => None,
    });
    let whole = if metric["Namespace"] == "AWS/Lambda" { ACCOUNT } else { AUTHORIZER };
    let about = about.next().unwrap_or(whole);
    (name.to_owned(), about.to_owned())
}
