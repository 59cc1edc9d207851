//! Several consumers of one event.

use super::*;
use crate::commit::OUTBOX;
use crate::effects::QueueName;

/// Publishes an event about each message of one of two queues.
struct Publish<const FINES: bool>;

impl<const FINES: bool> Consumer for Publish<FINES> {
    const SOURCE: Source = Source::Queue(QueueName::new(if FINES { "fines" } else { "reminders" }));
    const RESOURCES: Resources = &[Resource::Outbox];

    type Input = Envelope<Said>;
    type Command = String;

    type Facts = ();

    async fn retrieve(&self, _: &Permit<DeliveredMessage>, _: &String) -> Retrieved<()> {
        Ok(())
    }

    fn decide(_: &Moment, text: &String, (): ()) -> Result<Effects, DomainError> {
        Ok(Effects::none().event(Event::about(text, &Reminder)))
    }
}

#[tokio::test]
async fn each_consumer_of_an_event_publishes_its_own() {
    let recorder = Arc::new(Recorder::default());
    // As the relay sends it to both queues, and once more to the first.
    let event = json!({ "Records": [message("m1", None, &said("e1", "emma"))] });
    assert!(invoke(&recorder, Publish::<false>, &event).await.is_ok());
    assert!(invoke(&recorder, Publish::<true>, &event).await.is_ok());
    assert!(invoke(&recorder, Publish::<false>, &event).await.is_ok());
    assert_eq!(recorder.items_of(OUTBOX).len(), 2);
}
