//! A consumer of the events of another service.

use super::*;

/// Notes each upload as a visit.
struct NoteUpload;

#[derive(Debug, Deserialize)]
struct Upload {
    id: String,
    key: String,
}

impl RecordInput for Upload {
    fn event_id(&self) -> Option<&str> {
        Some(&self.id)
    }
}

impl Consumer for NoteUpload {
    const SOURCE: Source = Source::Event("uploads");
    const RESOURCES: Resources = &[Resource::Table(VISITS, &[Action::PutItem])];
    type Input = Upload;
    type Command = Upload;
    type Facts = ();

    async fn retrieve(&self, _: &Permit<DeliveredMessage>, upload: &Upload) -> Retrieved<()> {
        if upload.key == "broken" { Err(RetrieveError::internal("broken")) } else { Ok(()) }
    }

    fn decide(_: &Moment, upload: &Upload, (): ()) -> Result<Effects, DomainError> {
        Ok(Effects::none().write(Write::create(&visit(&upload.id, &upload.key))))
    }
}

#[tokio::test]
async fn an_event_of_another_service_has_its_effect_once_and_a_failed_one_is_named() {
    let memory = Memory::new();
    let note = consumer(NoteUpload, &memory);
    for _ in 0..2 {
        assert!(note.event(&json!({ "id": "1", "key": "plan.pdf" })).await.failed.is_empty());
    }
    for failing in [json!({ "id": "2", "key": "broken" }), json!({ "id": "3" })] {
        assert_eq!(note.event(&failing).await.failed, [0], "{failing}");
    }
    assert_eq!(memory.items(VISITS).len(), 1);
    assert_eq!(memory.get::<Visit>(&Key::new("1")), Some(visit("1", "plan.pdf")));
}

#[tokio::test]
#[should_panic(expected = "the source is no other service")]
async fn an_event_for_the_consumer_of_a_stream_is_a_defect_of_the_test() {
    consumer(CountVisits, &Memory::new()).event(&json!({})).await;
}
