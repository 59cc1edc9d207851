//! Idempotency keys: one effect for each, and the same answer again.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::evidence::{Answer, Request, Requests, subject};
use crate::world::{Event, Oracle, View};

/// Checks the successful answers to requests with the header `Idempotency-Key`: a key of a caller has
/// one request and one answer, and at most one of its answers is no replay.
///
/// The stored effects are a service's own: a check compares them with [`OneEffectPerKey::answers`].
#[derive(Debug, Clone, Default)]
pub struct OneEffectPerKey {
    requests: Requests,
    answers: BTreeMap<KeyScope, First>,
}

/// The scope of a key: a caller and a route.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct KeyScope {
    /// The claim `sub` of the caller's token; a token that has none, such as an API key, itself. For
    /// callers without a token it is the request's body.
    pub caller: String,
    /// The method and the path: `POST /orders`.
    pub route: String,
    /// The key.
    pub key: String,
}

/// The answer to a key.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Answered {
    /// The request's body as JSON.
    pub request: Value,
    /// The answer's body as JSON; null if it has none.
    pub answer: Value,
}

/// The first answer to a key.
#[derive(Debug, Clone)]
struct First {
    request: Value,
    body: String,
    /// Whether one of the answers was no replay.
    performed: bool,
}

impl OneEffectPerKey {
    /// Its name.
    pub const NAME: &'static str = "one effect for each idempotency key";

    /// The successful answers so far, one for each key.
    pub fn answers(&self) -> impl Iterator<Item = (&KeyScope, Answered)> {
        self.answers.iter().map(|(scope, First { request, body, .. })| {
            let answer = serde_json::from_str(body).unwrap_or_default();
            (scope, Answered { request: request.clone(), answer })
        })
    }

    fn check(
        &mut self,
        scope: KeyScope,
        request: Value,
        answer: &Answer<'_>,
    ) -> Result<(), String> {
        let performed = answer.header("idempotency-replayed").is_none();
        let Some(first) = self.answers.get_mut(&scope) else {
            let body = answer.body.to_owned();
            self.answers.insert(scope, First { request, body, performed });
            return Ok(());
        };
        if first.request != request {
            return Err(format!("{scope:?} was accepted for two requests"));
        }
        if first.body != answer.body {
            let (one, other) = (&first.body, answer.body);
            return Err(format!("{scope:?} was answered by {one} and by {other}"));
        }
        if performed && std::mem::replace(&mut first.performed, true) {
            return Err(format!("{scope:?} was performed twice"));
        }
        Ok(())
    }
}

impl Oracle for OneEffectPerKey {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn observe(&mut self, event: &Event, _view: &View<'_>) -> Result<(), String> {
        let Some((request, answer)) = self.requests.answered(event) else { return Ok(()) };
        match scope(&request) {
            Some(scope) if answer.is_success() => self.check(scope, request.json(), &answer),
            _ => Ok(()),
        }
    }
}

fn scope(request: &Request) -> Option<KeyScope> {
    let key = request.header("idempotency-key")?.to_owned();
    let caller = match request.token() {
        Some(token) => subject(token).unwrap_or_else(|| token.to_owned()),
        None => request.body.clone(),
    };
    let route = format!("{} {}", request.method, request.path);
    Some(KeyScope { caller, route, key })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Millis;

    fn request() -> Request {
        Request {
            at: Millis::seconds(0),
            number: 1,
            address: String::new(),
            method: "POST".to_owned(),
            path: "/orders".to_owned(),
            query: String::new(),
            headers: Vec::new(),
            body: String::new(),
        }
    }

    #[test]
    fn a_caller_is_known_by_the_token_if_it_has_no_claims() {
        let caller = |token: &str| {
            let headers = [("idempotency-key", "1"), ("authorization", token)];
            let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let request = Request { headers: headers.to_vec(), ..request() };
            scope(&request).unwrap().caller
        };
        assert_eq!(caller("Bearer key_1.secret"), "key_1.secret");
        assert_ne!(caller("Bearer key_1.secret"), caller("Bearer key_2.secret"));
    }

    #[test]
    fn a_key_with_two_effects_or_for_two_requests_is_found() {
        let scope = || KeyScope {
            caller: "ann".to_owned(),
            route: "POST /orders".to_owned(),
            key: "1".to_owned(),
        };
        let replayed = [("idempotency-replayed".to_owned(), "true".to_owned())];
        let answer = |body, is_replay| Answer {
            status: 201,
            headers: if is_replay { &replayed[..] } else { &[] },
            body,
            by_function: true,
        };
        let first = || {
            let mut keys = OneEffectPerKey::default();
            keys.check(scope(), json!({ "a": 1, "b": 2 }), &answer("first", false)).unwrap();
            keys
        };
        let same = json!({ "b": 2, "a": 1 });
        assert!(first().check(scope(), same.clone(), &answer("first", true)).is_ok());
        first().check(scope(), same.clone(), &answer("first", false)).unwrap_err();
        first().check(scope(), same, &answer("second", true)).unwrap_err();
        first().check(scope(), json!({ "a": 2 }), &answer("first", true)).unwrap_err();
    }
}
