//! `GET /rules`: the parameters of the business rules, as they are stored.

use std::process::ExitCode;

use aws::Table;
use domain::BusinessRules;
use domain::people::{Role, SignedIn};
use domain::resources::SETTINGS;
use lifecycle::resource::{Action, Resource};
use lifecycle::{Access, FieldErrors, Permit, Query, Reply, RetrieveError, Route, Verdict};

fn main() -> ExitCode {
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

    const RESOURCES: &'static [Resource] = &[Resource::Table(SETTINGS, &[Action::GetItem])];

    // 4. Deserialisation: nothing is sent
    type Input = ();

    // 5. Syntax validation
    type Command = ();

    fn parse((): ()) -> Result<(), FieldErrors> {
        Ok(())
    }

    // 6. Retrieval: from the table and not from a cache, since the caller may change the rules
    type Facts = BusinessRules;

    async fn retrieve(
        &self,
        permit: &Permit<SignedIn>,
        (): &(),
    ) -> Result<BusinessRules, RetrieveError> {
        Ok(self.settings.get_the_one(permit).await?)
    }

    // 3b. Authorization: the role is enough
    fn allow(_: &SignedIn, (): &(), _: &BusinessRules) -> Verdict {
        Verdict::Allow
    }

    // 7. and 8. A query decides nothing and changes nothing.

    // 9. Response
    type View = BusinessRules;

    fn reply(rules: BusinessRules) -> Reply<BusinessRules> {
        let tag = rules.entity_tag();
        Reply::ok(rules).tagged(tag)
    }
}
