//! Stored items as plain values, and the writes of tables.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::world::{Event, Happened, View};

/// The plain JSON of an item in `DynamoDB`'s JSON: `{"pieces": {"N": "7"}}` is `{"pieces": 7}`.
///
/// Sets are arrays, and binary values are their Base64 text.
pub fn plain(item: &Value) -> Value {
    let Value::Object(attributes) = item else { return Value::Null };
    let plain = attributes.iter().map(|(name, value)| (name.clone(), attribute(value)));
    Value::Object(plain.collect::<Map<_, _>>())
}

fn attribute(value: &Value) -> Value {
    let Some((kind, content)) = value.as_object().and_then(|value| value.iter().next()) else {
        return Value::Null;
    };
    match (kind.as_str(), content) {
        ("N", Value::String(number)) => serde_json::from_str(number).unwrap_or_default(),
        ("NULL", _) => Value::Null,
        ("M", map) => plain(map),
        ("L", Value::Array(list)) => list.iter().map(attribute).collect(),
        ("NS", Value::Array(numbers)) => numbers
            .iter()
            .filter_map(|number| serde_json::from_str::<Value>(number.as_str()?).ok())
            .collect(),
        (_, other) => other.clone(),
    }
}

/// The items of a table that have the members of `T`, by the table's logical id.
///
/// A table may hold items of several kinds: an item of another kind is left out. Read them without the
/// types of the service, since a mistake in a type must not hide itself.
pub fn records<T: DeserializeOwned>(view: &View<'_>, table: &str) -> Vec<T> {
    let items = view.items(table).into_iter();
    items.filter_map(|item| serde_json::from_value(plain(&item)).ok()).collect()
}

/// Notices the writes of some tables, so that an oracle checks their items after each write only.
#[derive(Debug, Clone)]
pub struct Writes {
    tables: &'static [&'static str],
    open: BTreeSet<u64>,
}

/// The operations that write.
const WRITES: [&str; 5] =
    ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"];

impl Writes {
    /// Notices the writes of these tables, by their logical ids.
    pub fn of(tables: &'static [&'static str]) -> Self {
        Self { tables, open: BTreeSet::new() }
    }

    /// Whether a write of one of the tables was just performed.
    pub fn happened(&mut self, event: &Event) -> bool {
        match &event.what {
            Happened::Called { call, operation, body, .. } => {
                let writes = operation.rsplit('.').next().is_some_and(|it| WRITES.contains(&it));
                if writes && self.tables.iter().any(|table| body.contains(table)) {
                    self.open.insert(*call);
                }
                false
            }
            Happened::Performed { call, status, .. } => self.open.remove(call) && *status == 200,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_item_is_plain_json_without_its_types() {
        let item = json!({
            "pk": { "S": "a" }, "stock": { "N": "7" }, "on": { "BOOL": true }, "no": { "NULL": true },
            "names": { "SS": ["x", "y"] }, "numbers": { "NS": ["1"] },
            "lines": { "L": [{ "M": { "quantity": { "N": "2" } } }] },
        });
        let expected = json!({
            "pk": "a", "stock": 7, "on": true, "no": null, "names": ["x", "y"], "numbers": [1],
            "lines": [{ "quantity": 2 }],
        });
        assert_eq!(plain(&item), expected);
    }

    #[test]
    fn the_performed_writes_of_a_table_are_noticed_and_no_reads() {
        let mut writes = Writes::of(&["OrdersTable"]);
        let called = |call, operation: &str, table: &str| Happened::Called {
            call,
            function: "F".to_owned(),
            invocation: None,
            operation: format!("DynamoDB_20120810.{operation}"),
            body: json!({ "TableName": table }).to_string(),
        };
        let performed = |call, status| Happened::Performed { call, status, body: String::new() };
        let happened = [
            (called(1, "PutItem", "OrdersTable"), false),
            (called(2, "GetItem", "OrdersTable"), false),
            (called(3, "PutItem", "UsersTable"), false),
            (called(4, "UpdateItem", "OrdersTable"), false),
            (performed(1, 200), true),
            (performed(1, 200), false),
            (performed(2, 200), false),
            (performed(3, 200), false),
            (performed(4, 400), false),
        ];
        for (number, (what, noticed)) in happened.into_iter().enumerate() {
            let number = u64::try_from(number).unwrap();
            let event = Event { number, at: crate::Millis(0), what };
            assert_eq!(writes.happened(&event), noticed, "{event:?}");
        }
    }
}
