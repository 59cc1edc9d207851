//! A template value that may refer to resources not yet created.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A string with references: `!Ref UsersTable`, `${OrdersTable.Arn}/index/*`, or a literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateValue {
    parts: Vec<Part>,
}

/// A piece of a [`TemplateValue`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Literal text.
    Literal(String),
    /// A value of a resource.
    Reference(Reference),
}

/// `!Ref Resource`, or `!GetAtt Resource.Attribute`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The logical id of the resource.
    pub resource: String,
    /// The attribute; `None` for `!Ref`.
    pub attribute: Option<String>,
}

/// A reference to a resource that the platform does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} refers to a resource that the local platform does not have")]
pub struct Unresolved(pub Reference);

impl TemplateValue {
    /// A literal.
    pub fn literal(words: impl Into<String>) -> Self {
        Self { parts: vec![Part::Literal(words.into())] }
    }

    /// `!GetAtt Resource.Attribute`.
    pub(super) fn attribute(resource: &str, attribute: &str) -> Self {
        let (resource, attribute) = (resource.to_owned(), Some(attribute.to_owned()));
        Self { parts: vec![Part::Reference(Reference { resource, attribute })] }
    }

    /// A text with literals around it.
    pub(super) fn within(&self, before: &str, after: &str) -> Self {
        let mut parts = vec![Part::Literal(before.to_owned())];
        parts.extend(self.parts.iter().cloned());
        if !after.is_empty() {
            parts.push(Part::Literal(after.to_owned()));
        }
        Self { parts }
    }

    /// The text with every reference replaced by the result of `look_up`.
    ///
    /// # Errors
    /// The first reference for which `look_up` has no value.
    pub fn resolve(
        &self,
        look_up: impl Fn(&Reference) -> Option<String>,
    ) -> Result<String, Unresolved> {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Literal(words) => Ok(words.clone()),
                Part::Reference(reference) => {
                    look_up(reference).ok_or_else(|| Unresolved(reference.clone()))
                }
            })
            .collect()
    }

    /// The pieces in their order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The text with every reference replaced by its logical id: `UsersTable/index/*` for
    /// `${UsersTable.Arn}/index/*`.
    pub fn words(&self) -> String {
        let words = self.parts.iter().map(|part| match part {
            Part::Literal(words) => words.as_str(),
            Part::Reference(reference) => reference.resource.as_str(),
        });
        words.collect()
    }

    /// The logical id of the text's resource, if it refers to exactly one: `UsersTable` for
    /// `!GetAtt UsersTable.Arn` and for `${UsersTable.Arn}/index/*`.
    pub fn logical_id(&self) -> Option<&str> {
        let mut references = self.parts.iter().filter_map(|part| match part {
            Part::Reference(reference) => Some(reference.resource.as_str()),
            Part::Literal(_) => None,
        });
        references.next().filter(|_| references.next().is_none())
    }
}

/// Parses the values that [`super::intrinsics`] leaves: a string, `Ref`, `Fn::GetAtt`, or a
/// `Fn::Join` of these with an empty separator. As in `CloudFormation`, numbers and booleans become
/// strings.
impl<'de> Deserialize<'de> for TemplateValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let mut parts = Vec::new();
        gather(&value, &mut parts).map_err(D::Error::custom)?;
        Ok(Self { parts })
    }
}

fn gather(value: &Value, parts: &mut Vec<Part>) -> Result<(), String> {
    match value {
        Value::String(words) => parts.push(Part::Literal(words.clone())),
        Value::Number(number) => parts.push(Part::Literal(number.to_string())),
        Value::Bool(flag) => parts.push(Part::Literal(flag.to_string())),
        Value::Object(object) => match object.iter().next() {
            Some((name, Value::Array(arguments))) if name == "Fn::Join" => {
                let pieces = arguments.get(1).and_then(Value::as_array);
                for piece in pieces.into_iter().flatten() {
                    gather(piece, parts)?;
                }
            }
            _ => parts.push(Part::Reference(Reference::from_value(value)?)),
        },
        Value::Null | Value::Array(_) => {
            return Err(format!("expected a string or a reference, found {value}"));
        }
    }
    Ok(())
}

impl Reference {
    /// Parses `{"Ref": "Resource"}` or `{"Fn::GetAtt": ["Resource", "Attribute"]}`.
    fn from_value(value: &Value) -> Result<Self, String> {
        if let Some(resource) = value.get("Ref").and_then(Value::as_str) {
            return Ok(Self { resource: resource.to_owned(), attribute: None });
        }
        match value.get("Fn::GetAtt").and_then(Value::as_array).map(Vec::as_slice) {
            Some([Value::String(resource), Value::String(attribute)]) => {
                Ok(Self { resource: resource.clone(), attribute: Some(attribute.clone()) })
            }
            _ => Err(format!("expected a string or a reference, found {value}")),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.attribute {
            None => write!(formatter, "!Ref {}", self.resource),
            Some(attribute) => write!(formatter, "!GetAtt {}.{attribute}", self.resource),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(value: Value) -> TemplateValue {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn references_are_replaced_by_their_values() {
        let arn = text(json!({"Fn::Join": ["", [
            {"Fn::GetAtt": ["OrdersTable", "Arn"]}, "/index/*"
        ]]}));

        let resolved = arn.resolve(|reference| {
            (reference.attribute.as_deref() == Some("Arn")).then(|| "arn:orders".to_owned())
        });

        assert_eq!(resolved.unwrap(), "arn:orders/index/*");
        assert_eq!(arn.logical_id(), Some("OrdersTable"));
    }

    #[test]
    fn an_unknown_reference_is_an_error_that_names_it() {
        let error = text(json!({"Ref": "Alarm"})).resolve(|_| None).unwrap_err();

        assert_eq!(
            error.to_string(),
            "!Ref Alarm refers to a resource that the local platform does not have"
        );
    }
}
