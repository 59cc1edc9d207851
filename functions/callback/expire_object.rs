//! Consumer of the queue `object_expiries`: removes objects that were not received again.

use aws::Table;
use domain::callback::{Object, ObjectExpires};
use domain::resources::{OBJECT_EXPIRIES, OBJECTS};
use lifecycle::Consumer;
use lifecycle::prelude::*;

pub(crate) fn main() -> ExitCode {
    aws::consume(|aws| ExpireObject { objects: aws.table() })
}

struct ExpireObject {
    objects: Table<Object>,
}

impl Consumer for ExpireObject {
    const SOURCE: Source = Source::Queue(OBJECT_EXPIRIES);

    /// A repeated message finds the object removed.
    const INBOX: Inbox = Inbox::None;

    const RESOURCES: Resources = &[Resource::Table(OBJECTS, &[GetItem, DeleteItem])];

    // 4. Deserialisation
    type Input = Envelope<ObjectExpires>;

    // 5. Syntax validation
    type Command = Envelope<ObjectExpires>;

    // 6. Retrieval
    type Facts = Option<Object>;

    async fn retrieve(
        &self,
        permit: &Permit<DeliveredMessage>,
        Envelope { data: expires, .. }: &Envelope<ObjectExpires>,
    ) -> Retrieved<Option<Object>> {
        Ok(self.objects.get(permit, &Object::key_of(expires.object_id)).await?)
    }

    // 7. and 8. An object that was received again stays: a later message will remove it
    fn decide(
        _: &Moment,
        Envelope { data: expires, .. }: &Envelope<ObjectExpires>,
        stored: Option<Object>,
    ) -> Result<Effects, DomainError> {
        let unseen = stored.filter(|object| object.last_seen <= expires.last_seen);
        Ok(Effects::none().writes_of(unseen.as_ref().map(Object::remove)))
    }
}

#[cfg(test)]
mod tests {
    use domain::callback::ObjectId;
    use domain::examples::{envelope, moment};
    use lifecycle::effects::EventData;

    use super::*;

    #[test]
    fn only_an_object_that_was_not_received_again_is_removed() {
        let object_id = ObjectId::from(2);
        let expires = ObjectExpires { object_id, last_seen: moment().now() };
        let expires = envelope(ObjectExpires::TYPE, expires);
        for (stored, writes) in [(None, 0), (Some(0), 1), (Some(1), 0)] {
            let seen = |later_s| Object::seen(object_id, moment().now().plus_seconds(later_s));
            let effects = ExpireObject::decide(&moment(), &expires, stored.map(seen)).unwrap();
            assert_eq!(effects.writes().len(), writes, "{stored:?}");
        }
    }
}
