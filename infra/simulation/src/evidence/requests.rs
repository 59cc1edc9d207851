//! The requests of clients with their answers.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::Millis;
use crate::world::{Event, Happened};

/// A request that a client sent to the API.
#[derive(Debug, Clone)]
pub struct Request {
    /// When it was sent.
    pub at: Millis,
    /// The number of its event, which orders all events of the run.
    pub number: u64,
    /// The IP address of the client.
    pub address: String,
    /// The method, in capitals.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query, without its `?`; empty if there is none.
    pub query: String,
    /// The headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// The API's answer to a request. The client may not have got it.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The status.
    pub status: u16,
    /// The headers, with names in lower case.
    pub headers: &'a [(String, String)],
    /// The body.
    pub body: &'a str,
    /// Whether a function made it, and not the gateway.
    pub by_function: bool,
}

impl Request {
    /// The first value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The bearer token, if the header `authorization` has one.
    pub fn token(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// Whether it has this method and the path of this template, such as `/users/{}`.
    pub fn is(&self, method: &str, template: &str) -> bool {
        self.method == method && self.parts(template).is_some()
    }

    /// The parts of the path for `{}` of a template. `None` if the path is another.
    pub fn parts(&self, template: &str) -> Option<Vec<&str>> {
        let (wanted, given): (Vec<&str>, Vec<&str>) =
            (template.split('/').collect(), self.path.split('/').collect());
        if wanted.len() != given.len() {
            return None;
        }
        let mut parts = Vec::new();
        for (wanted, given) in wanted.into_iter().zip(given) {
            match wanted {
                "{}" => parts.push(given),
                wanted if wanted == given => {}
                _ => return None,
            }
        }
        Some(parts)
    }
}

impl Answer<'_> {
    /// The first value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(self.headers, name)
    }

    /// Whether the status is one of success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(self.body).unwrap_or_default()
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// The requests that wait for an answer. An oracle shows it each event.
#[derive(Debug, Clone, Default)]
pub struct Requests(BTreeMap<String, Request>);

impl Requests {
    /// The request and its answer, if the event is an answer. Otherwise remembers a request.
    pub fn answered<'a>(&mut self, event: &'a Event) -> Option<(Request, Answer<'a>)> {
        match &event.what {
            Happened::Requested { request, address, method, path, headers, body, .. } => {
                let (path, query) = path.split_once('?').unwrap_or((path.as_str(), ""));
                let asked = Request {
                    at: event.at,
                    number: event.number,
                    address: address.clone(),
                    method: method.clone(),
                    path: path.to_owned(),
                    query: query.to_owned(),
                    headers: headers.clone(),
                    body: body.clone(),
                };
                self.0.insert(request.clone(), asked);
                None
            }
            Happened::Answered { request, status, headers, body, by_function, .. } => {
                let (status, by_function) = (*status, *by_function);
                let answer = Answer { status, headers, body, by_function };
                Some((self.0.remove(request)?, answer))
            }
            _ => None,
        }
    }

    /// The requests without an answer.
    pub fn unanswered(&self) -> impl Iterator<Item = &Request> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_path_are_those_of_its_template() {
        let request = Request {
            at: Millis(0),
            number: 0,
            address: String::new(),
            method: "PUT".to_owned(),
            path: "/users/7/password".to_owned(),
            query: String::new(),
            headers: vec![("authorization".to_owned(), "Bearer t".to_owned())],
            body: "{".to_owned(),
        };
        assert_eq!(request.parts("/users/{}/password"), Some(vec!["7"]));
        assert_eq!(request.parts("/users/{}"), None);
        assert!(!request.is("GET", "/users/{}/password"));
        assert_eq!((request.token(), request.json()), (Some("t"), Value::Null));
    }
}
