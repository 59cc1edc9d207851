//! `GET /crashes`: a handler whose process dies.

use std::process::ExitCode;

use lifecycle::caller::NoRole;
use lifecycle::reply;
use lifecycle::resource::Resources;
use lifecycle::{Access, Allow, Anyone, Permit, Query, Retrieved, Route};

pub(crate) fn serve() -> ExitCode {
    aws::serve(|_| Crashes)
}

struct Crashes;

impl Query for Crashes {
    const ROUTE: Route = Route::get("/crashes");
    type Caller = Anyone;
    const ACCESS: Access<NoRole> = Access::Public;
    const RESOURCES: Resources = &[];
    type Input = ();
    type Command = ();

    type Facts = ();

    async fn retrieve(&self, _: &Permit<Anyone>, (): &()) -> Retrieved<()> {
        std::process::abort()
    }

    const ALLOW: Allow<Self> = Allow::Always;

    type Reply = reply::NoContent;

    fn reply((): ()) -> reply::NoContent {
        reply::NoContent
    }
}
