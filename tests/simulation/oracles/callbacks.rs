//! Callbacks: all ids of an accepted one are in the queue, and an object is gone after its lifetime.

use std::collections::BTreeSet;

use lifecycle::Timestamp;
use serde_json::Value;
use simulation::Millis;
use simulation::evidence::{Answer, Request, Requests, Sends, dead_letters};
use simulation::world::{Event, Oracle, View};

use crate::items::{self, tables};

pub(super) const NAME: &str = "no callback is lost, and objects go";

/// The lifetime of an object, and the most that clocks differ.
const LIFETIME: Millis = Millis::seconds(30 + 1);

/// Checks each answer about callbacks and objects.
#[derive(Debug, Clone, Default)]
pub(super) struct Callbacks {
    requests: Requests,
    sends: Sends,
    /// The ids of all callbacks in the queue, by the number of the event.
    queued: Vec<(u64, BTreeSet<i64>)>,
}

impl Oracle for Callbacks {
    fn name(&self) -> &str {
        NAME
    }

    fn observe(&mut self, event: &Event, _view: &View<'_>) -> Result<(), String> {
        for sent in self.sends.taken(event).into_iter().filter(|it| it.queue == "CallbacksQueue") {
            let body: Value = serde_json::from_str(&sent.body).unwrap_or_default();
            self.queued.push((event.number, ids(&body["data"]["objectIds"])));
        }
        let Some((request, answer)) = self.requests.answered(event) else { return Ok(()) };
        if request.is("POST", "/callback") && answer.status == 202 {
            return self.accepted(&request);
        }
        if request.is("GET", "/objects/{}") && answer.status == 200 {
            return shown(&request, &answer);
        }
        Ok(())
    }

    fn at_rest(&mut self, view: &View<'_>) -> Result<(), String> {
        let excused = dead_letters(view);
        let objects: Vec<Value> = items::all(view, tables::OBJECTS);
        let left = objects.iter().find(|object| {
            let id = object["id"].to_string();
            !excused.contains(&format!("\"objectId\":{id}"))
        });
        left.map_or(Ok(()), |object| Err(format!("an object is still there: {object}")))
    }
}

impl Callbacks {
    fn accepted(&self, request: &Request) -> Result<(), String> {
        let reported = ids(&request.json()["object_ids"]);
        let mut later = self.queued.iter().rev().take_while(|(at, _)| *at > request.number);
        if later.any(|(_, queued)| *queued == reported) {
            Ok(())
        } else {
            Err(format!("{reported:?} were accepted, and are not in the queue"))
        }
    }
}

fn ids(list: &Value) -> BTreeSet<i64> {
    list.as_array().into_iter().flatten().filter_map(Value::as_i64).collect()
}

fn shown(request: &Request, answer: &Answer<'_>) -> Result<(), String> {
    let seen = answer.json()["data"]["lastSeen"].clone();
    let seen: Timestamp = serde_json::from_value(seen).map_err(|error| error.to_string())?;
    let seen = Millis(u64::try_from(seen.as_millis()).unwrap_or_default());
    let age = request.at.since(seen);
    if age >= LIFETIME {
        return Err(format!("{} was shown {age:?} after it was seen", request.path));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(body: &Value) -> Request {
        Request {
            at: Millis(1_767_225_700_000),
            number: 5,
            method: "POST".to_owned(),
            path: "/callback".to_owned(),
            query: String::new(),
            headers: Vec::new(),
            body: body.to_string(),
        }
    }

    #[test]
    fn an_accepted_callback_without_its_message_is_found() {
        let asked = request(&json!({ "object_ids": [2, 1, 2] }));
        let queued = |number, ids: &[i64]| Callbacks {
            queued: vec![(number, ids.iter().copied().collect())],
            ..Callbacks::default()
        };
        assert!(queued(6, &[1, 2]).accepted(&asked).is_ok());
        queued(6, &[1]).accepted(&asked).unwrap_err();
        queued(4, &[1, 2]).accepted(&asked).unwrap_err();
    }

    #[test]
    fn an_object_that_is_shown_after_its_lifetime_is_found() {
        // 2026-01-01T00:01:40Z is the time of the request.
        for (seen, is_right) in
            [("2026-01-01T00:01:30.000Z", true), ("2026-01-01T00:01:00.000Z", false)]
        {
            let body = json!({ "data": { "lastSeen": seen } }).to_string();
            let answer = Answer { status: 200, headers: &[], body: &body, by_function: true };
            assert_eq!(shown(&request(&json!({})), &answer).is_ok(), is_right, "{seen}");
        }
    }
}
