//! Long message bodies: SQS accepts 1 MiB, the embedded queue only 256 KiB. Body and attributes are
//! sent as one attribute, whose length the embedded queue does not check, and restored on receive.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use md5::Md5;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::rules::BYTES_MAX;

/// The maximum body of the embedded queue, in bytes.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// The attribute that holds the body and the other attributes.
const PARCEL: &str = "local.parcel";

/// The maximum message sizes of the queues, by their names. The embedded queue allows no larger than
/// its own.
#[derive(Default)]
pub(super) struct Sizes(Mutex<HashMap<String, usize>>);

impl Sizes {
    /// Sets the size of a queue.
    pub(super) fn set(&self, queue: &str, bytes_max: usize) {
        self.lock().insert(queue.to_owned(), bytes_max);
    }

    /// The size of the queue that a call names.
    pub(super) fn of(&self, input: &Value) -> usize {
        let queue = input["QueueUrl"].as_str().and_then(|url| url.rsplit('/').next());
        queue.and_then(|queue| self.lock().get(queue).copied()).unwrap_or(BYTES_MAX)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The input of a call with each long body packed; `None` if nothing changes.
pub(super) fn pack(operation: &str, input: &Bytes) -> Option<Bytes> {
    let mut packed: Value = match operation {
        "SendMessage" | "SendMessageBatch" if input.len() > BODY_BYTES_MAX => {
            serde_json::from_slice(input).ok()?
        }
        "ReceiveMessage" => serde_json::from_slice(input).ok()?,
        _ => return None,
    };
    let changed = match operation {
        "SendMessage" => pack_message(&mut packed),
        "SendMessageBatch" => {
            let entries =
                packed.get_mut("Entries").and_then(Value::as_array_mut).into_iter().flatten();
            entries.map(pack_message).filter(|packed| *packed).count() > 0
        }
        _ => {
            let whole = is_asked_for(&packed["MessageAttributeNames"], PARCEL);
            if !whole {
                let names = packed.as_object_mut()?.entry("MessageAttributeNames");
                names.or_insert_with(|| json!([])).as_array_mut()?.push(PARCEL.into());
            }
            !whole
        }
    };
    changed.then(|| packed.to_string().into())
}

/// The response to a call in SQS's form, by the original input; `None` if nothing changes.
pub(super) fn unpack(
    operation: &str,
    input: &Bytes,
    answer: &Bytes,
    sizes: &Sizes,
) -> Option<Bytes> {
    match operation {
        "SendMessage" | "SendMessageBatch" if input.len() > BODY_BYTES_MAX => {}
        "ReceiveMessage" if contains(answer, PARCEL) => {}
        "GetQueueAttributes" => {}
        _ => return None,
    }
    let input: Value = serde_json::from_slice(input).ok()?;
    let mut answer: Value = serde_json::from_slice(answer).ok()?;
    match operation {
        "SendMessage" => unpack_sent(&input, &mut answer),
        "SendMessageBatch" => {
            for sent in
                answer.get_mut("Successful").and_then(Value::as_array_mut).into_iter().flatten()
            {
                let entries = input["Entries"].as_array();
                let entry = entries.and_then(|all| all.iter().find(|e| e["Id"] == sent["Id"]));
                unpack_sent(entry.unwrap_or(&Value::Null), sent);
            }
        }
        "ReceiveMessage" => {
            for message in
                answer.get_mut("Messages").and_then(Value::as_array_mut).into_iter().flatten()
            {
                unpack_received(&input["MessageAttributeNames"], message);
            }
        }
        _ => {
            let told = answer.get_mut("Attributes")?.get_mut("MaximumMessageSize")?;
            *told = sizes.of(&input).to_string().into();
        }
    }
    Some(answer.to_string().into())
}

/// The body of a message if it is too long for the embedded queue.
fn long_body(message: &Value) -> Option<&str> {
    message["MessageBody"].as_str().filter(|body| body.len() > BODY_BYTES_MAX)
}

/// The body that the embedded queue gets. A hash replaces a long one: the embedded queue deduplicates
/// by it.
pub(super) fn embedded_body(body: &str) -> Cow<'_, str> {
    if body.len() > BODY_BYTES_MAX {
        format!("sha256:{}", hex(&Sha256::digest(body))).into()
    } else {
        body.into()
    }
}

fn pack_message(message: &mut Value) -> bool {
    let Some(body) = long_body(message) else { return false };
    let stand_in = embedded_body(body).into_owned();
    let parcel = json!({ "body": body, "attributes": message["MessageAttributes"] }).to_string();
    message["MessageBody"] = stand_in.into();
    message["MessageAttributes"] =
        json!({ PARCEL: { "DataType": "String", "StringValue": parcel } });
    true
}

/// Removes the attributes' hash, since it is the parcel's.
fn unpack_sent(message: &Value, sent: &mut Value) {
    let Some(body) = long_body(message) else { return };
    sent["MD5OfMessageBody"] = hex(&Md5::digest(body)).into();
    forget(sent, "MD5OfMessageAttributes");
}

fn unpack_received(names: &Value, message: &mut Value) {
    let parcel = message["MessageAttributes"][PARCEL]["StringValue"].as_str();
    let parcel = parcel.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let Some(mut parcel) = parcel else { return };
    let body = parcel["body"].as_str().unwrap_or_default();
    message["MD5OfBody"] = hex(&Md5::digest(body)).into();
    message["Body"] = parcel["body"].take();
    forget(message, "MD5OfMessageAttributes");
    let attributes = match parcel["attributes"].take() {
        Value::Object(attributes) => attributes,
        _ => Map::new(),
    };
    let asked = attributes.into_iter().filter(|(name, _)| is_asked_for(names, name));
    let asked: Map<String, Value> = asked.collect();
    forget(message, "MessageAttributes");
    if !asked.is_empty() {
        message["MessageAttributes"] = asked.into();
    }
}

pub(super) fn forget(value: &mut Value, name: &str) {
    if let Some(members) = value.as_object_mut() {
        members.remove(name);
    }
}

/// Whether a receive requests an attribute: by `All`, by prefix, or by name.
pub(super) fn is_asked_for(names: &Value, attribute: &str) -> bool {
    let mut names = names.as_array().into_iter().flatten().filter_map(Value::as_str);
    names.any(|name| match name.strip_suffix(".*") {
        Some(prefix) => attribute.starts_with(prefix),
        None => name == "All" || name == attribute,
    })
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_is_requested_by_all_by_prefix_or_by_name() {
        for (names, asked) in [
            (json!(["All"]), true),
            (json!([".*"]), true),
            (json!(["trace.*"]), true),
            (json!(["other", "traceparent"]), true),
            (json!(["tracepar"]), false),
            (json!([]), false),
            (json!(null), false),
        ] {
            assert_eq!(is_asked_for(&names, "traceparent"), asked, "{names}");
        }
    }

    #[test]
    fn a_call_with_short_bodies_is_unchanged() {
        let short = json!({ "MessageBody": "x".repeat(BODY_BYTES_MAX) }).to_string();
        assert_eq!(pack("SendMessage", &short.into()), None);
        let all = json!({ "MessageAttributeNames": ["All"] }).to_string();
        assert_eq!(pack("ReceiveMessage", &all.into()), None);
    }
}
