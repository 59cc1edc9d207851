//! The queues: the embedded SQS ([`embedded`]), completed by the order of message groups ([`line`],
//! [`receive`]) in FIFO queues ([`fifo`]) and fair queues ([`groups`]), large messages
//! ([`parcels`]), SQS's own checks ([`rules`]), a record of messages ([`message_log`]), and the
//! platform's clock ([`time`], [`timestamps`]). With a data directory, messages are kept ([`kept`])
//! and restored ([`restore`], [`restored`]). Dead letters return to their queues by [`redrive`].

mod embedded;
mod fifo;
mod groups;
mod kept;
mod line;
mod message_log;
mod parcels;
mod queues;
mod receive;
mod redrive;
mod restore;
mod restored;
mod rules;
mod time;
mod timestamps;

pub(crate) use self::message_log::message_of_handle;
pub use self::message_log::{JournalEntry, MessageState, QueuedMessage};
pub(crate) use self::queues::{QueueCount, Queues};
pub use self::queues::{QueueReport, ReceivedMessage};
pub use self::redrive::{MovedMessage, RedriveError, Redriven};
pub(crate) use self::rules::Refused;
