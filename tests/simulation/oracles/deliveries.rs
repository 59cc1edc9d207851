//! Deliveries: one delivery of a message sends its mail once, however often its commit is repeated. A
//! delivery after one that has succeeded sends none.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use simulation::evidence::Sends;
use simulation::world::{Cause, Event, Happened, Oracle, View};

pub(super) const NAME: &str = "a delivery sends its mail once";

/// The path at which SES takes a mail.
const MAILS: &str = "/v2/email/outbound-emails";

/// Checks each mail that a function sends.
#[derive(Debug, Clone, Default)]
pub(super) struct Deliveries {
    sends: Sends,
    /// The event of each message.
    events: BTreeMap<String, String>,
    /// The messages of each invocation that is not known to have ended, and the mails that it sent.
    invocations: BTreeMap<String, Delivered>,
    /// The mails whose deliveries have succeeded, and the numbers of the events at which they did.
    succeeded: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, Default)]
struct Delivered {
    /// The number of the event at which the invocation began.
    begun: u64,
    messages: Vec<String>,
    mails: BTreeMap<String, usize>,
}

impl Oracle for Deliveries {
    fn name(&self) -> &str {
        NAME
    }

    fn observe(&mut self, event: &Event, _view: &View<'_>) -> Result<(), String> {
        for sent in self.sends.taken(event) {
            let body: Value = serde_json::from_str(&sent.body).unwrap_or_default();
            if let Some(event_id) = body["eventId"].as_str() {
                self.events.insert(sent.id, event_id.to_owned());
            }
        }
        match &event.what {
            Happened::Invoked { invocation, cause: Cause::Messages(_, ids), .. } => {
                let (begun, messages) = (event.number, ids.clone());
                let delivered = Delivered { begun, messages, ..Delivered::default() };
                self.invocations.insert(invocation.clone(), delivered);
            }
            Happened::Called { invocation: Some(invocation), operation, body, .. }
                if operation.ends_with(MAILS) =>
            {
                return self.mailed(invocation, &serde_json::from_str(body).unwrap_or_default());
            }
            Happened::Returned { invocation, payload } => {
                if let Some(delivered) = self.invocations.remove(invocation) {
                    self.returned(&delivered, payload, event.number);
                }
            }
            Happened::Failed { invocation, .. } => {
                self.invocations.remove(invocation);
            }
            _ => {}
        }
        Ok(())
    }
}

impl Deliveries {
    fn mailed(&mut self, invocation: &str, mail: &Value) -> Result<(), String> {
        let headers = mail["Content"]["Simple"]["Headers"].as_array();
        let id = headers.and_then(|all| all.iter().find(|it| it["Name"] == "X-Mail-Id"));
        let Some(id) = id.and_then(|it| it["Value"].as_str()) else { return Ok(()) };
        let Some(delivered) = self.invocations.get_mut(invocation) else { return Ok(()) };
        if self.succeeded.get(id).is_some_and(|at| *at < delivered.begun) {
            return Err(format!("{invocation} sent mail {id}, whose delivery had succeeded"));
        }
        // A batch may have an event several times, and messages that were moved back.
        let event_of = |message: &&String| self.events.get(*message).is_none_or(|it| it == id);
        let most = delivered.messages.iter().filter(event_of).count();
        let count = delivered.mails.entry(id.to_owned()).or_default();
        *count += 1;
        if *count > most {
            return Err(format!("{invocation} sent mail {id} {count} times, for {most} messages"));
        }
        Ok(())
    }

    /// Notes the mails of messages that are not among the failed ones.
    fn returned(&mut self, delivered: &Delivered, payload: &Value, at: u64) {
        let failures = payload["batchItemFailures"].as_array();
        let failed: BTreeSet<&str> = failures
            .into_iter()
            .flatten()
            .filter_map(|failure| failure["itemIdentifier"].as_str())
            .collect();
        for id in delivered.mails.keys() {
            let mut messages = delivered.messages.iter();
            let has_failed = |message: &String| {
                failed.contains(message.as_str())
                    && self.events.get(message).is_none_or(|it| it == id)
            };
            if !messages.any(has_failed) {
                self.succeeded.entry(id.clone()).or_insert(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mail_that_a_delivery_sends_again_is_found() {
        let delivered =
            Delivered { messages: vec!["m1".to_owned(), "m2".to_owned()], ..Delivered::default() };
        let mut deliveries = Deliveries {
            events: [("m1", "e1"), ("m2", "e2")].map(|it| (it.0.into(), it.1.into())).into(),
            invocations: BTreeMap::from([("i".to_owned(), delivered)]),
            ..Deliveries::default()
        };
        let header = |id: &str| json!([{ "Name": "X-Mail-Id", "Value": id }]);
        let mail = |id: &str| json!({ "Content": { "Simple": { "Headers": header(id) } } });
        assert!(deliveries.mailed("i", &mail("e1")).is_ok());
        assert!(deliveries.mailed("i", &mail("e2")).is_ok());
        deliveries.mailed("i", &mail("e1")).unwrap_err();
    }

    #[test]
    fn a_mail_after_a_delivery_that_has_succeeded_is_found() {
        let mail = json!({
            "Content": { "Simple": { "Headers": [{ "Name": "X-Mail-Id", "Value": "e1" }] } },
        });
        let begun =
            |begun| Delivered { begun, messages: vec!["m1".to_owned()], ..Delivered::default() };
        let mut deliveries = Deliveries {
            events: BTreeMap::from([("m1".to_owned(), "e1".to_owned())]),
            invocations: BTreeMap::from([1, 2, 3, 9].map(|it| (it.to_string(), begun(it)))),
            ..Deliveries::default()
        };
        let failed = json!({ "batchItemFailures": [{ "itemIdentifier": "m1" }] });
        for (invocation, payload, at) in [("1", &failed, 4), ("2", &json!({}), 5)] {
            assert!(deliveries.mailed(invocation, &mail).is_ok());
            let delivered = deliveries.invocations.remove(invocation).unwrap();
            deliveries.returned(&delivered, payload, at);
        }
        assert!(deliveries.mailed("3", &mail).is_ok(), "it began before");
        deliveries.mailed("9", &mail).unwrap_err();
    }
}
