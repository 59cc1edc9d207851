//! Finds the resources that properties refer to by a name or an ARN, and the parts of a template
//! that refer to a resource that is not here.
//!
//! A reference to a resource that is left out is a text, too, and so is a value of another stack.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::deserialize::literal;
use super::functions::Declared;
use super::intrinsics::{Scope, is_imported};
use super::model::{Api, EventSource, Redrive, Template, Trigger};
use super::names::{ACCOUNT_ID, arn, physical};
use super::skipped::Skips;
use super::{left_out, names};

/// The reason for parts that refer to a resource that is not here.
pub(super) const ABSENT: &str = "refers to a resource that is left out or imported";
/// The reason for such authorizers.
const UNCHECKED: &str = "its function is left out or imported, so its routes are open here";
/// The type of roles.
const ROLE: &str = "AWS::IAM::Role";

/// The properties without whose resource a resource or an event is left out, by its type.
fn needed(kind: &str) -> &'static [&'static str] {
    match kind {
        "AWS::Lambda::EventSourceMapping" => &["EventSourceArn", "FunctionName"],
        "AWS::SES::ConfigurationSetEventDestination" => &["ConfigurationSetName"],
        "AWS::SecretsManager::RotationSchedule" => &["RotationLambdaARN", "SecretId"],
        "Api" => &["RestApiId"],
        "DynamoDB" => &["Stream"],
        "HttpApi" => &["ApiId"],
        "SQS" => &["Queue"],
        _ => &[],
    }
}

impl Scope<'_> {
    /// The resource that is left out and that a text is a reference to.
    pub(super) fn left_out_in(&self, text: &str) -> Option<&str> {
        let is_of = |id: &str, kind: &str| {
            text == left_out::reference(kind, id)
                || text == left_out::attribute(kind, id, "Name")
                || is_arn(text, kind, &left_out::attribute(kind, id, "Arn"))
                || self.is_given_arn(text, id, kind)
        };
        let found = self.left_out.iter().find(|(id, kind)| is_of(id, kind));
        found.map(|(id, _)| id.as_str())
    }

    /// Whether a text is the ARN of a resource that is left out, with its name and path in the
    /// template.
    fn is_given_arn(&self, text: &str, id: &str, kind: &str) -> bool {
        // Expressions are evaluated only for ARNs of the service, since each takes from the limit.
        if !text.starts_with(&left_out::arn_named(kind, "")) {
            return false;
        }
        let Some(declaration) = self.resources.get(id) else { return false };
        let condition = declaration["Condition"].as_str();
        if condition.is_some_and(|it| !self.holds(it).unwrap_or_default()) {
            return false;
        }
        let given = |property: &str| {
            let value = self.reduce(&declaration["Properties"][property], "", 0).ok().flatten()?;
            value.as_str().map(str::to_owned)
        };
        let name = left_out::name_property(kind).and_then(given);
        let mut name = name.unwrap_or_else(|| physical(id));
        if kind == ROLE
            && let Some(path) = given("Path")
        {
            name = format!("{}{name}", path.strip_prefix('/').unwrap_or(&path));
        }
        is_arn(text, kind, &left_out::arn_named(kind, &name))
    }

    /// Whether a text refers to a resource that is left out, or of another stack.
    fn is_absent(&self, text: &str) -> bool {
        is_imported(text) || self.left_out_in(text).is_some()
    }

    /// Whether a resource or an event of a type needs a resource that is not here. Errors in its
    /// properties are found when it is read.
    pub(super) fn lacks_resource(&self, kind: &str, properties: &Map<String, Value>) -> bool {
        needed(kind).iter().any(|property| {
            let value = properties.get(*property).map(|value| self.reduce(value, "", 0));
            let value = value.and_then(Result::ok).flatten().unwrap_or_default();
            value.as_str().is_some_and(|text| {
                self.is_absent(text) || self.is_absent(&completed(property, text))
            })
        })
    }
}

/// Whether a text is this ARN of a resource of a type. A version, an alias or a stream may follow.
fn is_arn(text: &str, kind: &str, arn: &str) -> bool {
    let rest = text.strip_prefix(arn);
    rest.is_some_and(|rest| rest.is_empty() || kind != ROLE && rest.starts_with([':', '/']))
}

/// The ARN of the resource of a property that takes a name or an ARN.
fn completed(property: &str, text: &str) -> String {
    match property {
        "ConfigurationSetName" => set_arn(text),
        "FunctionName" => function_arn(text),
        "SecretId" => secret_arn(text),
        _ => text.to_owned(),
    }
}

/// The resources that names and ARNs stand for.
pub(super) struct Targets<'a> {
    scope: &'a Scope<'a>,
    skips: &'a Skips,
    /// The logical ids by ARN.
    ids: BTreeMap<String, String>,
}

impl<'a> Targets<'a> {
    /// The functions, and the other resources of a template.
    pub(super) fn of(
        functions: &[Declared],
        template: &Template,
        scope: &'a Scope<'a>,
        skips: &'a Skips,
    ) -> Self {
        let functions = functions.iter().map(|it| &it.function);
        let functions = functions.map(|it| (function_arn(&it.name), &it.logical_id));
        let Template { queues, tables, secrets, configuration_sets, .. } = template;
        let queues = queues.iter().map(|(id, it)| (arn("sqs", &it.name), id));
        let tables =
            tables.iter().map(|(id, it)| (arn("dynamodb", &format!("table/{}", it.name)), id));
        let secrets = secrets.iter().map(|(id, it)| (secret_arn(&it.name), id));
        let sets = configuration_sets.iter().map(|(id, name)| (set_arn(name), id));
        let all = functions.chain(queues).chain(tables).chain(secrets).chain(sets);
        let ids = all.map(|(arn, id)| (arn, id.clone())).collect();
        Self { scope, skips, ids }
    }

    /// Replaces a name or an ARN by the logical id of its resource; `arn` completes it. Returns
    /// whether the target stays: an unknown one does, and is an error later.
    fn find(&self, target: &mut String, arn: impl Fn(&str) -> String) -> bool {
        let Some(text) = literal(target) else { return true };
        if let Some(id) = self.ids.get(&arn(text)) {
            target.clone_from(id);
            return true;
        }
        !self.scope.is_absent(text)
    }

    /// Finds the resources that the parts of a template refer to. Events and authorizers are not
    /// among them yet.
    pub(super) fn find_all(&self, template: &mut Template) {
        for queue in template.queues.values_mut() {
            let absent =
                |redrive: &mut Redrive| !self.find(&mut redrive.dead_letter_queue, str::to_owned);
            if queue.redrive.take_if(absent).is_some() {
                self.skips.add("RedrivePolicy", &queue.logical_id, ABSENT);
            }
        }
        for source in &mut template.event_sources {
            self.find_of_source(source);
        }
        for destination in &mut template.event_destinations {
            self.find(&mut destination.configuration_set, set_arn);
        }
        for rule in &mut template.event_rules {
            let declared = rule.queues.len();
            rule.queues.retain_mut(|queue| self.find(queue, str::to_owned));
            if rule.queues.len() < declared {
                self.skips.add("Targets", &rule.logical_id, ABSENT);
            }
        }
    }

    /// Finds the function of an event source, its source, and its destination.
    pub(super) fn find_of_source(&self, source: &mut EventSource) {
        let is_rotation = matches!(source.trigger, Trigger::Rotation(_));
        let arn: fn(&str) -> String = if is_rotation { unqualified } else { function_arn };
        self.find(&mut source.function, arn);
        match &mut source.trigger {
            Trigger::Queue(trigger) => {
                self.find(&mut trigger.queue, str::to_owned);
            }
            Trigger::Stream(trigger) => {
                self.find(&mut trigger.table, table_arn);
                let absent = |queue: &mut String| !self.find(queue, str::to_owned);
                if trigger.on_failure_queue.take_if(absent).is_some() {
                    self.skips.add("DestinationConfig", &source.function, ABSENT);
                }
            }
            Trigger::Rotation(trigger) => {
                self.find(&mut trigger.secret, secret_arn);
            }
            Trigger::Schedule(_) => {}
        }
    }

    /// Finds the functions of authorizers.
    pub(super) fn find_of_authorizers(&self, apis: &mut [Api]) {
        for api in apis {
            let mut absent = BTreeSet::new();
            api.authorizers.retain(|name, authorizer| {
                let is_here = self.find(&mut authorizer.function, unqualified);
                if !is_here {
                    absent.insert(name.clone());
                }
                is_here
            });
            let preflight = api.cors.as_mut().map(|cors| &mut cors.preflight_authorizer);
            let routes = api.routes.iter_mut().map(|route| &mut route.authorizer);
            for authorizer in routes.chain(preflight) {
                authorizer.take_if(|name| absent.contains(name.as_str()));
            }
            for name in absent {
                self.skips.add(format!("the authorizer {name}"), &api.logical_id, UNCHECKED);
            }
        }
    }
}

/// The ARN of a function, by its name, or by a whole or partial ARN with or without a version.
fn function_arn(text: &str) -> String {
    let partial = text.strip_prefix(format!("{ACCOUNT_ID}:function:").as_str());
    match partial.or_else(|| (!text.contains(':')).then_some(text)) {
        Some(name) => unqualified(&names::function_arn(name)),
        None => unqualified(text),
    }
}

/// The ARN of a function without the version or the alias that may follow.
fn unqualified(text: &str) -> String {
    let whole = names::function_arn("");
    match text.strip_prefix(whole.as_str()) {
        Some(rest) => format!("{whole}{}", rest.split(':').next().unwrap_or(rest)),
        None => text.to_owned(),
    }
}

/// The ARN of the table of a stream, by the stream's ARN; empty for other texts.
fn table_arn(stream: &str) -> String {
    stream.split_once("/stream/").map_or_else(String::new, |(table, _)| table.to_owned())
}

/// The ARN of a secret without its random end, by its name or by this ARN.
fn secret_arn(text: &str) -> String {
    if text.starts_with("arn:") {
        text.to_owned()
    } else {
        arn("secretsmanager", &format!("secret:{text}"))
    }
}

/// The ARN of a configuration set, by its name.
fn set_arn(name: &str) -> String {
    arn("ses", &format!("configuration-set/{name}"))
}

#[cfg(test)]
mod tests;
