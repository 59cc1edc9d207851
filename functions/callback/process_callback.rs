//! Consumer of the queue `callbacks`: looks up whether objects that were seen are online.

use std::process::ExitCode;
use std::time::Duration;

use adapters::Table;
use adapters::upstream::{Client, Request};
use domain::callback::{CallbackReceived, Found, LookedUp, Object, ObjectId};
use domain::tables::{CALLBACKS, OBJECT_EXPIRIES, OBJECT_SERVICE, OBJECTS};
use http::StatusCode;
use lifecycle::consumer::{Delivered, Inbox, Source};
use lifecycle::effects::Effects;
use lifecycle::envelope::Envelope;
use lifecycle::uses::{Use, Verb};
use lifecycle::{Backoff, Consumer, Fault, Moment, Permit, Rejection, Violations};
use serde::Deserialize;

fn main() -> ExitCode {
    adapters::consume(|aws| ProcessCallback {
        service: aws.upstream(OBJECT_SERVICE),
        objects: aws.table(),
    })
}

struct ProcessCallback {
    service: Client,
    objects: Table<Object>,
}

impl Consumer for ProcessCallback {
    const SOURCE: Source = Source::Queue(CALLBACKS);

    /// What is stored says by itself which callback is newer, and an object may be looked up again.
    const INBOX: Inbox = Inbox::None;

    /// Look-ups at a time.
    const CONCURRENCY: usize = 50;

    /// The object service may be away for half a day.
    const BACKOFF: Backoff = Backoff::trying_for(Duration::from_hours(12));

    const USES: &'static [Use] = &[
        Use::Table(OBJECTS, &[Verb::GetItem, Verb::PutItem, Verb::DeleteItem]),
        Use::Queue(CALLBACKS),
        Use::Queue(OBJECT_EXPIRIES),
        Use::Upstream(OBJECT_SERVICE),
    ];

    // 4. Deserialisation
    type Input = Envelope<CallbackReceived>;

    // 5. Syntax validation
    type Command = CallbackReceived;

    fn parse(envelope: Envelope<CallbackReceived>) -> Result<CallbackReceived, Violations> {
        Ok(envelope.data)
    }

    // 6. Retrieval: of a single object, whether it is there and lives on, or whether it is too late
    // for it to appear; otherwise what the object service says, and only then what is stored
    type Facts = Found;

    async fn retrieve(
        &self,
        permit: &Permit<Delivered>,
        callback: &CallbackReceived,
    ) -> Result<Found, Fault> {
        let Some(id) = callback.only() else { return Ok(Found::Several) };
        let stored = self.objects.get(permit, &Object::key_of(id)).await?;
        if callback.is_too_late(stored.as_ref(), permit.moment().now()) {
            return Ok(Found::TooLate);
        }
        if let Some(stored) = stored.filter(|stored| callback.keeps(stored)) {
            return Ok(Found::StillThere(stored));
        }
        let online = self.is_online(permit, id).await?;
        let stored = self.objects.get(permit, &Object::key_of(id)).await?;
        let object = Object::seen(id, callback.received_at);
        Ok(Found::LookedUp(LookedUp { object, online, stored }))
    }

    // 7. and 8. A callback of several objects becomes one for each, so that each is tried again
    // by itself. Done twice, that only has them looked up twice
    fn decide(
        moment: &Moment,
        callback: &CallbackReceived,
        found: Found,
    ) -> Result<Effects, Rejection> {
        Ok(match found {
            Found::Several => callback
                .split()
                .fold(Effects::none(), |effects, part| effects.message(part.message())),
            Found::StillThere(stored) => callback.keep(&stored),
            Found::TooLate => Effects::none(),
            Found::LookedUp(looked_up) => looked_up.effects(moment.now()),
        })
    }
}

impl ProcessCallback {
    /// Asks once: the queue repeats it. Whatever is not an answer about this object is a failure,
    /// but an object that is unknown there is not online.
    async fn is_online(&self, permit: &Permit<Delivered>, id: ObjectId) -> Result<bool, Fault> {
        let request = Request::get(format!("/objects/{id}")).once();
        let answer = self.service.send(permit, &request).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(false);
        }
        let told: Told = answer.success()?.json()?;
        if told.id != id {
            return Err(Fault::Upstream(format!("asked for {id}, told of {}", told.id).into()));
        }
        Ok(told.online)
    }
}

/// What the object service says of an object. It may add fields of which we know nothing.
#[derive(Deserialize)]
struct Told {
    id: ObjectId,
    online: bool,
}

#[cfg(test)]
mod tests {
    use domain::callback::ObjectIds;
    use domain::examples::moment;

    use super::*;

    #[test]
    fn a_callback_of_several_objects_is_passed_on_one_by_one() {
        let ids = [1, 2, 3].map(ObjectId::from);
        let object_ids = ObjectIds::try_from(ids.to_vec()).unwrap();
        let callback = CallbackReceived { object_ids, received_at: moment().now(), source: None };
        let effects = ProcessCallback::decide(&moment(), &callback, Found::Several).unwrap();
        assert_eq!((effects.messages().len(), effects.writes().len()), (3, 0));
        assert!(effects.messages().iter().all(|message| message.queue == CALLBACKS));
    }

    #[test]
    fn an_object_that_is_online_is_stored_and_its_end_foreseen() {
        let object = Object::seen(ObjectId::from(2), moment().now());
        let object_ids = ObjectIds::from(object.id);
        let callback = CallbackReceived { object_ids, received_at: moment().now(), source: None };
        let found = Found::LookedUp(LookedUp { object, online: true, stored: None });
        let effects = ProcessCallback::decide(&moment(), &callback, found).unwrap();
        assert_eq!((effects.messages().len(), effects.writes().len()), (1, 1));
        assert_eq!(
            (effects.messages()[0].queue, effects.messages()[0].delay_s),
            (OBJECT_EXPIRIES, 30)
        );
    }
}
