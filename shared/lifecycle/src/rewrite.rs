//! Brings stored items up to date with the present version.
//!
//! A record type declares its changes from version to version. `indexed` names its indexes. A serde
//! default replaces an attribute that was added later, and a serde alias reads a renamed one.
//! [`Record::FORMER`] lists the names that are no longer written. So reading an item and writing it
//! again brings it up to date.

use serde_dynamo::Item;

use crate::record::{PARTITION_KEY, Record, SORT_KEY, item_of};
use crate::telemetry::without_values;

/// The reason why an item is not written again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRewritten {
    /// The item is not a valid record. The reason contains no stored values.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// This version would store the record under another key. A key cannot be changed in place.
    #[error("its key differs from its record's key")]
    OtherKey,
}

/// Returns the item that this version stores for an item's record.
///
/// Attributes that the type does not know stay, since a later version may have written them.
/// Attributes in [`Record::FORMER`] are removed, and so are those of indexes that the record is not
/// in.
///
/// # Errors
///
/// When the item is not a valid record, or its record has another key.
pub fn rewritten<R: Record>(item: &Item) -> Result<Item, NotRewritten> {
    let record = R::of_item(item.clone());
    let record =
        record.map_err(|error| NotRewritten::Unreadable(without_values(&error.to_string())))?;
    let written = item_of(&record);
    if [PARTITION_KEY, SORT_KEY].iter().any(|name| item.get(*name) != written.get(*name)) {
        return Err(NotRewritten::OtherKey);
    }
    let mut rewritten = item.clone();
    let attributes = rewritten.inner_mut();
    attributes.retain(|name, _| !is_of_index(name) && !R::FORMER.contains(&name.as_str()));
    attributes.extend(written.into_inner());
    Ok(rewritten)
}

/// Whether an attribute belongs to an [`Index`](crate::record::Index). The fields of records are in
/// `camelCase`, so that only index attributes have these endings.
pub(crate) fn is_of_index(name: &str) -> bool {
    name.ends_with("_pk") || name.ends_with("_sk")
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use serde_json::{Value, json};

    use super::*;
    use crate::record::{IndexKey, IndexName, Key, TableName};

    /// A record of the third version. The first one had `label` and `colour`, and neither `size` nor
    /// the index.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Parcel {
        id: String,
        #[serde(alias = "label")]
        title: String,
        #[serde(default = "one")]
        size: u8,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sent_to: Option<String>,
    }

    fn one() -> u8 {
        1
    }

    impl Record for Parcel {
        const TABLE: TableName = TableName::new("parcels");
        const FORMER: &'static [&'static str] = &["label", "colour"];

        fn key(&self) -> Key {
            Key::new(&self.id)
        }

        fn indexed(&self) -> Vec<IndexKey> {
            let waiting = self.sent_to.is_none();
            let place = || IndexKey::sharded(IndexName::new("by_waiting"), &self.id, &self.title);
            waiting.then(place).into_iter().collect()
        }
    }

    #[test]
    fn the_attributes_of_an_added_index_are_written() {
        let written = again(&json!({ "pk": "a", "id": "a", "title": "A", "size": 2 }));
        assert_eq!(written["by_waiting_sk"], "A");
        assert!(IndexName::WRITE_SHARDS.contains(&written["by_waiting_pk"].as_str().unwrap()));
    }

    #[test]
    fn an_item_in_a_former_index_partition_moves_to_a_present_one() {
        let stored =
            json!({ "pk": "a", "id": "a", "title": "A", "size": 2, "by_waiting_pk": "17" });
        assert_ne!(again(&stored)["by_waiting_pk"], "17");
    }

    #[test]
    fn the_attributes_of_a_dropped_or_left_index_are_removed() {
        let stored = json!({
            "pk": "a", "id": "a", "title": "A", "size": 2, "sentTo": "ann",
            "by_waiting_pk": "0", "by_waiting_sk": "A", "by_colour_pk": "red", "by_colour_sk": "A",
        });
        let expected = json!({ "pk": "a", "id": "a", "title": "A", "size": 2, "sentTo": "ann" });
        assert_eq!(again(&stored), expected);
    }

    #[test]
    fn an_added_attribute_gets_its_default() {
        assert_eq!(again(&json!({ "pk": "a", "id": "a", "title": "A" }))["size"], 1);
    }

    #[test]
    fn a_renamed_attribute_has_only_its_new_name() {
        let written = again(&json!({ "pk": "a", "id": "a", "label": "A", "size": 2 }));
        assert_eq!((&written["title"], written.get("label")), (&json!("A"), None));
    }

    #[test]
    fn a_dropped_attribute_is_removed_and_an_unknown_one_stays() {
        let stored = json!({
            "pk": "a", "id": "a", "title": "A", "size": 2, "colour": "red", "weight": 7,
            "writtenBy": "token",
        });
        let written = again(&stored);
        assert_eq!(written.get("colour"), None);
        assert_eq!((&written["weight"], &written["writtenBy"]), (&json!(7), &json!("token")));
    }

    #[test]
    fn a_rewritten_item_does_not_change_again() {
        for stored in [
            json!({ "pk": "a", "id": "a", "label": "A", "colour": "red" }),
            json!({ "pk": "a", "id": "a", "title": "A", "sentTo": "ann", "by_colour_pk": "red" }),
        ] {
            let once = again(&stored);
            assert_eq!(again(&once), once, "{stored}");
        }
    }

    #[test]
    fn an_invalid_item_is_an_error_without_its_values() {
        let refused = |stored: &Value| {
            rewritten::<Parcel>(&serde_dynamo::to_item(stored).unwrap()).unwrap_err()
        };
        assert_eq!(refused(&json!({ "pk": "b", "id": "a", "title": "A" })), NotRewritten::OtherKey);
        let NotRewritten::Unreadable(reason) =
            refused(&json!({ "pk": "a", "id": "a", "title": "A", "size": "secret" }))
        else {
            panic!("it is unreadable")
        };
        assert!(!reason.contains("secret"), "{reason}");
    }

    fn again(stored: &Value) -> Value {
        let item = rewritten::<Parcel>(&serde_dynamo::to_item(stored).unwrap()).unwrap();
        serde_dynamo::from_item(item).unwrap()
    }
}
