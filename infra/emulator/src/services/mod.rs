//! The emulated services: tables, queues, secrets and mail, all at one address.
//!
//! The stores are libraries: `dynoxide` for `DynamoDB`, `rustack` for SQS and Secrets Manager. The
//! [`endpoint`] is an HTTP server in front of them for all four services: each call identifies its
//! service.
//!
//! With a data directory, tables are in a database file, and the values of secrets in another file.
//! Messages and mails are in files of JSON lines ([`lines`]); a restart restores them.

mod call;
mod counts;
mod credentials;
mod dynamodb;
mod endpoint;
mod error;
mod error_responses;
mod fault_injector;
mod lines;
mod meter;
mod next_fault;
mod partiql;
mod physical_names;
mod policy;
mod rng;
mod secrets;
mod ses;
mod sqs;
mod start;
mod statements;
mod stores;
#[cfg(test)]
mod tests;
mod written;

pub use self::counts::CallKind;
pub use self::dynamodb::{ItemPage, StreamPosition};
pub(crate) use self::dynamodb::{plain_item, plain_value, with_exact_numbers};
pub use self::endpoint::Environments;
pub use self::error::{DataError, NoSuch, QueueError, SecretError, StartError, StoreError};
pub use self::fault_injector::FaultInjector;
pub use self::meter::Consumed;
pub use self::physical_names::{Names, QueueName, SecretName, TableName, access_key};
pub use self::ses::{Identities, Mail, MailOutcome, Mailbox};
pub use self::sqs::{
    JournalEntry, MessageState, MovedMessage, QueueReport, QueuedMessage, ReceivedMessage,
    RedriveError, Redriven,
};
pub(crate) use self::sqs::{QueueCount, message_of_handle};
pub use self::stores::Stores;
