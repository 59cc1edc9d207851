//! Mails: each order is confirmed to its customer, no mail goes elsewhere, and mails to unproven
//! addresses are few and hold no text of the client.

use std::collections::{BTreeMap, BTreeSet};

use simulation::Millis;
use simulation::evidence::dead_letters;
use simulation::services::ses::Mail;
use simulation::world::{Event, Happened, Oracle, View};

use crate::items::{self, Order, User, Writes, tables};
use crate::people::Person;

pub(super) const NAME: &str = "mails are as documented";

/// The time after which no mail may leave for a marked address: a mail may be on its way.
const ON_ITS_WAY: Millis = Millis::seconds(60);
/// The mails with a token to one unproven address in a day.
const TOKENS_MAX: usize = 5;

/// Checks the world at rest.
#[derive(Debug, Clone)]
pub(super) struct Mails {
    marks: Writes,
    /// When the bouncing address was marked.
    marked_at: Option<Millis>,
    /// Whether a fault was drawn, after which a mail may be repeated.
    had_faults: bool,
    /// Whether a table was overloaded: that of limits.
    was_overloaded: bool,
}

impl Default for Mails {
    fn default() -> Self {
        let marks = Writes::of(&[tables::MAIL_ADDRESSES]);
        Self { marks, marked_at: None, had_faults: false, was_overloaded: false }
    }
}

impl Oracle for Mails {
    fn name(&self) -> &str {
        NAME
    }

    fn observe(&mut self, event: &Event, _view: &View<'_>) -> Result<(), String> {
        self.had_faults |= matches!(event.what, Happened::Drawn { .. });
        self.was_overloaded |= matches!(event.what, Happened::Overloaded { .. });
        if self.marks.happened(event) {
            self.marked_at.get_or_insert(event.at);
        }
        Ok(())
    }

    fn at_rest(&mut self, view: &View<'_>) -> Result<(), String> {
        let users: Vec<User> = items::all(view, tables::USERS);
        let orders: Vec<Order> = items::all(view, tables::ORDERS);
        confirmed(&orders, &users, view.mails(), &dead_letters(view), self.had_faults)?;
        addressed(&users, view.mails())?;
        // If the table of limits fails, each execution environment counts for itself.
        let counts_apart = self.had_faults || self.was_overloaded;
        few(view.mails(), if counts_apart { 2 * TOKENS_MAX } else { TOKENS_MAX })?;
        let bouncing = Person::Bouncing.email();
        let after = self.marked_at.map(|at| at + ON_ITS_WAY);
        let late = view
            .mails()
            .iter()
            .find(|mail| after.is_some_and(|after| mail.at > after) && is_to(mail, &bouncing));
        late.map_or(Ok(()), |mail| Err(format!("{} left after the bounce", mail.subject)))
    }
}

fn is_to(mail: &Mail, address: &str) -> bool {
    mail.to.iter().any(|to| to.to_lowercase().contains(&address.to_lowercase()))
}

fn text(mail: &Mail) -> &str {
    mail.text.as_deref().unwrap_or_default()
}

/// Whether each order has a mail to its customer.
fn confirmed(
    orders: &[Order],
    users: &[User],
    mails: &[Mail],
    excused: &str,
    had_faults: bool,
) -> Result<(), String> {
    for Order { order_id, user_id, .. } in orders {
        let Some(user) = users.iter().find(|user| user.user_id == *user_id) else {
            return Err(format!("order {order_id} has no customer"));
        };
        let words = format!("received your order {order_id}.");
        let count = mails.iter().filter(|mail| text(mail).contains(&words)).count();
        let strayed =
            mails.iter().any(|mail| text(mail).contains(&words) && !is_to(mail, &user.email));
        let bounces = user.email == Person::Bouncing.email();
        if strayed {
            return Err(format!("the mail about order {order_id} went to another address"));
        }
        if count == 0 && !bounces && !excused.contains(order_id) {
            return Err(format!("there is no mail about order {order_id}"));
        }
        if count > 1 && !had_faults {
            return Err(format!("there are {count} mails about order {order_id}"));
        }
    }
    Ok(())
}

/// Whether each mail goes to an account.
fn addressed(users: &[User], mails: &[Mail]) -> Result<(), String> {
    let known: BTreeSet<String> = users.iter().map(|user| user.email.to_lowercase()).collect();
    let strange = mails.iter().find(|mail| {
        !mail.to.iter().all(|to| known.iter().any(|email| to.to_lowercase().contains(email)))
    });
    strange.map_or(Ok(()), |mail| Err(format!("a mail went to {:?}", mail.to)))
}

/// Whether mails with tokens are few, and hold no name.
fn few(mails: &[Mail], most: usize) -> Result<(), String> {
    let mut tokens: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for mail in mails {
        let Some(token) = text(mail).split("\"token\": \"").nth(1) else { continue };
        // New accounts have this word in their name.
        if text(mail).contains("Marker") {
            return Err(format!("a mail to an unproven address has a name: {}", text(mail)));
        }
        for to in &mail.to {
            let of_address = tokens.entry(to).or_default();
            of_address.insert(token.split('"').next().unwrap_or_default());
            if of_address.len() > most {
                return Err(format!("{to} got {} tokens", of_address.len()));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mail(to: &str, text: &str) -> Mail {
        Mail {
            id: "1".to_owned(),
            at: Millis(0),
            from: "no-reply@example.com".to_owned(),
            to: vec![to.to_owned()],
            subject: "s".to_owned(),
            text: Some(text.to_owned()),
            html: None,
            headers: Vec::new(),
            configuration_set: None,
        }
    }

    #[test]
    fn a_missing_a_strayed_and_a_needless_mail_are_found() {
        let users: [User; 1] = [serde_json::from_value(json!({
            "userId": "u", "email": "ann@example.com", "name": "Ann", "emailVerified": true,
        }))
        .unwrap()];
        let orders: [Order; 1] = [serde_json::from_value(json!({
            "orderId": "o", "userId": "u", "status": "PENDING", "version": 1, "items": [],
            "total": { "amount": 7, "currency": "EUR" },
        }))
        .unwrap()];
        let right = mail("Ann@example.com", "we have received your order o.");
        let strayed = mail("eve@example.com", "we have received your order o.");
        let check = |mails: &[Mail], excused, had_faults| {
            confirmed(&orders, &users, mails, excused, had_faults)
        };
        assert!(check(std::slice::from_ref(&right), "", false).is_ok());
        assert!(check(&[right.clone(), right.clone()], "", true).is_ok());
        assert!(check(&[], "mail of o", false).is_ok());
        check(&[], "", false).unwrap_err();
        check(&[right.clone(), right.clone()], "", false).unwrap_err();
        check(&[right.clone(), strayed.clone()], "", true).unwrap_err();
        assert!(addressed(&users, &[right]).is_ok());
        addressed(&users, &[strayed]).unwrap_err();
    }

    #[test]
    fn too_many_tokens_or_a_name_in_a_mail_are_found() {
        let token = |token: usize| mail("a@example.com", &format!("{{\"token\": \"{token}\"}}"));
        let mails: Vec<Mail> = (0..TOKENS_MAX).chain([0, 1]).map(token).collect();
        assert!(few(&mails, TOKENS_MAX).is_ok());
        let more: Vec<Mail> = (0..=TOKENS_MAX).map(token).collect();
        few(&more, TOKENS_MAX).unwrap_err();
        assert!(few(&more, TOKENS_MAX + 1).is_ok());
        few(&[mail("a@example.com", "Hello Marker, {\"token\": \"1\"}")], TOKENS_MAX).unwrap_err();
    }
}
