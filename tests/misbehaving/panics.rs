//! `GET /panics`: a handler that panics.

use std::process::ExitCode;

use lifecycle::caller::NoRole;
use lifecycle::reply;
use lifecycle::resource::Resources;
use lifecycle::{Access, Allow, Anyone, Permit, Query, Retrieved, Route};

pub(crate) fn serve() -> ExitCode {
    aws::serve(|_| Panics)
}

struct Panics;

impl Query for Panics {
    const ROUTE: Route = Route::get("/panics");
    type Caller = Anyone;
    const ACCESS: Access<NoRole> = Access::Public;
    const RESOURCES: Resources = &[];
    type Input = ();
    type Command = ();

    type Facts = ();

    async fn retrieve(&self, _: &Permit<Anyone>, (): &()) -> Retrieved<()> {
        panic!("the secret of the handler");
    }

    const ALLOW: Allow<Self> = Allow::Always;

    type Reply = reply::NoContent;

    fn reply((): ()) -> reply::NoContent {
        reply::NoContent
    }
}
