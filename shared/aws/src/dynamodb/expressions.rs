//! Writes and conditions in DynamoDB's expression language. Pure: no client, no call.
//!
//! Every attribute name is aliased, so that records need not avoid the names that DynamoDB
//! reserves.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use lifecycle::effects::{Change, Condition};
use lifecycle::record::{Key, TableName};

/// An item in the SDK's types.
pub(crate) type SdkItem = HashMap<String, AttributeValue>;

/// The names and values that the expressions of one write refer to.
#[derive(Debug, PartialEq)]
pub(crate) struct Expressions {
    partition_key: &'static str,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Expressions {
    /// The expressions of a write to this table.
    pub(crate) fn on(table: TableName) -> Self {
        let partition_key = table.partition_key();
        Self { partition_key, names: HashMap::new(), values: HashMap::new() }
    }

    /// Writes a condition as a condition expression.
    pub(crate) fn condition(&mut self, condition: &Condition) -> String {
        match condition {
            Condition::Absent => format!("attribute_not_exists({})", self.name(self.partition_key)),
            Condition::Present => format!("attribute_exists({})", self.name(self.partition_key)),
            Condition::Equals(name, value) => {
                format!("{} = {}", self.name(name), self.value(value.clone().into()))
            }
            Condition::AtLeast(name, least) => {
                format!("{} >= {}", self.name(name), self.number(*least))
            }
            Condition::Below(name, bound) => {
                format!("{} < {}", self.name(name), self.number(*bound))
            }
            // All of no conditions always holds. The key attribute exists exactly when the item
            // does, and one of the two cases is always true.
            Condition::All(all) if all.is_empty() => self.tautology("OR"),
            // Any of no conditions never holds.
            Condition::Any(any) if any.is_empty() => self.tautology("AND"),
            Condition::All(all) => self.joined(all, " AND "),
            Condition::Any(any) => self.joined(any, " OR "),
        }
    }

    /// Writes changes as an update expression; `None` when there are none.
    pub(crate) fn update(&mut self, changes: &[Change]) -> Option<String> {
        let (mut sets, mut adds, mut removes) = (Vec::new(), Vec::new(), Vec::new());
        for change in changes {
            match change {
                Change::Set(name, value) => {
                    sets.push(format!(
                        "{} = {}",
                        self.name(name),
                        self.value(value.clone().into())
                    ));
                }
                // DynamoDB's ADD counts a missing attribute as 0.
                Change::Add(name, amount) => {
                    adds.push(format!("{} {}", self.name(name), self.number(*amount)));
                }
                Change::Remove(name) => removes.push(self.name(name)),
            }
        }
        let clauses = [("SET", sets), ("ADD", adds), ("REMOVE", removes)]
            .into_iter()
            .filter(|(_, parts)| !parts.is_empty())
            .map(|(verb, parts)| format!("{verb} {}", parts.join(", ")))
            .collect::<Vec<_>>();
        (!clauses.is_empty()).then(|| clauses.join(" "))
    }

    /// The names, or `None`: DynamoDB rejects an empty map.
    pub(crate) fn names(&self) -> Option<HashMap<String, String>> {
        (!self.names.is_empty()).then(|| self.names.clone())
    }

    /// The values, or `None`: DynamoDB rejects an empty map.
    pub(crate) fn values(self) -> Option<SdkItem> {
        (!self.values.is_empty()).then_some(self.values)
    }

    fn joined(&mut self, conditions: &[Condition], operator: &str) -> String {
        let parts: Vec<String> =
            conditions.iter().map(|condition| format!("({})", self.condition(condition))).collect();
        parts.join(operator)
    }

    fn tautology(&mut self, operator: &str) -> String {
        let key = self.name(self.partition_key);
        format!("attribute_exists({key}) {operator} attribute_not_exists({key})")
    }

    pub(crate) fn name(&mut self, name: &str) -> String {
        if let Some((alias, _)) = self.names.iter().find(|(_, known)| known.as_str() == name) {
            return alias.clone();
        }
        let alias = format!("#n{}", self.names.len());
        self.names.insert(alias.clone(), name.to_owned());
        alias
    }

    pub(crate) fn value(&mut self, value: AttributeValue) -> String {
        let alias = format!(":v{}", self.values.len());
        self.values.insert(alias.clone(), value);
        alias
    }

    fn number(&mut self, number: i64) -> String {
        self.value(AttributeValue::N(number.to_string()))
    }
}

/// The key as attributes of the table.
pub(crate) fn key_of(table: TableName, key: &Key) -> SdkItem {
    let mut item = HashMap::with_capacity(2);
    item.insert(table.partition_key().to_owned(), AttributeValue::S(key.pk.clone()));
    if let Some(sk) = &key.sk {
        item.insert(table.sort_key().to_owned(), AttributeValue::S(sk.clone()));
    }
    item
}

/// The key of an item of the table; `None` for an item without a string as its partition key.
///
/// In a table without a sort key, the attribute with the sort key's name is a field like any other.
pub(crate) fn key_in(table: TableName, item: &SdkItem) -> Option<Key> {
    let text = |name| match item.get(name) {
        Some(AttributeValue::S(text)) => Some(text.clone()),
        _ => None,
    };
    let sk = if table.is_sorted() { text(table.sort_key()) } else { None };
    Some(Key { pk: text(table.partition_key())?, sk })
}

/// The stored item in a type that is not the SDK's.
pub(crate) fn plain(item: SdkItem) -> serde_dynamo::Item {
    item.into()
}

#[cfg(test)]
mod tests {
    use lifecycle::effects::{number, text};

    use super::*;

    const NOTES: TableName = TableName::new("notes");

    #[test]
    fn a_key_has_the_attributes_that_the_table_names() {
        let visits = TableName::new("visits").partition_key_named("customer").sort_key_named("at");
        for (table, names) in [(NOTES.sorted(), ["pk", "sk"]), (visits, ["customer", "at"])] {
            let key = Key::sorted("ann", "2026-01-31");
            let item = key_of(table, &key);
            assert_eq!(names.map(|name| item[name].as_s().unwrap()), ["ann", "2026-01-31"]);
            assert_eq!(key_in(table, &item), Some(key));
            let mut expressions = Expressions::on(table);
            assert_eq!(expressions.condition(&Condition::Absent), "attribute_not_exists(#n0)");
            assert_eq!(expressions.names["#n0"], names[0]);
        }
        assert_eq!(key_in(visits, &key_of(NOTES, &Key::new("ann"))), None);
    }

    #[test]
    fn the_key_of_a_table_without_a_sort_key_is_its_partition_key_alone() {
        let mut item = key_of(NOTES, &Key::new("ann"));
        item.insert("sk".to_owned(), AttributeValue::S("x".to_owned()));
        assert_eq!(key_in(NOTES, &item), Some(Key::new("ann")));
    }

    #[test]
    fn conditions_name_attributes_only_by_aliases() {
        use Condition as C;
        let equals = || C::Equals("status", text("PENDING"));
        for (condition, written) in [
            (C::Absent, "attribute_not_exists(#n0)"),
            (C::Present, "attribute_exists(#n0)"),
            (equals(), "#n0 = :v0"),
            (C::AtLeast("stock", 2), "#n0 >= :v0"),
            (C::Below("attempts", 5), "#n0 < :v0"),
            (C::All(vec![C::Present, equals()]), "(attribute_exists(#n0)) AND (#n1 = :v0)"),
            (
                C::Any(vec![C::Absent, C::All(vec![equals(), C::AtLeast("stock", 1)])]),
                "(attribute_not_exists(#n0)) OR ((#n1 = :v0) AND (#n2 >= :v1))",
            ),
            (C::All(vec![]), "attribute_exists(#n0) OR attribute_not_exists(#n0)"),
            (C::Any(vec![]), "attribute_exists(#n0) AND attribute_not_exists(#n0)"),
        ] {
            assert_eq!(Expressions::on(NOTES).condition(&condition), written);
        }
    }

    #[test]
    fn an_update_groups_its_changes_by_verb() {
        let mut expressions = Expressions::on(NOTES);
        let update = expressions.update(&[
            Change::Add("stock", -2),
            Change::Set("status", text("SOLD")),
            Change::Remove("draft"),
            Change::Set("version", number(2u64)),
        ]);
        assert_eq!(update.as_deref(), Some("SET #n1 = :v1, #n3 = :v2 ADD #n0 :v0 REMOVE #n2"));
        assert_eq!(expressions.names["#n0"], "stock");
        let values = expressions.values().expect("the update has values");
        assert_eq!(values[":v0"], AttributeValue::N("-2".into()));
    }

    #[test]
    fn an_attribute_has_one_alias_in_a_write() {
        let mut expressions = Expressions::on(NOTES);
        let update = expressions.update(&[Change::Add("stock", -1)]);
        let condition = expressions.condition(&Condition::AtLeast("stock", 1));
        assert_eq!(update.as_deref(), Some("ADD #n0 :v0"));
        assert_eq!(condition, "#n0 >= :v1");
    }

    #[test]
    fn an_update_without_changes_has_no_expression() {
        assert_eq!(Expressions::on(NOTES).update(&[]), None);
    }
}
