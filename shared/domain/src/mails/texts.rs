//! The texts of the mails to users.

use crate::orders::OrderCreated;
use crate::people::{EmailVerificationRequested, PasswordResetAsked, User};

/// What a mail says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailText {
    /// The subject, one line.
    pub subject: &'static str,
    /// The body.
    pub body: String,
}

/// The mail to an unverified address. It contains no text from the client, not even the name: a
/// stranger may have signed up to have us send their text.
pub fn verification(user: &User, requested: &EmailVerificationRequested) -> MailText {
    let EmailVerificationRequested { user_id, token } = requested;
    let body = format!(
        "Hello,\n\nplease prove that this e-mail address is yours, until {}, with the password that \
         you have chosen:\n\n\
         PUT /users/{user_id}/verification\n{{\"token\": \"{token}\", \"password\": \"…\"}}\n\n\
         If you have not signed up, do nothing.\n",
        user.proven_until()
    );
    MailText { subject: "Verify your e-mail address", body }
}

/// The mail with the token for a new password. It contains no text from the client either: the
/// address may be unverified.
pub fn password_reset(user: &User, asked: &PasswordResetAsked) -> MailText {
    let (user_id, token) = (user.user_id, &asked.token);
    let body = format!(
        "Hello,\n\nto set a new password for your account, within an hour:\n\n\
         PUT /users/{user_id}/password\n{{\"token\": \"{token}\", \"password\": \"…\"}}\n\n\
         If you have not asked for it, do nothing: your password stays as it is.\n"
    );
    MailText { subject: "Set a new password", body }
}

/// The confirmation of an order, line by line.
pub fn order_received(user: &User, order: &OrderCreated) -> MailText {
    let lines = order.items.iter();
    let lines: Vec<_> = lines
        .map(|line| format!("{} x {}: {}", line.quantity.get(), line.name.mailed(), line.total()))
        .collect();
    let body = format!(
        "Hello {},\n\nwe have received your order {}.\n\n{}\nShipping: {}\nTotal: {}\n",
        user.name.mailed(),
        order.order_id,
        lines.join("\n"),
        order.shipping,
        order.total
    );
    MailText { subject: "We have received your order", body }
}
