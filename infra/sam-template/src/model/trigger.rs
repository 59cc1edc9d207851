//! The event sources of functions, besides the API.

use std::time::Duration;

use crate::filter::Pattern;

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
    /// The filters. A message must match one of them, or it is deleted; without filters, every
    /// message passes.
    pub filters: Vec<Pattern>,
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
    /// The service that runs it.
    pub service: ScheduleService,
    /// The schedule in `EventBridge`'s syntax: `rate(1 minute)` or `cron(0 12 * * ? *)`.
    pub expression: String,
    /// The event's input, instead of `EventBridge`'s default.
    pub input: Option<String>,
}

/// The service that runs a schedule, which decides the event without an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScheduleService {
    /// A rule of `EventBridge`: `Schedule`.
    Rules,
    /// `EventBridge` Scheduler: `ScheduleV2`.
    Scheduler,
}

/// The rotation of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotationTrigger {
    /// The logical id of the secret.
    pub secret: String,
    /// The schedule, in the syntax of a [`ScheduleTrigger`].
    pub expression: String,
}
