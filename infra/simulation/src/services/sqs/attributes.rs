//! `GetQueueAttributes` and `GetQueueUrl`.

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::errors::no_queue;
use super::queue::Queue;
use super::{Call, Sqs};
use crate::Millis;
use crate::services::wire::{AwsError, parsed};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetQueueAttributes {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetQueueUrl {
    queue_name: String,
}

impl Sqs {
    pub(super) fn get_queue_attributes(
        &mut self,
        body: &[u8],
        call: &mut Call<'_>,
    ) -> Result<Json, AwsError> {
        let request: GetQueueAttributes = parsed(body)?;
        let name = self.permitted(&request.queue_url, "GetQueueAttributes", call)?;
        let queue = self.queue(&name)?;
        queue.expire(call.now);
        let all = attributes(queue, call.now);
        for name in &request.attribute_names {
            let is_known = name == "All" || OPTIONAL.contains(&name.as_str());
            if !is_known && !all.iter().any(|(known, _)| known == name) {
                let message = format!("Unknown Attribute {name}.");
                let error = AwsError::new("InvalidAttributeName", message);
                return Err(error.or_in_query("InvalidAttributeName"));
            }
        }
        let is_wanted =
            |name: &str| request.attribute_names.iter().any(|it| it == "All" || it == name);
        let wanted = all.into_iter().filter(|(name, _)| is_wanted(name));
        let wanted: Map<String, Json> =
            wanted.map(|(name, value)| (name.to_owned(), Json::String(value))).collect();
        Ok(if wanted.is_empty() { json!({}) } else { json!({ "Attributes": wanted }) })
    }

    pub(super) fn get_queue_url(
        &mut self,
        body: &[u8],
        call: &mut Call<'_>,
    ) -> Result<Json, AwsError> {
        let request: GetQueueUrl = parsed(body)?;
        call.access.check("sqs:GetQueueUrl", &request.queue_name)?;
        if !self.queues.contains_key(&request.queue_name) {
            return Err(no_queue());
        }
        Ok(json!({ "QueueUrl": Queue::url(&request.queue_name) }))
    }
}

/// Attributes that only some queues have.
const OPTIONAL: [&str; 4] =
    ["RedrivePolicy", "FifoQueue", "ContentBasedDeduplication", "RedriveAllowPolicy"];

fn attributes(queue: &Queue, now: Millis) -> Vec<(&'static str, String)> {
    let definition = &queue.definition;
    let in_flight = queue.in_flight(now);
    let hidden = queue.messages.values().filter(|message| message.visible_at > now).count();
    let delayed = hidden - in_flight;
    let visible = queue.messages.len() - hidden;
    let seconds = |time: Millis| time.as_seconds().to_string();
    let mut attributes = vec![
        ("ApproximateNumberOfMessages", visible.to_string()),
        ("ApproximateNumberOfMessagesDelayed", delayed.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", in_flight.to_string()),
        ("CreatedTimestamp", seconds(queue.created_at)),
        ("DelaySeconds", seconds(definition.delay)),
        ("LastModifiedTimestamp", seconds(queue.created_at)),
        ("MaximumMessageSize", definition.message_bytes_max.to_string()),
        ("MessageRetentionPeriod", seconds(definition.retention)),
        ("QueueArn", Queue::arn(&definition.name)),
        ("ReceiveMessageWaitTimeSeconds", seconds(definition.receive_wait)),
        ("VisibilityTimeout", seconds(definition.visibility_timeout)),
    ];
    if let Some(redrive) = &definition.redrive {
        let policy = json!({
            "deadLetterTargetArn": Queue::arn(&redrive.dead_letter_queue),
            "maxReceiveCount": redrive.receive_count_max,
        });
        attributes.push(("RedrivePolicy", policy.to_string()));
    }
    if definition.is_fifo() {
        attributes.push(("FifoQueue", "true".to_owned()));
        let by_content = definition.content_based_deduplication;
        attributes.push(("ContentBasedDeduplication", by_content.to_string()));
    }
    attributes
}
