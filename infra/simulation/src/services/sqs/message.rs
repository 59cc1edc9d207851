//! Messages, their attributes and digests.

use std::collections::BTreeMap;
use std::fmt::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

use super::errors::{invalid_contents, invalid_value, missing};
use crate::Millis;
use crate::random::Random;
use crate::services::wire::AwsError;

/// The maximum number of attributes of a message.
const ATTRIBUTES_MAX: usize = 10;

/// A message of a queue.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) body: String,
    pub(super) attributes: Attributes,
    pub(super) trace: Option<String>,
    pub(super) group: Option<String>,
    pub(super) deduplication: Option<String>,
    pub(super) sequence: Option<String>,
    pub(super) sent_at: Millis,
    /// The beginning of its retention: later than `sent_at` in a FIFO dead-letter queue.
    pub(super) kept_from: Millis,
    /// Receivable from this time on.
    pub(super) visible_at: Millis,
    /// Whether it is hidden by a receive call, and not by a delay.
    pub(super) is_received: bool,
    pub(super) received_at: Option<Millis>,
    pub(super) first_received_at: Option<Millis>,
    pub(super) receive_count: u32,
    /// The ARN of the queue that it comes from, if this is its dead-letter queue.
    pub(super) source: Option<String>,
}

impl Message {
    /// Whether it is received and still hidden.
    pub(super) fn is_in_flight(&self, now: Millis) -> bool {
        self.is_received && self.visible_at > now
    }
}

/// The attributes of a message, by name.
pub(super) type Attributes = BTreeMap<String, Attribute>;

/// An attribute of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Attribute {
    data_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) string_value: Option<String>,
    /// In base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    binary_value: Option<String>,
}

impl Attribute {
    fn value(&self) -> (u8, Vec<u8>) {
        match (&self.string_value, &self.binary_value) {
            (Some(text), _) => (1, text.clone().into_bytes()),
            (None, Some(bytes)) => (2, BASE64_STANDARD.decode(bytes).unwrap_or_default()),
            (None, None) => (1, Vec::new()),
        }
    }

    fn bytes(&self) -> usize {
        self.data_type.len() + self.value().1.len()
    }
}

/// The size of a message, in bytes, with its attributes.
pub(super) fn size(body: &str, attributes: &Attributes) -> usize {
    let attributes = attributes.iter().map(|(name, value)| name.len() + value.bytes());
    body.len() + attributes.sum::<usize>()
}

/// Checks the contents of a message, except its size.
pub(super) fn check(body: &str, attributes: &Attributes) -> Result<(), AwsError> {
    if body.is_empty() {
        return Err(missing("MessageBody"));
    }
    let is_allowed = |char: char| {
        matches!(char, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
            || char >= '\u{10000}'
    };
    if !body.chars().all(is_allowed) {
        return Err(invalid_contents());
    }
    if attributes.len() > ATTRIBUTES_MAX {
        return Err(invalid_value(format!(
            "Number of message attributes [{}] exceeds the allowed maximum [{ATTRIBUTES_MAX}].",
            attributes.len()
        )));
    }
    for (name, attribute) in attributes {
        let kind = attribute.data_type.split('.').next().unwrap_or_default();
        let has_value = match kind {
            "String" | "Number" => attribute.string_value.as_ref().is_some_and(|it| !it.is_empty()),
            "Binary" => attribute.binary_value.as_ref().is_some_and(|it| !it.is_empty()),
            _ => {
                return Err(invalid_value(format!(
                    "The message attribute '{name}' has an invalid message attribute type, the \
                     set of supported type prefixes is Binary, Number, and String."
                )));
            }
        };
        if !has_value {
            return Err(invalid_value(format!(
                "The message attribute '{name}' must contain a non-empty message attribute value \
                 for message attribute type '{}'.",
                attribute.data_type
            )));
        }
        let text = attribute.string_value.as_deref().unwrap_or_default();
        if !text.chars().all(is_allowed) {
            return Err(invalid_contents());
        }
    }
    Ok(())
}

/// The MD5 of a body, in hexadecimal digits.
pub(super) fn digest(body: &str) -> String {
    hexadecimal(&Md5::digest(body.as_bytes()))
}

/// The MD5 of attributes in the order of their names; none without attributes.
pub(super) fn digest_of<'a>(
    attributes: impl IntoIterator<Item = (&'a String, &'a Attribute)>,
) -> Option<String> {
    let mut bytes = Vec::new();
    let mut add = |part: &[u8], prefix: &[u8]| {
        bytes.extend(prefix);
        bytes.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend(part);
    };
    for (name, attribute) in attributes {
        let (kind, value) = attribute.value();
        add(name.as_bytes(), &[]);
        add(attribute.data_type.as_bytes(), &[]);
        add(&value, &[kind]);
    }
    (!bytes.is_empty()).then(|| hexadecimal(&Md5::digest(&bytes)))
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A drawn id in the form of a UUID.
pub(crate) fn drawn_id(random: &mut dyn Random) -> String {
    let (high, low) = (random.bits(), random.bits());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        (low >> 48) & 0x3fff | 0x8000,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_md5() {
        assert_eq!(digest("hello"), "5d41402abc4b2a76b9719d911017c592");
        assert_eq!(digest_of(&Attributes::new()), None);
    }

    #[test]
    fn a_drawn_id_is_a_uuid() {
        let id = drawn_id(&mut crate::random::Seeded::new(1));
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
    }
}
