//! Builds the model from the resources of a template.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::apis::Apis;
use super::error::TemplateError;
use super::events::{Event, EventDeclaration};
use super::functions::{self, Declared};
use super::given_names::{self, Naming};
use super::intrinsics::Scope;
use super::mail::{ConfigurationSetProperties, EventDestinationProperties, RuleProperties};
use super::mappings::{QueueMapping, StreamMapping};
use super::model::{EventSource, Function, Queue, Redrive, Secret, Template, Trigger};
use super::names::FUNCTION;
use super::properties::{QueueProperties, SecretProperties};
use super::reader::{NO_GLOBALS, Reader};
use super::rotations::RotationSchedule;
use super::skipped::Skips;
use super::tables::{SimpleTableProperties, TableProperties};
use super::targets::{ABSENT, Targets};
use super::value::TemplateValue;
use super::{granted, http_api, ignored_properties, left_out, policies, references, rest_api};

/// Builds the model of all resources whose conditions are true.
///
/// # Errors
/// Everything that is not supported, in all resources.
pub(super) fn model(
    scope: &Scope<'_>,
    globals: &Value,
    ignored: &BTreeSet<String>,
) -> Result<Template, TemplateError> {
    let skips = Skips::default();
    for name in &scope.named_only {
        skips.add("AWS::SSM::Parameter::Value", name, BY_NAME);
    }
    let mut builder = Builder {
        reader: Reader { scope, globals, skips: &skips },
        ignored,
        template: empty(scope),
        apis: Apis::default(),
        functions: Vec::new(),
    };
    let mut errors = Vec::new();
    for (id, declaration) in scope.resources {
        errors.extend(builder.add(id, declaration).err());
    }
    let functions = std::mem::take(&mut builder.functions);
    let targets = Targets::of(&functions, &builder.template, scope, &skips);
    targets.find_all(&mut builder.template);
    for declared in functions {
        errors.extend(builder.attach(declared, &targets).err());
    }
    let Builder { mut template, apis, .. } = builder;
    template.apis = apis.into_list();
    targets.find_of_authorizers(&mut template.apis);
    template.skipped = skips.into_list();
    if errors.is_empty() {
        // After other errors, a reference may only lack the resource that could not be read.
        errors = references::errors(&template);
        errors.extend(given_names::errors(&template));
    }
    TemplateError::of(errors).map_or(Ok(template), Err)
}

/// The resources of a template that are left out, with their types.
pub(super) fn left_out(resources: &Value, ignored: &BTreeSet<String>) -> BTreeMap<String, String> {
    let kinds = resources.as_object().into_iter().flatten().filter_map(|(id, declaration)| {
        let kind = declaration["Type"].as_str()?;
        let is_left_out = is_ignored(ignored, id, kind) || left_out::reason(kind).is_some();
        is_left_out.then(|| (id.clone(), kind.to_owned()))
    });
    kinds.collect()
}

fn is_ignored(ignored: &BTreeSet<String>, id: &str, kind: &str) -> bool {
    ignored.contains(id) || ignored.contains(kind)
}

fn empty(scope: &Scope<'_>) -> Template {
    Template {
        functions: BTreeMap::new(),
        apis: Vec::new(),
        tables: BTreeMap::new(),
        queues: BTreeMap::new(),
        secrets: BTreeMap::new(),
        event_sources: Vec::new(),
        configuration_sets: BTreeMap::new(),
        event_destinations: Vec::new(),
        event_rules: Vec::new(),
        skipped: Vec::new(),
        mail_from: scope.parameters.get(MAIL_FROM).and_then(Value::as_str).map(str::to_owned),
    }
}

/// The consequence of a parameter whose value is in SSM.
const BY_NAME: &str = "its default is a name; --parameter NAME=VALUE gives the value";

/// The parameter with the sender of all mail. SES treats its domain as verified.
const MAIL_FROM: &str = "MailFrom";

struct Builder<'a> {
    reader: Reader<'a>,
    ignored: &'a BTreeSet<String>,
    template: Template,
    apis: Apis,
    /// The functions, whose events are attached after all APIs are known.
    functions: Vec<Declared>,
}

impl Builder<'_> {
    /// Adds a resource to the model.
    fn add(&mut self, id: &str, declaration: &Value) -> Result<(), TemplateError> {
        let reader = &self.reader;
        if let Some(condition) = declaration["Condition"].as_str()
            && !reader.scope.holds(condition)?
        {
            return Ok(());
        }
        let kind = declaration["Type"].as_str().unwrap_or_default();
        if is_ignored(self.ignored, id, kind) {
            reader.skips.add(kind, id, left_out::BY_OPTION);
            return Ok(());
        }
        let properties = declaration["Properties"].as_object();
        if properties.is_some_and(|it| reader.scope.lacks_resource(kind, it)) {
            reader.skips.add(kind, id, ABSENT);
            return Ok(());
        }
        if declaration.get("Connectors").is_some() {
            reader.skips.add("Connectors", id, left_out::CONNECTOR);
        }
        let template = &mut self.template;
        let name = |naming: Naming| naming.name(reader, id, declaration);
        match kind {
            FUNCTION => self.functions.push(functions::read(reader, id, declaration)?),
            "AWS::Serverless::HttpApi" => {
                self.apis.add(http_api::read(reader, id, declaration)?);
            }
            "AWS::Serverless::Api" => self.apis.add(rest_api::read(reader, id, declaration)?),
            "AWS::DynamoDB::Table" => {
                let table: TableProperties =
                    reader.properties(id, declaration, "Table", ignored_properties::TABLE)?;
                template
                    .tables
                    .insert(id.to_owned(), table.into_table(id, name(given_names::TABLE)?)?);
            }
            "AWS::Serverless::SimpleTable" => {
                let table: SimpleTableProperties =
                    reader.properties(id, declaration, "SimpleTable", ignored_properties::TABLE)?;
                template
                    .tables
                    .insert(id.to_owned(), table.into_table(id, name(given_names::TABLE)?));
            }
            "AWS::SQS::Queue" => {
                let queue: QueueProperties =
                    reader.properties(id, declaration, NO_GLOBALS, ignored_properties::QUEUE)?;
                let ending = if queue.fifo_queue { ".fifo" } else { "" };
                let name = given_names::QUEUE.name_with(reader, id, declaration, ending)?;
                template.queues.insert(id.to_owned(), into_queue(id, name, queue));
            }
            "AWS::SecretsManager::Secret" => {
                let secret: SecretProperties =
                    reader.properties(id, declaration, NO_GLOBALS, ignored_properties::SECRET)?;
                template
                    .secrets
                    .insert(id.to_owned(), into_secret(id, name(given_names::SECRET)?, secret)?);
            }
            "AWS::Lambda::EventSourceMapping" => {
                template.event_sources.extend(mapping(reader, id, declaration)?);
            }
            "AWS::SecretsManager::RotationSchedule" => {
                let rotation: RotationSchedule =
                    reader.properties(id, declaration, NO_GLOBALS, ignored_properties::ROTATION)?;
                template.event_sources.push(rotation.into_source(id));
            }
            "AWS::SES::ConfigurationSet" => {
                let ConfigurationSetProperties {} = reader.properties(
                    id,
                    declaration,
                    NO_GLOBALS,
                    ignored_properties::CONFIGURATION_SET,
                )?;
                template
                    .configuration_sets
                    .insert(id.to_owned(), name(given_names::CONFIGURATION_SET)?);
            }
            "AWS::SES::ConfigurationSetEventDestination" => {
                let destination: EventDestinationProperties =
                    reader.properties(id, declaration, NO_GLOBALS, &[])?;
                template.event_destinations.push(destination.into_destination());
            }
            "AWS::Events::Rule" => {
                let rule: RuleProperties =
                    reader.properties(id, declaration, NO_GLOBALS, ignored_properties::RULE)?;
                template.event_rules.push(rule.into_rule(id));
            }
            other => {
                let Some(why) = left_out::reason(other) else {
                    let what =
                        format!("a resource of type {other}; --ignore {other} leaves it out");
                    return Err(TemplateError::not_understood(&format!("/Resources/{id}"), &what));
                };
                reader.skips.add(other, id, why);
            }
        }
        Ok(())
    }

    /// Adds a function with its events to the model: routes to their APIs, others to the event
    /// sources, with the permissions that SAM adds.
    fn attach(&mut self, declared: Declared, targets: &Targets<'_>) -> Result<(), TemplateError> {
        let Declared { mut function, has_role, url, events } = declared;
        let id = function.logical_id.clone();
        if let Some(url) = url {
            self.apis.add((url, None));
        }
        let mut errors = Vec::new();
        for (name, event) in events {
            match self.convert(&id, &name, event) {
                Ok(None) => {}
                Ok(Some((mut source, policy))) => {
                    targets.find_of_source(&mut source);
                    if !has_role {
                        permit(&mut function, &source, policy);
                    }
                    self.template.event_sources.push(source);
                }
                Err(error) => errors.push(error),
            }
        }
        self.template.functions.insert(id, function);
        TemplateError::of(errors).map_or(Ok(()), Err)
    }

    /// The event source of an event, with its managed policy; `None` for a route.
    fn convert(
        &mut self,
        function: &str,
        name: &str,
        event: EventDeclaration,
    ) -> Result<Option<(EventSource, Option<&'static str>)>, TemplateError> {
        let reader = &self.reader;
        if reader.scope.lacks_resource(&event.r#type, &event.properties) {
            reader.skips.add(format!("the event {name}"), function, ABSENT);
            return Ok(None);
        }
        match event.convert(function, name, reader.skips)? {
            Event::Route(route) => {
                self.apis.attach(&self.reader, function, name, route).map(|()| None)
            }
            Event::Source(source, policy) => Ok(Some((source, policy))),
            Event::Nothing => Ok(None),
        }
    }
}

/// Adds the permissions that SAM adds for a source.
fn permit(function: &mut Function, source: &EventSource, policy: Option<&'static str>) {
    let everything = TemplateValue::literal("*");
    let actions = policy.and_then(granted::managed).map_or(&[][..], |grant| grant.actions);
    function.policies.extend(actions.iter().map(|action| policies::allowed(action, &everything)));
    if let Trigger::Stream(stream) = &source.trigger
        && let Some(queue) = &stream.on_failure_queue
    {
        let queue = TemplateValue::attribute(queue, "Arn");
        function.policies.push(policies::allowed("sqs:SendMessage", &queue));
    }
}

/// The source's attribute decides between queue and stream. `None` if the mapping is disabled.
fn mapping(
    reader: &Reader<'_>,
    id: &str,
    declaration: &Value,
) -> Result<Option<EventSource>, TemplateError> {
    let source = reader.scope.reduce(&declaration["Properties"]["EventSourceArn"], "", 0);
    // If it has no value, the reader finds the error.
    let source = source.ok().flatten().unwrap_or_default();
    let is_stream = source["Fn::GetAtt"][1] == "StreamArn"
        || source.as_str().is_some_and(|source| source.starts_with("arn:aws:dynamodb:"));
    let only_on_aws = ignored_properties::MAPPING;
    let source = if is_stream {
        let stream: StreamMapping = reader.properties(id, declaration, NO_GLOBALS, only_on_aws)?;
        stream.into_source(id)
    } else {
        let queue: QueueMapping = reader.properties(id, declaration, NO_GLOBALS, only_on_aws)?;
        queue.into_source(id)
    };
    if source.is_none() {
        reader.skips.add("AWS::Lambda::EventSourceMapping", id, left_out::DISABLED);
    }
    Ok(source)
}

fn into_queue(id: &str, name: String, properties: QueueProperties) -> Queue {
    Queue {
        logical_id: id.to_owned(),
        name,
        fifo: properties.fifo_queue,
        content_based_deduplication: properties.content_based_deduplication,
        visibility_timeout: properties.visibility_timeout,
        delay: properties.delay_seconds,
        retention: properties.message_retention_period,
        receive_wait: properties.receive_message_wait_time_seconds,
        message_bytes_max: properties.maximum_message_size,
        redrive: properties.redrive_policy.map(|redrive| Redrive {
            dead_letter_queue: redrive.dead_letter_target_arn,
            max_receive_count: redrive.max_receive_count,
        }),
    }
}

fn into_secret(
    id: &str,
    name: String,
    properties: SecretProperties,
) -> Result<Secret, TemplateError> {
    let generated = properties.generate_secret_string;
    Ok(Secret {
        logical_id: id.to_owned(),
        name,
        value: properties.secret_string,
        generated: generated.map(|generated| generated.into_value(id)).transpose()?,
    })
}
