//! Brings stored items up to date with the present version.
//!
//! A record type declares its changes from version to version. `indexed` names its indexes. A serde
//! default replaces an attribute that was added later, and a serde alias reads a renamed one.
//! [`Record::FORMER`] lists the names that other versions write. So reading an item and writing it
//! again brings it up to date.

use std::collections::HashMap;

use serde_dynamo::{AttributeValue, Item};

use crate::record::{Record, item_of};
use crate::telemetry::without_values;

/// The reason why an item is not written again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotRewritten {
    /// The item is not a valid record. The reason contains no stored values.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// This version would store the record under another key. A key cannot be changed in place.
    #[error("its key differs from its record's key")]
    OtherKey,
    /// The rewritten item would not be a valid record: it has a renamed attribute under both names.
    /// The name that this version does not write is missing in [`Record::FORMER`].
    #[error("its rewritten form could not be read: {0}")]
    UnreadableAfterwards(String),
}

/// Returns the item that this version stores for an item's record.
///
/// Attributes that the type does not know stay, at every depth, since a later version may have
/// written them. Attributes in [`Record::FORMER`] are removed, and so are those of indexes that the
/// record is not in.
///
/// # Errors
///
/// When the item is not a valid record, its record has another key, or the result is not a valid
/// record.
pub fn rewritten<R: Record>(item: &Item) -> Result<Item, NotRewritten> {
    let record = read::<R>(item).map_err(NotRewritten::Unreadable)?;
    let written = item_of(&record);
    let key = [R::TABLE.partition_key(), R::TABLE.sort_key()];
    if key.iter().any(|name| item.get(*name) != written.get(*name)) {
        return Err(NotRewritten::OtherKey);
    }
    let mut rewritten = item.clone();
    let attributes = rewritten.inner_mut();
    attributes.retain(|name, _| !is_of_index(name));
    update(attributes, written.into_inner(), "", R::FORMER);
    read::<R>(&rewritten).map_err(NotRewritten::UnreadableAfterwards)?;
    Ok(rewritten)
}

/// The record of an item, or the reason why there is none, without stored values.
fn read<R: Record>(item: &Item) -> Result<R, String> {
    R::of_item(item.clone()).map_err(|error| without_values(&error.to_string()))
}

/// Writes attributes over stored ones, and removes those in `former`. `path` is that of the map.
fn update(
    stored: &mut HashMap<String, AttributeValue>,
    written: HashMap<String, AttributeValue>,
    path: &str,
    former: &[&str],
) {
    let below =
        |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
    stored.retain(|name, _| !former.contains(&below(name).as_str()));
    for (name, value) in written {
        let path = below(&name);
        match stored.get_mut(&name) {
            Some(stored) => update_value(stored, value, &path, former),
            None => {
                stored.insert(name, value);
            }
        }
    }
}

/// Writes a value over a stored one: maps attribute by attribute, and lists of one length element by
/// element. The elements of a list have the list's path.
fn update_value(stored: &mut AttributeValue, written: AttributeValue, path: &str, former: &[&str]) {
    match (stored, written) {
        (AttributeValue::M(stored), AttributeValue::M(written)) => {
            update(stored, written, path, former);
        }
        (AttributeValue::L(stored), AttributeValue::L(written))
            if stored.len() == written.len() =>
        {
            for (stored, written) in stored.iter_mut().zip(written) {
                update_value(stored, written, path, former);
            }
        }
        (stored, written) => *stored = written,
    }
}

/// Whether an attribute belongs to an [`Index`](crate::record::Index). The fields of records are in
/// `camelCase`, so that only index attributes have these endings.
pub(crate) fn is_of_index(name: &str) -> bool {
    name.ends_with("_pk") || name.ends_with("_sk")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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
    fn an_unknown_attribute_below_another_stays_and_a_former_one_is_removed() {
        let stored = json!({
            "pk": "a", "id": "a", "size": { "width": 1, "depth": 3, "breadth": 1 },
            "labels": [{ "text": "A", "font": "serif" }, { "text": "B" }],
        });
        let expected = json!({
            "pk": "a", "id": "a", "size": { "width": 1, "height": 1, "depth": 3 },
            "labels": [
                { "text": "A", "language": "en", "font": "serif" },
                { "text": "B", "language": "en" },
            ],
        });
        assert_eq!(again_as::<Crate>(&stored), Ok(expected.clone()));
        assert_eq!(again_as::<Crate>(&expected), Ok(expected));
    }

    #[test]
    fn a_list_of_another_length_is_replaced() {
        let stored = json!({
            "pk": "a", "id": "a", "size": { "width": 1, "height": 1 }, "labels": [],
            "owners": ["ann", "ann"],
        });
        assert_eq!(again_as::<Crate>(&stored).unwrap()["owners"], json!(["ann"]));
    }

    /// A record whose maps have fewer attributes than a later version's.
    #[derive(Serialize, Deserialize)]
    struct Crate {
        id: String,
        size: Size,
        labels: Vec<Label>,
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        owners: BTreeSet<String>,
    }

    #[derive(Serialize, Deserialize)]
    struct Size {
        width: u8,
        #[serde(default = "one")]
        height: u8,
    }

    #[derive(Serialize, Deserialize)]
    struct Label {
        text: String,
        #[serde(default = "english")]
        language: String,
    }

    fn english() -> String {
        "en".to_owned()
    }

    impl Record for Crate {
        const TABLE: TableName = TableName::new("crates");
        const FORMER: &'static [&'static str] = &["size/breadth"];

        fn key(&self) -> Key {
            Key::new(&self.id)
        }
    }

    macro_rules! renaming_version {
        ($name:ident, $written:literal, $read:literal, $former:expr) => {
            #[derive(Serialize, Deserialize)]
            struct $name {
                id: String,
                #[serde(rename = $written, alias = $read)]
                title: String,
            }

            impl Record for $name {
                const TABLE: TableName = TableName::new("notes");
                const FORMER: &'static [&'static str] = $former;

                fn key(&self) -> Key {
                    Key::new(&self.id)
                }
            }
        };
    }

    renaming_version!(Before, "label", "title", &["title"]);
    renaming_version!(After, "title", "label", &["label"]);
    renaming_version!(BeforeWithoutFormer, "label", "title", &[]);

    #[test]
    fn both_versions_of_a_renaming_rewrite_each_others_items() {
        let before = json!({ "pk": "a", "id": "a", "label": "A" });
        let after = json!({ "pk": "a", "id": "a", "title": "A" });
        assert_eq!(again_as::<After>(&before), Ok(after.clone()));
        assert_eq!(again_as::<Before>(&after), Ok(before));
    }

    #[test]
    fn an_item_that_would_have_both_names_is_not_rewritten() {
        let after = json!({ "pk": "a", "id": "a", "title": "A" });
        let refused = again_as::<BeforeWithoutFormer>(&after);
        assert!(matches!(refused, Err(NotRewritten::UnreadableAfterwards(_))), "{refused:?}");
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
        again_as::<Parcel>(stored).unwrap()
    }

    fn again_as<R: Record>(stored: &Value) -> Result<Value, NotRewritten> {
        let item = rewritten::<R>(&serde_dynamo::to_item(stored).unwrap())?;
        Ok(serde_dynamo::from_item(item).unwrap())
    }
}
