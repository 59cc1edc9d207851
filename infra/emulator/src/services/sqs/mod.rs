//! The queues: the embedded SQS ([`embedded`]), completed by fair queues ([`fair`], [`groups`]),
//! large messages ([`parcels`]), SQS's own checks ([`rules`]) and a record of messages
//! ([`message_log`]).

mod embedded;
mod fair;
mod groups;
mod message_log;
mod parcels;
mod queues;
mod rules;

pub use self::message_log::JournalEntry;
pub(crate) use self::queues::Queues;
pub use self::queues::{QueueReport, ReceivedMessage};
pub(crate) use self::rules::Refused;
