#![doc = include_str!("../README.md")]
//! # How it is read
//!
//! The template is converted to a typed model. [`document`] converts YAML to `CloudFormation`'s
//! JSON, [`intrinsics`] evaluates known expressions, and [`resources`] builds the [`model`], in which
//! [`targets`] replaces names and ARNs by logical ids.
//! SAM's short forms are expanded as by its transform: [`events`] to routes and mappings, implicit
//! APIs ([`apis`]), and policy templates to statements ([`policies`]).
//!
//! Anything that the platform does not support is an error with its path, and all errors are
//! reported together. Some parts are left out instead: properties in [`ignored_properties`],
//! resources in [`left_out`]. [`Template::skipped`] lists each such resource, and each property
//! whose absence a function or its client can notice. The other properties matter only on AWS.
//!
//! The public modules have rules for programs that run a template: [`routes`] with [`percent`],
//! [`batches`], and `schedules` with the feature of that name.

mod apis;
mod attributes;
pub mod batches;
mod conditions;
mod cors;
mod definition;
mod deserialize;
mod document;
mod error;
mod events;
mod expansion;
mod filter;
mod function_url;
mod functions;
mod generated;
mod given_names;
mod granted;
mod http_api;
mod ignored_properties;
mod intrinsics;
mod joined;
mod left_out;
mod like;
mod lines;
mod mail;
mod mappings;
mod model;
mod names;
mod parameters;
pub mod percent;
mod permissions;
mod policies;
mod properties;
mod reader;
mod references;
mod resources;
mod rest_api;
mod rotations;
pub mod routes;
#[cfg(feature = "schedules")]
pub mod schedules;
mod skipped;
mod tables;
mod targets;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

pub use self::error::TemplateError;
pub use self::filter::Pattern;
pub use self::like::is_like;
pub use self::model::{
    Api, ApiKind, AttributeType, Authorizer, AuthorizerFormat, Code, Condition, ConditionKey, Cors,
    DEFAULT_ROUTE, DEFAULT_STAGE, Effect, EventDestination, EventRule, EventSource, Function,
    GeneratedValue, Index, JwtAuthorizer, Key, MailEventType, Operator, Projection, Queue,
    QueueTrigger, Redrive, RotationTrigger, Route, ScheduleService, ScheduleTrigger, Secret,
    StartingPosition, Statement, StreamTrigger, StreamView, Table, Template, Throttle, Trigger,
};
pub use self::names::{ACCOUNT_ID, REGION, STACK_NAME, function_arn};
pub use self::parameters::check_parameter;
pub use self::permissions::Permission;
pub use self::reader::{applied_globals, merge_globals};
pub use self::skipped::Skipped;
pub use self::value::{Part, Reference, TemplateValue, Unresolved};

/// How to read a template.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// The values of parameters. Each must be a parameter of the template.
    pub parameters: BTreeMap<String, String>,
    /// Values that the platform knows. They replace the defaults of the template's parameters.
    pub known: BTreeMap<String, String>,
    /// The resources to leave out, by type or logical id.
    pub ignored: BTreeSet<String>,
}

impl Template {
    /// Reads a template file. `parameters` override the defaults in the template.
    ///
    /// # Errors
    /// If the file cannot be read or contains something that the platform does not support.
    pub fn read(path: &Path, parameters: &BTreeMap<String, String>) -> Result<Self, TemplateError> {
        Self::parse(&text(path)?, parameters)
    }

    /// Like [`Template::read`], with more options.
    ///
    /// # Errors
    /// Like [`Template::read`].
    pub fn read_with(path: &Path, options: &ReadOptions) -> Result<Self, TemplateError> {
        Self::parse_with(&text(path)?, options)
    }

    /// Reads a template from its text. `parameters` override the defaults in the template.
    ///
    /// # Errors
    /// If the text is not a template or contains something that the platform does not support.
    pub fn parse(
        source: &str,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Self, TemplateError> {
        let options = ReadOptions { parameters: parameters.clone(), ..ReadOptions::default() };
        Self::parse_with(source, &options)
    }

    /// Like [`Template::parse`], with more options.
    ///
    /// # Errors
    /// Like [`Template::parse`], with everything that is not supported.
    pub fn parse_with(source: &str, options: &ReadOptions) -> Result<Self, TemplateError> {
        let document = document::parse(source)?;
        modelled(&document, options).map_err(|error| lines::located(error, source))
    }
}

fn modelled(document: &Value, options: &ReadOptions) -> Result<Template, TemplateError> {
    let resources = &document["Resources"];
    let scope = intrinsics::Scope {
        parameters: parameters::values(document, &options.parameters, &options.known)?,
        named_only: parameters::named_only(document, &options.parameters, &options.known),
        mappings: &document["Mappings"],
        conditions: &document["Conditions"],
        resources: resources
            .as_object()
            .ok_or_else(|| TemplateError::not_understood("/Resources", "nothing is there"))?,
        left_out: resources::left_out(resources, &options.ignored),
        left: expansion::Left::new(),
    };
    resources::model(&scope, &document["Globals"], &options.ignored)
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
    fn a_file_that_cannot_be_read_is_an_error_with_the_reason() {
        let error = Template::read(Path::new("no/such.yaml"), &BTreeMap::new()).unwrap_err();
        assert!(error.to_string().starts_with("cannot read no/such.yaml: "), "{error}");
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
        assert!(template.secrets["CursorKeySecret"].generated.is_some());
    }

    #[test]
    fn a_property_left_out_is_reported_with_its_resource_unless_it_is_empty() {
        let skipped = |layers: &str| {
            let properties = format!("Runtime: provided.al2023, VpcConfig: {{}}, Layers: {layers}");
            let source = format!(
                "Resources:\n  F: {{Type: 'AWS::Serverless::Function', Properties: {{{properties}}}}}\n"
            );
            let template = Template::parse(&source, &BTreeMap::new()).unwrap();
            template.skipped.iter().map(|it| it.part.clone()).collect::<Vec<_>>()
        };

        assert_eq!(skipped("[a]"), ["Layers", "VpcConfig"]);
        assert_eq!(skipped("[!Ref 'AWS::NoValue']"), ["VpcConfig"]);
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
    fn a_parameter_without_a_value_is_one_error_for_all_resources_of_its_condition() {
        let source = "Parameters: {Lang: {Type: String}}
Conditions: {IsRust: !Equals [!Ref Lang, rust]}
Resources:
  A: {Type: 'AWS::SQS::Queue', Properties: {DelaySeconds: !If [IsRust, 1, 2]}}
  B: {Type: 'AWS::SQS::Queue', Properties: {DelaySeconds: !If [IsRust, 3, 4]}}
";
        let message = Template::parse(source, &BTreeMap::new()).unwrap_err().to_string();

        assert_eq!(message.lines().count(), 1, "{message}");
        assert!(message.starts_with("line 2: "), "{message}");
        assert!(message.contains("/Conditions/IsRust: Lang, which has no default"), "{message}");
        assert!(message.ends_with("--parameter Lang=VALUE gives one"), "{message}");
    }

    #[test]
    fn resources_that_only_monitor_are_left_out_with_a_line() {
        let source = "Resources:
  Group: {Type: 'AWS::ResourceGroups::Group', Properties: {Name: g}}
  Insights:
    Type: AWS::ApplicationInsights::Application
    Properties: {ResourceGroupName: !Ref Group}
";
        let template = Template::parse(source, &BTreeMap::new()).unwrap();

        let lines: Vec<String> = template.skipped.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "AWS::ApplicationInsights::Application (Insights): matters only on AWS",
                "AWS::ResourceGroups::Group (Group): matters only on AWS",
            ]
        );
    }

    #[test]
    fn a_route_is_open_only_if_it_opts_out_of_the_authorizer() {
        let template = ours();
        let api = template.root_api().unwrap();
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
            (
                "  A: {Type: 'AWS::EC2::Instance'}",
                "/Resources/A: a resource of type AWS::EC2::Instance",
            ),
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
                "/Resources/F/Properties/Runtime: a runtime other than provided, provided.al2, provided.al2023",
            ),
        ];

        for (resource, expected) in cases {
            let source = format!("Resources:\n{resource}\n");
            let message = Template::parse(&source, &BTreeMap::new()).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn all_errors_are_reported_together_each_with_its_line() {
        let source = "Resources:
  A: {Type: 'AWS::EC2::Instance'}
  Q:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimout: 3
      DelaySeconds: !Ref Nothing
";
        let message = Template::parse(source, &BTreeMap::new()).unwrap_err().to_string();

        let lines: Vec<&str> = message.lines().collect();
        assert_eq!(lines.len(), 3, "{message}");
        assert!(lines[0].starts_with("line 2: "), "{message}");
        assert!(message.contains("line 6: "), "{message}");
        assert!(message.contains("line 7: "), "{message}");
    }

    #[test]
    fn a_resource_is_left_out_by_its_type_or_logical_id() {
        let source = "Resources:
  A: {Type: 'AWS::EC2::Instance'}
  Q: {Type: 'AWS::SQS::Queue', Properties: {DelaySeconds: !GetAtt A.PrivateIp}}
  S: {Type: 'AWS::SecretsManager::Secret', Properties: {SecretString: !GetAtt A.PrivateIp}}
";
        let ignored = ["AWS::EC2::Instance", "Q"].map(str::to_owned).into();
        let options = ReadOptions { ignored, ..ReadOptions::default() };

        let template = Template::parse_with(source, &options).unwrap();

        assert!(template.queues.is_empty());
        let value = TemplateValue::literal("local-A");
        assert_eq!(template.secrets["S"].value, Some(value));
        let lines: Vec<String> = template.skipped.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "AWS::EC2::Instance (A): left out by --ignore",
                "AWS::SQS::Queue (Q): left out by --ignore",
            ]
        );
    }

    #[test]
    fn a_value_for_an_unknown_parameter_is_an_error() {
        let parameters = BTreeMap::from([("Stge".to_owned(), "prod".to_owned())]);

        let error = Template::parse("Resources: {}\n", &parameters).unwrap_err();

        assert!(error.to_string().contains("/Parameters/Stge"), "{error}");
    }
}
