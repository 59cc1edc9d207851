//! Conditions of a `GET` that has effects.

use uuid::Uuid;

use super::notes::{NoteAdded, NotePath, READERS};
use super::*;
use crate::caller::{Access, Anyone, NoRole};
use crate::conditions::Conditions;
use crate::effects::{Effects, Event, Message, Write};
use crate::endpoint::Allow;
use crate::error::{DomainError, Retrieved};
use crate::idempotency::Idempotency;
use crate::input::Path;
use crate::reply;
use crate::resource::{Action, Resource, Resources};
use crate::route::Route;
use crate::{Moment, Permit};

/// Stores a note of each visit, and sends it to the readers.
struct Visit;

impl Endpoint for Visit {
    const ROUTE: Route = Route::get("/notes/{noteId}");
    type Caller = Anyone;
    const ACCESS: Access<NoRole> = Access::Public;
    const IDEMPOTENCY: Idempotency = Idempotency::Accepted;
    const RESOURCES: Resources =
        &[Resource::Table(NOTES, &[Action::PutItem]), Resource::Queue(READERS)];
    type Input = Path<NotePath>;
    type Command = Uuid;
    type Facts = ();

    async fn retrieve(&self, _: &Permit<Anyone>, _: &Uuid) -> Retrieved<()> {
        Ok(())
    }

    const ALLOW: Allow<Self> = Allow::Always;
    const CONDITIONS: Conditions<()> = Conditions::Untagged;
    type Outcome = Note;

    fn decide(_: &Moment, _: &Anyone, id: &Uuid, (): ()) -> Result<Note, DomainError> {
        Ok(Note { id: id.to_string(), author: String::new(), text: "visited".to_owned() })
    }

    fn effects(note: &Note) -> Effects {
        let visited = Event::about(&note.id, &NoteAdded { text: note.text.clone() });
        Effects::none().write(Write::put(note)).message(Message::new(READERS, visited))
    }

    type Reply = reply::Ok<Note>;

    fn reply(note: Note) -> reply::Ok<Note> {
        reply::Ok::of(note)
    }
}

async fn visit(recorder: &Arc<Recorder>, event: &Value) -> Answered {
    ask(&endpoint::Handler::new(Visit, shared(recorder)), event).await
}

#[tokio::test]
async fn a_get_with_effects_is_412_before_its_commit() {
    let event = get_request("0190b0a0-0000-7000-8000-000000000000");
    let first = visit(&Arc::default(), &event).await;
    let tag = first.headers["etag"].as_str().unwrap();
    for (header, value, status, effects) in [
        ("if-match", tag, 200, 1),
        ("if-none-match", tag, 304, 1),
        ("if-none-match", "\"x\"", 200, 1),
        ("if-match", "\"x\"", 412, 0),
    ] {
        let recorder = Arc::new(Recorder::default());
        let event = with(event.clone(), &format!("/headers/{header}"), value);
        let answered = visit(&recorder, &event).await;
        let stored = recorder.items_of(NOTES).len();
        let told = answered.deferred.tertiary.count();
        assert_eq!(
            (answered.status, stored, told),
            (status, effects, effects),
            "{header}: {value}"
        );
    }
}

#[tokio::test]
async fn a_stored_response_does_not_depend_on_the_conditions_of_its_request() {
    let recorder = Arc::default();
    let event = get_request("0190b0a0-0000-7000-8000-000000000000");
    let event = with(event, "/headers/idempotency-key", "k");
    let first = visit(&Arc::default(), &event).await;
    let tag = first.headers["etag"].as_str().unwrap();
    for (header, value, status) in [
        ("if-none-match", tag, 304),
        ("if-none-match", "\"x\"", 200),
        ("if-none-match", tag, 304),
        // A replay comes before a refusal.
        ("if-match", "\"x\"", 200),
    ] {
        let event = with(event.clone(), &format!("/headers/{header}"), value);
        let answered = visit(&recorder, &event).await;
        assert_eq!(answered.status, status, "{header}: {value}");
    }
    assert_eq!(recorder.items_of(NOTES).len(), 1);
    let unconditional = visit(&recorder, &event).await;
    assert_eq!((unconditional.status, unconditional.body), (200, first.body));
}
