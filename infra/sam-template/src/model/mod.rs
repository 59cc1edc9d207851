//! The model of a template: one type for each kind of resource that the platform runs.
//!
//! Resources are identified by their logical ids. Names, URLs and ARNs exist only once the emulated
//! services have started. Until then, values that refer to them are a [`TemplateValue`].
//!
//! [`TemplateValue`]: crate::TemplateValue

mod api;
mod function;
mod mail;
mod queue;
mod secret;
mod table;
mod trigger;

use std::collections::{BTreeMap, BTreeSet};

use crate::skipped::Skipped;

pub use self::api::{
    Api, ApiKind, Authorizer, AuthorizerFormat, Cors, DEFAULT_ROUTE, DEFAULT_STAGE, JwtAuthorizer,
    Route, Throttle,
};
pub use self::function::{Code, Condition, ConditionKey, Effect, Function, Operator, Statement};
pub use self::mail::{EventDestination, EventRule, MailEventType};
pub use self::queue::{Queue, Redrive};
pub use self::secret::{GeneratedValue, Secret};
pub use self::table::{AttributeType, Index, Key, Projection, StreamView, Table};
pub use self::trigger::{
    EventSource, QueueTrigger, RotationTrigger, ScheduleService, ScheduleTrigger, StartingPosition,
    StreamTrigger, Trigger,
};

/// A parsed and checked template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// The functions, by logical id.
    pub functions: BTreeMap<String, Function>,
    /// The APIs and function URLs.
    pub apis: Vec<Api>,
    /// The tables, by logical id.
    pub tables: BTreeMap<String, Table>,
    /// The queues, by logical id.
    pub queues: BTreeMap<String, Queue>,
    /// The secrets, by logical id.
    pub secrets: BTreeMap<String, Secret>,
    /// The event sources of functions besides the API.
    pub event_sources: Vec<EventSource>,
    /// The physical names of the configuration sets of SES, by logical id.
    pub configuration_sets: BTreeMap<String, String>,
    /// The mail events that SES publishes.
    pub event_destinations: Vec<EventDestination>,
    /// The rules that send events to queues.
    pub event_rules: Vec<EventRule>,
    /// The parts of the template that the platform leaves out.
    pub skipped: Vec<Skipped>,
    /// The value of the parameter `MailFrom`, if the template has it: the sender of all mail.
    pub mail_from: Option<String>,
}

impl Template {
    /// The names of the functions' binaries, each once.
    pub fn binaries(&self) -> BTreeSet<String> {
        self.functions.values().map(|function| function.binary.clone()).collect()
    }

    /// The API that clients reach without a prefix: the only one that is no function URL, or else the
    /// only function URL.
    pub fn root_api(&self) -> Option<&Api> {
        let is_url = |api: &&Api| matches!(api.kind, ApiKind::FunctionUrl { .. });
        let (urls, apis): (Vec<&Api>, Vec<&Api>) = self.apis.iter().partition(is_url);
        match (apis.as_slice(), urls.as_slice()) {
            ([api], _) => Some(api),
            ([], [url]) => Some(url),
            _ => None,
        }
    }

    /// Removes the sources that invoke by time: schedules and rotations.
    pub fn stop_clock(&mut self) {
        self.event_sources
            .retain(|it| !matches!(it.trigger, Trigger::Schedule(_) | Trigger::Rotation(_)));
    }
}
