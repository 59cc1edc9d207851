//! The messages that functions have sent to queues.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::world::{Event, Happened};

/// A message that a queue has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The name of the queue: its logical id, with `.fifo` at the end of a FIFO queue's.
    pub queue: String,
    /// The id that the queue gave to it.
    pub id: String,
    /// Its body.
    pub body: String,
}

/// The sends that wait for their response. An oracle shows it each event.
#[derive(Debug, Clone, Default)]
pub struct Sends(BTreeMap<u64, Value>);

impl Sends {
    /// The messages that a queue has taken, if the event is its response.
    pub fn taken(&mut self, event: &Event) -> Vec<Sent> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Millis;

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
}
