//! `PUT /rules`: an administrator changes the parameters of the business rules.
//!
//! Functions cache the rules for a minute: after that the change holds everywhere.

use aws::{Present, Table};
use domain::BusinessRules;
use domain::people::{Role, SignedIn};
use domain::resources::SETTINGS;
use domain::rules::RulesDraft;
use lifecycle::prelude::*;
use lifecycle::record::Singleton;
use lifecycle::{Endpoint, EntityTag};

pub(crate) fn main() -> ExitCode {
    aws::serve(|aws| PutRules { settings: aws.table() })
}

struct PutRules {
    settings: Table<BusinessRules>,
}

impl Endpoint for PutRules {
    // 1. Routing
    const ROUTE: Route = Route::put("/rules");

    // 2. Authentication
    type Caller = SignedIn;

    // 3. Authorization, before anything is read
    const ACCESS: Access<Role> = Access::OneOf(&[Role::Admin]);

    const BODY_BYTES_MAX: usize = 4 * 1024;
    const RESOURCES: Resources = &[Resource::Table(SETTINGS, &[GetItem, PutItem])];

    // 4. Deserialisation
    type Input = Json<RulesDraft>;

    // 5. Syntax validation
    type Command = NewRules;

    // 6. Retrieval: the stored rules. Unreadable rules can be replaced
    type Facts = Present<BusinessRules>;

    async fn retrieve(
        &self,
        permit: &Permit<SignedIn>,
        _: &NewRules,
    ) -> Retrieved<Present<BusinessRules>> {
        Ok(self.settings.get_to_replace(permit).await?)
    }

    // 3b. Authorization: the role is enough
    const ALLOW: Allow<Self> = Allow::Always;

    const CONDITIONS: Conditions<Present<BusinessRules>> =
        Conditions::On(|present| present.version().map(EntityTag::of_version));

    // 7. Business rules: each change is the next version
    type Outcome = Change;

    fn decide(
        _: &Moment,
        _: &SignedIn,
        NewRules(draft): &NewRules,
        present: Present<BusinessRules>,
    ) -> Result<Change, DomainError> {
        let rules = draft.clone().at_version(present.next_version());
        Ok(Change { write: present.replaced_by(&rules), rules })
    }

    // 8. Side effects: the new version, in place of the one that was read
    fn effects(change: &Change) -> Effects {
        Effects::none().write(change.write.clone())
    }

    // 9. Response: without an entity tag, since it differs from the request (RFC 9110, 9.3.4)
    type Reply = reply::Ok<BusinessRules>;

    fn reply(change: Change) -> reply::Ok<BusinessRules> {
        reply::Ok::of(change.rules)
    }
}

/// Rules that are consistent with each other.
#[derive(Debug)]
struct NewRules(RulesDraft);

/// Each value is valid by now; this checks them together.
impl TryFrom<RulesDraft> for NewRules {
    type Error = FieldErrors;

    fn try_from(draft: RulesDraft) -> Result<Self, FieldErrors> {
        draft.clone().at_version(0).checked()?;
        Ok(Self(draft))
    }
}

/// The new rules, and how they are stored.
struct Change {
    rules: BusinessRules,
    write: Write,
}

#[cfg(test)]
mod tests {
    use domain::examples::{ann, moment, read, signed_in};
    use lifecycle::effects::Condition;

    use super::*;

    #[test]
    fn each_change_is_the_next_version_and_replaces_only_the_previous_one() {
        let first = decide(Present::Default(BusinessRules::default()));
        let second = decide(Present::Stored(first.rules.clone()));
        assert_eq!((first.rules.version, second.rules.version), (1, 2));
        let replaced = Write::replace(&second.rules, 1).condition;
        for (change, expected) in [(&first, Some(Condition::Absent)), (&second, replaced)] {
            let effects = PutRules::effects(change);
            assert_eq!(effects.writes()[0].condition, expected);
        }
    }

    #[test]
    fn unreadable_rules_are_replaced_by_the_new_ones() {
        let repaired = decide(Present::Unreadable(None));
        assert_eq!(repaired.rules.version, 1);
        assert_eq!(repaired.write.condition, Some(Condition::Present));
    }

    fn decide(present: Present<BusinessRules>) -> Change {
        let admin = signed_in(ann().user_id, &[Role::Admin]);
        PutRules::decide(&moment(), &admin, &draft(), present).unwrap()
    }

    fn draft() -> NewRules {
        let mut rules = serde_json::to_value(BusinessRules::default()).unwrap();
        rules.as_object_mut().unwrap().remove("version");
        NewRules::try_from(read::<RulesDraft>(rules)).unwrap()
    }
}
