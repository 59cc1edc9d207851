//! Secrets.

use serde_json::{Map, Value};

use crate::value::TemplateValue;

/// `AWS::SecretsManager::Secret`.
#[derive(Debug, Clone, PartialEq)]
pub struct Secret {
    /// Its logical id.
    pub logical_id: String,
    /// Its physical name: the template's, or else `local-SigningKeysSecret`.
    pub name: String,
    /// Its value from the template; an operator sets most secrets.
    pub value: Option<TemplateValue>,
    /// The random value that is generated at creation, if any.
    pub generated: Option<GeneratedValue>,
}

/// The random value of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedValue {
    /// The number of its characters.
    pub length: usize,
    /// The characters that it may have.
    pub alphabet: String,
    /// The JSON object that gets the value, and the key for it; `None` for the value alone.
    pub within: Option<(Map<String, Value>, String)>,
}
