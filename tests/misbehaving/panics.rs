//! `GET /panics`: a handler that panics.

use std::process::ExitCode;

use lifecycle::caller::NoRole;
use lifecycle::reply::NoBody;
use lifecycle::resource::Resource;
use lifecycle::{Access, Anyone, FieldErrors, Permit, Query, Reply, RetrieveError, Route, Verdict};

fn main() -> ExitCode {
    aws::serve(|_| Panics)
}

struct Panics;

impl Query for Panics {
    const ROUTE: Route = Route::get("/panics");
    type Caller = Anyone;
    const ACCESS: Access<NoRole> = Access::Public;
    const RESOURCES: &'static [Resource] = &[];
    type Input = ();
    type Command = ();

    fn parse((): ()) -> Result<(), FieldErrors> {
        Ok(())
    }

    type Facts = ();

    async fn retrieve(&self, _: &Permit<Anyone>, (): &()) -> Result<(), RetrieveError> {
        panic!("the secret of the handler");
    }

    fn allow(_: &Anyone, (): &(), (): &()) -> Verdict {
        Verdict::Allow
    }

    type View = NoBody;

    fn reply((): ()) -> Reply<NoBody> {
        Reply::no_content()
    }
}
