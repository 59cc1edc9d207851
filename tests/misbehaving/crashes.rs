//! `GET /crashes`: a handler whose process dies.

use std::process::ExitCode;

use lifecycle::caller::NoRole;
use lifecycle::reply::NoBody;
use lifecycle::resource::Resource;
use lifecycle::{Access, Anyone, FieldErrors, Permit, Query, Reply, RetrieveError, Route, Verdict};

fn main() -> ExitCode {
    aws::serve(|_| Crashes)
}

struct Crashes;

impl Query for Crashes {
    const ROUTE: Route = Route::get("/crashes");
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
        std::process::abort()
    }

    fn allow(_: &Anyone, (): &(), (): &()) -> Verdict {
        Verdict::Allow
    }

    type View = NoBody;

    fn reply((): ()) -> Reply<NoBody> {
        Reply::no_content()
    }
}
