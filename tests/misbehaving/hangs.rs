//! `GET /hangs`: a handler that never answers.

use std::process::ExitCode;

use lifecycle::caller::NoRole;
use lifecycle::reply;
use lifecycle::resource::Resources;
use lifecycle::{Access, Allow, Anyone, Permit, Query, Retrieved, Route};

pub(crate) fn serve() -> ExitCode {
    aws::serve(|_| Hangs)
}

struct Hangs;

impl Query for Hangs {
    const ROUTE: Route = Route::get("/hangs");
    type Caller = Anyone;
    const ACCESS: Access<NoRole> = Access::Public;
    const RESOURCES: Resources = &[];
    type Input = ();
    type Command = ();

    type Facts = ();

    async fn retrieve(&self, _: &Permit<Anyone>, (): &()) -> Retrieved<()> {
        std::future::pending().await
    }

    const ALLOW: Allow<Self> = Allow::Always;

    type Reply = reply::NoContent;

    fn reply((): ()) -> reply::NoContent {
        reply::NoContent
    }
}
