//! The calls that SQS rejects and the embedded queue would accept, with SQS's error codes. A
//! message accepted here is accepted on AWS.
//!
//! Sources: the API reference of `SendMessage`, `SendMessageBatch`, `DeleteMessage` and
//! `ChangeMessageVisibility`; the message quotas in the developer guide.

use std::collections::HashSet;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

/// The maximum bytes of all messages of one call, bodies and attributes, and by default of one.
pub(super) const BYTES_MAX: usize = 1024 * 1024;
/// The maximum entries of one batch.
const ENTRIES_MAX: usize = 10;
/// The maximum attributes of one message.
const ATTRIBUTES_MAX: usize = 10;
/// The maximum delay of a message, in seconds.
const DELAY_S_MAX: i64 = 900;
/// The maximum visibility timeout, in seconds.
const VISIBILITY_S_MAX: i64 = 43_200;

/// An error in SQS's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// The code without a namespace, `InvalidMessageContents`.
    pub code: &'static str,
    /// The message.
    pub message: String,
}

/// The result of checking a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The whole call is rejected.
    Refused(Refused),
    /// The rejected entries of a batch, by their ids; empty for a valid call.
    Entries(Vec<(String, Refused)>),
}

/// Checks a call by its input and the maximum bytes of the queue's messages. A queue is FIFO if its
/// name ends so.
pub(super) fn judge(operation: &str, input: &Value, bytes_max: usize) -> Verdict {
    let fifo = input["QueueUrl"].as_str().is_some_and(|url| url.rsplit('.').next() == Some("fifo"));
    let judged = match operation {
        "SendMessage" => message(input, fifo, bytes_max),
        "DeleteMessage" => receipt(input),
        "ChangeMessageVisibility" => visibility(input),
        "ReceiveMessage" => receive(input),
        "SendMessageBatch" => return batch(input, |entry| message(entry, fifo, bytes_max)),
        "DeleteMessageBatch" => return batch(input, receipt),
        "ChangeMessageVisibilityBatch" => return batch(input, visibility),
        _ => Ok(()),
    };
    judged.map_or_else(Verdict::Refused, |()| Verdict::Entries(Vec::new()))
}

/// Adds the entries that were rejected before the queue saw them to a batch's response.
pub(super) fn with_failed(answer: &mut Value, refused: &[(String, Refused)]) {
    if refused.is_empty() {
        return;
    }
    let entry = |(id, Refused { code, message }): &(String, Refused)| json!({ "Id": id, "SenderFault": true, "Code": code, "Message": message });
    let failed = refused.iter().map(entry);
    if let Some(answer) = answer.as_object_mut() {
        answer.entry("Successful").or_insert_with(|| json!([]));
        let known = answer.entry("Failed").or_insert_with(|| json!([]));
        if let Some(known) = known.as_array_mut() {
            known.extend(failed);
        }
    }
}

fn batch(input: &Value, judge: impl Fn(&Value) -> Result<(), Refused>) -> Verdict {
    let Some(entries) = input["Entries"].as_array().filter(|entries| !entries.is_empty()) else {
        let message = "There should be at least one SendMessageBatchRequestEntry in the request.";
        return whole("AWS.SimpleQueueService.EmptyBatchRequest", message.to_owned());
    };
    if entries.len() > ENTRIES_MAX {
        let message = format!(
            "Maximum number of entries per request are 10. You have sent {}.",
            entries.len()
        );
        return whole("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", message);
    }
    let mut ids = HashSet::new();
    for entry in entries {
        let id = entry["Id"].as_str().unwrap_or_default();
        if !is_entry_id(id) {
            let message = "A batch entry id can only contain alphanumeric characters, hyphens and \
                 underscores. It can be at most 80 letters long.";
            return whole("AWS.SimpleQueueService.InvalidBatchEntryId", message.to_owned());
        }
        if !ids.insert(id) {
            let message = format!("Id {id} repeated.");
            return whole("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", message);
        }
    }
    let bytes: usize = entries.iter().map(bytes_of).sum();
    if bytes > BYTES_MAX {
        let message = format!(
            "Batch requests cannot be longer than {BYTES_MAX} bytes. You have sent {bytes} bytes."
        );
        return whole("AWS.SimpleQueueService.BatchRequestTooLong", message);
    }
    let id_of = |entry: &Value| entry["Id"].as_str().unwrap_or_default().to_owned();
    let refused = entries.iter().filter_map(|entry| Some((id_of(entry), judge(entry).err()?)));
    Verdict::Entries(refused.collect())
}

fn whole(code: &'static str, message: String) -> Verdict {
    Verdict::Refused(Refused { code, message })
}

fn message(input: &Value, fifo: bool, bytes_max: usize) -> Result<(), Refused> {
    let body = input["MessageBody"].as_str().unwrap_or_default();
    if body.is_empty() {
        return missing("MessageBody");
    }
    if let Some(odd) = body.chars().find(|c| !is_allowed(*c)) {
        return Err(Refused { code: "InvalidMessageContents", message: not_allowed(odd, "body") });
    }
    let bytes = bytes_of(input);
    if bytes > bytes_max {
        let reason = format!("Message must be shorter than {bytes_max} bytes.");
        return invalid(format!("One or more parameters are invalid. Reason: {reason}"));
    }
    attributes(&input["MessageAttributes"])?;
    delay(input, fifo)?;
    group(input, fifo)
}

fn delay(input: &Value, fifo: bool) -> Result<(), Refused> {
    match input["DelaySeconds"].as_i64() {
        None | Some(0) => Ok(()),
        Some(delay) if fifo => invalid(format!(
            "Value {delay} for parameter DelaySeconds is invalid. Reason: The request include \
             parameter that is not valid for this queue type."
        )),
        Some(delay) => within("DelaySeconds", delay, 0..=DELAY_S_MAX),
    }
}

/// A group is valid for both types of queues; a deduplication id only for FIFO.
fn group(input: &Value, fifo: bool) -> Result<(), Refused> {
    for name in ["MessageGroupId", "MessageDeduplicationId"] {
        let Some(id) = input[name].as_str() else { continue };
        let printable = id.bytes().all(|byte| byte.is_ascii_graphic());
        if !printable || !(1..=128).contains(&id.len()) {
            return invalid(format!(
                "Value {id} for parameter {name} is invalid. Reason: {name} can only include \
                 alphanumeric and punctuation characters. 1 to 128 in length."
            ));
        }
    }
    match (fifo, &input["MessageGroupId"], &input["MessageDeduplicationId"]) {
        (true, Value::Null, _) => missing("MessageGroupId"),
        (false, _, Value::String(id)) => invalid(format!(
            "Value {id} for parameter MessageDeduplicationId is invalid. Reason: The request \
             include parameter that is not valid for this queue type."
        )),
        _ => Ok(()),
    }
}

fn attributes(attributes: &Value) -> Result<(), Refused> {
    let none = Map::new();
    let attributes = attributes.as_object().unwrap_or(&none);
    if attributes.len() > ATTRIBUTES_MAX {
        return invalid(format!(
            "Number of message attributes [{}] exceeds the allowed maximum [10].",
            attributes.len()
        ));
    }
    attributes.iter().try_for_each(|(name, attribute)| one_attribute(name, attribute))
}

fn one_attribute(name: &str, attribute: &Value) -> Result<(), Refused> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    let reserved = ["aws.", "amazon."].iter().any(|own| name.to_ascii_lowercase().starts_with(own));
    let dotted = name.starts_with('.') || name.ends_with('.') || name.contains("..");
    if !(1..=256).contains(&name.len()) || !name.bytes().all(known) || reserved || dotted {
        return invalid(format!("The message attribute name '{name}' is invalid."));
    }
    let kind = attribute["DataType"].as_str().unwrap_or_default();
    let value = match kind.split('.').next() {
        Some("String" | "Number") => attribute["StringValue"].as_str(),
        Some("Binary") => attribute["BinaryValue"].as_str(),
        _ => return invalid(format!("The type of message (user) attribute '{name}' is invalid.")),
    };
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        return invalid(format!(
            "The message attribute '{name}' must contain a non-empty value of type '{kind}'."
        ));
    };
    match value.chars().find(|c| !is_allowed(*c)) {
        Some(odd) => invalid(not_allowed(odd, &format!("attribute '{name}'"))),
        None => Ok(()),
    }
}

/// Rejects a handle that was never issued. The handle of a deleted message is valid.
fn receipt(input: &Value) -> Result<(), Refused> {
    let handle = input["ReceiptHandle"].as_str().unwrap_or_default();
    if handle.is_empty() {
        return missing("ReceiptHandle");
    }
    // The embedded queue's handles are `{message id}:{time}:{nonce}` in base64.
    let known = BASE64_STANDARD.decode(handle).ok().and_then(|raw| String::from_utf8(raw).ok());
    if known.is_some_and(|raw| raw.split(':').count() == 3) {
        return Ok(());
    }
    let message = format!("The input receipt handle \"{handle}\" is not a valid receipt handle.");
    Err(Refused { code: "ReceiptHandleIsInvalid", message })
}

fn visibility(input: &Value) -> Result<(), Refused> {
    receipt(input)?;
    match input["VisibilityTimeout"].as_i64() {
        None => missing("VisibilityTimeout"),
        Some(timeout) => within("VisibilityTimeout", timeout, 0..=VISIBILITY_S_MAX),
    }
}

fn receive(input: &Value) -> Result<(), Refused> {
    let bounds = [
        ("MaxNumberOfMessages", 1..=10),
        ("WaitTimeSeconds", 0..=20),
        ("VisibilityTimeout", 0..=VISIBILITY_S_MAX),
    ];
    for (name, bounds) in bounds {
        if let Some(value) = input[name].as_i64() {
            within(name, value, bounds)?;
        }
    }
    Ok(())
}

fn within(name: &str, value: i64, bounds: std::ops::RangeInclusive<i64>) -> Result<(), Refused> {
    if bounds.contains(&value) {
        return Ok(());
    }
    let (min, max) = bounds.into_inner();
    invalid(format!(
        "Value {value} for parameter {name} is invalid. Reason: Must be >= {min} and <= {max}, if \
         provided."
    ))
}

fn missing(parameter: &str) -> Result<(), Refused> {
    let message = format!("The request must contain the parameter {parameter}.");
    Err(Refused { code: "MissingParameter", message })
}

fn invalid(message: String) -> Result<(), Refused> {
    Err(Refused { code: "InvalidParameterValue", message })
}

fn not_allowed(odd: char, place: &str) -> String {
    format!(
        "Invalid binary character '#x{:X}' was found in the message {place}, the set of allowed \
         characters is #x9 | #xA | #xD | [#x20 to #xD7FF] | [#xE000 to #xFFFD] | [#x10000 to \
         #x10FFFF]",
        u32::from(odd)
    )
}

fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

fn is_entry_id(id: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    (1..=80).contains(&id.len()) && id.bytes().all(known)
}

/// The bytes of a body and its attributes, with their names, types and values.
fn bytes_of(input: &Value) -> usize {
    let text = |value: &Value| value.as_str().map_or(0, str::len);
    let attributes = input["MessageAttributes"].as_object().into_iter().flatten();
    let attributes = attributes.map(|(name, attribute)| {
        let binary = text(&attribute["BinaryValue"]) / 4 * 3;
        name.len() + text(&attribute["DataType"]) + text(&attribute["StringValue"]) + binary
    });
    text(&input["MessageBody"]) + attributes.sum::<usize>()
}

#[cfg(test)]
mod tests;
