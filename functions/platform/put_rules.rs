//! `PUT /rules`: an operator changes the parameters of the business rules.
//!
//! Functions hold them for a minute: by then the change holds everywhere.

use std::process::ExitCode;

use adapters::Table;
use domain::Rules;
use domain::people::{Role, SignedIn};
use domain::rules::RulesDraft;
use domain::tables::SETTINGS;
use lifecycle::effects::{Effects, Write};
use lifecycle::input::Json;
use lifecycle::record::Singleton;
use lifecycle::uses::{Use, Verb};
use lifecycle::{
    Access, Conditions, Endpoint, Fault, Moment, Permit, Rejection, Reply, Route, Verdict,
    Violations,
};

fn main() -> ExitCode {
    adapters::serve(|aws| PutRules { settings: aws.table() })
}

struct PutRules {
    settings: Table<Rules>,
}

impl Endpoint for PutRules {
    // 1. Routing
    const ROUTE: Route = Route::put("/rules");

    // 2. Authentication
    type Caller = SignedIn;

    // 3. Authorization, before anything is read
    const ACCESS: Access<Role> = Access::OneOf(&[Role::Admin]);

    const BODY_BYTES_MAX: usize = 4 * 1024;
    const USES: &'static [Use] = &[Use::Table(SETTINGS, &[Verb::GetItem, Verb::PutItem])];

    // 4. Deserialisation
    type Input = Json<RulesDraft>;

    // 5. Syntax validation: one by one they are right by now; do they go together?
    type Command = RulesDraft;

    fn parse(Json(draft): Json<RulesDraft>) -> Result<RulesDraft, Violations> {
        draft.clone().at_version(0).checked()?;
        Ok(draft)
    }

    // 6. Retrieval: what holds now
    type Facts = Rules;

    async fn retrieve(&self, permit: &Permit<SignedIn>, _: &RulesDraft) -> Result<Rules, Fault> {
        self.settings.get_the_one(permit).await
    }

    // 3 again. Authorization: the role was all
    fn allow(_: &SignedIn, _: &RulesDraft, _: &Rules) -> Verdict {
        Verdict::Allow
    }

    const CONDITIONS: Conditions<Rules> = Conditions::On(|rules| Some(rules.entity_tag()));

    // 7. Business rules: each change is the next version
    type Outcome = Rules;

    fn decide(
        _: &Moment,
        _: &SignedIn,
        draft: &RulesDraft,
        present: Rules,
    ) -> Result<Rules, Rejection> {
        Ok(draft.clone().at_version(present.version + 1))
    }

    // 8. Side effects: the first version takes the place of the defaults, which are not stored
    fn effects(rules: &Rules) -> Effects {
        Effects::none().write(match rules.version {
            1 => Write::create(rules),
            version => Write::replace(rules, version - 1),
        })
    }

    // 9. Response: without an entity tag, as it is not what was sent (RFC 9110, 9.3.4)
    type View = Rules;

    fn reply(rules: Rules) -> Reply<Rules> {
        Reply::ok(rules)
    }
}

#[cfg(test)]
mod tests {
    use domain::examples::{ann, moment, read, signed_in};
    use lifecycle::effects::Condition;
    use serde_json::json;

    use super::*;

    #[test]
    fn each_change_is_the_next_version_and_replaces_none_but_the_one_before() {
        let first = decide(Rules::default());
        let second = decide(first.clone());
        assert_eq!((first.version, second.version), (1, 2));
        for (rules, expected) in [
            (&first, Write::create(&first).condition),
            (&second, Write::replace(&second, 1).condition),
        ] {
            let effects = PutRules::effects(rules);
            assert_eq!(effects.writes()[0].condition, expected);
        }
        assert_eq!(Write::create(&first).condition, Some(Condition::Absent));
    }

    fn decide(present: Rules) -> Rules {
        let admin = signed_in(ann().user_id, &[Role::Admin]);
        PutRules::decide(&moment(), &admin, &draft(), present).unwrap()
    }

    fn draft() -> RulesDraft {
        let mut rules = serde_json::to_value(Rules::default()).unwrap();
        rules.as_object_mut().unwrap().remove("version");
        PutRules::parse(Json(read(json!(rules)))).unwrap()
    }
}
