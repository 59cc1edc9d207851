//! Functions and their policies.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::like::is_like;
use crate::value::TemplateValue;

/// `AWS::Serverless::Function`, with the template's globals merged in.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// Its logical id, `GetUserFunction`.
    pub logical_id: String,
    /// Its physical name: the template's, or else `local-GetUserFunction`.
    pub name: String,
    /// The cargo target it is built from, `get_user`. If the template names none, the last part of
    /// its `CodeUri`, or else its logical id.
    pub binary: String,
    /// The place of its binary.
    pub code: Code,
    /// Its handler, which `provided` runtimes only pass on: `bootstrap` if the template names none.
    pub handler: String,
    /// Its environment variables; values may refer to tables, queues and secrets.
    pub environment: BTreeMap<String, TemplateValue>,
    /// The timeout of one invocation.
    pub timeout: Duration,
    /// Memory in MB, reported to the function and not enforced.
    pub memory_mb: u32,
    /// Reserved concurrency, if set; otherwise the account's limit applies.
    pub reserved_concurrency: Option<u32>,
    /// The statements of its policy. Everything else is denied.
    pub policies: Vec<Statement>,
}

/// The place of a function's binary.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Code {
    /// The binary that `BuildProperties.Binary` names, in the cargo workspace or in the crate at
    /// `CodeUri`.
    Binary {
        /// The name.
        name: String,
        /// `CodeUri`, relative to the template.
        directory: String,
    },
    /// `CodeUri`, relative to the template: a directory with a `bootstrap`, or of a crate.
    Directory(String),
}

/// A policy statement, for one action on one resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Whether it allows or denies.
    pub effect: Effect,
    /// An IAM action, `dynamodb:GetItem`, possibly with `*`.
    pub action: String,
    /// The resource: `!GetAtt UsersTable.Arn`, `${OrdersTable.Arn}/index/*`, `*`.
    pub resource: TemplateValue,
    /// The conditions on the request. All must be met.
    pub conditions: Vec<Condition>,
}

/// A condition of a statement: a key of the request has one of the values.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The comparison.
    pub operator: Operator,
    /// The compared key of the request.
    pub key: ConditionKey,
    /// The values.
    pub values: Vec<TemplateValue>,
}

/// The supported condition keys. A condition on any other key would never be met here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
pub enum ConditionKey {
    /// The sender address of a mail.
    #[serde(rename = "ses:FromAddress")]
    FromAddress,
}

/// The comparison of a condition. A key that the request does not have never matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
pub enum Operator {
    /// Equal strings.
    StringEquals,
    /// Patterns with `*` for any characters and `?` for one.
    StringLike,
}

impl Operator {
    /// Whether the request's text meets a condition with this value.
    pub fn is_met(self, value: &str, found: &str) -> bool {
        match self {
            Self::StringEquals => value == found,
            Self::StringLike => is_like(value, found),
        }
    }
}

/// Whether a statement allows or denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
pub enum Effect {
    /// The actions are allowed.
    Allow,
    /// The actions are denied, even if another statement allows them.
    Deny,
}
