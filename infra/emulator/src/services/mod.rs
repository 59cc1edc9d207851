//! The emulated services: tables, queues, secrets and mail, all at one address.
//!
//! The stores are libraries: `dynoxide` for `DynamoDB`, `rustack` for SQS and Secrets Manager. The
//! [`endpoint`] is an HTTP server in front of them for all four services: each call identifies its
//! service.

mod call;
mod counts;
mod credentials;
mod dynamodb_json;
mod endpoint;
mod error;
mod error_responses;
mod fair;
mod fault_injector;
mod feedback;
mod groups;
mod identities;
mod mail;
mod mailbox;
mod message_log;
mod meter;
mod parcels;
mod physical_names;
mod policy;
mod private;
mod queue_rules;
mod queues;
mod rng;
mod rotation;
mod secret_calls;
mod secrets;
mod sqs;
mod start;
mod stores;
mod tables;
#[cfg(test)]
mod tests;

pub use self::counts::CallKind;
pub use self::endpoint::Environments;
pub use self::error::{NoSuch, QueueError, SecretError, StartError, StoreError};
pub use self::fault_injector::FaultInjector;
pub use self::identities::Identities;
pub use self::mail::Mail;
pub use self::mailbox::Mailbox;
pub use self::message_log::JournalEntry;
pub use self::meter::Consumed;
pub use self::physical_names::{Names, QueueName, SecretName, TableName, access_key};
pub use self::queues::{QueueReport, ReceivedMessage};
pub use self::stores::Stores;
pub use self::tables::StreamPosition;
