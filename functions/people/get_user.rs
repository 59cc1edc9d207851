//! `GET /users/{userId}`: a user, shown to themselves and to administrators.

use aws::{OrNotFound, Table};
use domain::people::{Role, SignedIn, User, UserId, UserView};
use domain::resources::USERS;
use lifecycle::Query;
use lifecycle::prelude::*;

pub(crate) fn main() -> ExitCode {
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

    const RESOURCES: Resources = &[Resource::Table(USERS, &[GetItem])];

    // 4. Deserialisation
    type Input = Path<UserId>;

    // 5. Syntax validation
    type Command = UserId;

    // 6. Retrieval
    type Facts = User;

    async fn retrieve(&self, permit: &Permit<SignedIn>, user_id: &UserId) -> Retrieved<User> {
        let user = self.users.get(permit, &User::key_of(*user_id)).await?;
        user.filter(|user| user.is_there(permit.moment().now())).or_not_found()
    }

    // 3b. Authorization: 404, so that callers cannot learn who else has an account
    const ALLOW: Allow<Self> = Allow::HideUnless(|caller: &SignedIn, user_id: &UserId, _| {
        caller.is_or_administers(*user_id)
    });

    // 7. and 8. A query decides nothing and changes nothing.

    // 9. Response
    type Reply = reply::Ok<UserView>;

    fn reply(user: User) -> reply::Ok<UserView> {
        reply::Ok::of(user.into())
    }
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
            assert_eq!(GetUser::ALLOW.verdict(&caller, &ann.user_id, &ann), verdict, "{caller:?}");
        }
    }
}
