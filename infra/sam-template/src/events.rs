//! A function's `Events`: its routes and schedules.
//!
//! SAM also supports queues and streams there. But SAM then lets the function receive from any
//! queue or stream. So the template declares them as [`super::mappings`].

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::deserialize::resource;
use super::model::{EventSource, Route, ScheduleTrigger, Trigger};

/// One entry of a function's `Events`.
#[derive(Deserialize)]
#[serde(tag = "Type", content = "Properties", deny_unknown_fields)]
pub(super) enum EventProperties {
    HttpApi(HttpApiEvent),
    Schedule(ScheduleEvent),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct HttpApiEvent {
    #[serde(rename = "ApiId", deserialize_with = "resource")]
    pub(super) api: String,
    method: String,
    path: String,
    auth: Option<RouteAuth>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RouteAuth {
    authorizer: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ScheduleEvent {
    schedule: String,
    input: Option<String>,
    #[serde(rename = "Description")]
    _description: Option<String>,
    /// The retry policy of `EventBridge`; here a schedule invokes its function directly.
    #[serde(rename = "RetryPolicy")]
    _retry_policy: Option<IgnoredAny>,
}

impl HttpApiEvent {
    pub(super) fn into_route(self, function: &str, default_authorizer: Option<&String>) -> Route {
        let authorizer = match self.auth.map(|auth| auth.authorizer) {
            Some(none) if none == "NONE" => None,
            Some(named) => Some(named),
            None => default_authorizer.cloned(),
        };
        Route {
            method: self.method.to_uppercase(),
            path: self.path,
            function: function.to_owned(),
            authorizer,
        }
    }
}

impl ScheduleEvent {
    pub(super) fn into_source(self, function: &str, name: String) -> EventSource {
        let trigger =
            Trigger::Schedule(ScheduleTrigger { expression: self.schedule, input: self.input });
        EventSource { function: function.to_owned(), name, trigger }
    }
}
