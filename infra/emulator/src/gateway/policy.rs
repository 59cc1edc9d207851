//! The policy that an authorizer of a REST API returns.

use sam_template::is_like;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The action of a request, in lower case.
const INVOKE: &str = "execute-api:invoke";

/// The response of a REST API's authorizer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuthorizerPolicy {
    principal_id: String,
    policy_document: PolicyDocument,
    /// Types of the SDKs write `null` if there is none.
    context: Option<Map<String, Value>>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyDocument {
    statement: OneOrMany<Statement>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    effect: String,
    action: OneOrMany<String>,
    resource: OneOrMany<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl AuthorizerPolicy {
    /// The context for the function, if the policy allows to invoke this method.
    pub(super) fn context(&self, method_arn: &str) -> Option<Value> {
        // Actions are compared case-insensitively, resources case-sensitively.
        let is_invoke = |action: &String| is_like(&action.to_ascii_lowercase(), INVOKE);
        let is_method = |resource: &String| is_like(resource, method_arn);
        let applies = |statement: &&Statement| {
            statement.action.all().iter().any(is_invoke)
                && statement.resource.all().iter().any(is_method)
        };
        let all = self.policy_document.statement.all();
        let mut statements = all.iter().filter(applies).peekable();
        statements.peek()?;
        if !statements.all(|statement| statement.effect == "Allow") {
            return None;
        }
        // The context has scalars only, and the function gets them as strings.
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let context = self.context.iter().flatten();
        let context = context.map(|(name, value)| (name.clone(), text(value).into()));
        let mut context: Map<String, Value> = context.collect();
        context.insert("principalId".to_owned(), self.principal_id.clone().into());
        Some(Value::Object(context))
    }
}

impl<T> OneOrMany<T> {
    fn all(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(all) => all,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_method_is_allowed_if_a_statement_allows_it_and_none_denies_it() {
        let statement = |effect: &str, resource: &str| json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource});
        let policy = |statements: Vec<Value>| -> AuthorizerPolicy {
            serde_json::from_value(json!({
                "principalId": "p",
                "policyDocument": {"Version": "2012-10-17", "Statement": statements},
                "context": {"n": 1},
            }))
            .unwrap()
        };
        let allow = || statement("Allow", "arn:api/*/GET/*");

        let context = policy(vec![allow()]).context("arn:api/Prod/GET/a");
        assert_eq!(context, Some(json!({"n": "1", "principalId": "p"})));
        assert_eq!(policy(vec![allow()]).context("arn:api/Prod/POST/a"), None);
        let denied = policy(vec![allow(), statement("Deny", "arn:api/Prod/GET/a")]);
        assert_eq!(denied.context("arn:api/Prod/GET/a"), None);
        assert!(denied.context("arn:api/Prod/GET/b").is_some());
    }

    #[test]
    fn a_policy_may_have_one_statement_any_case_of_the_action_and_no_context() {
        let policy: AuthorizerPolicy = serde_json::from_value(json!({
            "principalId": "p",
            "policyDocument": {"Statement": {
                "Effect": "Allow", "Action": ["execute-api:invoke"], "Resource": ["*"],
            }},
            "context": null,
            "usageIdentifierKey": null,
        }))
        .unwrap();
        assert_eq!(policy.context("arn:api/Prod/GET/a"), Some(json!({"principalId": "p"})));
    }
}
