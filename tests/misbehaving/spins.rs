//! `GET /spins`: a handler that works without end and never releases its thread.

use std::process::ExitCode;

use lifecycle::caller::NoRole;
use lifecycle::reply;
use lifecycle::resource::Resources;
use lifecycle::{Access, Allow, Anyone, Permit, Query, Retrieved, Route};

pub(crate) fn serve() -> ExitCode {
    aws::serve(|_| Spins)
}

struct Spins;

/// A command that is never made.
#[derive(Debug)]
struct Spun;

impl From<()> for Spun {
    fn from((): ()) -> Self {
        loop {
            std::hint::black_box(());
        }
    }
}

impl Query for Spins {
    const ROUTE: Route = Route::get("/spins");
    type Caller = Anyone;
    const ACCESS: Access<NoRole> = Access::Public;
    const RESOURCES: Resources = &[];
    type Input = ();
    type Command = Spun;

    type Facts = ();

    async fn retrieve(&self, _: &Permit<Anyone>, _: &Spun) -> Retrieved<()> {
        Ok(())
    }

    const ALLOW: Allow<Self> = Allow::Always;

    type Reply = reply::NoContent;

    fn reply((): ()) -> reply::NoContent {
        reply::NoContent
    }
}
