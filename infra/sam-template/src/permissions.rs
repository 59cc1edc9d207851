//! The permissions that a template grants, one by one.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::model::{Condition, Effect, Statement, Template};
use super::properties::{OneOrMany, StatementProperties};
use super::value::TemplateValue;

/// A permission of a function: one action on one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// The logical id of the function.
    pub function: String,
    /// The IAM action, `dynamodb:GetItem`.
    pub action: String,
    /// The resource: a logical id, an index such as `OrdersTable/index/by_creation`, or an ARN.
    pub resource: String,
}

impl Permission {
    /// The permission that a statement of a function's policy grants.
    pub fn of(function: &str, statement: &Statement) -> Self {
        Self {
            function: function.to_owned(),
            action: statement.action.clone(),
            resource: statement.resource.words(),
        }
    }
}

impl Template {
    /// All permissions of all functions.
    pub fn grants(&self) -> BTreeSet<Permission> {
        let functions = self.functions.iter();
        let rights = functions.flat_map(|(id, function)| {
            let statements = function.policies.iter().filter(|it| it.effect == Effect::Allow);
            statements.map(|statement| Permission::of(id, statement))
        });
        rights.collect()
    }

    /// Removes a permission. Returns whether the function had it.
    pub fn revoke(&mut self, grant: &Permission) -> bool {
        let Some(function) = self.functions.get_mut(&grant.function) else { return false };
        let had = function.policies.len();
        function.policies.retain(|statement| {
            statement.effect == Effect::Deny || Permission::of(&grant.function, statement) != *grant
        });
        function.policies.len() < had
    }
}

/// Formats a permission: `GetUserFunction dynamodb:GetItem UsersTable`.
impl fmt::Display for Permission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { function, action, resource } = self;
        write!(formatter, "{function} {action} {resource}")
    }
}

impl FromStr for Permission {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let [function, action, resource] = text.split(' ').collect::<Vec<_>>()[..] else {
            return Err("expected FUNCTION ACTION RESOURCE");
        };
        let [function, action, resource] = [function, action, resource].map(str::to_owned);
        Ok(Self { function, action, resource })
    }
}

/// Splits a policy statement into one statement for each pair of action and resource.
pub(super) fn statements(properties: StatementProperties) -> Vec<Statement> {
    let StatementProperties { effect, action, resource, condition, .. } = properties;
    let (actions, resources): (Vec<String>, Vec<TemplateValue>) = (action.into(), resource.into());
    let conditions = condition.into_iter().flat_map(|(operator, keys)| {
        let condition = move |(key, values): (_, OneOrMany<TemplateValue>)| Condition {
            operator,
            key,
            values: values.into(),
        };
        keys.into_iter().map(condition)
    });
    let conditions: Vec<Condition> = conditions.collect();
    let about = |action: &String| {
        let statement = |resource: &TemplateValue| Statement {
            effect,
            action: action.clone(),
            resource: resource.clone(),
            conditions: conditions.clone(),
        };
        resources.iter().map(statement).collect::<Vec<_>>()
    };
    actions.iter().flat_map(about).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;

    #[test]
    fn revoking_a_permission_removes_only_that_permission() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
        let mut template = Template::read(&path, &BTreeMap::new()).unwrap();
        let before = template.grants();
        let right: Permission = "GetUserFunction dynamodb:GetItem UsersTable".parse().unwrap();

        assert!(template.revoke(&right));
        assert!(!template.revoke(&right), "it was already revoked");

        let gone: Vec<_> = before.difference(&template.grants()).cloned().collect();
        assert_eq!(gone, [right]);
    }

    #[test]
    fn a_permission_is_formatted_as_it_is_parsed() {
        let text = "ListOrdersFunction dynamodb:Query OrdersTable/index/by_creation";
        assert_eq!(text.parse::<Permission>().unwrap().to_string(), text);
        assert!("ListOrdersFunction dynamodb:Query".parse::<Permission>().is_err());
    }
}
