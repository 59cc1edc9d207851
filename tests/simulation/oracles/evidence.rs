//! The parts that oracles share: the requests of the API, tokens, and the work that ended in dead letters.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use simulation::Millis;
use simulation::world::{Event, Happened, View};

/// A request to the API.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) at: Millis,
    /// The number of its event: an order of all events.
    pub(super) number: u64,
    /// The IP address of the client.
    pub(super) address: String,
    pub(super) method: String,
    /// Without its query.
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

/// An answer to a request.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    pub(super) headers: &'a [(String, String)],
    pub(super) body: &'a str,
    pub(super) by_function: bool,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The bearer token.
    pub(super) fn token(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }

    /// The body as JSON; null if it is none.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// Whether it has this method and the path of this template, such as `/users/{}`.
    pub(super) fn is(&self, method: &str, template: &str) -> bool {
        self.method == method && self.parts(template).is_some()
    }

    /// The parts of the path for `{}` of a template. `None` if the path is another.
    pub(super) fn parts(&self, template: &str) -> Option<Vec<&str>> {
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
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        header(self.headers, name)
    }

    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON; null if it is none.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(self.body).unwrap_or_default()
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// The requests that wait for an answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Requests(BTreeMap<String, Request>);

impl Requests {
    /// The request and its answer, if the event is an answer. Otherwise remembers a request.
    pub(super) fn answered<'a>(&mut self, event: &'a Event) -> Option<(Request, Answer<'a>)> {
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
    pub(super) fn unanswered(&self) -> impl Iterator<Item = &Request> {
        self.0.values()
    }
}

/// A message that a queue has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sent {
    /// The name of the queue.
    pub(super) queue: String,
    pub(super) id: String,
    pub(super) body: String,
}

/// The sends that wait for their response.
#[derive(Debug, Clone, Default)]
pub(super) struct Sends(BTreeMap<u64, Value>);

impl Sends {
    /// The messages that a queue has taken, if the event is its response.
    pub(super) fn taken(&mut self, event: &Event) -> Vec<Sent> {
        match &event.what {
            Happened::Called { call, operation, body, .. }
                if operation.starts_with("AmazonSQS.SendMessage") =>
            {
                self.0.insert(*call, serde_json::from_str(body).unwrap_or_default());
                Vec::new()
            }
            Happened::Performed { call, status, body } => {
                let Some(request) = self.0.remove(call).filter(|_| *status == 200) else {
                    return Vec::new();
                };
                taken(&request, &serde_json::from_str(body).unwrap_or_default())
            }
            _ => Vec::new(),
        }
    }
}

fn taken(request: &Value, response: &Value) -> Vec<Sent> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let url = text(&request["QueueUrl"]);
    let sent = |id: &Value, body: &Value| Sent {
        queue: url.rsplit('/').next().unwrap_or_default().to_owned(),
        id: text(id),
        body: text(body),
    };
    let Some(entries) = request["Entries"].as_array() else {
        return vec![sent(&response["MessageId"], &request["MessageBody"])];
    };
    let successful = response["Successful"].as_array();
    let taken = entries.iter().filter_map(|entry| {
        let result = successful?.iter().find(|result| result["Id"] == entry["Id"])?;
        Some(sent(&result["MessageId"], &entry["MessageBody"]))
    });
    taken.collect()
}

/// The claims of a token, unverified.
pub(super) fn claims(token: &str) -> Option<Value> {
    let claims = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&claims).ok()
}

/// The user of a token, unverified.
pub(super) fn subject(token: &str) -> Option<String> {
    claims(token)?["sub"].as_str().map(str::to_owned)
}

/// The texts of all dead letters. Work that they name is excused: it waits for an operator.
pub(super) fn dead_letters(view: &View<'_>) -> String {
    let queues: Vec<&str> = view.dead_letter_queues().collect();
    queues.into_iter().flat_map(|queue| view.messages(queue)).collect::<Vec<_>>().join("\n")
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

    #[test]
    fn only_the_successful_entries_of_a_batch_are_taken() {
        let mut sends = Sends::default();
        let mut event = |what| sends.taken(&Event { number: 0, at: Millis(0), what });
        let entry = |id: &str| serde_json::json!({ "Id": id, "MessageBody": format!("body {id}") });
        let request = serde_json::json!({
            "QueueUrl": "https://sqs/1/EmailsQueue", "Entries": [entry("0"), entry("1")],
        });
        let response = serde_json::json!({
            "Successful": [{ "Id": "1", "MessageId": "m" }], "Failed": [{ "Id": "0" }],
        });
        let called = event(Happened::Called {
            call: 4,
            function: "F".to_owned(),
            invocation: None,
            operation: "AmazonSQS.SendMessageBatch".to_owned(),
            body: request.to_string(),
        });
        assert!(called.is_empty());
        let taken = event(Happened::Performed { call: 4, status: 200, body: response.to_string() });
        let (queue, id, body) = ("EmailsQueue", "m", "body 1");
        let [queue, id, body] = [queue, id, body].map(str::to_owned);
        assert_eq!(taken, [Sent { queue, id, body }]);
    }

    #[test]
    fn the_subject_of_a_token_is_read_without_its_signature() {
        let claims = BASE64_URL_SAFE_NO_PAD.encode(r#"{"sub":"ann"}"#);
        assert_eq!(subject(&format!("h.{claims}.s")).as_deref(), Some("ann"));
        assert_eq!(subject("garbage"), None);
    }
}
