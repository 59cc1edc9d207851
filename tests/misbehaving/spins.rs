//! `GET /spins`: a handler that works without end and never releases its thread.

use std::process::ExitCode;

use lifecycle::caller::NoRole;
use lifecycle::reply::NoBody;
use lifecycle::resource::Resource;
use lifecycle::{Access, Anyone, FieldErrors, Permit, Query, Reply, RetrieveError, Route, Verdict};

fn main() -> ExitCode {
    aws::serve(|_| Spins)
}

struct Spins;

impl Query for Spins {
    const ROUTE: Route = Route::get("/spins");
    type Caller = Anyone;
    const ACCESS: Access<NoRole> = Access::Public;
    const RESOURCES: &'static [Resource] = &[];
    type Input = ();
    type Command = ();

    fn parse((): ()) -> Result<(), FieldErrors> {
        loop {
            std::hint::black_box(());
        }
    }

    type Facts = ();

    async fn retrieve(&self, _: &Permit<Anyone>, (): &()) -> Result<(), RetrieveError> {
        Ok(())
    }

    fn allow(_: &Anyone, (): &(), (): &()) -> Verdict {
        Verdict::Allow
    }

    type View = NoBody;

    fn reply((): ()) -> Reply<NoBody> {
        Reply::no_content()
    }
}
