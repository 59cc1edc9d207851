//! Messages that a queue refuses because of their content, and the effects that replace them.

use super::*;
use crate::effects::QueueName;

const SENT: QueueName = QueueName::new("sent");

/// Sends two messages of each message, and stores a note; if a queue refuses one, another note.
struct Forward<const INSTEAD: bool>;

impl<const INSTEAD: bool> Consumer for Forward<INSTEAD> {
    const SOURCE: Source = Source::Queue(READERS);
    const RESOURCES: Resources =
        &[Resource::Table(NOTES, &[Action::PutItem]), Resource::Queue(SENT)];

    type Input = Envelope<Said>;
    type Command = String;

    type Facts = ();

    async fn retrieve(&self, _: &Permit<DeliveredMessage>, _: &String) -> Retrieved<()> {
        Ok(())
    }

    fn decide(_: &Moment, text: &String, (): ()) -> Result<Effects, DomainError> {
        let note = |id: &str| Note { id: id.to_owned(), author: String::new(), text: text.clone() };
        let message = |id: &str| Message::new(SENT, Event::about("note", &Reminder).known_as(id));
        let effects = Effects::none().write(Write::put(&note("sent")));
        let effects = effects.message(message("first")).message(message("second"));
        let instead = Effects::none().write(Write::put(&note("refused")));
        Ok(if INSTEAD { effects.if_refused(instead, "NOTE_REFUSED") } else { effects })
    }
}

/// Delivers a message; returns whether it failed, and the ids of the stored notes.
async fn delivered(recorder: &Arc<Recorder>, consumer: impl Consumer) -> (bool, Vec<String>) {
    let message = message("m1", None, &said("event-1", "hello"));
    let answer = invoke(recorder, consumer, &json!({ "Records": [message] })).await;
    let Ok(InvocationResult::Json(answer)) = answer else { panic!("no batch response") };
    let has_failed = answer["batchItemFailures"] != json!([]);
    let notes = recorder.items_of(NOTES).into_iter();
    let notes = notes.map(|item| serde_dynamo::from_item::<_, Note>(item).unwrap().id);
    (has_failed, notes.collect())
}

#[tokio::test]
async fn a_refused_message_is_replaced_and_an_unavailable_queue_is_tried_again() {
    let refused = vec!["second".to_owned()];
    let unavailable = vec!["first".to_owned()];
    let none = Vec::new();
    for (refused, unavailable, expected) in [
        (&none, &none, (false, vec!["sent".to_owned()])),
        (&refused, &none, (false, vec!["refused".to_owned()])),
        (&none, &unavailable, (true, vec![])),
        // A retry may send the first message, so it is too early to replace the second.
        (&refused, &unavailable, (true, vec![])),
    ] {
        let recorder = Arc::new(Recorder::default());
        recorder.faults().refused.clone_from(refused);
        recorder.faults().unavailable.clone_from(unavailable);
        assert_eq!(delivered(&recorder, Forward::<true>).await, expected);
    }
}

#[tokio::test]
async fn a_refused_message_without_a_replacement_is_a_failure() {
    let recorder = Arc::new(Recorder::default());
    recorder.faults().refused = vec!["second".to_owned()];
    assert_eq!(delivered(&recorder, Forward::<false>).await, (true, vec![]));
}

#[tokio::test(start_paused = true)]
async fn messages_are_sent_once_while_the_commit_is_retried() {
    let recorder = Arc::new(Recorder::default());
    recorder.faults().conflicts = 2;
    let (has_failed, _) = delivered(&recorder, Forward::<true>).await;
    let sent = recorder.sent();
    let ids: Vec<&str> = sent.iter().map(|sent| sent.envelope.event_id.as_str()).collect();
    assert_eq!((has_failed, ids), (false, vec!["first", "second"]));
}

/// Sends one message more than were sent before: each attempt has the earlier ones and a new one.
struct Resend {
    recorder: Arc<Recorder>,
}

impl Consumer for Resend {
    const SOURCE: Source = Source::Queue(READERS);
    const RESOURCES: Resources =
        &[Resource::Table(NOTES, &[Action::PutItem]), Resource::Queue(SENT)];

    type Input = Envelope<Said>;
    type Command = String;

    /// The number of messages that were sent before.
    type Facts = usize;

    async fn retrieve(&self, _: &Permit<DeliveredMessage>, _: &String) -> Retrieved<usize> {
        Ok(self.recorder.sent().len())
    }

    fn decide(_: &Moment, text: &String, sent: usize) -> Result<Effects, DomainError> {
        let message = |number: usize| {
            let event = Event::about("note", &Reminder).known_as(format!("event-{number}"));
            Message::new(SENT, event)
        };
        let note = Note { id: "sent".to_owned(), author: String::new(), text: text.clone() };
        let effects = Effects::none().write(Write::put(&note));
        Ok((0..=sent).map(message).fold(effects, Effects::message))
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_only_a_later_attempt_has_is_sent() {
    let recorder = Arc::new(Recorder::default());
    recorder.faults().conflicts = 2;
    let consumer = Resend { recorder: Arc::clone(&recorder) };
    assert!(!delivered(&recorder, consumer).await.0);
    let sent = recorder.sent();
    let ids: Vec<&str> = sent.iter().map(|sent| sent.envelope.event_id.as_str()).collect();
    assert_eq!(ids, ["event-0", "event-1", "event-2"]);
}
