//! Announcements leave after the commit, queue after queue, and until they are sent the record is
//! delivered again.

use super::*;
use crate::commit::OUTBOX;
use crate::describe::resources_of_consumer;
use crate::effects::QueueName;

const FIRST: QueueName = QueueName::new("first");
const LAST: QueueName = QueueName::new("last");

/// Stores one note, and announces it to two queues as long as it is stored.
struct Announce<const REMEMBERED: bool> {
    recorder: Arc<Recorder>,
}

impl<const REMEMBERED: bool> Consumer for Announce<REMEMBERED> {
    const SOURCE: Source = Source::Queue(READERS);
    const INBOX: Inbox = if REMEMBERED { Inbox::Remembered } else { Inbox::None };
    const RESOURCES: Resources =
        &[Resource::Table(NOTES, &[Action::PutItem]), Resource::Queues(&[FIRST, LAST])];

    type Input = Envelope<Said>;
    type Command = String;

    type Facts = bool;

    async fn retrieve(&self, _: &Permit<DeliveredMessage>, _: &String) -> Retrieved<bool> {
        Ok(!self.recorder.items_of(NOTES).is_empty())
    }

    fn decide(_: &Moment, text: &String, is_kept: bool) -> Result<Effects, DomainError> {
        let note = Note { id: "note".to_owned(), author: String::new(), text: text.clone() };
        let message = |queue: QueueName| {
            Message::new(queue, Event::about("note", &Reminder).known_as(queue.name()))
        };
        let write = (!is_kept).then(|| Write::create(&note));
        Ok(Effects::none().writes_of(write).announce_all([FIRST, LAST].map(message)))
    }
}

/// Delivers the same message, and returns how many failed.
async fn failed(recorder: &Arc<Recorder>, consumer: impl Consumer) -> usize {
    let message = message("m1", None, &said("event-1", "hello"));
    let answer = invoke(recorder, consumer, &json!({ "Records": [message] })).await;
    let Ok(InvocationResult::Json(answer)) = answer else { panic!("no batch response") };
    answer["batchItemFailures"].as_array().unwrap().len()
}

fn announce(recorder: &Arc<Recorder>) -> Announce<false> {
    Announce { recorder: Arc::clone(recorder) }
}

fn queues(recorder: &Recorder) -> Vec<QueueName> {
    recorder.sent().iter().map(|sent| sent.queue).collect()
}

#[tokio::test]
async fn announcements_follow_the_commit_in_the_order_of_their_queues() {
    let recorder = Arc::new(Recorder::default());
    assert_eq!(failed(&recorder, announce(&recorder)).await, 0);
    assert_eq!(recorder.calls(), [Call::Commit(1), Call::Send(1), Call::Send(1)]);
    assert_eq!(queues(&recorder), [FIRST, LAST]);
    assert_eq!(recorder.sent()[1].envelope.event_id, "last");
}

#[tokio::test]
async fn a_queue_that_fails_holds_back_the_others_until_the_next_delivery() {
    let recorder = Arc::new(Recorder::default());
    recorder.faults().unavailable = vec!["first".to_owned()];
    assert_eq!(failed(&recorder, announce(&recorder)).await, 1);
    assert_eq!((recorder.items_of(NOTES).len(), queues(&recorder)), (1, vec![]));

    recorder.faults().unavailable.clear();
    assert_eq!(failed(&recorder, announce(&recorder)).await, 0);
    assert_eq!((recorder.items_of(NOTES).len(), queues(&recorder)), (1, vec![FIRST, LAST]));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_announced_while_the_commit_fails() {
    let recorder = Arc::new(Recorder::default());
    recorder.faults().conflicts = u32::MAX;
    assert_eq!(failed(&recorder, announce(&recorder)).await, 1);
    assert!(recorder.sent().is_empty() && recorder.items_of(NOTES).is_empty());
}

#[tokio::test]
async fn a_refused_announcement_holds_back_no_other() {
    let recorder = Arc::new(Recorder::default());
    recorder.faults().refused = vec!["first".to_owned()];
    assert_eq!(failed(&recorder, announce(&recorder)).await, 1);
    assert_eq!(queues(&recorder), [LAST]);
}

#[tokio::test]
async fn a_consumer_with_an_inbox_cannot_announce() {
    let recorder = Arc::new(Recorder::default());
    let consumer = Announce::<true> { recorder: Arc::clone(&recorder) };
    assert_eq!(failed(&recorder, consumer).await, 1);
    assert!(recorder.items_of(NOTES).is_empty() && recorder.sent().is_empty());
}

/// Publishes an event of each message and announces another, and remembers none.
struct Publish;

impl Consumer for Publish {
    const SOURCE: Source = Source::Queue(READERS);
    const INBOX: Inbox = Inbox::None;
    const RESOURCES: Resources = &[Resource::Outbox, Resource::Queue(LAST)];

    type Input = Envelope<Said>;
    type Command = String;

    type Facts = ();

    async fn retrieve(&self, _: &Permit<DeliveredMessage>, _: &String) -> Retrieved<()> {
        Ok(())
    }

    fn decide(_: &Moment, _: &String, (): ()) -> Result<Effects, DomainError> {
        let known = Event::about("note", &Reminder).known_as("known");
        let effects = Effects::none().event(Event::about("note", &Reminder));
        Ok(effects.announce(Message::new(LAST, known)))
    }
}

#[tokio::test]
async fn an_event_is_published_once_however_often_its_record_is_delivered() {
    let recorder = Arc::new(Recorder::default());
    for _ in 0..3 {
        assert_eq!(failed(&recorder, Publish).await, 0);
    }
    assert_eq!(recorder.items_of(OUTBOX).len(), 1);
}

#[tokio::test]
async fn an_announcement_that_failed_is_repeated_although_its_event_is_published() {
    let recorder = Arc::new(Recorder::default());
    recorder.faults().unavailable = vec!["known".to_owned()];
    assert_eq!(failed(&recorder, Publish).await, 1);
    assert_eq!((recorder.items_of(OUTBOX).len(), queues(&recorder)), (1, vec![]));

    recorder.faults().unavailable.clear();
    assert_eq!(failed(&recorder, Publish).await, 0);
    assert_eq!((recorder.items_of(OUTBOX).len(), queues(&recorder)), (1, vec![LAST]));
}

#[test]
fn only_a_consumer_with_an_inbox_uses_its_table() {
    let inbox = Resource::Table(IDEMPOTENCY_KEYS, &[Action::GetItem, Action::PutItem]);
    let has_inbox = [resources_of_consumer::<Announce<true>>(), resources_of_consumer::<Publish>()]
        .map(|resources| resources.contains(&inbox));
    assert_eq!(has_inbox, [true, false]);
}
