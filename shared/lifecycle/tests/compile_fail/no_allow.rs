//! An endpoint without `ALLOW`.

use lifecycle::effects::Effects;
use lifecycle::limit::{Limit, MINUTE};
use lifecycle::reply;
use lifecycle::resource::Resources;
use lifecycle::{
    Access, Anyone, DomainError, Endpoint, Moment, Permit, Retrieved, Route,
};

struct Knock {
    door: tokio::sync::Mutex<u32>,
}

impl Endpoint for Knock {
    const ROUTE: Route = Route::post("/knocks");
    type Caller = Anyone;
    const ACCESS: Access = Access::Public;
    const LIMIT: Limit = Limit::exact(5, MINUTE);
    const RESOURCES: Resources = &[];

    type Input = ();
    type Command = ();

    type Facts = u32;

    async fn retrieve(&self, _: &Permit<Anyone>, (): &()) -> Retrieved<u32> {
        Ok(*self.door.lock().await)
    }

    type Outcome = ();

    fn decide(_: &Moment, _: &Anyone, (): &(), _: u32) -> Result<(), DomainError> {
        Ok(())
    }

    fn effects((): &()) -> Effects {
        Effects::none()
    }

    const CONDITIONS: lifecycle::Conditions<u32> = lifecycle::Conditions::Untagged;

    type Reply = reply::NoContent;

    fn reply((): ()) -> reply::NoContent {
        reply::NoContent
    }
}

fn main() {
    let _ = lifecycle::describe::endpoint::<Knock>();
}
