//! Writes whose condition did not hold, as the log names them.

use std::fmt;

use serde_dynamo::{AttributeValue, Item};

use crate::effects::{Condition, Write, WriteAction};
use crate::hash::short_hash_of;
use crate::record::Key;

/// A write whose condition did not hold, with the item that the store compared.
///
/// Its text is safe for the log: a personal key is a hash, and texts of attributes are left out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FailedWrite {
    action: &'static str,
    table: &'static str,
    key: Key,
    key_is_personal: bool,
    condition: Option<Condition>,
    /// The stored item; `None` if there is none.
    stored: Option<Item>,
}

impl FailedWrite {
    pub(crate) fn of(write: &Write, stored: Option<Item>) -> Self {
        Self {
            action: match write.action {
                WriteAction::Put(_) => "put",
                WriteAction::Update(_) => "update",
                WriteAction::Delete => "delete",
                WriteAction::Check => "check",
            },
            table: write.table.name(),
            key: write.key.clone(),
            key_is_personal: write.key_is_personal,
            condition: write.condition.clone(),
            stored,
        }
    }

    fn key_part(&self, part: &str) -> String {
        if self.key_is_personal { short_hash_of([part.as_bytes()]) } else { part.to_owned() }
    }
}

impl fmt::Display for FailedWrite {
    /// `update on table loans, key "7": needs version = 3; read version = 4`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} on table {}, key {:?}",
            self.action,
            self.table,
            self.key_part(&self.key.pk)
        )?;
        if let Some(sk) = &self.key.sk {
            write!(f, " {:?}", self.key_part(sk))?;
        }
        let Some(condition) = &self.condition else { return Ok(()) };
        f.write_str(": needs ")?;
        write_condition(f, condition)?;
        let Some(stored) = &self.stored else { return f.write_str("; read no item") };
        let mut names = Vec::new();
        attributes_of(condition, &mut names);
        if names.is_empty() {
            return f.write_str("; read an item");
        }
        f.write_str("; read ")?;
        for (index, name) in names.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            match stored.get(*name) {
                None => write!(f, "{separator}no {name}")?,
                Some(value) => {
                    write!(f, "{separator}{name} = ")?;
                    write_value(f, value)?;
                }
            }
        }
        Ok(())
    }
}

fn write_condition(f: &mut fmt::Formatter<'_>, condition: &Condition) -> fmt::Result {
    match condition {
        Condition::Absent => f.write_str("no item"),
        Condition::Present => f.write_str("an item"),
        Condition::Equals(name, value) => {
            write!(f, "{name} = ")?;
            write_value(f, value)
        }
        Condition::AtLeast(name, least) => write!(f, "{name} >= {least}"),
        Condition::Below(name, limit) => write!(f, "{name} < {limit}"),
        Condition::All(all) => write_list(f, all, " and "),
        Condition::Any(any) => write_list(f, any, " or "),
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, list: &[Condition], between: &str) -> fmt::Result {
    f.write_str("(")?;
    for (index, condition) in list.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        write_condition(f, condition)?;
    }
    f.write_str(")")
}

/// Numbers and flags are no personal data; a text may be.
fn write_value(f: &mut fmt::Formatter<'_>, value: &AttributeValue) -> fmt::Result {
    match value {
        AttributeValue::N(number) => f.write_str(number),
        AttributeValue::Bool(flag) => write!(f, "{flag}"),
        AttributeValue::Null(_) => f.write_str("null"),
        AttributeValue::S(text) => write!(f, "a text of {} characters", text.chars().count()),
        _ => f.write_str("a value"),
    }
}

/// Collects the attributes that a condition names, each once.
fn attributes_of(condition: &Condition, names: &mut Vec<&'static str>) {
    match condition {
        Condition::Absent | Condition::Present => {}
        Condition::Equals(name, _) | Condition::AtLeast(name, _) | Condition::Below(name, _) => {
            if !names.contains(name) {
                names.push(*name);
            }
        }
        Condition::All(several) | Condition::Any(several) => {
            for condition in several {
                attributes_of(condition, names);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::effects::{number, text};
    use crate::record::{Record, TableName};

    #[derive(Serialize, Deserialize)]
    struct Loan {
        email: String,
    }

    impl Record for Loan {
        const TABLE: TableName = TableName::new("loans");
        const KEY_IS_PERSONAL: bool = true;

        fn key(&self) -> Key {
            Key::new(&self.email)
        }
    }

    fn shown(condition: Condition, stored: Option<serde_json::Value>) -> String {
        let write = Write::check::<Loan>(Key::new("ada@example.com"), condition);
        let stored = stored.map(|stored| serde_dynamo::to_item(stored).unwrap());
        let shown = FailedWrite::of(&write, stored).to_string();
        assert!(!shown.contains("ada"), "{shown}");
        shown.split_once("\": ").unwrap().1.to_owned()
    }

    #[test]
    fn the_text_names_the_condition_and_the_attributes_that_were_compared() {
        let version = || Condition::Equals("version", number(3_u64));
        let stored = || Some(serde_json::json!({ "version": 4, "email": "ada@example.com" }));
        for (condition, stored, expected) in [
            (version(), stored(), "needs version = 3; read version = 4"),
            (version(), None, "needs version = 3; read no item"),
            (Condition::Absent, stored(), "needs no item; read an item"),
            (
                Condition::Any(vec![Condition::AtLeast("stock", 1), version()]),
                stored(),
                "needs (stock >= 1 or version = 3); read no stock, version = 4",
            ),
            (
                Condition::Equals("email", text("bob")),
                stored(),
                "needs email = a text of 3 characters; read email = a text of 15 characters",
            ),
        ] {
            assert_eq!(shown(condition, stored), expected);
        }
    }

    #[test]
    fn numbers_and_flags_are_shown_and_texts_are_not() {
        struct Shown(AttributeValue);
        impl fmt::Display for Shown {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_value(f, &self.0)
            }
        }
        for (value, shown) in [
            (AttributeValue::N("7".to_owned()), "7"),
            (AttributeValue::Bool(true), "true"),
            (AttributeValue::Null(true), "null"),
            (AttributeValue::S("Zoë".to_owned()), "a text of 3 characters"),
            (AttributeValue::L(Vec::new()), "a value"),
        ] {
            assert_eq!(Shown(value).to_string(), shown);
        }
    }
}
