//! An endpoint without `allow`.

use lifecycle::effects::Effects;
use lifecycle::limit::{Limit, MINUTE};
use lifecycle::reply::{NoBody, Reply};
use lifecycle::resource::Resource;
use lifecycle::{
    Access, Anyone, Endpoint, ServiceError, Moment, Permit, DomainError, Route, Verdict, FieldErrors,
};

struct Knock {
    door: tokio::sync::Mutex<u32>,
}

impl Endpoint for Knock {
    const ROUTE: Route = Route::post("/knocks");
    type Caller = Anyone;
    const ACCESS: Access = Access::Public;
    const LIMIT: Limit = Limit::exact(5, MINUTE);
    const RESOURCES: &'static [Resource] = &[];

    type Input = ();
    type Command = ();

    fn parse((): ()) -> Result<(), FieldErrors> {
        Ok(())
    }

    type Facts = u32;

    async fn retrieve(&self, _: &Permit<Anyone>, (): &()) -> Result<u32, ServiceError> {
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

    const STATUS: http::StatusCode = http::StatusCode::NO_CONTENT;
    type View = NoBody;

    fn reply((): ()) -> Reply<NoBody> {
        Reply::no_content()
    }
}

fn main() {
    let _ = lifecycle::describe::endpoint::<Knock>();
}
