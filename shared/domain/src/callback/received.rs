//! Callbacks: the request, the queued message, and the effects of a look-up.

use lifecycle::effects::{Effects, Event, EventData, Message};
use lifecycle::input::List;
use lifecycle::{FieldErrors, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Object, ObjectId, ObjectIds, SourceGroup};
use crate::resources::CALLBACKS;

/// A callback, as a client submits it. The name of its field is older than this API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, eserde::Deserialize, JsonSchema)]
pub struct CallbackDraft {
    /// The reported objects: 1 to 200, repeated ones count once.
    pub object_ids: List<ObjectId, 1, { ObjectIds::LENGTH_MAX }>,
}

impl TryFrom<CallbackDraft> for ObjectIds {
    type Error = FieldErrors;

    fn try_from(draft: CallbackDraft) -> Result<Self, FieldErrors> {
        let ids = draft.object_ids.into_vec();
        Self::try_from(ids).map_err(|error| FieldErrors::one("/object_ids", error))
    }
}

/// A received callback, whose objects have to be looked up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallbackReceived {
    /// The objects.
    pub object_ids: ObjectIds,
    /// When the callback was received, even if it is processed much later.
    pub received_at: Timestamp,
    /// The group of its source, for a fair share of the queue; absent in messages of the previous
    /// version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceGroup>,
}

impl EventData for CallbackReceived {
    const TYPE: &'static str = "CallbackReceived";
}

impl CallbackReceived {
    /// The message for the queue: one for all objects.
    pub fn message(&self) -> Message {
        let first = self.object_ids.as_slice()[0];
        let message = Message::new(CALLBACKS, Event::about(first, self));
        match &self.source {
            Some(source) => message.of_group(source.as_str()),
            None => message,
        }
    }

    /// The object, if there is only one.
    pub fn only(&self) -> Option<ObjectId> {
        match self.object_ids.as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }

    /// One callback for each object, so that each is retried separately.
    pub fn split(&self) -> impl Iterator<Item = Self> {
        let each = self.object_ids.as_slice().iter();
        each.map(|id| Self { object_ids: (*id).into(), ..self.clone() })
    }

    /// Whether it prolongs its stored object: it is newer, and came before the object's end.
    pub fn keeps(&self, stored: &Object) -> bool {
        stored.last_seen < self.received_at && !stored.is_gone(self.received_at)
    }

    /// Whether a look-up of its object could change nothing any more: the object is not stored, and
    /// the callback is too old to add it.
    pub fn is_too_late(&self, stored: Option<&Object>, now: Timestamp) -> bool {
        let gone_at = self.received_at.plus_seconds(Object::SEEN_FOR_S.into());
        stored.is_none() && now >= gone_at
    }

    /// Whether a later callback has prolonged or stored its object, whose own look-up is newer.
    pub fn is_superseded(&self, stored: Option<&Object>) -> bool {
        stored.is_some_and(|stored| stored.last_seen > self.received_at)
    }

    /// Prolongs a stored object at once, since its look-up may take longer than its remaining
    /// lifetime. The object is looked up afterwards, for a copy of this callback.
    ///
    /// The copy is sent after the commit. Sent before it, each delivery of each copy would add another
    /// one while the commit fails. If the copy is not sent, the next delivery finds the object
    /// [prolonged](Self::keeps), and looks it up itself.
    pub fn keep(&self, stored: &Object) -> Effects {
        let kept = stored.prolonged(self.received_at);
        Effects::none()
            .write(kept.store(Some(stored)))
            .message(kept.expiry())
            .announce(self.message().delayed(LOOKED_UP_AFTER_S))
    }
}

/// The delay of the look-up, which must find the prolonged object.
const LOOKED_UP_AFTER_S: u16 = 1;

/// The facts about a callback's objects.
#[derive(Debug, Clone)]
pub enum Found {
    /// There are several objects; each is processed separately.
    Several,
    /// The only object is stored, and was received again before its end.
    StillThere(Object),
    /// A look-up of the only object is not needed any more.
    TooLate,
    /// The only object was looked up.
    LookedUp(LookedUp),
}

/// The facts after a look-up.
#[derive(Debug, Clone)]
pub struct LookedUp {
    /// The object as it would be stored.
    pub object: Object,
    /// Whether the object service reports it as online.
    pub online: bool,
    /// The object as it is stored.
    pub stored: Option<Object>,
}

impl LookedUp {
    /// The effects of the look-up: an online object is stored with a new lifetime, an offline one
    /// is removed.
    ///
    /// Look-ups happen in any order, sometimes hours later. One that found an object online adds
    /// nothing if the callback is older than the stored object, or too old. One that found it offline
    /// is outweighed only if a look-up for a newer callback has stored the object, and not by newer
    /// callbacks: otherwise an object that is reported faster than it is looked up would stay forever.
    pub fn effects(&self, now: Timestamp) -> Effects {
        let Self { object, online, stored } = self;
        let stored = stored.as_ref();
        let newest = stored.is_none_or(|stored| stored.last_seen < object.last_seen);
        if *online && newest && !object.is_gone(now) {
            return Effects::none().write(object.store(stored)).message(object.expiry());
        }
        let offline = stored.filter(|stored| !online && stored.confirmed() <= object.last_seen);
        Effects::none().writes_of(offline.map(Object::remove_offline))
    }
}

#[cfg(test)]
mod tests {
    use lifecycle::effects::{Condition, WriteAction, text};

    use super::*;
    use crate::resources::OBJECT_EXPIRIES;

    #[test]
    fn a_looked_up_object_is_stored_removed_or_too_old_to_matter() {
        // The seconds at which the stored object was received, this one was received, and it is
        // processed; whether it is online, and the expected write.
        for (stored, received, now, online, expected) in [
            (None, 100, 103, true, "put"),
            (None, 100, 103, false, ""),
            (Some(90), 100, 103, true, "put"),
            (Some(90), 100, 103, false, "delete"),
            (Some(110), 100, 112, true, ""),
            (Some(110), 100, 112, false, ""),
            (Some(100), 100, 103, true, ""),
            (Some(100), 100, 103, false, "delete"),
            (None, 100, 130, true, ""),
            (Some(90), 100, 4_000, true, ""),
            (Some(90), 100, 4_000, false, "delete"),
        ] {
            let seen = |at| Object::seen(ObjectId::from(2), seconds(at));
            let stored = stored.map(seen);
            let effects = LookedUp { object: seen(received), online, stored }.effects(seconds(now));
            let actions = effects.writes().iter().map(|write| match write.action {
                WriteAction::Put(_) => "put",
                WriteAction::Delete => "delete",
                _ => "other",
            });
            let case = format!("{received} at {now}, online {online}");
            assert_eq!(actions.collect::<String>(), expected, "{case}");
            assert_eq!(effects.messages().len(), usize::from(expected == "put"), "{case}");
        }
    }

    #[test]
    fn callbacks_without_a_look_up_do_not_outweigh_an_offline_object() {
        let confirmed = Object::seen(ObjectId::from(2), seconds(90));
        let prolonged = confirmed.prolonged(seconds(110)).prolonged(seconds(111));
        for (received, expected) in [(89, 0), (90, 1), (100, 1), (111, 1)] {
            let object = Object::seen(confirmed.id, seconds(received));
            let looked_up = LookedUp { object, online: false, stored: Some(prolonged.clone()) };
            let effects = looked_up.effects(seconds(112));
            assert_eq!(effects.writes().len(), expected, "received at {received}");
            // A callback that comes meanwhile does not change the condition of the removal.
            let confirmed_at = text(confirmed.last_seen.to_string());
            let unconfirmed = Some(Condition::Equals("confirmedAt", confirmed_at));
            assert!(effects.writes().iter().all(|write| write.condition == unconfirmed));
        }
        let again = Object::seen(confirmed.id, seconds(111));
        let looked_up = LookedUp { object: again, online: true, stored: Some(confirmed) };
        let effects = looked_up.effects(seconds(112));
        let WriteAction::Put(item) = &effects.writes()[0].action else { panic!("{effects:?}") };
        assert!(!item.contains_key("confirmedAt"), "its own look-up confirms it");
    }

    #[test]
    fn a_callback_is_superseded_by_a_later_one() {
        for (stored, superseded) in [(None, false), (Some(100), false), (Some(101), true)] {
            let stored = stored.map(|at| Object::seen(ObjectId::from(2), seconds(at)));
            assert_eq!(received_at(100).is_superseded(stored.as_ref()), superseded, "{stored:?}");
        }
    }

    #[test]
    fn a_stored_object_received_before_its_end_is_prolonged_at_once() {
        for (stored, received, keeps) in
            [(100, 129, true), (100, 130, false), (100, 100, false), (110, 100, false)]
        {
            let callback = received_at(received);
            let stored = Object::seen(ObjectId::from(2), seconds(stored));
            assert_eq!(callback.keeps(&stored), keeps, "{received}");
        }
        let stored = Object::seen(ObjectId::from(2), seconds(100));
        let effects = received_at(129).keep(&stored);
        let WriteAction::Put(item) = &effects.writes()[0].action else { panic!("{effects:?}") };
        let kept: Object = serde_dynamo::from_item(item.clone()).unwrap();
        assert_eq!(kept, stored.prolonged(seconds(129)));
        assert_eq!((kept.last_seen, kept.confirmed()), (seconds(129), seconds(100)));
        let queues: Vec<_> = effects.messages().iter().map(|message| message.queue).collect();
        assert_eq!(queues, [OBJECT_EXPIRIES], "no copy of the callback before the commit");
        let [copy] = effects.announced() else { panic!("not one copy: {effects:?}") };
        assert_eq!((copy.queue, copy.delay_s), (CALLBACKS, LOOKED_UP_AFTER_S));
        assert!(!received_at(129).keeps(&kept), "the copy or the next delivery looks it up");
    }

    #[test]
    fn an_object_that_is_not_stored_can_be_added_for_30_seconds() {
        let stored = Object::seen(ObjectId::from(2), seconds(90));
        for (stored, now, too_late) in [
            (None, 100, false),
            (None, 129, false),
            (None, 130, true),
            (None, 4_000, true),
            (Some(&stored), 130, false),
            (Some(&stored), 4_000, false),
        ] {
            let told = received_at(100).is_too_late(stored, seconds(now));
            assert_eq!(told, too_late, "{stored:?} at {now}");
        }
    }

    fn received_at(received: i64) -> CallbackReceived {
        let object_ids = ObjectIds::from(ObjectId::from(2));
        CallbackReceived { object_ids, received_at: seconds(received), source: None }
    }

    #[test]
    fn each_part_of_a_callback_has_one_object_and_the_time_of_the_whole() {
        let ids = [3, 1, 2].map(ObjectId::from);
        let object_ids = ObjectIds::try_from(ids.to_vec()).unwrap();
        let source = Some(SourceGroup::of("192.0.2.1"));
        let callback = CallbackReceived { object_ids, received_at: seconds(5), source };
        assert_eq!(callback.only(), None);
        let parts: Vec<_> = callback.split().collect();
        assert!(parts.iter().all(|part| part.received_at == seconds(5)));
        let groups = parts.iter().map(|part| part.message().group);
        assert!(groups.clone().all(|group| group.is_some() && group == callback.message().group));
        assert_eq!(parts.iter().filter_map(CallbackReceived::only).collect::<Vec<_>>(), ids);
    }

    fn seconds(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }
}
