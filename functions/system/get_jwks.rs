//! `GET /.well-known/jwks.json`: the public keys that access tokens are verified with (RFC 7517).

use std::process::ExitCode;

use aws::tokens::{KeySet, PUBLISHED_S, PublishedKeys};
use aws::{Secret, VERIFICATION_KEYS};
use lifecycle::caller::NoRole;
use lifecycle::reply::Bare;
use lifecycle::resource::Resource;
use lifecycle::{Access, Anyone, FieldErrors, Permit, Query, Reply, RetrieveError, Route, Verdict};

fn main() -> ExitCode {
    aws::serve(|aws| GetJwks { keys: aws.verification_keys() })
}

struct GetJwks {
    keys: Secret<KeySet>,
}

impl Query for GetJwks {
    // 1. Routing
    const ROUTE: Route = Route::get("/.well-known/jwks.json");

    // 2. Authentication
    type Caller = Anyone;

    // 3. Authorization, before anything is read
    const ACCESS: Access<NoRole> = Access::Public;

    const RESOURCES: &'static [Resource] = &[Resource::Secret(VERIFICATION_KEYS)];

    // 4. Deserialisation
    type Input = ();

    // 5. Syntax validation
    type Command = ();

    fn parse((): ()) -> Result<(), FieldErrors> {
        Ok(())
    }

    // 6. Retrieval
    type Facts = PublishedKeys;

    async fn retrieve(&self, _: &Permit<Anyone>, (): &()) -> Result<PublishedKeys, RetrieveError> {
        Ok(self.keys.read().await?.published())
    }

    // 3b. Authorization: the keys are public
    fn allow(_: &Anyone, (): &(), _: &PublishedKeys) -> Verdict {
        Verdict::Allow
    }

    // 7. and 8. A query decides nothing and changes nothing.

    // 9. Response: in the form of its standard, without `data` around it. A new key signs only when
    // every cached copy of the older keys has expired.
    type View = Bare<PublishedKeys>;

    fn reply(keys: PublishedKeys) -> Reply<Bare<PublishedKeys>> {
        Reply::ok(Bare(keys)).cached_publicly(PUBLISHED_S)
    }
}
