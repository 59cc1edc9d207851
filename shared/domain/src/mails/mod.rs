//! The mails to users: the events that cause them, and their texts.

mod due;
mod texts;

pub use due::{MailDue, MailTopic};
pub use texts::{MailText, order_received, password_reset, verification};
