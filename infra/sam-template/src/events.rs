//! A function's `Events`, converted as SAM does: to routes of APIs, to mappings with the permissions
//! that they need, and to schedules.

use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use super::deserialize::{flag, optional_millis_within, optional_resource};
use super::error::TemplateError;
use super::granted::{QUEUE_POLLER, STREAM_READER};
use super::mappings::{QueueMapping, StreamMapping};
use super::model::{EventSource, ScheduleService, ScheduleTrigger, Trigger};
use super::names::{IMPLICIT_HTTP_API, IMPLICIT_REST_API};
use super::reader::parse;
use super::skipped::Skips;
use super::{definition, ignored_properties, left_out};

/// The types of events whose services are not emulated.
const NOT_EMULATED: &[&str] = &[
    "AlexaSkill",
    "CloudWatchEvent",
    "CloudWatchLogs",
    "Cognito",
    "DocumentDB",
    "EventBridgeRule",
    "IoTRule",
    "Kinesis",
    "MQ",
    "MSK",
    "S3",
    "SNS",
    "SelfManagedKafka",
];

/// The consequence of such an event.
const BY_HAND: &str = "not delivered here; invoke the function at the control address";

/// One entry of a function's `Events`, evaluated.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct EventDeclaration {
    pub(super) r#type: String,
    #[serde(default)]
    pub(super) properties: Map<String, Value>,
}

/// The conversion of an event.
pub(super) enum Event {
    Route(RouteEvent),
    /// A source, and the managed policy that SAM adds for it.
    Source(EventSource, Option<&'static str>),
    /// The event is left out.
    Nothing,
}

/// A route of an API.
pub(super) struct RouteEvent {
    /// The logical id of the API, and whether it is a REST API.
    pub(super) api: String,
    pub(super) is_rest: bool,
    /// `None` for all requests that no other route matches.
    pub(super) method_and_path: Option<(String, String)>,
    /// The authorizer of the event itself.
    pub(super) authorizer: Option<String>,
    pub(super) timeout: Option<Duration>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct HttpApiEvent {
    #[serde(default, deserialize_with = "optional_resource")]
    api_id: Option<String>,
    method: Option<String>,
    path: Option<String>,
    #[serde(default)]
    auth: RouteAuth,
    payload_format_version: Option<Value>,
    route_settings: Option<IgnoredAny>,
    #[serde(
        default,
        rename = "TimeoutInMillis",
        deserialize_with = "optional_millis_within::<_, 50, 30_000>"
    )]
    timeout: Option<Duration>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RestApiEvent {
    #[serde(default, deserialize_with = "optional_resource")]
    rest_api_id: Option<String>,
    method: String,
    path: String,
    #[serde(default)]
    auth: RouteAuth,
    request_model: Option<Value>,
    #[serde(rename = "RequestParameters")]
    _request_parameters: Option<IgnoredAny>,
    /// The most depends on the account. No function runs for longer than 15 minutes.
    #[serde(
        default,
        rename = "TimeoutInMillis",
        deserialize_with = "optional_millis_within::<_, 50, 900_000>"
    )]
    timeout: Option<Duration>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RouteAuth {
    authorizer: Option<String>,
    #[serde(default, deserialize_with = "flag")]
    api_key_required: bool,
    #[serde(rename = "AuthorizationScopes")]
    _authorization_scopes: Option<IgnoredAny>,
    #[serde(rename = "InvokeRole")]
    _invoke_role: Option<IgnoredAny>,
    #[serde(rename = "OverrideApiAuth")]
    _override_api_auth: Option<IgnoredAny>,
    resource_policy: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ScheduleEvent {
    #[serde(alias = "ScheduleExpression")]
    schedule: String,
    input: Option<String>,
    #[serde(default, deserialize_with = "flag")]
    enabled: Option<bool>,
    state: Option<String>,
    schedule_expression_timezone: Option<String>,
    start_date: Option<IgnoredAny>,
    end_date: Option<IgnoredAny>,
    #[serde(rename = "DeadLetterConfig")]
    _dead_letter_config: Option<IgnoredAny>,
    #[serde(rename = "Description")]
    _description: Option<IgnoredAny>,
    #[serde(rename = "FlexibleTimeWindow")]
    _flexible_time_window: Option<IgnoredAny>,
    #[serde(rename = "GroupName")]
    _group_name: Option<IgnoredAny>,
    #[serde(rename = "KmsKeyArn")]
    _kms_key_arn: Option<IgnoredAny>,
    #[serde(rename = "Name")]
    _name: Option<IgnoredAny>,
    #[serde(rename = "OmitName")]
    _omit_name: Option<IgnoredAny>,
    #[serde(rename = "PermissionsBoundary")]
    _permissions_boundary: Option<IgnoredAny>,
    /// The retry policy of `EventBridge`; here a schedule invokes its function directly.
    #[serde(rename = "RetryPolicy")]
    _retry_policy: Option<IgnoredAny>,
    #[serde(rename = "RoleArn")]
    _role_arn: Option<IgnoredAny>,
}

impl EventDeclaration {
    /// Converts the event of this name of a function.
    pub(super) fn convert(
        self,
        function: &str,
        name: &str,
        skips: &Skips,
    ) -> Result<Event, TemplateError> {
        let Self { r#type, mut properties } = self;
        let path = format!("/Resources/{function}/Properties/Events/{name}/Properties");
        let event = |source: Option<EventSource>, policy| {
            if source.is_none() {
                skips.add(format!("the event {name}"), function, left_out::DISABLED);
            }
            source.map_or(Event::Nothing, |source| Event::Source(source, Some(policy)))
        };
        match r#type.as_str() {
            "HttpApi" => Ok(Event::Route(http_route(&path, properties, function, skips)?)),
            "Api" => {
                let event: RestApiEvent = parse(&path, properties, Vec::new())?;
                if event.request_model.is_some_and(|model| validates(&model)) {
                    skips.add_request_validators(function);
                }
                event.auth.note(function, skips);
                Ok(Event::Route(RouteEvent {
                    api: event.rest_api_id.unwrap_or_else(|| IMPLICIT_REST_API.to_owned()),
                    is_rest: true,
                    method_and_path: Some((event.method, event.path)),
                    authorizer: event.auth.authorizer,
                    timeout: event.timeout,
                }))
            }
            "SQS" => {
                as_mapping(&mut properties, function, skips);
                let mapping: QueueMapping = parse(&path, properties, Vec::new())?;
                Ok(event(mapping.into_source(name), QUEUE_POLLER))
            }
            "DynamoDB" => {
                as_mapping(&mut properties, function, skips);
                let mapping: StreamMapping = parse(&path, properties, Vec::new())?;
                Ok(event(mapping.into_source(name), STREAM_READER))
            }
            "Schedule" | "ScheduleV2" => {
                let event: ScheduleEvent = parse(&path, properties, Vec::new())?;
                let is_rule = r#type == "Schedule";
                let service =
                    if is_rule { ScheduleService::Rules } else { ScheduleService::Scheduler };
                Ok(event.convert(function, name, service, skips))
            }
            other if NOT_EMULATED.contains(&other) => {
                skips.add(format!("the event {name} of type {other}"), function, BY_HAND);
                Ok(Event::Nothing)
            }
            other => {
                let place = format!("Events/{name}/Type");
                let what = format!("an event of type {other}");
                Err(TemplateError::in_resource(function, &place, &what))
            }
        }
    }
}

fn http_route(
    path: &str,
    properties: Map<String, Value>,
    function: &str,
    skips: &Skips,
) -> Result<RouteEvent, TemplateError> {
    let event: HttpApiEvent = parse(path, properties, Vec::new())?;
    event.auth.note(function, skips);
    if event.route_settings.is_some() {
        skips.add("RouteSettings", function, "has no effect here");
    }
    let version = event.payload_format_version;
    if version.is_some_and(|version| !definition::is_payload_2(&version)) {
        let path = format!("{path}/PayloadFormatVersion");
        return Err(TemplateError::not_understood(&path, definition::OTHER_PAYLOAD));
    }
    let method_and_path = match (event.method, event.path) {
        (None, None) => None,
        (_, Some(path)) if path == "$default" => None,
        (Some(method), Some(path)) => Some((method, path)),
        _ => return Err(TemplateError::not_understood(path, "Method and Path without the other")),
    };
    Ok(RouteEvent {
        api: event.api_id.unwrap_or_else(|| IMPLICIT_HTTP_API.to_owned()),
        is_rest: false,
        method_and_path,
        authorizer: event.auth.authorizer,
        timeout: event.timeout,
    })
}

impl RouteAuth {
    /// Adds the checks that are left out.
    fn note(&self, function: &str, skips: &Skips) {
        if self.api_key_required {
            skips.add("the API keys", function, "not checked here");
        }
        if self.resource_policy.is_some() {
            skips.add("ResourcePolicy", function, "not checked here");
        }
    }
}

/// Whether SAM adds a request validator for a `RequestModel`.
fn validates(model: &Value) -> bool {
    let is_on = |flag: &str| model[flag] == true || model[flag] == "true";
    is_on("ValidateBody") || is_on("ValidateParameters")
}

/// Turns the properties of an event into those of a mapping, as SAM does, without those for AWS only.
fn as_mapping(properties: &mut Map<String, Value>, function: &str, skips: &Skips) {
    for name in ignored_properties::MAPPING {
        if properties.remove(*name).is_some()
            && let Some(consequence) = ignored_properties::consequence(name)
        {
            skips.add(*name, function, consequence);
        }
    }
    properties.insert("FunctionName".to_owned(), json!({ "Ref": function }));
}

impl ScheduleEvent {
    fn convert(self, function: &str, name: &str, service: ScheduleService, skips: &Skips) -> Event {
        let is_disabled = self.state.is_some_and(|state| state == "DISABLED");
        if is_disabled || self.enabled == Some(false) {
            skips.add(format!("the schedule {name}"), function, left_out::DISABLED);
            return Event::Nothing;
        }
        if self.schedule_expression_timezone.is_some_and(|zone| zone != "UTC") {
            let part = format!("the time zone of the schedule {name}");
            skips.add(part, function, "schedules are in UTC here");
        }
        if self.start_date.is_some() || self.end_date.is_some() {
            let part = format!("the start and end dates of the schedule {name}");
            skips.add(part, function, "it runs before and after them here");
        }
        let trigger = Trigger::Schedule(ScheduleTrigger {
            service,
            expression: self.schedule,
            input: self.input,
        });
        let source = EventSource { function: function.to_owned(), name: name.to_owned(), trigger };
        Event::Source(source, None)
    }
}
