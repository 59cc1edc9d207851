//! Least privilege: a function may only use the actions that its policy in the template allows.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sam_template::{
    ACCOUNT_ID, Condition, ConditionKey, Effect, Function, Operator, Permission, REGION, Statement,
    Template, TemplateValue, Unresolved, is_like,
};

use super::call::{Access, Call, Context, Resource};
use super::physical_names::Names;
use crate::activity::Accesses;

/// Every function's policy.
#[derive(Debug, Default)]
pub(super) struct Policies {
    by_function: HashMap<String, Vec<Right>>,
}

/// A policy statement whose resource is resolved to an ARN.
#[derive(Debug)]
struct Right {
    effect: Effect,
    /// Actions are compared case-insensitively, resources case-sensitively.
    action: String,
    resource: String,
    requirements: Vec<Requirement>,
    grant: Permission,
    /// Whether it has allowed an action so far.
    used: AtomicBool,
}

/// A condition whose values are resolved.
#[derive(Debug)]
struct Requirement {
    operator: Operator,
    key: ConditionKey,
    values: Vec<String>,
}

/// An action that no policy allows, or that one denies.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Denial {
    /// The caller, in IAM's format.
    pub(super) principal: String,
    /// The action.
    pub(super) action: String,
    /// The resource's ARN.
    pub(super) resource: String,
    /// Whether a statement denies it.
    pub(super) is_explicit: bool,
}

impl Policies {
    /// Reads the policies of all functions.
    ///
    /// # Errors
    /// If a policy refers to a resource that the platform does not have.
    pub(super) fn new(template: &Template, names: &Names) -> Result<Self, Unresolved> {
        let value =
            |reference: &_| names.look_up(reference).or_else(|| template.look_up(reference));
        let arn = &|text: &TemplateValue| text.resolve(value);
        let rights = |(id, function): (&String, &Function)| {
            let right = |statement: &Statement| {
                Ok(Right {
                    effect: statement.effect,
                    action: statement.action.to_ascii_lowercase(),
                    resource: arn(&statement.resource)?,
                    requirements: requirements(statement, arn)?,
                    grant: Permission::of(id, statement),
                    used: AtomicBool::new(false),
                })
            };
            let rights = function.policies.iter().map(right);
            Ok((id.clone(), rights.collect::<Result<_, _>>()?))
        };
        let by_function = template.functions.iter().map(rights).collect::<Result<_, _>>()?;
        Ok(Self { by_function })
    }

    /// The first action of a call that its function may not perform. Operators and tests may
    /// perform all.
    pub(super) fn denial(&self, names: &Names, call: &Call) -> Option<Denial> {
        call.accesses.iter().find_map(|access| self.denial_of(names, call, access))
    }

    /// The denial of one action of a call, if its function may not perform it.
    pub(super) fn denial_of(&self, names: &Names, call: &Call, access: &Access) -> Option<Denial> {
        let function = &call.caller.as_ref()?.function;
        let resource = arn(names, access);
        let decided = decision(self.rights(function), &access.action, &resource, &call.context);
        (decided != Some(Effect::Allow)).then(|| Denial {
            principal: format!("arn:aws:sts::{ACCOUNT_ID}:assumed-role/{function}/{function}"),
            action: access.action.clone(),
            resource,
            is_explicit: decided == Some(Effect::Deny),
        })
    }

    /// Whether a function may perform this action on this ARN, without regard to conditions.
    pub(super) fn allow(&self, function: &str, action: &str, arn: &str) -> bool {
        decision(self.rights(function), action, arn, &Context::new()) == Some(Effect::Allow)
    }

    fn rights(&self, function: &str) -> &[Right] {
        self.by_function.get(function).map_or(&[][..], Vec::as_slice)
    }

    /// The permissions that have been used.
    pub(super) fn used(&self) -> BTreeSet<Permission> {
        let rights = self.by_function.values().flatten();
        let used = rights.filter(|right| right.used.load(Ordering::Relaxed));
        used.map(|right| right.grant.clone()).collect()
    }
}

/// The conditions of a statement, with resolved values.
fn requirements(
    statement: &Statement,
    words: impl Fn(&TemplateValue) -> Result<String, Unresolved>,
) -> Result<Vec<Requirement>, Unresolved> {
    let conditions = statement.conditions.iter();
    let requirement = |condition: &Condition| {
        Ok(Requirement {
            operator: condition.operator,
            key: condition.key,
            values: condition.values.iter().map(&words).collect::<Result<_, _>>()?,
        })
    };
    conditions.map(requirement).collect()
}

impl Requirement {
    /// Whether a request meets it. A request without the key does not.
    fn is_met(&self, context: &Context) -> bool {
        context
            .get(&self.key)
            .is_some_and(|found| self.values.iter().any(|value| self.operator.is_met(value, found)))
    }
}

/// IAM's rule: an explicit deny wins over any allow. Without a decision, the default is deny.
fn decision(rights: &[Right], action: &str, resource: &str, context: &Context) -> Option<Effect> {
    let action = action.to_ascii_lowercase();
    let applies = |right: &&Right| {
        is_like(&right.action, &action)
            && is_like(&right.resource, resource)
            && right.requirements.iter().all(|requirement| requirement.is_met(context))
    };
    let mut decided = None;
    for right in rights.iter().filter(applies) {
        match right.effect {
            Effect::Deny => return Some(Effect::Deny),
            Effect::Allow => decided = Some(Effect::Allow),
        }
        right.used.store(true, Ordering::Relaxed);
    }
    decided
}

/// The accesses of a call, for its record.
#[derive(Debug)]
pub(super) struct CallAccesses {
    pub(super) names: Arc<Names>,
    pub(super) accesses: Arc<[Access]>,
}

impl Accesses for CallAccesses {
    fn named(&self) -> Vec<(String, String)> {
        let named = |access: &Access| (access.action.clone(), arn(&self.names, access));
        self.accesses.iter().map(named).collect()
    }

    fn size(&self) -> usize {
        let size = |access: &Access| access.action.len() + access.resource.name().len();
        self.accesses.iter().map(size).sum()
    }
}

fn arn(names: &Names, access: &Access) -> String {
    let service = access.action.split(':').next().unwrap_or_default();
    let known = match &access.resource {
        Resource::Table(id) => names.table(id).map(|table| table.arn.clone()),
        Resource::Index(id, index) => {
            names.table(id).map(|table| format!("{}/index/{index}", table.arn))
        }
        Resource::Queue(id) => names.queue(id).map(|queue| queue.arn.clone()),
        Resource::Secret(id) => names.secret(id).map(|secret| secret.arn.clone()),
        Resource::Any => Some("*".to_owned()),
        Resource::Other(called) => Some(arn_outside(service, called)),
    };
    known.unwrap_or_else(|| "*".to_owned())
}

/// The ARN of a resource outside of the template, which a call names by its name, URL or ARN.
fn arn_outside(service: &str, called: &str) -> String {
    let resource = match service {
        _ if called.starts_with("arn:") => return called.to_owned(),
        "dynamodb" => format!("table/{called}"),
        "secretsmanager" => format!("secret:{called}"),
        "sqs" => called.rsplit('/').next().unwrap_or(called).to_owned(),
        _ => called.to_owned(),
    };
    format!("arn:aws:{service}:{REGION}:{ACCOUNT_ID}:{resource}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_outside_of_the_template_has_the_arn_of_its_kind() {
        let arn = "arn:aws:dynamodb:eu-west-1:000000000000:table/legacy";
        assert_eq!(arn_outside("dynamodb", "legacy"), arn);
        assert_eq!(arn_outside("dynamodb", arn), arn);
        let arn = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:shop/key";
        assert_eq!(arn_outside("secretsmanager", "shop/key"), arn);
        let url = "http://127.0.0.1:4566/000000000000/jobs";
        let arn = "arn:aws:sqs:eu-west-1:000000000000:jobs";
        assert_eq!([arn_outside("sqs", url), arn_outside("sqs", "jobs")], [arn, arn]);
        let arn = "arn:aws:ses:eu-west-1:000000000000:identity/example.com";
        assert_eq!(arn_outside("ses", "identity/example.com"), arn);
    }

    fn right(effect: Effect, action: &str, resource: &str) -> Right {
        let statement = Statement {
            effect,
            action: action.into(),
            resource: TemplateValue::literal(resource),
            conditions: Vec::new(),
        };
        Right {
            effect,
            action: action.to_ascii_lowercase(),
            resource: resource.into(),
            requirements: Vec::new(),
            grant: Permission::of("GetUserFunction", &statement),
            used: AtomicBool::new(false),
        }
    }

    #[test]
    fn an_explicit_deny_wins_over_any_allow() {
        let rights = [
            right(Effect::Allow, "dynamodb:*", "*"),
            right(Effect::Deny, "dynamodb:DeleteItem", "arn:orders"),
        ];

        let decided = |action| decision(&rights, action, "arn:orders", &Context::new());
        assert_eq!(decided("dynamodb:PutItem"), Some(Effect::Allow));
        assert_eq!(decided("dynamodb:DeleteItem"), Some(Effect::Deny));
        assert_eq!(decided("sqs:SendMessage"), None);
    }

    #[test]
    fn a_condition_is_met_only_by_its_values_and_needs_the_key() {
        let from = |operator, value: &str| Requirement {
            operator,
            key: ConditionKey::FromAddress,
            values: vec!["b@example.com".to_owned(), value.to_owned()],
        };
        let context = Context::from([(ConditionKey::FromAddress, "a@example.com".to_owned())]);
        for (operator, value, met) in [
            (Operator::StringEquals, "a@example.com", true),
            (Operator::StringEquals, "A@example.com", false),
            (Operator::StringEquals, "*@example.com", false),
            (Operator::StringLike, "*@example.com", true),
        ] {
            let bounded = Right {
                requirements: vec![from(operator, value)],
                ..right(Effect::Allow, "ses:SendEmail", "*")
            };
            let rights = std::slice::from_ref(&bounded);
            let decided = |context| decision(rights, "ses:SendEmail", "arn:identity", context);
            let expected = met.then_some(Effect::Allow);
            assert_eq!(decided(&context), expected, "{operator:?} {value}");
            assert_eq!(decided(&Context::new()), None, "{operator:?} {value}");
        }
    }
}
