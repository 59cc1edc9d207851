//! Receives from FIFO queues and from queues with message groups.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::embedded::{Sqs, answered, not_kept};
use super::line::{self, Line};
use super::parcels::{forget, is_asked_for};

/// The interval at which a waiting receive looks for messages that became visible by the time, or
/// that became dead letters.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Sqs {
    /// Handles a receive.
    pub(super) async fn receive(
        self: &Arc<Self>,
        line: &Arc<Line>,
        input: &Value,
    ) -> http::Response<Bytes> {
        let asked = json!({"QueueUrl": input["QueueUrl"], "AttributeNames": ["All"]}).to_string();
        let settings = self.embedded("GetQueueAttributes", asked.into()).await;
        let settings: Value = serde_json::from_slice(settings.body()).unwrap_or_default();
        let seconds = |parameter: &str, attribute: &str| {
            let set = settings["Attributes"][attribute].as_str().and_then(|set| set.parse().ok());
            Duration::from_secs(input[parameter].as_u64().or(set).unwrap_or_default())
        };
        let hidden = seconds("VisibilityTimeout", "VisibilityTimeout");
        let end = Instant::now() + seconds("WaitTimeSeconds", "ReceiveMessageWaitTimeSeconds");
        let count_max = input["MaxNumberOfMessages"].as_u64().unwrap_or(1);
        let count_max = usize::try_from(count_max).unwrap_or(usize::MAX);
        loop {
            let changed = line.changed();
            let (sqs, used, input) = (Arc::clone(self), Arc::clone(line), input.clone());
            let turn = async move { sqs.serve(&used, &input, count_max, hidden, end).await };
            // It ends even if the caller stops waiting: no message is taken and not served.
            let served = tokio::spawn(turn).await.expect("work for SQS does not panic");
            if let Some(response) = served {
                return response;
            }
            // After a change or after the interval, it looks again.
            let _ = timeout_at(end.min(Instant::now() + LOOK_EVERY), changed).await;
        }
    }

    /// Returns the next messages; `None` if there are none and the receive waits.
    async fn serve(
        &self,
        line: &Line,
        input: &Value,
        count_max: usize,
        hidden: Duration,
        end: Instant,
    ) -> Option<http::Response<Bytes>> {
        let _turn = line.turn().await;
        let begun = Instant::now();
        if let Err(refused) = self.fetch(line, &input["QueueUrl"]).await {
            return Some(refused);
        }
        let given = line.give(count_max, hidden, begun);
        if given.is_empty() && begun < end {
            return None;
        }
        Some(self.given(line, input, hidden, given).await)
    }

    /// Moves all visible messages to the line.
    async fn fetch(&self, line: &Line, queue_url: &Value) -> Result<(), http::Response<Bytes>> {
        let mut left = u64::MAX;
        loop {
            // Not a pending duration: a held message stays held when the clock moves.
            let fetch = line::fetch(queue_url).to_string().into();
            let answer = self.rustack("ReceiveMessage", fetch).await;
            if !answer.status().is_success() {
                return Err(answer);
            }
            let answer = self.groups.put_back(answer.into_body());
            let mut answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
            match answer["Messages"].take() {
                Value::Array(messages) if !messages.is_empty() => line.take_in(messages),
                _ => {
                    // A receive that moves only dead letters returns nothing; others may follow.
                    let visible = self.visible(queue_url).await;
                    if visible == 0 || visible >= left {
                        return Ok(());
                    }
                    left = visible;
                }
            }
        }
    }

    /// The number of visible messages in the embedded SQS.
    async fn visible(&self, queue_url: &Value) -> u64 {
        const VISIBLE: &str = "ApproximateNumberOfMessages";
        let asked = json!({"QueueUrl": queue_url, "AttributeNames": [VISIBLE]}).to_string();
        let answer = self.rustack("GetQueueAttributes", asked.into()).await;
        let answer: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        let visible = answer["Attributes"][VISIBLE].as_str().and_then(|count| count.parse().ok());
        visible.unwrap_or_default()
    }

    /// Starts the visibility timeout of served messages. A message that was deleted meanwhile is
    /// left out.
    async fn given(
        &self,
        line: &Line,
        input: &Value,
        hidden: Duration,
        given: Vec<Value>,
    ) -> http::Response<Bytes> {
        let mut messages = Vec::new();
        for mut message in given {
            let change = json!({
                "QueueUrl": input["QueueUrl"],
                "ReceiptHandle": message["ReceiptHandle"],
                "VisibilityTimeout": hidden.as_secs(),
            });
            let body = change.to_string().into();
            let changed = self.embedded_unnoted("ChangeMessageVisibility", body).await;
            if changed.status().is_success() {
                line.hidden(&change);
                show(input, &mut message);
                messages.push(message);
            } else {
                line.deleted(&change);
            }
        }
        let answer = if messages.is_empty() { json!({}) } else { json!({"Messages": messages}) };
        let response = answered(&answer);
        let input = input.to_string();
        if let Err(error) =
            self.keep(None, "ReceiveMessage", input.as_bytes(), response.body()).await
        {
            return not_kept(&error);
        }
        self.journal().note("ReceiveMessage", input.as_bytes(), response.body());
        response
    }
}

/// Removes the attributes of a message that the caller has not asked for.
fn show(input: &Value, message: &mut Value) {
    let system = ["AttributeNames", "MessageSystemAttributeNames"].map(|list| &input[list]);
    let own = [&input["MessageAttributeNames"]];
    for (member, lists) in [("Attributes", &system[..]), ("MessageAttributes", &own[..])] {
        let attributes = message.get_mut(member).and_then(Value::as_object_mut);
        let Some(attributes) = attributes else { continue };
        attributes.retain(|name, _| lists.iter().any(|names| is_asked_for(names, name)));
        if attributes.is_empty() {
            forget(message, member);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::poll;
    use tokio::task::yield_now;
    use tokio::time::sleep;

    use super::super::time::Pending;
    use super::*;
    use crate::clock::Clock;

    #[tokio::test(start_paused = true)]
    async fn a_message_is_received_again_after_its_receiver_has_stopped_waiting() {
        let endpoint = "127.0.0.1:1".parse().unwrap();
        let sqs = Arc::new(Sqs::new(endpoint, &Clock::fixed(), Pending::default()));
        let ask = async |operation: &str, input: Value| -> Value {
            let answer = sqs.handle(operation, input.to_string().into()).await;
            assert_eq!(answer.status(), 200, "{answer:?}");
            serde_json::from_slice(answer.body()).unwrap_or_default()
        };
        let queue = json!({"QueueName": "q.fifo", "Attributes": {"FifoQueue": "true"}});
        let url = ask("CreateQueue", queue).await["QueueUrl"].take();
        let message = json!({
            "QueueUrl": url, "MessageBody": "body", "MessageGroupId": "g",
            "MessageDeduplicationId": "d",
        });
        ask("SendMessage", message).await;
        let receive = json!({"QueueUrl": url, "VisibilityTimeout": 1});
        for polls in 0..30 {
            {
                let body = receive.to_string().into();
                let mut receive = pin!(sqs.handle("ReceiveMessage", body));
                for _ in 0..polls {
                    if poll!(receive.as_mut()).is_ready() {
                        break;
                    }
                    yield_now().await;
                }
            }
            sleep(Duration::from_secs(2)).await;
            let received = ask("ReceiveMessage", receive.clone()).await;
            assert_eq!(received["Messages"][0]["Body"], "body", "stopped after {polls} polls");
            sleep(Duration::from_secs(2)).await;
        }
    }
}
