//! The queues: the embedded SQS ([`embedded`]), completed by fair queues ([`fair`], [`groups`]),
//! large messages ([`parcels`]), SQS's own checks ([`rules`]), a record of messages
//! ([`message_log`]), and the platform's clock ([`time`], [`timestamps`]). With a data directory,
//! messages are kept ([`kept`]) and restored ([`restore`], [`restored`]).

mod embedded;
mod fair;
mod groups;
mod kept;
mod message_log;
mod parcels;
mod queues;
mod restore;
mod restored;
mod rules;
mod time;
mod timestamps;

pub use self::message_log::JournalEntry;
pub(crate) use self::message_log::message_of_handle;
pub(crate) use self::queues::Queues;
pub use self::queues::{QueueReport, ReceivedMessage};
pub(crate) use self::rules::Refused;
