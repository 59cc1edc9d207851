//! E-mails.

/// A plain-text e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// An id that is the same in every attempt to send this e-mail, so that a duplicate can be
    /// recognised.
    pub id: String,
    /// The recipient, one address.
    pub to: String,
    /// The subject, one line.
    pub subject: String,
    /// The body.
    pub text: String,
}
