//! Stage 8 performed: one commit of everything that must not be lost.

use serde_dynamo::AttributeValue;

use crate::effects::{Action, Change, Write};

/// The bytes of item data in a write, as the store counts them, near enough for a limit.
pub(crate) fn size_of_write(write: &Write) -> usize {
    let key = write.key.pk.len() + write.key.sk.as_ref().map_or(0, String::len);
    key + match &write.action {
        Action::Put(item) => {
            item.inner().iter().map(|(name, value)| name.len() + size_of_value(value)).sum()
        }
        Action::Update(changes) => changes.iter().map(size_of_change).sum(),
        Action::Delete | Action::Check => 0,
    }
}

fn size_of_change(change: &Change) -> usize {
    match change {
        Change::Set(name, value) => name.len() + size_of_value(value),
        Change::Add(name, _) => name.len() + 21,
        Change::Remove(name) => name.len(),
    }
}

fn size_of_value(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::N(text) | AttributeValue::S(text) => text.len(),
        AttributeValue::B(bytes) => bytes.len(),
        AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
        AttributeValue::M(map) => {
            3 + map.iter().map(|(name, value)| 1 + name.len() + size_of_value(value)).sum::<usize>()
        }
        AttributeValue::L(values) => 3 + values.iter().map(|v| 1 + size_of_value(v)).sum::<usize>(),
        AttributeValue::Ss(texts) | AttributeValue::Ns(texts) => texts.iter().map(String::len).sum(),
        AttributeValue::Bs(blobs) => blobs.iter().map(Vec::len).sum(),
    }
}
