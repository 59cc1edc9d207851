//! The names and values that expressions refer to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::tokens::Reason;
use crate::services::dynamodb::value::{Value, item_of};
use crate::services::wire::AwsError;

/// `ExpressionAttributeNames` and `ExpressionAttributeValues`, and which of them were used.
#[derive(Debug, Default)]
pub(crate) struct Placeholders {
    names: BTreeMap<String, String>,
    values: BTreeMap<String, Value>,
    used: BTreeSet<String>,
}

impl Placeholders {
    /// `has_expression` is whether the request has an expression that may use them.
    pub(crate) fn of(
        names: Option<&BTreeMap<String, String>>,
        values: Option<&Json>,
        has_expression: bool,
    ) -> Result<Self, AwsError> {
        let values = values.map(item_of).transpose()?;
        let keys = |kind: &str, keys: Option<Vec<&String>>, sign: char| {
            let Some(keys) = keys else { return Ok(()) };
            if !has_expression {
                let message = format!("{kind} can only be specified when using expressions");
                return Err(AwsError::invalid(message));
            }
            if keys.is_empty() {
                return Err(AwsError::invalid(format!("{kind} must not be empty")));
            }
            match keys.iter().find(|key| !is_key(key, sign)) {
                None => Ok(()),
                Some(key) => Err(AwsError::invalid(format!(
                    "{kind} contains invalid key: Syntax error; key: \"{key}\""
                ))),
            }
        };
        keys("ExpressionAttributeNames", names.map(|names| names.keys().collect()), '#')?;
        let value_keys = values.as_ref().map(|values| values.keys().collect());
        keys("ExpressionAttributeValues", value_keys, ':')?;
        Ok(Self {
            names: names.cloned().unwrap_or_default(),
            values: values.unwrap_or_default(),
            used: BTreeSet::new(),
        })
    }

    pub(super) fn name(&mut self, alias: &str) -> Result<String, Reason> {
        let name = self.names.get(alias).ok_or_else(|| {
            format!(
                "An expression attribute name used in the document path is not defined; \
                 attribute name: {alias}"
            )
        })?;
        self.used.insert(alias.to_owned());
        Ok(name.clone())
    }

    pub(super) fn value(&mut self, alias: &str) -> Result<Value, Reason> {
        let value = self.values.get(alias).ok_or_else(|| {
            format!(
                "An expression attribute value used in expression is not defined; \
                 attribute value: {alias}"
            )
        })?;
        self.used.insert(alias.to_owned());
        Ok(value.clone())
    }

    /// An error if a name or value is in no expression.
    pub(crate) fn check_all_used(&self) -> Result<(), AwsError> {
        let unused = |kind: &str, keys: Vec<&String>| {
            let unused: Vec<&str> = keys
                .into_iter()
                .filter(|key| !self.used.contains(*key))
                .map(String::as_str)
                .collect();
            if unused.is_empty() {
                return Ok(());
            }
            Err(AwsError::invalid(format!(
                "Value provided in {kind} unused in expressions: keys: {{{}}}",
                unused.join(", ")
            )))
        };
        unused("ExpressionAttributeNames", self.names.keys().collect())?;
        unused("ExpressionAttributeValues", self.values.keys().collect())
    }
}

fn is_key(key: &str, sign: char) -> bool {
    key.strip_prefix(sign).is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}
