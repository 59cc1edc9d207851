//! The public keys of access tokens.

use std::marker::PhantomData;

use lifecycle::Query;
use lifecycle::prelude::*;

use crate::auth::tokens::{KeySet, PUBLISHED_S, PublishedKeys};
use crate::config::VERIFICATION_KEYS;
use crate::secrets::Secret;

/// The publication of a service's public keys.
///
/// ```no_run
/// use aws::functions::Jwks;
/// use lifecycle::prelude::*;
///
/// fn main() -> ExitCode {
///     aws::functions::jwks::<LibraryKeys>()
/// }
///
/// struct LibraryKeys;
///
/// impl Jwks for LibraryKeys {}
/// ```
pub trait Jwks: Send + Sync + 'static {
    /// The rate limit of one source address. With [`Limit::OFF`] the function needs no table of
    /// limits; it reads the keys from its memory all the same.
    const LIMIT: Limit = Limit::DEFAULT;
}

/// Serves `GET /.well-known/jwks.json`: the public keys that access tokens are verified with
/// (RFC 7517).
pub fn jwks<J: Jwks>() -> ExitCode {
    crate::serve(|aws| GetJwks::<J> { keys: aws.verification_keys(), service: PhantomData })
}

struct GetJwks<J> {
    keys: Secret<KeySet>,
    service: PhantomData<fn() -> J>,
}

impl<J: Jwks> Query for GetJwks<J> {
    // 1. Routing
    const ROUTE: Route = Route::get("/.well-known/jwks.json");

    // 2. Authentication
    type Caller = Anyone;

    // 3. Authorization, before anything is read
    const ACCESS: Access<NoRole> = Access::Public;

    const LIMIT: Limit = J::LIMIT;

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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    struct Usual;

    impl Jwks for Usual {}

    struct Unlimited;

    impl Jwks for Unlimited {
        const LIMIT: Limit = Limit::OFF;
    }

    #[test]
    fn keys_without_a_limit_need_no_table() {
        let tables = |described: Value| described["resources"]["tables"].clone();
        let unlimited = tables(lifecycle::describe::endpoint::<GetJwks<Unlimited>>());
        assert_eq!(unlimited, json!({}));
        assert_ne!(tables(lifecycle::describe::endpoint::<GetJwks<Usual>>()), unlimited);
    }
}
