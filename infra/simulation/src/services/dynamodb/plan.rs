//! One write: parsed, then performed on the stored item.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value as Json;

use super::definition::TableDefinition;
use super::expression::{Condition, Path, Placeholders, Update, applied, holds};
use super::key::{Key, check_index_keys};
use super::table::Table;
use super::value::{ITEM_BYTES_MAX, Item, is_too_deep, item_bytes, item_of};
use crate::services::wire::AwsError;

/// A write of one item.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    pub(super) table: String,
    pub(super) key: Key,
    pub(super) action: Action,
    pub(super) condition: Option<Condition>,
    pub(super) on_failure: OnFailure,
}

/// The change of an item.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    Put(Arc<Item>),
    Update(Update),
    Delete,
    Check,
}

impl Action {
    /// The IAM action of the write in a transaction.
    pub(super) fn permission(&self) -> &'static str {
        match self {
            Self::Put(_) => "dynamodb:PutItem",
            Self::Update(_) => "dynamodb:UpdateItem",
            Self::Delete => "dynamodb:DeleteItem",
            Self::Check => "dynamodb:ConditionCheckItem",
        }
    }
}

/// `ReturnValuesOnConditionCheckFailure`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum OnFailure {
    #[default]
    None,
    AllOld,
}

/// The expressions of a write.
#[derive(Debug, Default)]
pub(super) struct Expressions<'a> {
    pub(super) condition: Option<&'a str>,
    pub(super) update: Option<&'a str>,
    pub(super) names: Option<&'a BTreeMap<String, String>>,
    pub(super) values: Option<&'a Json>,
}

/// A write that is not performed.
#[derive(Debug)]
pub(super) enum NotWritten {
    /// Its condition does not hold on the stored item.
    Condition(Option<Arc<Item>>),
    Invalid(AwsError),
    /// The key of an index would be empty, which fails a whole transaction.
    EmptyKey(AwsError),
}

/// The item before and after a write.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) old: Option<Arc<Item>>,
    pub(super) new: Option<Arc<Item>>,
}

impl Plan {
    pub(super) fn put(
        table: &TableDefinition,
        item: &Json,
        expressions: &Expressions<'_>,
        on_failure: OnFailure,
    ) -> Result<Self, AwsError> {
        let item = item_of(item)?;
        let (condition, _) = read(expressions)?;
        check_size(&item, "Item size has exceeded the maximum allowed size")?;
        let key = Key::of_item(&table.key, &item)?;
        check_index_keys(table, &item)?;
        let action = Action::Put(Arc::new(item));
        Ok(Self { table: table.name.clone(), key, action, condition, on_failure })
    }

    pub(super) fn update(
        table: &TableDefinition,
        key: &Json,
        expressions: &Expressions<'_>,
        on_failure: OnFailure,
    ) -> Result<Self, AwsError> {
        let key = item_of(key)?;
        let (condition, update) = read(expressions)?;
        let key = Key::given(&table.key, &key)?;
        for path in update.paths() {
            let mut names = table.key.attributes().map(|attribute| &attribute.name);
            if let Some(name) = names.find(|name| **name == path.attribute) {
                return Err(AwsError::invalid_value(format!(
                    "Cannot update attribute {name}. This attribute is part of the key"
                )));
            }
        }
        let action = Action::Update(update);
        Ok(Self { table: table.name.clone(), key, action, condition, on_failure })
    }

    /// A deletion, or only the check of a condition.
    pub(super) fn of_key(
        table: &TableDefinition,
        action: Action,
        key: &Json,
        expressions: &Expressions<'_>,
        on_failure: OnFailure,
    ) -> Result<Self, AwsError> {
        let key = item_of(key)?;
        let (condition, _) = read(expressions)?;
        let key = Key::given(&table.key, &key)?;
        Ok(Self { table: table.name.clone(), key, action, condition, on_failure })
    }

    /// The change that the write makes to the stored item.
    pub(super) fn change(&self, table: &Table) -> Result<Change, NotWritten> {
        let old = table.item(&self.key).cloned();
        let empty = Item::new();
        let stored = old.as_deref().unwrap_or(&empty);
        if self.condition.as_ref().is_some_and(|condition| !holds(condition, stored)) {
            return Err(NotWritten::Condition(old));
        }
        let new = match &self.action {
            Action::Put(item) => Some(Arc::clone(item)),
            Action::Delete => None,
            Action::Check => old.clone(),
            Action::Update(update) => {
                let updated = updated(&table.definition, &self.key, update, old.as_deref());
                Some(Arc::new(updated?))
            }
        };
        Ok(Change { old, new })
    }

    /// The paths that the write changes, if it is an update.
    pub(super) fn paths(&self) -> Vec<Path> {
        match &self.action {
            Action::Update(update) => update.paths(),
            _ => Vec::new(),
        }
    }

    /// The size of the item in the request, in bytes, as a transaction counts it.
    pub(super) fn bytes(&self) -> usize {
        match &self.action {
            Action::Put(item) => item_bytes(item),
            _ => 0,
        }
    }
}

fn read(expressions: &Expressions<'_>) -> Result<(Option<Condition>, Update), AwsError> {
    let Expressions { condition, update, names, values } = expressions;
    let has_expression = condition.is_some() || update.is_some();
    let mut known = Placeholders::of(*names, *values, has_expression)?;
    let update = update.map(|update| Update::parse(update, &mut known)).transpose()?;
    let parse = |text: &str| Condition::parse("ConditionExpression", text, &mut known);
    let condition = condition.map(parse).transpose()?;
    known.check_all_used()?;
    Ok((condition, update.unwrap_or_default()))
}

/// The item after an update; a new item has the attributes of its key.
fn updated(
    table: &TableDefinition,
    key: &Key,
    update: &Update,
    old: Option<&Item>,
) -> Result<Item, NotWritten> {
    let before = old.cloned().unwrap_or_else(|| key.attributes(&table.key));
    let after = applied(update, &before).map_err(NotWritten::Invalid)?;
    check_size(&after, "Item size to update has exceeded the maximum allowed size")
        .map_err(NotWritten::Invalid)?;
    check_index_keys(table, &after).map_err(|error| {
        if error.is_of_item { NotWritten::Invalid(error) } else { NotWritten::EmptyKey(error) }
    })?;
    Ok(after)
}

fn check_size(item: &Item, message: &str) -> Result<(), AwsError> {
    if item_bytes(item) > ITEM_BYTES_MAX {
        return Err(AwsError::invalid(message));
    }
    if is_too_deep(item) {
        return Err(AwsError::invalid(
            "Nesting Levels have exceeded supported limits: \
             Attributes in the item have nested levels beyond supported limit",
        ));
    }
    Ok(())
}
