//! `PUT /users/{userId}/verification`: a user proves that their e-mail address is theirs.

use std::process::ExitCode;

use adapters::Table;
use domain::people::{User, UserId};
use domain::refusals;
use domain::tables::USERS;
use http::StatusCode;
use lifecycle::effects::{Effects, Write};
use lifecycle::input::{Json, Path};
use lifecycle::reply::NoBody;
use lifecycle::uses::{Use, Verb};
use lifecycle::{
    Access, Anyone, Endpoint, Fault, Moment, Permit, Refusal, Rejection, Reply, Route, Verdict,
    Violations,
};
use schemars::JsonSchema;

fn main() -> ExitCode {
    adapters::serve(|aws| PutVerification { users: aws.table() })
}

struct PutVerification {
    users: Table<User>,
}

/// The proof that a user brings.
struct Proof {
    user_id: UserId,
    token: String,
}

impl Endpoint for PutVerification {
    // 1. Routing
    const ROUTE: Route = Route::put("/users/{userId}/verification");

    // 2. Authentication: the token of the mail is all there is
    type Caller = Anyone;

    // 3. Authorization, before anything is read
    const ACCESS: Access = Access::Public;

    const BODY_BYTES_MAX: usize = 4 * 1024;
    const USES: &'static [Use] = &[Use::Table(USERS, &[Verb::GetItem, Verb::PutItem])];

    // 4. Deserialisation
    type Input = (Path<Parameters>, Json<Body>);

    // 5. Syntax validation
    type Command = Proof;

    fn parse((Path(parameters), Json(body)): Self::Input) -> Result<Proof, Violations> {
        Ok(Proof { user_id: parameters.user_id, token: body.token })
    }

    // 6. Retrieval
    type Facts = Option<User>;

    async fn retrieve(
        &self,
        permit: &Permit<Anyone>,
        proof: &Proof,
    ) -> Result<Option<User>, Fault> {
        self.users.get(permit, &User::key_of(proof.user_id)).await
    }

    // 3 again. Authorization: whoever has the token may; stage 7 looks at it
    fn allow(_: &Anyone, _: &Proof, _: &Option<User>) -> Verdict {
        Verdict::Allow
    }

    // 7. Business rules: a user who does not exist is told the same as one whose token is spent
    type Outcome = User;
    const REFUSALS: &'static [Refusal] = &[refusals::VERIFICATION_SPENT];

    fn decide(
        moment: &Moment,
        _: &Anyone,
        proof: &Proof,
        user: Option<User>,
    ) -> Result<User, Rejection> {
        user.and_then(|user| user.verified(&proof.token, moment.now()))
            .ok_or_else(|| refusals::VERIFICATION_SPENT.into())
    }

    // 8. Side effects
    fn effects(user: &User) -> Effects {
        Effects::none().write(Write::replace(user, user.version - 1))
    }

    // 9. Response
    const STATUS: StatusCode = StatusCode::NO_CONTENT;
    type View = NoBody;

    fn reply(_: User) -> Reply<NoBody> {
        Reply::no_content()
    }
}

#[derive(Debug, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    user_id: UserId,
}

#[derive(Debug, eserde::Deserialize, JsonSchema)]
struct Body {
    token: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::examples::{ann, ann_with_token, moment};

    #[test]
    fn the_token_of_the_mail_verifies_the_address_once() {
        let (ann, token) = ann_with_token();
        let proof = Proof { user_id: ann.user_id, token };
        let verified = decide(&proof, Some(ann)).unwrap();
        assert!(verified.email_verified && verified.verification.is_none());
        assert_eq!(decide(&proof, Some(verified)).unwrap_err().code, "VERIFICATION_SPENT");
    }

    #[test]
    fn a_wrong_token_and_an_unknown_user_are_not_told_apart() {
        let proof = Proof { user_id: ann().user_id, token: "another".to_owned() };
        assert_eq!(decide(&proof, Some(ann())).unwrap_err(), decide(&proof, None).unwrap_err());
    }

    fn decide(proof: &Proof, user: Option<User>) -> Result<User, Rejection> {
        PutVerification::decide(&moment(), &Anyone, proof, user)
    }
}
