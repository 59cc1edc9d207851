//! A value of the template that may mention what exists only once the platform is up.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A string with references in it: `!Ref UsersTable`, `${OrdersTable.Arn}/index/*`, or plain words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    parts: Vec<Part>,
}

/// A piece of a [`Text`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Plain words.
    Literal(String),
    /// Something that a resource will have.
    Reference(Reference),
}

/// `!Ref Resource`, or `!GetAtt Resource.Attribute`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The logical id of the resource.
    pub resource: String,
    /// The attribute asked for; `None` is what `!Ref` gives.
    pub attribute: Option<String>,
}

/// A reference to something the platform does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} names nothing that exists on the local platform")]
pub struct Unresolved(pub Reference);

impl Text {
    /// Plain words.
    pub fn literal(words: impl Into<String>) -> Self {
        Self { parts: vec![Part::Literal(words.into())] }
    }

    /// The text with every reference replaced by what `look_up` knows of it.
    ///
    /// # Errors
    /// The first reference that `look_up` does not know.
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

    /// The text with every reference replaced by the logical id that it names: of
    /// `${UsersTable.Arn}/index/*` that is `UsersTable/index/*`.
    pub fn words(&self) -> String {
        let words = self.parts.iter().map(|part| match part {
            Part::Literal(words) => words.as_str(),
            Part::Reference(reference) => reference.resource.as_str(),
        });
        words.collect()
    }

    /// The logical id of the one resource this text is about, where it is about one: of
    /// `!GetAtt UsersTable.Arn` and of `${UsersTable.Arn}/index/*` that is `UsersTable`.
    pub fn logical_id(&self) -> Option<&str> {
        let mut references = self.parts.iter().filter_map(|part| match part {
            Part::Reference(reference) => Some(reference.resource.as_str()),
            Part::Literal(_) => None,
        });
        references.next().filter(|_| references.next().is_none())
    }
}

/// Reads what [`super::intrinsics`] leaves: a string, `Ref`, `Fn::GetAtt`, or a `Fn::Join` of these
/// with nothing between. Numbers and booleans become their words, as in `CloudFormation`.
impl<'de> Deserialize<'de> for Text {
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
    /// Reads `{"Ref": "Resource"}` or `{"Fn::GetAtt": ["Resource", "Attribute"]}`.
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

    fn text(value: Value) -> Text {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn references_are_replaced_once_their_values_are_known() {
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
    fn an_unknown_reference_is_named() {
        let error = text(json!({"Ref": "Alarm"})).resolve(|_| None).unwrap_err();

        assert_eq!(error.to_string(), "!Ref Alarm names nothing that exists on the local platform");
    }
}
