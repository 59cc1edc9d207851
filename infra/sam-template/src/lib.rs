#![doc = include_str!("../README.md")]
//! # How it is read
//!
//! The template is converted to a typed model. [`document`] converts YAML to `CloudFormation`'s
//! JSON, [`intrinsics`] evaluates known expressions, and [`resources`] builds the [`model`].
//! Anything that the platform does not support is an error with its path. Properties that matter
//! only on AWS are listed in [`ignored_properties`] and ignored.

mod conditions;
mod deserialize;
mod document;
mod error;
mod events;
mod filter;
mod ignored_properties;
mod intrinsics;
mod mail;
mod mappings;
mod model;
mod parameters;
mod permissions;
mod properties;
mod references;
mod resources;
mod rotations;
mod value;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

pub use self::error::TemplateError;
pub use self::filter::Pattern;
pub use self::model::{
    AttributeType, Authorizer, Condition, ConditionKey, Cors, Effect, EventDestination, EventRule,
    EventSource, Function, HttpApi, Index, Key, MailEventType, Operator, Projection, Queue,
    QueueTrigger, Redrive, RotationTrigger, Route, ScheduleTrigger, Secret, StartingPosition,
    Statement, StreamTrigger, StreamView, Table, Template, Throttle, Trigger,
};
pub use self::permissions::Permission;
pub use self::value::{Part, Reference, TemplateValue, Unresolved};

/// The region of all emulated resources.
pub const REGION: &str = "eu-west-1";
/// The account of all emulated resources.
pub const ACCOUNT_ID: &str = "000000000000";
/// The name of the stack, and the first part of every physical name.
pub const STACK_NAME: &str = "local";

impl Template {
    /// Reads a template file. `parameters` override the defaults in the template.
    ///
    /// # Errors
    /// If the file cannot be read or contains something that the platform does not support.
    pub fn read(path: &Path, parameters: &BTreeMap<String, String>) -> Result<Self, TemplateError> {
        Self::read_knowing(path, parameters, &BTreeMap::new())
    }

    /// Like [`Template::read`], with values that the platform knows. They replace the defaults of
    /// the template's parameters.
    ///
    /// # Errors
    /// Like [`Template::read`].
    pub fn read_knowing(
        path: &Path,
        parameters: &BTreeMap<String, String>,
        known: &BTreeMap<String, String>,
    ) -> Result<Self, TemplateError> {
        Self::parse_knowing(&text(path)?, parameters, known)
    }

    /// Reads a template from its text. `parameters` override the defaults in the template.
    ///
    /// # Errors
    /// If the text is not a template or contains something that the platform does not support.
    pub fn parse(
        source: &str,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Self, TemplateError> {
        Self::parse_knowing(source, parameters, &BTreeMap::new())
    }

    fn parse_knowing(
        source: &str,
        parameters: &BTreeMap<String, String>,
        known: &BTreeMap<String, String>,
    ) -> Result<Self, TemplateError> {
        let document = document::parse(source)?;
        let resources = document
            .get("Resources")
            .and_then(Value::as_object)
            .ok_or_else(|| TemplateError::not_understood("/Resources", "nothing is there"))?;
        let scope = intrinsics::Scope {
            parameters: parameter_values(&document, parameters, known)?,
            mappings: &document["Mappings"],
            conditions: &document["Conditions"],
            resources,
        };
        resources::model(&scope, &document["Globals"])
    }
}

/// A template file as `CloudFormation`'s JSON, for tools that use a modified copy.
///
/// # Errors
/// If the file cannot be read or is not a YAML document.
pub fn as_json(path: &Path) -> Result<Value, TemplateError> {
    parse_json(&text(path)?)
}

/// A template's text as `CloudFormation`'s JSON.
///
/// # Errors
/// If it is not a YAML document.
pub fn parse_json(source: &str) -> Result<Value, TemplateError> {
    document::parse(source)
}

fn text(path: &Path) -> Result<String, TemplateError> {
    std::fs::read_to_string(path)
        .map_err(|source| TemplateError::Unreadable { path: path.display().to_string(), source })
}

/// The value of every parameter: the given one, or else the known one, or else its default.
fn parameter_values(
    document: &Value,
    overrides: &BTreeMap<String, String>,
    known: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Value>, TemplateError> {
    let no_parameters = Map::new();
    let declared = document["Parameters"].as_object().unwrap_or(&no_parameters);
    if let Some(unknown) = overrides.keys().find(|name| !declared.contains_key(*name)) {
        return Err(TemplateError::not_understood(
            &format!("/Parameters/{unknown}"),
            &parameters::unknown(declared),
        ));
    }
    let mut values = pseudo_parameters();
    for (name, declaration) in declared {
        let given = overrides.get(name).or_else(|| known.get(name));
        let value = match (given, declaration.get("Default")) {
            (Some(given), _) => given.clone(),
            (None, Some(Value::String(default))) => default.clone(),
            (None, Some(default)) => default.to_string(),
            // It is an error only if something refers to it.
            (None, None) => {
                values.insert(name.clone(), Value::Null);
                continue;
            }
        };
        parameters::check_allowed(name, declaration, &value)?;
        let value = match declaration["Type"].as_str() {
            Some("CommaDelimitedList") => list(&value),
            Some("Number") => number(name, &value)?,
            _ => json!(value),
        };
        values.insert(name.clone(), value);
    }
    Ok(values)
}

fn list(value: &str) -> Value {
    value.split(',').map(str::trim).filter(|item| !item.is_empty()).collect()
}

fn number(parameter: &str, value: &str) -> Result<Value, TemplateError> {
    serde_json::from_str(value).map(Value::Number).map_err(|_| {
        let path = format!("/Parameters/{parameter}");
        TemplateError::not_understood(&path, &format!("{value}, which is not a number"))
    })
}

fn pseudo_parameters() -> BTreeMap<String, Value> {
    [
        ("AWS::AccountId", ACCOUNT_ID),
        ("AWS::Partition", "aws"),
        ("AWS::Region", REGION),
        ("AWS::StackName", STACK_NAME),
        ("AWS::URLSuffix", "amazonaws.com"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), json!(value)))
    .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn ours() -> Template {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
        Template::read(&path, &BTreeMap::new()).unwrap()
    }

    #[test]
    fn a_stopped_clock_leaves_only_queues_and_streams() {
        let mut template = ours();
        let is_left =
            |it: &&EventSource| matches!(it.trigger, Trigger::Queue(_) | Trigger::Stream(_));
        let expected: Vec<_> = template.event_sources.iter().filter(is_left).cloned().collect();
        assert!(!expected.is_empty() && expected.len() < template.event_sources.len());
        template.stop_clock();
        assert_eq!(template.event_sources, expected);
    }

    #[test]
    fn the_template_of_this_repository_is_supported() {
        let template = ours();

        let create_order = &template.functions["CreateOrderFunction"];
        assert_eq!(create_order.binary, "create_order");
        assert_eq!(create_order.environment["SERVICE_NAME"], TemplateValue::literal(STACK_NAME));
        assert_eq!(create_order.environment["ORDERS_TABLE"].logical_id(), Some("OrdersTable"));
        assert_eq!(template.tables["OutboxTable"].stream, Some(StreamView::NewImage));
        assert_eq!(template.tables["LedgerTable"].ttl_attribute.as_deref(), Some("expiresAt"));
        let redrive = template.queues["EmailsQueue"].redrive.as_ref().unwrap();
        assert_eq!(redrive.dead_letter_queue, "EmailsDeadLetterQueue");
        let mut consumers = template.event_sources.iter().map(|source| source.function.as_str());
        assert!(consumers.any(|function| function == "SendEmailFunction"));
        let indexes = template.tables["OrdersTable"].indexes.iter();
        let indexes: Vec<_> = indexes.map(|index| index.name.as_str()).collect();
        assert_eq!(indexes, ["by_creation", "by_deadline"]);
        assert!(template.secrets["CursorKeySecret"].generated);
    }

    #[test]
    fn a_reference_to_a_parameter_without_a_value_is_an_error() {
        let parse = |value: &str| {
            let queue =
                format!("  Q: {{Type: 'AWS::SQS::Queue', Properties: {{DelaySeconds: {value}}}}}");
            let source = format!("Parameters:\n  P: {{Type: Number}}\nResources:\n{queue}\n");
            Template::parse(&source, &BTreeMap::new())
        };

        assert!(parse("1").is_ok());
        let message = parse("!Ref P").unwrap_err().to_string();
        assert!(
            message.contains("/Resources/Q/Properties/DelaySeconds: P, which has no default"),
            "{message}"
        );
    }

    #[test]
    fn a_route_is_open_only_if_it_opts_out_of_the_authorizer() {
        let api = ours().api.unwrap();
        let authorizer = |method: &str, path: &str| {
            let found = api.routes.iter().find(|it| it.method == method && it.path == path);
            found.unwrap().authorizer.clone()
        };

        assert_eq!(authorizer("POST", "/users"), None);
        assert_eq!(authorizer("POST", "/orders").as_deref(), Some("TokenAuthorizer"));
        assert_eq!(api.authorizers["TokenAuthorizer"].cache_ttl, Duration::from_mins(5));
    }

    #[test]
    fn a_visibility_timeout_is_six_times_the_consumers_timeout() {
        let template = ours();

        for source in &template.event_sources {
            if let Trigger::Queue(trigger) = &source.trigger {
                let timeout = template.functions[&source.function].timeout;
                let visibility = template.queues[&trigger.queue].visibility_timeout;
                assert!(visibility >= 6 * timeout, "{}", trigger.queue);
            }
        }
    }

    #[test]
    fn an_unsupported_resource_or_property_is_an_error_with_its_path() {
        let cases = [
            ("  A: {Type: 'AWS::S3::Bucket'}", "/Resources/A: a resource of type AWS::S3::Bucket"),
            (
                "  Q: {Type: 'AWS::SQS::Queue', Properties: {VisibilityTimout: 3}}",
                "/Resources/Q/Properties/VisibilityTimout: unknown field `VisibilityTimout`",
            ),
            (
                "  Q: {Type: 'AWS::SQS::Queue', Properties: {DelaySeconds: [1]}}",
                "/Resources/Q/Properties/DelaySeconds: invalid type",
            ),
            (
                "  F: {Type: 'AWS::Serverless::Function', Properties: {Runtime: nodejs24.x}}",
                "/Resources/F/Properties/Runtime: a runtime other than provided.al2023",
            ),
        ];

        for (resource, expected) in cases {
            let source = format!("Resources:\n{resource}\n");
            let message = Template::parse(&source, &BTreeMap::new()).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn a_value_for_an_unknown_parameter_is_an_error() {
        let parameters = BTreeMap::from([("Stge".to_owned(), "prod".to_owned())]);

        let error = Template::parse("Resources: {}\n", &parameters).unwrap_err();

        assert!(error.to_string().contains("/Parameters/Stge"), "{error}");
    }

    #[test]
    fn a_number_parameter_that_is_not_a_number_is_an_error() {
        let source = "Parameters: {Rate: {Type: Number, Default: 5}}\nResources: {}\n";
        let parameters = BTreeMap::from([("Rate".to_owned(), "many".to_owned())]);

        let error = Template::parse(source, &parameters).unwrap_err();

        assert!(
            error.to_string().contains("/Parameters/Rate: many, which is not a number"),
            "{error}"
        );
    }

    #[test]
    fn a_given_value_precedes_a_known_one_and_that_the_default() {
        let source = "Parameters: {A: {Default: a}, B: {Default: b}, C: {Default: c}}\n";
        let document = document::parse(source).unwrap();
        let values = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
        };
        let known = values(&[("A", "known"), ("B", "known"), ("D", "known")]);

        let found = parameter_values(&document, &values(&[("A", "given")]), &known).unwrap();

        assert_eq!([&found["A"], &found["B"], &found["C"]], ["given", "known", "c"]);
        assert!(!found.contains_key("D"), "the template does not have it");
    }
}
