//! Secrets.

use crate::value::TemplateValue;

/// `AWS::SecretsManager::Secret`.
#[derive(Debug, Clone, PartialEq)]
pub struct Secret {
    /// Its logical id.
    pub logical_id: String,
    /// Its value from the template; an operator sets most secrets.
    pub value: Option<TemplateValue>,
    /// Whether a random value is generated at creation.
    pub generated: bool,
}
