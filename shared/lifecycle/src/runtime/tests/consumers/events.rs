//! Events of other services.

use super::*;
use crate::consumer::RecordInput;

/// Announces each object that is stored in a bucket.
struct Announce;

/// A notification of S3.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Notification {
    records: Vec<Stored>,
}

#[derive(Deserialize)]
struct Stored {
    s3: Place,
}

#[derive(Deserialize)]
struct Place {
    object: Object,
}

#[derive(Deserialize)]
struct Object {
    key: String,
}

impl RecordInput for Notification {}

/// The keys of the stored objects, at least one.
#[derive(Debug)]
struct Keys(Vec<String>);

impl TryFrom<Notification> for Keys {
    type Error = FieldErrors;

    fn try_from(notification: Notification) -> Result<Self, FieldErrors> {
        if notification.records.is_empty() {
            return Err(FieldErrors::one("/Records", "is empty"));
        }
        Ok(Self(notification.records.into_iter().map(|stored| stored.s3.object.key).collect()))
    }
}

impl Consumer for Announce {
    const SOURCE: Source = Source::Event("uploads");
    const INBOX: Inbox = Inbox::None;
    const RESOURCES: Resources = &[Resource::Queue(READERS)];

    type Input = Notification;
    type Command = Keys;

    type Facts = ();

    async fn retrieve(&self, _: &Permit<DeliveredMessage>, keys: &Keys) -> Retrieved<()> {
        if keys.0.iter().any(|key| key == "broken") {
            return Err(RetrieveError::internal("the store is down"));
        }
        Ok(())
    }

    fn decide(_: &Moment, keys: &Keys, (): ()) -> Result<Effects, DomainError> {
        let announce = |key| Message::new(READERS, Event::about(key, &Reminder));
        Ok(keys.0.iter().fold(Effects::none(), |all, key| all.message(announce(key))))
    }
}

fn notification(keys: &[&str]) -> Value {
    let stored =
        |key: &&str| json!({ "eventSource": "aws:s3", "s3": { "object": { "key": key } } });
    json!({ "Records": keys.iter().map(stored).collect::<Vec<_>>() })
}

#[tokio::test]
async fn an_event_is_one_record_with_the_same_effects_in_a_retry() {
    let recorder = Arc::new(Recorder::default());
    for _ in 0..2 {
        assert!(invoke(&recorder, Announce, &notification(&["a", "b"])).await.is_ok());
    }
    let sent = recorder.sent();
    let ids: Vec<_> = sent.iter().map(|sent| sent.envelope.event_id.clone()).collect();
    assert_eq!(ids.len(), 4);
    assert_eq!(ids[..2], ids[2..], "a retry by Lambda has the same ids");
}

#[tokio::test]
async fn an_event_that_fails_in_any_stage_is_a_failed_invocation() {
    let recorder = Arc::new(Recorder::default());
    for event in [notification(&["a", "broken"]), notification(&[]), json!({ "Records": [7] })] {
        let answer = invoke(&recorder, Announce, &event).await;
        assert!(answer.is_err(), "{event}");
    }
    assert_eq!(recorder.sent().len(), 0);
}

#[test]
fn an_event_source_is_described_by_its_name_and_needs_no_dead_letter_queue() {
    let described = crate::describe::consumer::<Announce>();
    assert_eq!(described["source"], json!({ "event": "uploads" }));
    assert_eq!(described["resources"]["deadLettersOf"], json!([]));
}
