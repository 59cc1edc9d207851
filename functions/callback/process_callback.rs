//! Consumer of the queue `callbacks`: looks up whether reported objects are online.

use std::time::Duration;

use aws::upstream::{Client, Request};
use aws::{Aws, Table};
use domain::callback::{CallbackReceived, Found, LookedUp, Object, ObjectId};
use domain::resources::{CALLBACKS, OBJECT_EXPIRIES, OBJECT_SERVICE, OBJECTS};
use http::StatusCode;
use lifecycle::prelude::*;
use lifecycle::{Backoff, Consumer, ServiceError};
use serde::Deserialize;

pub(crate) fn main() -> ExitCode {
    aws::consume(build)
}

fn build(aws: &Aws) -> ProcessCallback {
    ProcessCallback { service: aws.upstream(OBJECT_SERVICE), objects: aws.table() }
}

struct ProcessCallback {
    service: Client,
    objects: Table<Object>,
}

impl Consumer for ProcessCallback {
    const SOURCE: Source = Source::Queue(CALLBACKS);

    /// The stored object shows which callback is newer, and a repeated look-up does no harm.
    const INBOX: Inbox = Inbox::None;

    /// The number of concurrent look-ups.
    const CONCURRENCY: usize = 50;

    /// The object service may be unavailable for half a day.
    const BACKOFF: Backoff = Backoff::trying_for(Duration::from_hours(12));

    const RESOURCES: Resources = &[
        Resource::Table(OBJECTS, &[GetItem, PutItem, DeleteItem]),
        Resource::Queue(CALLBACKS),
        Resource::Queue(OBJECT_EXPIRIES),
        Resource::Upstream(OBJECT_SERVICE),
    ];

    // 4. Deserialisation
    type Input = Envelope<CallbackReceived>;

    // 5. Syntax validation
    type Command = Envelope<CallbackReceived>;

    // 6. Retrieval: whether a single object is too old to appear, or stored and so kept first.
    // Otherwise the object service's response, and only then the stored object. A look-up that failed
    // is not tried again after a later callback: while the service is unavailable, each object has one
    // message in the queue
    type Facts = Found;

    async fn retrieve(
        &self,
        permit: &Permit<DeliveredMessage>,
        Envelope { data: callback, .. }: &Envelope<CallbackReceived>,
    ) -> Retrieved<Found> {
        let Some(id) = callback.only() else { return Ok(Found::Several) };
        let stored = self.objects.get(permit, &Object::key_of(id)).await?;
        let is_repeated = permit.caller().deliveries > 1;
        if callback.is_too_late(stored.as_ref(), permit.moment().now())
            || is_repeated && callback.is_superseded(stored.as_ref())
        {
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

    // 7. and 8. A callback of several objects becomes one per object, so that each is retried
    // separately. A repeated split only repeats look-ups
    fn decide(
        moment: &Moment,
        Envelope { data: callback, .. }: &Envelope<CallbackReceived>,
        found: Found,
    ) -> Result<Effects, DomainError> {
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
    /// Asks once, since the queue retries. Any response that is not about this object is a failure,
    /// except 404: an object that the service does not know is not online.
    async fn is_online(
        &self,
        permit: &Permit<DeliveredMessage>,
        id: ObjectId,
    ) -> Result<bool, ServiceError> {
        let request = Request::get(format!("/objects/{id}")).once();
        let response = self.service.send(permit, &request).await?;
        if response.status == StatusCode::NOT_FOUND {
            return Ok(false);
        }
        let object: ObjectStatus = response.success()?.json()?;
        if object.id != id {
            return Err(ServiceError::Upstream(
                format!("asked for {id}, the response is about {}", object.id).into(),
            ));
        }
        Ok(object.online)
    }
}

/// The object service's response about an object. Unknown fields are ignored.
#[derive(Deserialize)]
struct ObjectStatus {
    id: ObjectId,
    online: bool,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering::Relaxed;

    use aws::testing::InMemory;
    use domain::callback::ObjectIds;
    use domain::examples::{envelope, moment};
    use lifecycle::effects::{EventData, QueueName};
    use lifecycle::testing::Memory;

    use super::*;

    #[test]
    fn a_callback_of_several_objects_becomes_one_message_per_object() {
        let ids = [1, 2, 3].map(ObjectId::from);
        let callback = callback_of(ObjectIds::try_from(ids.to_vec()).unwrap());
        let effects = ProcessCallback::decide(&moment(), &callback, Found::Several).unwrap();
        assert_eq!((effects.messages().len(), effects.writes().len()), (3, 0));
        assert!(effects.messages().iter().all(|message| message.queue == CALLBACKS));
    }

    #[test]
    fn an_online_object_is_stored_and_its_expiry_is_sent_with_30_s_delay() {
        let object = Object::seen(ObjectId::from(2), moment().now());
        let callback = callback_of(ObjectIds::from(object.id));
        let found = Found::LookedUp(LookedUp { object, online: true, stored: None });
        let effects = ProcessCallback::decide(&moment(), &callback, found).unwrap();
        assert_eq!((effects.messages().len(), effects.writes().len()), (1, 1));
        assert_eq!(
            (effects.messages()[0].queue, effects.messages()[0].delay_s),
            (OBJECT_EXPIRIES, 30)
        );
    }

    #[tokio::test]
    async fn only_a_repeated_message_is_not_looked_up_after_a_later_callback() {
        let id = ObjectId::from(2);
        let callback = callback_of(ObjectIds::from(id));
        // The deliveries, how much later the stored object was received, and the look-ups.
        for (deliveries, later_s, look_ups) in [(1, 1, 1), (2, 0, 1), (2, 1, 0)] {
            let memory = Memory::new();
            memory.put(&Object::seen(id, moment().now().plus_seconds(later_s)));
            let asked = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&asked);
            let surroundings = InMemory::new(&memory).upstream(OBJECT_SERVICE, move |_| {
                counted.fetch_add(1, Relaxed);
                http::Response::new(br#"{"id":2,"online":true}"#.to_vec())
            });

            let process_callback = surroundings.consumer(build).deliveries(deliveries);
            let consumed = process_callback.messages(&[&callback]).await;

            let case = format!("delivery {deliveries}, received {later_s} s later");
            assert!(consumed.failed.is_empty(), "{case}: {consumed:?}");
            assert_eq!(asked.load(Relaxed), look_ups, "{case}");
        }
    }

    #[tokio::test]
    async fn a_prolonged_object_is_looked_up_for_a_copy_or_by_the_next_delivery() {
        let (memory, callback) = reported_again();
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let surroundings = InMemory::new(&memory).upstream(OBJECT_SERVICE, move |_| {
            counted.fetch_add(1, Relaxed);
            http::Response::new(br#"{"id":2,"online":true}"#.to_vec())
        });
        let process_callback = surroundings.consumer(build);
        // The second delivery follows if the copy could not be sent.
        for look_ups in [0, 1] {
            let consumed = process_callback.messages(&[&callback]).await;
            assert!(consumed.failed.is_empty(), "{consumed:?}");
            assert_eq!(asked.load(Relaxed), look_ups);
            assert_eq!(queues(&memory), [OBJECT_EXPIRIES, CALLBACKS]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_callback_whose_object_cannot_be_stored_sends_no_copy_of_itself() {
        let (memory, callback) = reported_again();
        memory.conflict(u32::MAX);
        let process_callback = InMemory::new(&memory).consumer(build);
        let consumed = process_callback.messages(&[&callback]).await;
        assert_eq!(consumed.failed, [0]);
        assert_eq!(queues(&memory), [OBJECT_EXPIRIES]);
    }

    /// A stored object that was received ten seconds ago, and a new callback about it.
    fn reported_again() -> (Memory, Envelope<CallbackReceived>) {
        let id = ObjectId::from(2);
        let memory = Memory::new();
        memory.put(&Object::seen(id, moment().now().plus_seconds(-10)));
        (memory, callback_of(ObjectIds::from(id)))
    }

    fn queues(memory: &Memory) -> Vec<QueueName> {
        memory.messages().iter().map(|message| message.queue).collect()
    }

    fn callback_of(object_ids: ObjectIds) -> Envelope<CallbackReceived> {
        let callback = CallbackReceived { object_ids, received_at: moment().now(), source: None };
        envelope(CallbackReceived::TYPE, callback)
    }
}
