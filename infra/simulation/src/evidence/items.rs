//! Stored items as plain values, and the writes of tables.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::world::{Event, Happened, View};

/// The items of a table that have the members of `T`, by the table's logical id.
///
/// A table may hold items of several kinds: an item of another kind is left out. Read them without the
/// types of the service, and with wide types, since a mistake in a type must not hide itself: an item with
/// -1 seats has no `u32` of them.
///
/// [`View::records`] returns the same without copies.
///
/// # Panics
/// If there is no such table.
pub fn records<T>(view: &View<'_>, table: &str) -> Vec<T>
where
    T: DeserializeOwned + Clone + Send + Sync + 'static,
{
    view.records::<T>(table).into_iter().map(Arc::unwrap_or_clone).collect()
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
