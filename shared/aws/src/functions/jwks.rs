//! The public keys of access tokens.

use lifecycle::Query;
use lifecycle::prelude::*;

use crate::auth::tokens::{KeySet, PUBLISHED_S, PublishedKeys};
use crate::config::VERIFICATION_KEYS;
use crate::secrets::Secret;

/// Serves `GET /.well-known/jwks.json`: the public keys that access tokens are verified with
/// (RFC 7517).
pub fn jwks() -> ExitCode {
    crate::serve(|aws| GetJwks { keys: aws.verification_keys() })
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

    const RESOURCES: Resources = &[Resource::Secret(VERIFICATION_KEYS)];

    // 4. Deserialisation
    type Input = ();

    // 5. Syntax validation
    type Command = ();

    // 6. Retrieval
    type Facts = PublishedKeys;

    async fn retrieve(&self, _: &Permit<Anyone>, (): &()) -> Retrieved<PublishedKeys> {
        Ok(self.keys.read().await?.published())
    }

    // 3b. Authorization: the keys are public
    const ALLOW: Allow<Self> = Allow::Always;

    // 7. and 8. A query decides nothing and changes nothing.

    // 9. Response: in the form of its standard, without `data` around it. A new key signs only when
    // every cached copy of the older keys has expired.
    type Reply = reply::Ok<Bare<PublishedKeys>>;

    fn reply(keys: PublishedKeys) -> reply::Ok<Bare<PublishedKeys>> {
        reply::Ok::of(Bare(keys)).cached_publicly(PUBLISHED_S)
    }
}
