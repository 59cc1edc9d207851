//! Conditions that can never hold, and items that other writers change.

use super::notes::{Member, Role};
use super::*;
use crate::caller::Access;
use crate::conditions::Conditions;
use crate::effects::{Condition, Effects, Write, number, text};
use crate::endpoint::Allow;
use crate::error::{DomainError, Retrieved};
use crate::reply;
use crate::resource::{Action, Resource, Resources};
use crate::route::Route;
use crate::{Moment, Permit};

/// Changes a note if its version is 0, which it is not.
struct Renew {
    platform: Arc<Recorder>,
    /// Whether another writer changes the note between any two runs.
    has_other_writers: bool,
    runs: AtomicU32,
}

impl Endpoint for Renew {
    const ROUTE: Route = Route::post("/notes");
    type Caller = Member;
    const ACCESS: Access<Role> = Access::OneOf(&[Role::Author]);
    const RESOURCES: Resources = &[Resource::Table(NOTES, &[Action::UpdateItem])];
    type Input = ();
    type Command = ();
    type Facts = ();

    async fn retrieve(&self, _: &Permit<Member>, (): &()) -> Retrieved<()> {
        let runs = self.runs.fetch_add(1, Ordering::SeqCst);
        if self.has_other_writers {
            let item = serde_dynamo::to_item(json!({ "version": runs + 1 })).unwrap();
            self.platform.store(NOTES, Key::new("note"), item);
        }
        Ok(())
    }

    const ALLOW: Allow<Self> = Allow::Always;
    const CONDITIONS: Conditions<()> = Conditions::Untagged;
    type Outcome = ();

    fn decide(_: &Moment, _: &Member, (): &(), (): ()) -> Result<(), DomainError> {
        Ok(())
    }

    fn effects((): &()) -> Effects {
        let renewed = Write::update::<Note>(Key::new("note")).set("text", text("new"));
        Effects::none().write(renewed.when(Condition::Equals("version", number(0_u64))))
    }

    type Reply = reply::NoContent;

    fn reply((): ()) -> reply::NoContent {
        reply::NoContent
    }
}

async fn renewed(has_other_writers: bool) -> (Answered, u32) {
    let recorder = Arc::new(Recorder::default());
    let platform = Arc::clone(&recorder);
    let endpoint = Renew { platform, has_other_writers, runs: AtomicU32::new(0) };
    let handler = endpoint::Handler::new(endpoint, shared(&recorder));
    let answered = ask(&handler, &with(request(""), "/body", Value::Null)).await;
    let runs = handler.endpoint.runs.load(Ordering::SeqCst);
    (answered, runs)
}

#[tokio::test(start_paused = true)]
async fn a_condition_that_can_never_hold_is_500_with_its_name_in_the_log() {
    let logged = Captured::start();
    let (answered, runs) = renewed(false).await;
    assert_eq!((answered.status, answered.code()), (500, "INTERNAL_ERROR"));
    assert!((3..25).contains(&runs), "{runs}");
    let message = "a condition can never hold: equal decisions meet an unchanged item";
    let [line] = logged.of(message).try_into().unwrap();
    let expected = "update on table notes, key \"note\": needs version = 0; read no item";
    assert_eq!(line["conditions"], expected);
    let lines = &answered.deferred.lines;
    assert!(lines.iter().any(|line| line.contains("CONDITION_NEVER_HOLDS")), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a_condition_on_an_item_that_other_writers_change_is_503_after_25_runs() {
    let (answered, runs) = renewed(true).await;
    assert_eq!((answered.status, answered.code()), (503, "SERVICE_UNAVAILABLE"));
    assert_eq!(runs, 25);
}
