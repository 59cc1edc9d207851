//! `GET /hangs`: a handler that never answers.

use std::process::ExitCode;

use lifecycle::caller::NoRole;
use lifecycle::reply::NoBody;
use lifecycle::resource::Resource;
use lifecycle::{Access, Anyone, FieldErrors, Permit, Query, Reply, RetrieveError, Route, Verdict};

fn main() -> ExitCode {
    aws::serve(|_| Hangs)
}

struct Hangs;

impl Query for Hangs {
    const ROUTE: Route = Route::get("/hangs");
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
        std::future::pending().await
    }

    fn allow(_: &Anyone, (): &(), (): &()) -> Verdict {
        Verdict::Allow
    }

    type View = NoBody;

    fn reply((): ()) -> Reply<NoBody> {
        Reply::no_content()
    }
}
