//! The emulated SES: a mailbox, the verified identities, and events of bounces and complaints.

mod feedback;
mod identities;
mod mail;
mod mailbox;

pub(crate) use self::feedback::FeedbackRoutes;
pub use self::feedback::MailOutcome;
pub use self::identities::Identities;
pub(crate) use self::identities::bare;
pub use self::mail::Mail;
pub use self::mailbox::Mailbox;
