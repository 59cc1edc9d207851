//! Callbacks: all ids of an accepted one are in the queue, an online object is stored and no other one,
//! an object is gone after its lifetime, and nothing is looked up that can no longer appear.

use std::collections::{BTreeMap, BTreeSet};

use lifecycle::Timestamp;
use serde_json::Value;
use simulation::Millis;
use simulation::evidence::{Answer, Request, Requests, Sends, dead_letters};
use simulation::world::{Cause, Event, Happened, Oracle, View};

use crate::items::{self, tables};

pub(super) const NAME: &str = "no callback is lost, and objects go";

/// The queue of callbacks.
const QUEUE: &str = "CallbacksQueue";

/// The lifetime of an object, and the most that clocks differ.
const LIFETIME: Millis = Millis::seconds(30 + 1);
/// The time after a report within which a look-up can store its object: the lifetime, less the most
/// that clocks differ.
const IN_TIME: Millis = Millis::seconds(30 - 2);

/// The time after which a look-up is too late, with the time from its decision to its request.
const LOOKED_UP: Millis = Millis::seconds(30 + 60);
/// The host and the path of look-ups.
const LOOK_UP: &str = "GET objects.upstream.test/objects/";

/// Checks each answer about callbacks and objects, and each look-up.
#[derive(Debug, Clone, Default)]
pub(super) struct Callbacks {
    requests: Requests,
    sends: Sends,
    /// The ids of all callbacks in the queue, by the number of the event.
    queued: Vec<(u64, BTreeSet<i64>)>,
    /// When each object was reported last, and when it was written last.
    received: BTreeMap<i64, Millis>,
    written: BTreeMap<i64, Millis>,
    /// The object of each message about a single one, and when it was reported.
    messages: BTreeMap<String, (i64, Millis)>,
    /// The invocations for callbacks that have not ended.
    deliveries: BTreeMap<String, Delivery>,
    /// The look-ups that wait for their answer: the invocation and the object of each.
    look_ups: BTreeMap<u64, (String, i64)>,
    /// The objects that the object service has ever reported as online.
    online: BTreeSet<i64>,
}

/// Messages that are delivered together.
#[derive(Debug, Clone, Default)]
struct Delivery {
    messages: Vec<String>,
    /// The objects that the object service has reported meanwhile, and whether they are online.
    reported: BTreeMap<i64, bool>,
}

impl Oracle for Callbacks {
    fn name(&self) -> &str {
        NAME
    }

    fn observe(&mut self, event: &Event, view: &View<'_>) -> Result<(), String> {
        if let Happened::Called { operation, body, .. } = &event.what {
            self.called(event.at, operation, body, view)?;
        }
        for sent in self.sends.taken(event).into_iter().filter(|it| it.queue == QUEUE) {
            let body: Value = serde_json::from_str(&sent.body).unwrap_or_default();
            let ids = ids(&body["data"]["objectIds"]);
            if let Some(at) = time(&body["data"]["receivedAt"]) {
                for id in &ids {
                    let last = self.received.entry(*id).or_default();
                    *last = at.max(*last);
                }
                if let (Some(id), 1) = (ids.first(), ids.len()) {
                    self.messages.insert(sent.id, (*id, at));
                }
            }
            self.queued.push((event.number, ids));
        }
        if let Some((delivery, payload)) = self.delivered(event) {
            let objects: Vec<Value> = items::all(view, tables::OBJECTS);
            self.processed(&delivery, payload, event.at, &objects)?;
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
    fn called(
        &mut self,
        at: Millis,
        operation: &str,
        body: &str,
        view: &View<'_>,
    ) -> Result<(), String> {
        if operation.starts_with("DynamoDB") && body.contains(tables::OBJECTS) {
            let keys = body.split("\"pk\":{\"S\":\"").skip(1);
            for id in keys.filter_map(|rest| rest.split('"').next()?.parse().ok()) {
                if !operation.contains("Get") {
                    self.written.insert(id, at);
                }
            }
        }
        let Some(id) = operation.strip_prefix(LOOK_UP).and_then(|id| id.parse().ok()) else {
            return Ok(());
        };
        if !self.is_too_late(id, at) {
            return Ok(());
        }
        let objects: Vec<Value> = items::all(view, tables::OBJECTS);
        if objects.iter().any(|object| object["id"] == id) {
            return Ok(());
        }
        Err(format!("object {id} was looked up, and could no longer appear"))
    }

    /// Whether an object that is not stored can no longer appear.
    fn is_too_late(&self, id: i64, at: Millis) -> bool {
        let is_old = |times: &BTreeMap<i64, Millis>| {
            times.get(&id).is_none_or(|last| at.since(*last) > LOOKED_UP)
        };
        is_old(&self.received) && is_old(&self.written)
    }

    /// Notes deliveries and look-ups. Returns a delivery with its result, if the event is its end.
    fn delivered<'a>(&mut self, event: &'a Event) -> Option<(Delivery, &'a Value)> {
        match &event.what {
            Happened::Invoked { invocation, cause: Cause::Messages(queue, ids), .. }
                if queue == QUEUE =>
            {
                let delivery = Delivery { messages: ids.clone(), ..Delivery::default() };
                self.deliveries.insert(invocation.clone(), delivery);
            }
            Happened::Called { call, invocation: Some(invocation), operation, .. } => {
                let id = operation.strip_prefix(LOOK_UP).and_then(|id| id.parse().ok());
                if let Some(id) = id {
                    self.look_ups.insert(*call, (invocation.clone(), id));
                }
            }
            Happened::Performed { call, status, body } => {
                if let Some((invocation, id)) = self.look_ups.remove(call)
                    && let Some(is_online) = reported(*status, body, id)
                {
                    if is_online {
                        self.online.insert(id);
                    }
                    if let Some(delivery) = self.deliveries.get_mut(&invocation) {
                        *delivery.reported.entry(id).or_default() |= is_online;
                    }
                }
            }
            Happened::Failed { invocation, .. } => {
                self.deliveries.remove(invocation);
            }
            Happened::Returned { invocation, payload } => {
                return self.deliveries.remove(invocation).map(|delivery| (delivery, payload));
            }
            _ => {}
        }
        None
    }

    /// Whether the object of each processed message is stored or offline, and each stored object was
    /// online.
    fn processed(
        &self,
        delivery: &Delivery,
        payload: &Value,
        ended: Millis,
        objects: &[Value],
    ) -> Result<(), String> {
        let failures = payload["batchItemFailures"].as_array();
        let failed: BTreeSet<&str> = failures
            .into_iter()
            .flatten()
            .filter_map(|failure| failure["itemIdentifier"].as_str())
            .collect();
        for message in delivery.messages.iter().filter(|it| !failed.contains(it.as_str())) {
            let Some((id, reported_at)) = self.messages.get(message) else { continue };
            let is_stored = objects.iter().any(|object| {
                let last_seen = time(&object["lastSeen"]);
                object["id"] == *id && last_seen.is_some_and(|last_seen| last_seen >= *reported_at)
            });
            let is_offline = delivery.reported.get(id) == Some(&false);
            if ended < *reported_at + IN_TIME && !is_stored && !is_offline {
                return Err(format!("object {id} is processed, and neither stored nor offline"));
            }
        }
        let mut stored = objects.iter().filter_map(|object| object["id"].as_i64());
        match stored.find(|id| !self.online.contains(id)) {
            None => Ok(()),
            Some(id) => Err(format!("object {id} is stored, and was never online")),
        }
    }

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

/// Whether the object service reports this object as online, if its answer is about it.
fn reported(status: u16, body: &str, id: i64) -> Option<bool> {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    match status {
        404 => Some(false),
        200 if body["id"] == id => body["online"].as_bool(),
        _ => None,
    }
}

fn time(value: &Value) -> Option<Millis> {
    let time: Timestamp = serde_json::from_value(value.clone()).ok()?;
    u64::try_from(time.as_millis()).ok().map(Millis)
}

fn shown(request: &Request, answer: &Answer<'_>) -> Result<(), String> {
    let seen = time(&answer.json()["data"]["lastSeen"]).ok_or("an object has no time")?;
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
            address: String::new(),
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
    fn an_online_object_that_is_not_stored_and_a_stored_one_that_was_never_online_are_found() {
        // 2026-01-01T00:00:00Z is the time of the report.
        let at = |second| Millis(1_767_225_600_000) + Millis::seconds(second);
        let callbacks = Callbacks {
            messages: BTreeMap::from([("m".to_owned(), (7, at(0)))]),
            online: BTreeSet::from([7]),
            ..Callbacks::default()
        };
        let delivery = |reported: &[(i64, bool)]| Delivery {
            messages: vec!["m".to_owned()],
            reported: reported.iter().copied().collect(),
        };
        let seen = |second: u32| format!("2026-01-01T00:00:0{second}.000Z");
        let object = |id: i64, second| json!({ "id": id, "lastSeen": seen(second) });
        let failed = json!({ "batchItemFailures": [{ "itemIdentifier": "m" }] });
        let done = json!({ "batchItemFailures": [] });
        let earlier = Callbacks {
            messages: BTreeMap::from([("m".to_owned(), (7, at(1)))]),
            ..callbacks.clone()
        };
        for (callbacks, reported, payload, ended, objects, is_right) in [
            (&callbacks, &[(7, true)][..], &done, 1, vec![object(7, 0)], true),
            (&callbacks, &[], &done, 1, vec![object(7, 1)], true),
            (&callbacks, &[(7, false)], &done, 1, vec![], true),
            (&callbacks, &[(7, true)], &failed, 1, vec![], true),
            (&callbacks, &[(7, true)], &done, 28, vec![], true),
            (&callbacks, &[(7, true)], &done, 1, vec![], false),
            (&callbacks, &[], &done, 1, vec![], false),
            (&earlier, &[(7, true)], &done, 2, vec![object(7, 0)], false),
            (&callbacks, &[(7, false)], &done, 1, vec![object(8, 0)], false),
        ] {
            let found = callbacks.processed(&delivery(reported), payload, at(ended), &objects);
            assert_eq!(found.is_ok(), is_right, "{reported:?} {payload} {objects:?}: {found:?}");
        }
    }

    #[test]
    fn only_an_answer_about_the_object_reports_it() {
        for (status, body, is_online) in [
            (200, json!({ "id": 7, "online": true }), Some(true)),
            (200, json!({ "id": 7, "online": false }), Some(false)),
            (404, json!({}), Some(false)),
            (200, json!({ "id": 9, "online": true }), None),
            (200, json!({ "online": true }), None),
            (500, json!({ "id": 7, "online": true }), None),
        ] {
            assert_eq!(reported(status, &body.to_string(), 7), is_online, "{status} {body}");
        }
    }

    #[test]
    fn a_look_up_is_too_late_if_nothing_was_reported_or_written_lately() {
        let times = |second| BTreeMap::from([(7, Millis::seconds(second))]);
        let callbacks = |received, written| Callbacks {
            received: times(received),
            written: times(written),
            ..Callbacks::default()
        };
        let now = Millis::seconds(200);
        assert!(callbacks(0, 0).is_too_late(7, now));
        assert!(!callbacks(150, 0).is_too_late(7, now));
        assert!(!callbacks(0, 150).is_too_late(7, now));
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
