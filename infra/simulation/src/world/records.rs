//! The records of a table as typed values. Each version of an item is read once.

use std::any::{Any, TypeId};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::services::{Item, plain};

/// The records that oracles have read, by table and type.
#[derive(Default)]
pub(super) struct Records {
    known: BTreeMap<(String, TypeId), Box<dyn Any + Send>>,
}

/// The records by the addresses of their items. An item is changed by another in its place, and the
/// record keeps its item, so an address stands for one version.
type Known<T> = HashMap<usize, (Arc<Item>, Option<Arc<T>>)>;

impl Records {
    /// The items that have the fields of the type, in their order.
    pub(super) fn of<'i, T: DeserializeOwned + Send + Sync + 'static>(
        &mut self,
        table: &str,
        items: impl Iterator<Item = &'i Arc<Item>>,
    ) -> Vec<Arc<T>> {
        let known = self.known.entry((table.to_owned(), TypeId::of::<T>()));
        let known = known.or_insert_with(|| Box::new(Known::<T>::new()));
        let Some(known) = known.downcast_mut::<Known<T>>() else {
            unreachable!("the key has the type");
        };
        let mut before = std::mem::take(known);
        let mut records = Vec::new();
        for item in items {
            let address = Arc::as_ptr(item).addr();
            let (item, record) = before.remove(&address).unwrap_or_else(|| {
                let record = serde_json::from_value(plain(item)).ok();
                (Arc::clone(item), record.map(Arc::new))
            });
            records.extend(record.clone());
            known.insert(address, (item, record));
        }
        records
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::services::item_of;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Order {
        id: String,
        pieces: u64,
    }

    fn order(id: &str, pieces: u64) -> Arc<Item> {
        let item = json!({ "id": { "S": id }, "pieces": { "N": pieces.to_string() } });
        Arc::new(item_of(&item).unwrap())
    }

    #[test]
    fn a_record_is_read_again_only_if_its_item_was_changed() {
        let mut records = Records::default();
        let (one, two, changed) = (order("1", 1), order("2", 2), order("2", 3));

        let before: Vec<Arc<Order>> = records.of("orders", [&one, &two].into_iter());
        let after: Vec<Arc<Order>> = records.of("orders", [&one, &changed].into_iter());

        assert_eq!(*before[1], Order { id: "2".to_owned(), pieces: 2 });
        assert_eq!(*after[1], Order { id: "2".to_owned(), pieces: 3 });
        assert!(Arc::ptr_eq(&before[0], &after[0]));
    }

    #[test]
    fn items_of_other_types_are_left_out_and_tables_are_apart() {
        let mut records = Records::default();
        let other = Arc::new(item_of(&json!({ "name": { "S": "a" } })).unwrap());
        let one = order("1", 1);

        let of_orders: Vec<Arc<Order>> = records.of("orders", [&other, &one].into_iter());
        let of_users: Vec<Arc<Order>> = records.of("users", std::iter::empty());

        assert_eq!(of_orders.len(), 1);
        assert!(of_users.is_empty());
    }
}
