//! Replies that report a failure, and idempotency keys.

use super::notes::Body;
use super::*;
use crate::caller::{Access, Anyone, NoRole};
use crate::conditions::Conditions;
use crate::effects::{Effects, Write};
use crate::endpoint::Allow;
use crate::error::{DomainError, Retrieved};
use crate::idempotency::Idempotency;
use crate::input::Json;
use crate::reply;
use crate::resource::{Action, Resource, Resources};
use crate::route::Route;
use crate::{Moment, Permit};

/// Stores a note of each attempt, and reports whether it was possible.
struct TryNote {
    is_down: AtomicBool,
}

/// The note of an attempt.
struct Tried {
    is_down: bool,
    note: Note,
}

impl Endpoint for TryNote {
    const ROUTE: Route = Route::post("/notes");
    type Caller = Anyone;
    const ACCESS: Access<NoRole> = Access::Public;
    const IDEMPOTENCY: Idempotency = Idempotency::Accepted;
    const RESOURCES: Resources = &[Resource::Table(NOTES, &[Action::PutItem])];
    type Input = Json<Body>;
    type Command = String;
    type Facts = bool;

    async fn retrieve(&self, _: &Permit<Anyone>, _: &String) -> Retrieved<bool> {
        Ok(self.is_down.load(Ordering::SeqCst))
    }

    const ALLOW: Allow<Self> = Allow::Always;
    const CONDITIONS: Conditions<bool> = Conditions::Untagged;
    type Outcome = Tried;

    fn decide(
        moment: &Moment,
        _: &Anyone,
        text: &String,
        is_down: bool,
    ) -> Result<Tried, DomainError> {
        let id = moment.id("note").to_string();
        let note = Note { id, author: String::new(), text: text.clone() };
        Ok(Tried { is_down, note })
    }

    fn effects(tried: &Tried) -> Effects {
        Effects::none().write(Write::create(&tried.note))
    }

    type Reply = Result<reply::Created<Note>, reply::ServiceUnavailable<Note>>;

    fn reply(Tried { is_down, note }: Tried) -> Self::Reply {
        if is_down {
            Err(reply::ServiceUnavailable::of(note))
        } else {
            Ok(reply::Created::at("/notes/1", note))
        }
    }
}

/// The numbers of notes and of stored responses.
fn stored(recorder: &Recorder) -> [usize; 2] {
    [NOTES, IDEMPOTENCY_KEYS].map(|table| recorder.items_of(table).len())
}

#[tokio::test]
async fn a_503_reply_is_not_stored_and_a_retry_with_its_key_is_decided_again() {
    let recorder = Arc::new(Recorder::default());
    let endpoint = TryNote { is_down: AtomicBool::new(true) };
    let handler = endpoint::Handler::new(endpoint, shared(&recorder));
    let event = with(request("hello"), "/headers/idempotency-key", "k-1");
    for attempts in [1, 2] {
        assert_eq!(ask(&handler, &event).await.status, 503);
        assert_eq!(stored(&recorder), [attempts, 0], "its effects are committed each time");
    }
    handler.endpoint.is_down.store(false, Ordering::SeqCst);
    let first = ask(&handler, &event).await;
    assert_eq!((first.status, stored(&recorder)), (201, [3, 1]));

    handler.endpoint.is_down.store(true, Ordering::SeqCst);
    let again = ask(&handler, &event).await;
    assert_eq!((again.status, &again.raw), (201, &first.raw), "a success is final");
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(stored(&recorder), [3, 1], "a replay has no effects");
}
