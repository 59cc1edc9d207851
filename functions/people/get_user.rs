//! `GET /users/{userId}`: a user, shown to themselves and to administrators.

use std::process::ExitCode;

use aws::{OrNotFound, Table};
use domain::people::{Role, SignedIn, User, UserId, UserView};
use domain::resources::USERS;
use lifecycle::input::Path;
use lifecycle::resource::{Action, Resource};
use lifecycle::{Access, FieldErrors, Permit, Query, Reply, RetrieveError, Route, Verdict};
use schemars::JsonSchema;

fn main() -> ExitCode {
    aws::serve(|aws| GetUser { users: aws.table() })
}

struct GetUser {
    users: Table<User>,
}

impl Query for GetUser {
    // 1. Routing
    const ROUTE: Route = Route::get("/users/{userId}");

    // 2. Authentication
    type Caller = SignedIn;

    // 3. Authorization, before anything is read
    const ACCESS: Access<Role> = Access::SignedIn;

    const RESOURCES: &'static [Resource] = &[Resource::Table(USERS, &[Action::GetItem])];

    // 4. Deserialisation
    type Input = Path<Parameters>;

    // 5. Syntax validation
    type Command = UserId;

    fn parse(Path(parameters): Path<Parameters>) -> Result<UserId, FieldErrors> {
        Ok(parameters.user_id)
    }

    // 6. Retrieval
    type Facts = User;

    async fn retrieve(
        &self,
        permit: &Permit<SignedIn>,
        user_id: &UserId,
    ) -> Result<User, RetrieveError> {
        let user = self.users.get(permit, &User::key_of(*user_id)).await?;
        user.filter(|user| user.is_there(permit.moment().now())).or_not_found()
    }

    // 3b. Authorization: 404, so that callers cannot learn who else has an account
    fn allow(caller: &SignedIn, user_id: &UserId, _: &User) -> Verdict {
        Verdict::allow_or_hide(caller.is_or_administers(*user_id))
    }

    // 7. and 8. A query decides nothing and changes nothing.

    // 9. Response
    type View = UserView;

    fn reply(user: User) -> Reply<UserView> {
        Reply::ok(user.into())
    }
}

#[derive(Debug, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    user_id: UserId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::examples::{ann, signed_in};

    #[test]
    fn a_user_is_hidden_from_all_but_themselves_and_administrators() {
        let ann = ann();
        let other = UserId::from(uuid::Uuid::nil());
        for (caller, verdict) in [
            (signed_in(ann.user_id, &[Role::Customer]), Verdict::Allow),
            (signed_in(other, &[Role::Admin]), Verdict::Allow),
            (signed_in(other, &[Role::Customer, Role::Merchant, Role::Editor]), Verdict::Hide),
        ] {
            assert_eq!(GetUser::allow(&caller, &ann.user_id, &ann), verdict, "{caller:?}");
        }
    }
}
