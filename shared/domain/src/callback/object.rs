//! Objects that are online, stored for as long as callbacks report them.

use lifecycle::Timestamp;
use lifecycle::effects::{Condition, Event, EventData, Message, Write, text};
use lifecycle::record::{Key, Record, TableName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ObjectId;
use crate::resources::{OBJECT_EXPIRIES, OBJECTS};

/// An object that was online when it was last received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Object {
    /// Its id.
    pub id: ObjectId,
    /// When the last callback with this object was received.
    pub last_seen: Timestamp,
    /// When the callback was received whose look-up has stored it, if a later one has prolonged its
    /// lifetime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Timestamp>,
    /// When TTL may delete it, in seconds since 1970.
    pub expires_at: i64,
}

impl Object {
    /// The lifetime of an object that is not received again, in seconds. After it the object counts
    /// as gone, even if it is not removed yet.
    pub const SEEN_FOR_S: u16 = 30;

    /// An object that a look-up has found online, for a callback that was received at this time.
    pub fn seen(id: ObjectId, last_seen: Timestamp) -> Self {
        let gone_at = last_seen.plus_seconds(Self::SEEN_FOR_S.into());
        Self { id, last_seen, confirmed_at: None, expires_at: gone_at.as_seconds() + 1 }
    }

    /// The object with a new lifetime, not looked up yet.
    pub(super) fn prolonged(&self, last_seen: Timestamp) -> Self {
        Self { confirmed_at: Some(self.confirmed()), ..Self::seen(self.id, last_seen) }
    }

    /// When the callback was received whose look-up has stored it.
    pub(super) fn confirmed(&self) -> Timestamp {
        self.confirmed_at.unwrap_or(self.last_seen)
    }

    /// The key of an object.
    pub fn key_of(id: ObjectId) -> Key {
        Key::new(id)
    }

    /// Whether its lifetime is over.
    pub fn is_gone(&self, now: Timestamp) -> bool {
        now >= self.last_seen.plus_seconds(Self::SEEN_FOR_S.into())
    }

    /// Stores it, if the stored object is still the one that was read.
    pub(super) fn store(&self, read: Option<&Self>) -> Write {
        Write::put(self).when(read.map_or(Condition::Absent, Self::unchanged))
    }

    /// The message that removes it after its lifetime, unless it is received again.
    pub(super) fn expiry(&self) -> Message {
        let expires = ObjectExpires { object_id: self.id, last_seen: self.last_seen };
        Message::new(OBJECT_EXPIRIES, Event::about(self.id, &expires)).delayed(Self::SEEN_FOR_S)
    }

    /// Removes it, if it has not been received again.
    pub fn remove(&self) -> Write {
        Write::delete::<Self>(self.key()).when(self.unchanged())
    }

    /// Removes it, if no look-up has stored it again. Callbacks may have prolonged its lifetime
    /// meanwhile.
    pub(super) fn remove_offline(&self) -> Write {
        let unconfirmed = match self.confirmed_at {
            Some(at) => Condition::Equals("confirmedAt", text(at.to_string())),
            None => self.unchanged(),
        };
        Write::delete::<Self>(self.key()).when(unconfirmed)
    }

    fn unchanged(&self) -> Condition {
        Condition::Equals("lastSeen", text(self.last_seen.to_string()))
    }
}

impl Record for Object {
    const TABLE: TableName = OBJECTS;

    fn key(&self) -> Key {
        Self::key_of(self.id)
    }
}

/// The lifetime of an object is over, unless it was received again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectExpires {
    /// The object.
    pub object_id: ObjectId,
    /// When it was last received.
    pub last_seen: Timestamp,
}

impl EventData for ObjectExpires {
    const TYPE: &'static str = "ObjectExpires";
}

/// An object as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectView {
    /// Its id.
    pub id: ObjectId,
    /// Whether it is online. Always true: other objects are not shown.
    pub online: bool,
    /// When it was last received.
    pub last_seen: Timestamp,
}

impl From<Object> for ObjectView {
    fn from(object: Object) -> Self {
        Self { id: object.id, online: true, last_seen: object.last_seen }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_gone_after_30_seconds_to_the_millisecond() {
        let object = Object::seen(ObjectId::from(2), Timestamp::from_millis(5));
        assert!(!object.is_gone(Timestamp::from_millis(30_004)));
        assert!(object.is_gone(Timestamp::from_millis(30_005)));
        assert!(object.expires_at * 1000 >= 30_005, "TTL deletes no object before its end");
    }
}
