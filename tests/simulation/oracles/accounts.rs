//! Accounts and names: an address is one account's, a name is one product's, and a session needs a
//! password that was proven for its address, once, by the token of a mail.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use simulation::evidence::Requests;
use simulation::services::ses::Mail;
use simulation::world::{Event, Happened, Oracle, View};

use crate::items::{self, User, Writes, tables};
use crate::people::{PASSWORD, Person};

pub(super) const NAME: &str = "addresses, names and passwords are proven";

/// Checks writes of users and products, and sessions.
#[derive(Debug, Clone)]
pub(super) struct Accounts {
    writes: Writes,
    requests: Requests,
    /// The address of each user.
    addresses: BTreeMap<String, String>,
    /// The users and the passwords of all requests with a token that may prove one.
    proven: BTreeSet<(String, String)>,
    /// The paths and the tokens of all proofs that succeeded.
    used: BTreeSet<(String, String)>,
}

impl Default for Accounts {
    fn default() -> Self {
        let people = Person::all().map(|person| person.id().to_string());
        let addresses = Person::all().map(|it| (it.id().to_string(), it.email()));
        Self {
            writes: Writes::of(&[tables::USERS, tables::PRODUCTS]),
            requests: Requests::default(),
            addresses: addresses.collect(),
            proven: people.map(|id| (id, PASSWORD.to_owned())).collect(),
            used: BTreeSet::new(),
        }
    }
}

/// The paths of proofs: each needs the token of a mail.
const PROOFS: [&str; 2] = ["/users/{}/verification", "/users/{}/password"];

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    product_id: String,
    name: String,
    #[serde(rename = "stock")]
    _stock: i64,
}

impl Oracle for Accounts {
    fn name(&self) -> &str {
        NAME
    }

    fn observe(&mut self, event: &Event, view: &View<'_>) -> Result<(), String> {
        match &event.what {
            Happened::Requested { method, path, body, .. } if method == "PUT" => {
                let rest = path.strip_prefix("/users/").and_then(|rest| rest.split_once('/'));
                let body: Value = serde_json::from_str(body).unwrap_or_default();
                if let (Some((user_id, _)), Some(password)) = (rest, body["password"].as_str())
                    && self.may_prove(path, token_of(&body), view.mails())
                {
                    self.proven.insert((user_id.to_owned(), password.to_owned()));
                }
            }
            Happened::Noted { name, value, .. } if name == "rotated" => {
                let is_refused = |name: &str| value[name] == 401;
                if is_refused("old") || is_refused("new") {
                    return Err(format!("a rotation made a valid token invalid: {value}"));
                }
            }
            _ => {}
        }
        self.check_answer(event, view)?;
        if self.writes.happened(event) { unique(view) } else { Ok(()) }
    }
}

impl Accounts {
    fn check_answer(&mut self, event: &Event, view: &View<'_>) -> Result<(), String> {
        let Some((request, answer)) = self.requests.answered(event) else { return Ok(()) };
        if !answer.is_success() {
            return Ok(());
        }
        let asked = request.json();
        if PROOFS.iter().any(|path| request.is("PUT", path)) {
            return self.proved(&request.path, token_of(&asked), view.mails());
        }
        let email = asked["email"].as_str().unwrap_or_default().to_lowercase();
        if request.is("POST", "/users") {
            if let Some(user_id) = answer.json()["data"]["userId"].as_str() {
                self.addresses.insert(user_id.to_owned(), email);
            }
        } else if request.is("POST", "/sessions") {
            let password = asked["password"].as_str().unwrap_or_default();
            if !self.is_proven(&email, password) {
                return Err(format!("{email} signed in with an unproven password"));
            }
        }
        Ok(())
    }

    /// Whether a mail has the token for this path, and no proof has used it.
    fn may_prove(&self, path: &str, token: &str, mails: &[Mail]) -> bool {
        is_mailed(mails, path, token) && !self.used.contains(&(path.to_owned(), token.to_owned()))
    }

    /// Checks a proof that succeeded.
    fn proved(&mut self, path: &str, token: &str, mails: &[Mail]) -> Result<(), String> {
        if !is_mailed(mails, path, token) {
            return Err(format!("PUT {path} succeeded without the token of a mail"));
        }
        if !self.used.insert((path.to_owned(), token.to_owned())) {
            return Err(format!("PUT {path} succeeded twice with one token"));
        }
        Ok(())
    }

    fn is_proven(&self, email: &str, password: &str) -> bool {
        let users = self.addresses.iter().filter(|(_, address)| *address == email);
        let mut proofs = users.map(|(user, _)| (user.clone(), password.to_owned()));
        proofs.any(|proof| self.proven.contains(&proof))
    }
}

/// The token in the body of a proof.
fn token_of(body: &Value) -> &str {
    body["token"].as_str().unwrap_or_default()
}

/// Whether a mail has the path of a proof and its token.
fn is_mailed(mails: &[Mail], path: &str, token: &str) -> bool {
    let member = format!("\"token\": \"{token}\"");
    let mut texts = mails.iter().filter_map(|mail| mail.text.as_deref());
    texts.any(|text| text.contains(path) && text.contains(&member))
}

fn unique(view: &View<'_>) -> Result<(), String> {
    let users: Vec<User> = items::all(view, tables::USERS);
    let verified = users.into_iter().filter(|user| user.email_verified);
    repeated(verified.map(|user| (user.email.to_lowercase(), user.user_id)))?;
    let products: Vec<Named> = items::all(view, tables::PRODUCTS);
    repeated(products.into_iter().map(|product| (product.name.to_lowercase(), product.product_id)))
}

/// Whether two have the same.
fn repeated(all: impl Iterator<Item = (String, String)>) -> Result<(), String> {
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    for (value, id) in all {
        if let Some(other) = known.insert(value.clone(), id.clone()) {
            return Err(format!("{other} and {id} both have {value}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use simulation::Millis;

    use super::*;

    #[test]
    fn a_proof_without_the_token_of_its_mail_and_one_with_a_used_token_are_found() {
        let mails = [Mail {
            id: "1".to_owned(),
            at: Millis(0),
            from: "no-reply@example.com".to_owned(),
            to: vec!["ann@example.com".to_owned()],
            subject: "s".to_owned(),
            text: Some("PUT /users/ann/password\n{\"token\": \"t\"}".to_owned()),
            html: None,
            headers: Vec::new(),
            configuration_set: None,
        }];
        let mut accounts = Accounts::default();
        let path = "/users/ann/password";
        assert!(accounts.may_prove(path, "t", &mails) && !accounts.may_prove(path, "u", &mails));
        accounts.proved(path, "u", &mails).unwrap_err();
        accounts.proved("/users/bob/password", "t", &mails).unwrap_err();
        assert!(accounts.proved(path, "t", &mails).is_ok());
        accounts.proved(path, "t", &mails).unwrap_err();
        assert!(!accounts.may_prove(path, "t", &mails));
    }

    #[test]
    fn only_a_proven_password_of_the_address_opens_a_session() {
        let mut accounts = Accounts::default();
        accounts.addresses.insert("u".to_owned(), "new@example.com".to_owned());
        let email = Person::Gold.email();
        assert!(accounts.is_proven(&email, PASSWORD));
        assert!(!accounts.is_proven(&email, "another"));
        assert!(!accounts.is_proven("new@example.com", "chosen"));
        accounts.proven.insert(("u".to_owned(), "chosen".to_owned()));
        assert!(accounts.is_proven("new@example.com", "chosen"));
        assert!(!accounts.is_proven("new@example.com", PASSWORD));
    }

    #[test]
    fn a_value_that_two_have_is_found() {
        let pair = |value: &str, id: &str| (value.to_owned(), id.to_owned());
        assert!(repeated([pair("a", "1"), pair("b", "2")].into_iter()).is_ok());
        repeated([pair("a", "1"), pair("a", "2")].into_iter()).unwrap_err();
    }
}
