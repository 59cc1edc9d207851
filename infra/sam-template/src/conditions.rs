//! Evaluates a template's `Conditions`.

use serde_json::Value;

use super::error::TemplateError;
use super::intrinsics::{DEPTH_MAX, Scope, sole_intrinsic};

impl Scope<'_> {
    /// Whether a condition of the template is true.
    pub(super) fn holds(&self, condition: &str) -> Result<bool, TemplateError> {
        self.condition(condition, 0)
    }

    pub(super) fn condition(&self, name: &str, depth: usize) -> Result<bool, TemplateError> {
        let path = format!("/Conditions/{name}");
        let expression = self
            .conditions
            .get(name)
            .ok_or_else(|| TemplateError::not_understood(&path, "a condition that is missing"))?;
        self.test(expression, &path, depth + 1)
    }

    fn test(&self, expression: &Value, path: &str, depth: usize) -> Result<bool, TemplateError> {
        let refused =
            || TemplateError::not_understood(path, &format!("the condition {expression}"));
        if depth > DEPTH_MAX {
            return Err(TemplateError::not_understood(path, "conditions that refer to each other"));
        }
        self.left.take(0, path)?;
        let (name, argument) =
            expression.as_object().and_then(sole_intrinsic).ok_or_else(refused)?;
        match (name, argument) {
            ("Condition", Value::String(other)) => self.condition(other, depth),
            ("Fn::Equals", Value::Array(sides)) => match sides.as_slice() {
                [left, right] => {
                    let left = self.reduce(left, path, depth)?.map(as_text);
                    Ok(left == self.reduce(right, path, depth)?.map(as_text))
                }
                _ => Err(refused()),
            },
            ("Fn::Not", Value::Array(terms)) if terms.len() == 1 => {
                Ok(!self.test(&terms[0], path, depth + 1)?)
            }
            ("Fn::And" | "Fn::Or", Value::Array(terms)) => {
                let mut results = Vec::with_capacity(terms.len());
                for term in terms {
                    results.push(self.test(term, path, depth + 1)?);
                }
                Ok(if name == "Fn::And" {
                    results.iter().all(|held| *held)
                } else {
                    results.iter().any(|held| *held)
                })
            }
            _ => Err(refused()),
        }
    }
}

/// `CloudFormation` compares scalars as texts: `true` equals `"true"`.
fn as_text(value: Value) -> Value {
    match value {
        Value::Bool(_) | Value::Number(_) => Value::String(value.to_string()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::Template;

    #[test]
    fn scalars_are_compared_as_texts() {
        let holds = |condition: &str| {
            let source = format!(
                "Parameters:
  Flag: {{Type: String, Default: true}}
  Count: {{Type: Number, Default: 1}}
Conditions: {{Tested: !Equals {condition}}}
Resources: {{Q: {{Type: 'AWS::SQS::Queue', Condition: Tested}}}}
"
            );
            !Template::parse(&source, &BTreeMap::new()).unwrap().queues.is_empty()
        };
        for equal in ["[!Ref Flag, true]", "[true, 'true']", "[!Ref Count, '1']", "[1, '1']"] {
            assert!(holds(equal), "{equal}");
        }
        for different in ["[!Ref Flag, false]", "[!Ref Count, 2]", "[true, 'True']"] {
            assert!(!holds(different), "{different}");
        }
    }
}
