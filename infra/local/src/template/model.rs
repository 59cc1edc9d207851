//! What the platform knows of a template: one type for each thing it runs.
//!
//! Things are named by their logical ids throughout. Names, addresses and ARNs exist only once the
//! stores are up, so every value that mentions one stays a [`Text`] until then.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::filter::Pattern;
use super::text::Text;

/// A template, read and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// The functions, by logical id.
    pub functions: BTreeMap<String, Function>,
    /// The HTTP API, where the template has one.
    pub api: Option<HttpApi>,
    /// The tables, by logical id.
    pub tables: BTreeMap<String, Table>,
    /// The queues, by logical id.
    pub queues: BTreeMap<String, Queue>,
    /// The secrets, by logical id.
    pub secrets: BTreeMap<String, Secret>,
    /// What invokes functions besides the API.
    pub event_sources: Vec<EventSource>,
    /// The configuration sets of SES, by logical id.
    pub configuration_sets: BTreeSet<String>,
    /// What SES tells of mails, and of which.
    pub event_destinations: Vec<EventDestination>,
    /// Which events go to which queues.
    pub event_rules: Vec<EventRule>,
    /// The value of the parameter `MailFrom`, where the template has it: the sender of all mail.
    pub mail_from: Option<String>,
}

impl Template {
    /// The names of the binaries that the functions are made of, each once.
    pub fn binaries(&self) -> BTreeSet<String> {
        self.functions.values().map(|function| function.binary.clone()).collect()
    }
}

/// `AWS::Serverless::Function`, with the template's globals merged in.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// Its name in the template, `GetUserFunction`.
    pub logical_id: String,
    /// The cargo target it is built from, `get_user`.
    pub binary: String,
    /// Its environment variables; values may refer to tables, queues and secrets.
    pub environment: BTreeMap<String, Text>,
    /// How long one invocation may take.
    pub timeout: Duration,
    /// Memory in MB. The platform reports it to the function and limits nothing by it.
    pub memory_mb: u32,
    /// The most environments that may exist at once; without it the account's limit holds.
    pub reserved_concurrency: Option<u32>,
    /// What it may do, statement by statement. Nothing else is allowed.
    pub policies: Vec<Statement>,
}

/// What a function's policy states of one action on one resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Whether it allows or denies.
    pub effect: Effect,
    /// An IAM action as written, `dynamodb:GetItem`; `*` may stand in it.
    pub action: String,
    /// What it applies to: `!GetAtt UsersTable.Arn`, `${OrdersTable.Arn}/index/*`, `*`.
    pub resource: Text,
    /// What must hold of the request for it to apply; all of it.
    pub conditions: Vec<Condition>,
}

/// A condition of a statement: that a key of the request has one of the values.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// How they are compared.
    pub operator: Operator,
    /// What of the request is compared.
    pub key: ConditionKey,
    /// The values.
    pub values: Vec<Text>,
}

/// What conditions can compare. Of any other key a condition would never hold here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
pub enum ConditionKey {
    /// The address that a mail comes from.
    #[serde(rename = "ses:FromAddress")]
    FromAddress,
}

/// How a condition compares. A key that the request does not have fits nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
pub enum Operator {
    /// Letter by letter.
    StringEquals,
    /// As patterns in which `*` stands for any characters and `?` for one.
    StringLike,
}

/// Whether a statement allows or denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
pub enum Effect {
    /// The actions are allowed.
    Allow,
    /// The actions are denied, whatever else allows them.
    Deny,
}

/// `AWS::Serverless::HttpApi` and the routes that functions declare on it.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpApi {
    /// Its name in the template.
    pub logical_id: String,
    /// The routes of all functions.
    pub routes: Vec<Route>,
    /// The Lambda authorizers, by name.
    pub authorizers: BTreeMap<String, Authorizer>,
    /// What it answers to other origins, where it answers them at all.
    pub cors: Option<Cors>,
    /// The stage's throttle, where one is set.
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
    /// The authorizer that is asked first, by name.
    pub authorizer: Option<String>,
}

/// A Lambda authorizer of payload format 2.0 with simple responses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorizer {
    /// The logical id of the function that decides.
    pub function: String,
    /// The headers that identify the caller; a request that lacks one is refused unheard.
    pub identity_headers: Vec<String>,
    /// How long an answer is kept for the same identity; zero keeps none.
    pub cache_ttl: Duration,
}

/// What the API answers to browsers of other origins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cors {
    /// Origins allowed, or `*`.
    pub allow_origins: Vec<String>,
    /// Methods allowed, or `*`.
    pub allow_methods: Vec<String>,
    /// Request headers allowed, or `*`.
    pub allow_headers: Vec<String>,
    /// Response headers that scripts may read.
    pub expose_headers: Vec<String>,
    /// How long a preflight answer may be kept.
    pub max_age: Option<Duration>,
    /// Whether credentials may be sent.
    pub allow_credentials: bool,
}

/// A token bucket: so many requests at once, so many a second.
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
    /// Its name in the template.
    pub logical_id: String,
    /// The partition and sort key.
    pub key: Key,
    /// The types of all key attributes, of the indexes' too.
    pub attributes: BTreeMap<String, AttributeType>,
    /// Global secondary indexes.
    pub indexes: Vec<Index>,
    /// What its stream carries, where it has one.
    pub stream: Option<StreamView>,
    /// The attribute that holds an item's expiry in epoch seconds.
    pub ttl_attribute: Option<String>,
}

/// The key of a table or an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The attribute that says which partition holds the item.
    pub partition: String,
    /// The attribute that orders items within it.
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
    /// What of an item it holds.
    pub projection: Projection,
}

/// What of an item an index holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Projection {
    /// Every attribute.
    All,
    /// The keys.
    KeysOnly,
    /// The keys and these.
    Include(Vec<String>),
}

/// What a stream record carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StreamView {
    /// The key alone.
    KeysOnly,
    /// The item as it is now.
    NewImage,
    /// The item as it was.
    OldImage,
    /// Both.
    NewAndOldImages,
}

/// `AWS::SQS::Queue`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Its name in the template.
    pub logical_id: String,
    /// Whether messages keep their order within a group.
    pub fifo: bool,
    /// Whether a FIFO queue recognises repeats by the body.
    pub content_based_deduplication: bool,
    /// How long a received message stays hidden.
    pub visibility_timeout: Duration,
    /// How long a new message stays hidden.
    pub delay: Duration,
    /// How long a message is kept.
    pub retention: Duration,
    /// How long a receive waits for messages by default.
    pub receive_wait: Duration,
    /// Where messages go that were received too often.
    pub redrive: Option<Redrive>,
}

/// Where messages go that were received too often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    /// The logical id of the dead-letter queue.
    pub dead_letter_queue: String,
    /// How often a message may be received.
    pub max_receive_count: u32,
}

/// `AWS::SecretsManager::Secret`.
#[derive(Debug, Clone, PartialEq)]
pub struct Secret {
    /// Its name in the template.
    pub logical_id: String,
    /// Its value as the template gives it; most are filled in by an operator.
    pub value: Option<Text>,
    /// Whether its value is made up when it is created.
    pub generated: bool,
}

/// `AWS::SES::ConfigurationSetEventDestination`: which events about mails `EventBridge` gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventDestination {
    /// The logical id of the configuration set that the mails are sent with.
    pub configuration_set: String,
    /// What is told of them.
    pub event_types: BTreeSet<MailEventType>,
}

/// What SES can tell of a mail, as far as the platform knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MailEventType {
    /// It was not delivered.
    Bounce,
    /// Its recipient has marked it as spam.
    Complaint,
}

/// `AWS::Events::Rule`: which events of the default bus go to which queues.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRule {
    /// Its name in the template.
    pub logical_id: String,
    /// What an event has to be like; references are still in it.
    pub pattern: Value,
    /// The logical ids of the queues.
    pub queues: Vec<String>,
}

/// What invokes a function besides the API.
#[derive(Debug, Clone, PartialEq)]
pub struct EventSource {
    /// The logical id of the function.
    pub function: String,
    /// Its name in the template.
    pub name: String,
    /// Where the events come from.
    pub trigger: Trigger,
}

/// Where a function's events come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Trigger {
    /// Messages of a queue.
    Queue(QueueTrigger),
    /// Changes of a table.
    Stream(StreamTrigger),
    /// The clock.
    Schedule(ScheduleTrigger),
    /// Secrets Manager, for a secret that is due to be renewed.
    Rotation(RotationTrigger),
}

/// An event source mapping on a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueTrigger {
    /// The logical id of the queue.
    pub queue: String,
    /// The most messages of one invocation.
    pub batch_size: u32,
    /// How long a batch is gathered.
    pub batching_window: Duration,
    /// Whether the function names the messages that failed.
    pub report_batch_item_failures: bool,
    /// The most invocations at once.
    pub maximum_concurrency: Option<u32>,
}

/// An event source mapping on a table's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamTrigger {
    /// The logical id of the table.
    pub table: String,
    /// The most records of one invocation.
    pub batch_size: u32,
    /// How long a batch is gathered.
    pub batching_window: Duration,
    /// A record reaches the function if it fits one of these; without any, every record does.
    pub filters: Vec<Pattern>,
    /// Whether reading begins with the oldest record or with the next one.
    pub starting_position: StartingPosition,
    /// Whether the function names the record that failed first.
    pub report_batch_item_failures: bool,
    /// How often a failed batch is tried again; `None` means until its records expire.
    pub maximum_retry_attempts: Option<u32>,
    /// How old a record may be and still be tried; `None` means until it expires.
    pub maximum_record_age: Option<Duration>,
    /// Whether a failed batch is halved and the halves are tried apart.
    pub bisect_batch_on_function_error: bool,
    /// How many batches of one shard run at once.
    pub parallelization_factor: u32,
    /// The logical id of the queue that learns of batches given up.
    pub on_failure_queue: Option<String>,
}

/// Where reading a stream begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StartingPosition {
    /// With the oldest record there is.
    TrimHorizon,
    /// With the next one to come.
    Latest,
}

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleTrigger {
    /// When it runs, as `EventBridge` writes it: `rate(1 minute)` or `cron(0 12 * * ? *)`.
    pub expression: String,
    /// The event to send instead of `EventBridge`'s own.
    pub input: Option<String>,
}

/// The rotation of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotationTrigger {
    /// The logical id of the secret.
    pub secret: String,
    /// When it is due, in the words of a [`ScheduleTrigger`].
    pub expression: String,
}
