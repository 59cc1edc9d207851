//! The model of a template: one type for each kind of resource that the platform runs.
//!
//! Resources are identified by their logical ids. Names, URLs and ARNs exist only once the emulated
//! services have started. Until then, values that refer to them are a [`Text`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::filter::Pattern;
use super::value::TemplateValue;

/// A parsed and checked template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// The functions, by logical id.
    pub functions: BTreeMap<String, Function>,
    /// The HTTP API, if the template has one.
    pub api: Option<HttpApi>,
    /// The tables, by logical id.
    pub tables: BTreeMap<String, Table>,
    /// The queues, by logical id.
    pub queues: BTreeMap<String, Queue>,
    /// The secrets, by logical id.
    pub secrets: BTreeMap<String, Secret>,
    /// The event sources of functions besides the API.
    pub event_sources: Vec<EventSource>,
    /// The configuration sets of SES, by logical id.
    pub configuration_sets: BTreeSet<String>,
    /// The mail events that SES publishes.
    pub event_destinations: Vec<EventDestination>,
    /// The rules that send events to queues.
    pub event_rules: Vec<EventRule>,
    /// The value of the parameter `MailFrom`, if the template has it: the sender of all mail.
    pub mail_from: Option<String>,
}

impl Template {
    /// The names of the functions' binaries, each once.
    pub fn binaries(&self) -> BTreeSet<String> {
        self.functions.values().map(|function| function.binary.clone()).collect()
    }

    /// Removes the sources that invoke by time: schedules and rotations.
    pub fn stop_clock(&mut self) {
        self.event_sources
            .retain(|it| !matches!(it.trigger, Trigger::Schedule(_) | Trigger::Rotation(_)));
    }
}

/// `AWS::Serverless::Function`, with the template's globals merged in.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// Its logical id, `GetUserFunction`.
    pub logical_id: String,
    /// The cargo target it is built from, `get_user`.
    pub binary: String,
    /// Its environment variables; values may refer to tables, queues and secrets.
    pub environment: BTreeMap<String, TemplateValue>,
    /// The timeout of one invocation.
    pub timeout: Duration,
    /// Memory in MB, reported to the function and not enforced.
    pub memory_mb: u32,
    /// Reserved concurrency, if set; otherwise the account's limit applies.
    pub reserved_concurrency: Option<u32>,
    /// The statements of its policy. Everything else is denied.
    pub policies: Vec<Statement>,
}

/// A policy statement, for one action on one resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Whether it allows or denies.
    pub effect: Effect,
    /// An IAM action, `dynamodb:GetItem`, possibly with `*`.
    pub action: String,
    /// The resource: `!GetAtt UsersTable.Arn`, `${OrdersTable.Arn}/index/*`, `*`.
    pub resource: TemplateValue,
    /// The conditions on the request. All must be met.
    pub conditions: Vec<Condition>,
}

/// A condition of a statement: a key of the request has one of the values.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The comparison.
    pub operator: Operator,
    /// The compared key of the request.
    pub key: ConditionKey,
    /// The values.
    pub values: Vec<TemplateValue>,
}

/// The supported condition keys. A condition on any other key would never be met here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
pub enum ConditionKey {
    /// The sender address of a mail.
    #[serde(rename = "ses:FromAddress")]
    FromAddress,
}

/// The comparison of a condition. A key that the request does not have never matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
pub enum Operator {
    /// Equal strings.
    StringEquals,
    /// Patterns with `*` for any characters and `?` for one.
    StringLike,
}

/// Whether a statement allows or denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
pub enum Effect {
    /// The actions are allowed.
    Allow,
    /// The actions are denied, even if another statement allows them.
    Deny,
}

/// `AWS::Serverless::HttpApi` and the routes that functions declare on it.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpApi {
    /// Its logical id.
    pub logical_id: String,
    /// The routes of all functions.
    pub routes: Vec<Route>,
    /// The Lambda authorizers, by name.
    pub authorizers: BTreeMap<String, Authorizer>,
    /// The CORS configuration, if any.
    pub cors: Option<Cors>,
    /// The stage's throttle, if set.
    pub throttle: Option<Throttle>,
}

/// One route of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The method in capitals, or `ANY`.
    pub method: String,
    /// The path with its parameters, `/users/{userId}` or `/files/{path+}`.
    pub path: String,
    /// The logical id of the function it invokes.
    pub function: String,
    /// The name of the route's authorizer.
    pub authorizer: Option<String>,
}

/// A Lambda authorizer of payload format 2.0 with simple responses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorizer {
    /// The logical id of its function.
    pub function: String,
    /// The headers that identify the caller. A request without one of them is a 401, without an
    /// invocation.
    pub identity_headers: Vec<String>,
    /// The caching time of a result for the same identity; zero disables the cache.
    pub cache_ttl: Duration,
}

/// The CORS configuration for browsers of other origins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cors {
    /// Allowed origins, or `*`.
    pub allow_origins: Vec<String>,
    /// Allowed methods, or `*`.
    pub allow_methods: Vec<String>,
    /// Allowed request headers, or `*`.
    pub allow_headers: Vec<String>,
    /// Response headers that scripts may read.
    pub expose_headers: Vec<String>,
    /// The caching time of a preflight response.
    pub max_age: Option<Duration>,
    /// Whether credentials may be sent.
    pub allow_credentials: bool,
}

/// A token bucket: the burst size and the rate per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Throttle {
    /// The bucket's size in requests.
    pub burst: u32,
    /// Its refill in requests a second.
    pub rate_per_s: f64,
}

/// `AWS::DynamoDB::Table`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its logical id.
    pub logical_id: String,
    /// The partition and sort key.
    pub key: Key,
    /// The types of all key attributes, including those of indexes.
    pub attributes: BTreeMap<String, AttributeType>,
    /// Global secondary indexes.
    pub indexes: Vec<Index>,
    /// The view type of its stream, if it has one.
    pub stream: Option<StreamView>,
    /// The attribute with an item's expiry time in epoch seconds.
    pub ttl_attribute: Option<String>,
}

/// The key of a table or an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The partition key attribute.
    pub partition: String,
    /// The sort key attribute.
    pub sort: Option<String>,
}

/// The type of a key attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
pub enum AttributeType {
    /// A string.
    S,
    /// A number.
    N,
    /// Bytes.
    B,
}

/// A global secondary index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its key.
    pub key: Key,
    /// Its projected attributes.
    pub projection: Projection,
}

/// The attributes that an index holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Projection {
    /// Every attribute.
    All,
    /// Only the keys.
    KeysOnly,
    /// The keys and these attributes.
    Include(Vec<String>),
}

/// The view type of a stream: the content of its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StreamView {
    /// Only the key.
    KeysOnly,
    /// The item after the change.
    NewImage,
    /// The item before the change.
    OldImage,
    /// Both.
    NewAndOldImages,
}

/// `AWS::SQS::Queue`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Its logical id.
    pub logical_id: String,
    /// Whether messages keep their order within a group.
    pub fifo: bool,
    /// Whether a FIFO queue deduplicates messages by their bodies.
    pub content_based_deduplication: bool,
    /// The visibility timeout.
    pub visibility_timeout: Duration,
    /// The delay of a new message.
    pub delay: Duration,
    /// The retention time of a message.
    pub retention: Duration,
    /// The default wait of a receive.
    pub receive_wait: Duration,
    /// The redrive policy.
    pub redrive: Option<Redrive>,
}

/// The redrive policy of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    /// The logical id of the dead-letter queue.
    pub dead_letter_queue: String,
    /// The maximum number of receives of a message.
    pub max_receive_count: u32,
}

/// `AWS::SecretsManager::Secret`.
#[derive(Debug, Clone, PartialEq)]
pub struct Secret {
    /// Its logical id.
    pub logical_id: String,
    /// Its value from the template; an operator sets most secrets.
    pub value: Option<TemplateValue>,
    /// Whether a random value is generated at creation.
    pub generated: bool,
}

/// `AWS::SES::ConfigurationSetEventDestination`: the mail events that `EventBridge` gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventDestination {
    /// The logical id of the mails' configuration set.
    pub configuration_set: String,
    /// The types of events.
    pub event_types: BTreeSet<MailEventType>,
}

/// The supported types of mail events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MailEventType {
    /// The mail was not delivered.
    Bounce,
    /// The recipient has marked the mail as spam.
    Complaint,
}

/// `AWS::Events::Rule`: sends matching events of the default bus to queues.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRule {
    /// Its logical id.
    pub logical_id: String,
    /// The pattern of the events, with unresolved references.
    pub pattern: Value,
    /// The logical ids of the queues.
    pub queues: Vec<String>,
}

/// An event source of a function, besides the API.
#[derive(Debug, Clone, PartialEq)]
pub struct EventSource {
    /// The logical id of the function.
    pub function: String,
    /// Its name or logical id in the template.
    pub name: String,
    /// The source of the events.
    pub trigger: Trigger,
}

/// The source of a function's events.
#[derive(Debug, Clone, PartialEq)]
pub enum Trigger {
    /// Messages of a queue.
    Queue(QueueTrigger),
    /// Changes in a table.
    Stream(StreamTrigger),
    /// A schedule.
    Schedule(ScheduleTrigger),
    /// Secrets Manager, for a secret that is due for rotation.
    Rotation(RotationTrigger),
}

/// An event source mapping on a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueTrigger {
    /// The logical id of the queue.
    pub queue: String,
    /// The maximum messages of one invocation.
    pub batch_size: u32,
    /// The time for gathering a batch.
    pub batching_window: Duration,
    /// Whether the function reports the failed messages.
    pub report_batch_item_failures: bool,
    /// The maximum number of concurrent invocations.
    pub maximum_concurrency: Option<u32>,
}

/// An event source mapping on a table's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamTrigger {
    /// The logical id of the table.
    pub table: String,
    /// The maximum records of one invocation.
    pub batch_size: u32,
    /// The time for gathering a batch.
    pub batching_window: Duration,
    /// The filters. A record must match one of them; without filters, every record passes.
    pub filters: Vec<Pattern>,
    /// The position at which reading starts.
    pub starting_position: StartingPosition,
    /// Whether the function reports the first failed record.
    pub report_batch_item_failures: bool,
    /// The maximum number of retries of a failed batch; `None` means until its records expire.
    pub maximum_retry_attempts: Option<u32>,
    /// The maximum age of a record that is delivered; `None` means until it expires.
    pub maximum_record_age: Option<Duration>,
    /// Whether a failed batch is split in halves.
    pub bisect_batch_on_function_error: bool,
    /// The number of concurrent batches of one shard.
    pub parallelization_factor: u32,
    /// The logical id of the queue that receives a message about each batch given up.
    pub on_failure_queue: Option<String>,
}

/// The position at which reading a stream starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StartingPosition {
    /// The oldest record.
    TrimHorizon,
    /// The next record.
    Latest,
}

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleTrigger {
    /// The schedule in `EventBridge`'s syntax: `rate(1 minute)` or `cron(0 12 * * ? *)`.
    pub expression: String,
    /// The event's input, instead of `EventBridge`'s default.
    pub input: Option<String>,
}

/// The rotation of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotationTrigger {
    /// The logical id of the secret.
    pub secret: String,
    /// The schedule, in the syntax of a [`ScheduleTrigger`].
    pub expression: String,
}
