//! An endpoint whose primary effect is a message, on the recorder.

use std::sync::Arc;

use super::notes::{Body, NOTES, Note, NoteAdded, READERS};
use super::recorder::{Call, Recorder};
use super::{Answered, ask, request, shared};
use crate::caller::{Access, Anyone, NoRole};
use crate::conditions::Conditions;
use crate::effects::{Effects, Event, Message, Write};
use crate::endpoint::{Allow, Endpoint};
use crate::error::{DomainError, Retrieved};
use crate::input::Json;
use crate::reply;
use crate::resource::{Action, Resource, Resources};
use crate::route::Route;
use crate::runtime::endpoint::Handler;
use crate::{Moment, Permit};

/// Sends a note to its readers.
struct HandOver;

impl Endpoint for HandOver {
    const ROUTE: Route = Route::post("/notes");
    type Caller = Anyone;
    const ACCESS: Access<NoRole> = Access::Public;
    const RESOURCES: Resources =
        &[Resource::Queue(READERS), Resource::Table(NOTES, &[Action::PutItem])];

    type Input = Json<Body>;
    type Command = Body;

    type Facts = ();

    async fn retrieve(&self, _: &Permit<Anyone>, _: &Body) -> Retrieved<()> {
        Ok(())
    }

    const ALLOW: Allow<Self> = Allow::Always;

    const CONDITIONS: Conditions<()> = Conditions::Untagged;

    type Outcome = Note;

    fn decide(moment: &Moment, _: &Anyone, body: &Body, (): ()) -> Result<Note, DomainError> {
        let id = moment.id("note").to_string();
        Ok(Note { id, author: String::new(), text: body.text.clone() })
    }

    fn effects(note: &Note) -> Effects {
        let added = Event::about(&note.id, &NoteAdded { text: note.text.clone() });
        let effects = Effects::enqueue_instead_of_commit(Message::new(READERS, added));
        if note.text == "stored too" { effects.write(Write::put(note)) } else { effects }
    }

    type Reply = reply::Accepted<Note>;

    fn reply(note: Note) -> reply::Accepted<Note> {
        reply::Accepted::of(note)
    }
}

async fn hand_over(recorder: &Arc<Recorder>, text: &str) -> Answered {
    ask(&Handler::new(HandOver, shared(recorder)), &request(text)).await
}

#[tokio::test]
async fn the_message_is_sent_once_and_before_the_response() {
    let recorder = Arc::new(Recorder::default());
    let answered = hand_over(&recorder, "hello").await;
    assert_eq!((answered.status, recorder.calls()), (202, vec![Call::Send(1)]));
    assert_eq!(recorder.sent()[0].envelope.data["text"], "hello");
    answered.deferred.perform().await;
    assert_eq!(recorder.sent().len(), 1);
}

#[tokio::test]
async fn a_message_that_its_queue_does_not_take_is_503_with_retry_after() {
    let recorder = Arc::new(Recorder::default());
    recorder.faults().queues_down = true;
    let answered = hand_over(&recorder, "hello").await;
    assert_eq!((answered.status, answered.code()), (503, "SERVICE_UNAVAILABLE"));
    assert_eq!(answered.headers["retry-after"], "1");
}

#[tokio::test]
async fn a_write_together_with_the_message_is_500() {
    let recorder = Arc::new(Recorder::default());
    let answered = hand_over(&recorder, "stored too").await;
    assert_eq!((answered.status, recorder.calls().len()), (500, 0));
}
