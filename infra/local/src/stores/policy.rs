//! Least privilege: a function may do what its policy in the template says, and nothing else.

use std::collections::HashMap;

use crate::template::{ACCOUNT_ID, Effect, REGION, Template, Unresolved};

use super::{
    call::{Access, Call, Resource},
    names::Names,
};

/// Every function's policy.
#[derive(Debug, Default)]
pub(super) struct Policies {
    by_function: HashMap<String, Vec<Statement>>,
}

/// A statement whose resources have become ARNs.
#[derive(Debug)]
struct Statement {
    effect: Effect,
    actions: Vec<String>,
    resources: Vec<String>,
}

/// An action that no policy allows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Denial {
    /// The caller, as IAM names it.
    pub(super) principal: String,
    /// The action.
    pub(super) action: String,
    /// The resource's ARN.
    pub(super) resource: String,
}

impl Policies {
    /// Reads the policies of all functions.
    ///
    /// # Errors
    /// A policy that names what the platform does not have.
    pub(super) fn new(template: &Template, names: &Names) -> Result<Self, Unresolved> {
        let mut by_function = HashMap::new();
        for function in template.functions.values() {
            let mut statements = Vec::new();
            for statement in &function.policies {
                let arns = statement.resources.iter();
                let arns = arns.map(|text| text.resolve(|reference| names.look_up(reference)));
                statements.push(Statement {
                    effect: statement.effect,
                    actions: statement.actions.clone(),
                    resources: arns.collect::<Result<_, _>>()?,
                });
            }
            by_function.insert(function.logical_id.clone(), statements);
        }
        Ok(Self { by_function })
    }

    /// The first action of a call that its function may not do. Operators and tests may do all.
    pub(super) fn denial(&self, names: &Names, call: &Call) -> Option<Denial> {
        let function = &call.caller.as_ref()?.function;
        let statements = self.by_function.get(function).map_or(&[][..], Vec::as_slice);
        call.accesses.iter().find_map(|access| {
            let resource = arn(names, access);
            (!allows(statements, &access.action, &resource)).then(|| Denial {
                principal: format!("arn:aws:sts::{ACCOUNT_ID}:assumed-role/{function}/{function}"),
                action: access.action.clone(),
                resource,
            })
        })
    }
}

/// IAM's rule: a denial wins over any permission, and what is not allowed is denied.
fn allows(statements: &[Statement], action: &str, resource: &str) -> bool {
    let applies = |statement: &&Statement| {
        // Actions are compared without regard to case, resources with it.
        let action = action.to_ascii_lowercase();
        statement.actions.iter().any(|pattern| matches(&pattern.to_ascii_lowercase(), &action))
            && statement.resources.iter().any(|pattern| matches(pattern, resource))
    };
    let mut allowed = false;
    for statement in statements.iter().filter(applies) {
        match statement.effect {
            Effect::Deny => return false,
            Effect::Allow => allowed = true,
        }
    }
    allowed
}

/// Whether a text fits a pattern in which `*` stands for any characters and `?` for one.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.chars().next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = &pattern[1..];
            matches(rest, text)
                || text
                    .char_indices()
                    .any(|(at, letter)| matches(rest, &text[at + letter.len_utf8()..]))
        }
        Some(expected) => text.chars().next().is_some_and(|letter| {
            (expected == '?' || expected == letter)
                && matches(&pattern[expected.len_utf8()..], &text[letter.len_utf8()..])
        }),
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
        Resource::Other(called) => {
            Some(format!("arn:aws:{service}:{REGION}:{ACCOUNT_ID}:{called}"))
        }
    };
    known.unwrap_or_else(|| "*".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(effect: Effect, action: &str, resource: &str) -> Statement {
        Statement { effect, actions: vec![action.into()], resources: vec![resource.into()] }
    }

    #[test]
    fn a_star_stands_for_any_characters() {
        let cases = [
            ("arn:orders", "arn:orders", true),
            ("arn:orders", "arn:orders/index/by-user", false),
            ("arn:orders/index/*", "arn:orders/index/by-user", true),
            ("*", "anything", true),
            ("a*c*e", "abcde", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn a_denial_wins_over_any_permission() {
        let statements = [
            statement(Effect::Allow, "dynamodb:*", "*"),
            statement(Effect::Deny, "dynamodb:DeleteItem", "arn:orders"),
        ];

        assert!(allows(&statements, "dynamodb:PutItem", "arn:orders"));
        assert!(!allows(&statements, "dynamodb:DeleteItem", "arn:orders"));
        assert!(!allows(&statements, "sqs:SendMessage", "arn:orders"));
    }
}
