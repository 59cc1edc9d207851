//! `GET /rules`: the parameters of the business rules, as they are stored.

use aws::Table;
use domain::BusinessRules;
use domain::people::{Role, SignedIn};
use domain::resources::SETTINGS;
use lifecycle::Query;
use lifecycle::prelude::*;

pub(crate) fn main() -> ExitCode {
    aws::serve(|aws| GetRules { settings: aws.table() })
}

struct GetRules {
    settings: Table<BusinessRules>,
}

impl Query for GetRules {
    // 1. Routing
    const ROUTE: Route = Route::get("/rules");

    // 2. Authentication
    type Caller = SignedIn;

    // 3. Authorization, before anything is read
    const ACCESS: Access<Role> = Access::OneOf(&[Role::Admin]);

    const RESOURCES: Resources = &[Resource::Table(SETTINGS, &[GetItem])];

    // 4. Deserialisation: nothing is sent
    type Input = ();

    // 5. Syntax validation
    type Command = ();

    // 6. Retrieval: from the table and not from a cache, since the caller may change the rules
    type Facts = BusinessRules;

    async fn retrieve(&self, permit: &Permit<SignedIn>, (): &()) -> Retrieved<BusinessRules> {
        Ok(self.settings.get_the_one(permit).await?)
    }

    // 3b. Authorization: the role is enough
    const ALLOW: Allow<Self> = Allow::Always;

    // 7. and 8. A query decides nothing and changes nothing.

    // 9. Response
    type Reply = reply::Ok<BusinessRules>;

    fn reply(rules: BusinessRules) -> reply::Ok<BusinessRules> {
        let tag = rules.entity_tag();
        reply::Ok::of(rules).tagged(tag)
    }
}
