//! The ports through which the lifecycle does its I/O. `aws` implements them on AWS; tests use a
//! recorder.

mod adapter;
mod mailer;
mod queues;
mod store;
mod telemetry;
mod upstreams;

pub use self::adapter::Adapter;
pub use self::mailer::Mailer;
pub use self::queues::{Outgoing, Queues, RefusedMessage, VisibilityChange};
pub use self::store::{CommitError, Count, Counter, FailedCondition, Store, Transaction};
pub use self::telemetry::Telemetry;
pub use self::upstreams::Upstreams;
