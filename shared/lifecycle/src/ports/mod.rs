//! The ports through which the lifecycle does its I/O. `aws` implements them on AWS, and the
//! feature `testing` in memory.

mod adapter;
#[cfg(any(test, feature = "testing"))]
mod items;
mod mailer;
mod possible_writes;
mod queues;
mod store;
mod telemetry;
mod upstreams;

pub use self::adapter::Adapter;
#[cfg(any(test, feature = "testing"))]
pub(crate) use self::items::Items;
pub use self::mailer::Mailer;
pub use self::queues::{DeadLetter, Outgoing, Queues, RefusedMessage, VisibilityChange};
pub use self::store::{CommitError, Count, Counter, FailedCondition, Store, Transaction};
pub use self::telemetry::Telemetry;
pub use self::upstreams::Upstreams;
