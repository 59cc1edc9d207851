//! What the store keeps: tables, keys and records, without any SDK.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_dynamo::{AttributeValue, Item};
use sha2::{Digest, Sha256};

use crate::failure::Violations;

/// A table, by its logical name. Its physical name stands in the environment as `<NAME>_TABLE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Table(&'static str);

impl Table {
    /// Names a table in `snake_case`: `users` is found under `USERS_TABLE`.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The logical name.
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// The environment variable that holds the physical name.
    pub fn variable(self) -> String {
        format!("{}_TABLE", self.0.to_uppercase())
    }
}

/// The key of an item: a partition key `pk` and, in some tables, a sort key `sk`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The partition key.
    pub pk: String,
    /// The sort key.
    pub sk: Option<String>,
}

impl Key {
    /// A key of a table without a sort key.
    pub fn new(pk: impl ToString) -> Self {
        Self { pk: pk.to_string(), sk: None }
    }

    /// A key of a table with a sort key.
    pub fn sorted(pk: impl ToString, sk: impl ToString) -> Self {
        Self { pk: pk.to_string(), sk: Some(sk.to_string()) }
    }
}

/// An index of a table, by the very name that it has in the template.
///
/// Its partition key is the attribute `<name>_pk`, its sort key `<name>_sk`: two indexes of one
/// table never share an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Index(&'static str);

impl Index {
    /// The partitions of an index that all records of a table are in: together they bear four
    /// times what one partition bears, and a reader asks all of them at the same time.
    pub const PARTITIONS: [&'static str; 4] = ["0", "1", "2", "3"];

    /// Names an index in `snake_case`.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The name.
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// The attribute that holds the partition.
    pub fn partition_attribute(self) -> String {
        format!("{}_pk", self.0)
    }

    /// The attribute that holds the position.
    pub fn position_attribute(self) -> String {
        format!("{}_sk", self.0)
    }
}

/// A record's place in an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexKey {
    /// The index.
    pub index: Index,
    /// The partition.
    pub partition: String,
    /// The position in the partition. Positions are compared as texts, and no two records have
    /// the same one, so that a position is a place to go on from: `{createdAt}#{id}`.
    pub position: String,
}

impl IndexKey {
    /// A place in an index that is spread over [`Index::PARTITIONS`], by the record's id.
    pub fn spread(index: Index, id: impl ToString, position: impl ToString) -> Self {
        let hash = Sha256::digest(id.to_string())[0];
        let partition = Index::PARTITIONS[usize::from(hash) % Index::PARTITIONS.len()].to_owned();
        Self { index, partition, position: position.to_string() }
    }
}

/// Something that is kept in a table, one item each.
///
/// The attributes of its key and of its indexes are added on the way in and ignored on the way
/// out, and so is every attribute that the type does not know: an item written by a newer version
/// can still be read.
pub trait Record: Serialize + DeserializeOwned + Send + Sync {
    /// Where it is kept.
    const TABLE: Table;

    /// Whether the bounds of input hold for what is stored too: of a record that people write past
    /// all endpoints.
    const CHECKED_ON_LOADING: bool = false;

    /// Whether its key is personal data, an e-mail address: logs then have the key's hash.
    const KEY_IS_PERSONAL: bool = false;

    /// Its key.
    fn key(&self) -> Key;

    /// Its places in the table's indexes. It is in no index that it leaves out.
    ///
    /// They change when the record is stored as a whole; an update of single attributes leaves
    /// them as they are.
    fn indexed(&self) -> Vec<IndexKey> {
        Vec::new()
    }

    /// The record that an item holds, with the bounds of what was [stored](crate::stored).
    ///
    /// # Errors
    ///
    /// When the item is no such record.
    fn of_item(item: Item) -> Result<Self, serde_dynamo::Error> {
        if Self::CHECKED_ON_LOADING {
            return serde_dynamo::from_item(item);
        }
        crate::stored::reading(|| serde_dynamo::from_item(item))
    }
}

/// A record of which there is one: parameters that an operator can change while the system runs.
///
/// Until it is stored, its default holds.
pub trait Singleton: Record + Clone + Default {
    /// The key of the one.
    fn the_key() -> Key;

    /// Its version, which is the attribute `version` and counts up with each change; 0 for the
    /// default.
    fn version(&self) -> u64;

    /// Checks what no field can know by itself. Asked on writing and on loading.
    ///
    /// # Errors
    ///
    /// Every field that does not go with the others.
    fn checked(self) -> Result<Self, Violations>;
}

/// The attribute that holds the partition key, in every table.
pub const PARTITION_KEY: &str = "pk";
/// The attribute that holds the sort key, in tables that have one.
pub const SORT_KEY: &str = "sk";

/// The record as it is stored, with the attributes of its key and of its indexes.
///
/// # Panics
///
/// When the record's `Serialize` fails or yields no map: a fault of the record type, which its
/// first test shows.
pub fn item_of<R: Record>(record: &R) -> Item {
    let mut item: Item = serde_dynamo::to_item(record).unwrap_or_else(|error| {
        panic!("a record of table {} has no item form: {error}", R::TABLE.name())
    });
    let key = record.key();
    let mut add = |name: String, value| item.insert(name, AttributeValue::S(value));
    add(PARTITION_KEY.to_owned(), key.pk);
    if let Some(sk) = key.sk {
        add(SORT_KEY.to_owned(), sk);
    }
    for place in record.indexed() {
        add(place.index.partition_attribute(), place.partition);
        add(place.index.position_attribute(), place.position);
    }
    item
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_dynamo::from_item;
    use uuid::Uuid;

    use super::*;

    const BY_OWNER: Index = Index::new("by_owner");

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Note {
        id: String,
        owner: Option<String>,
    }

    impl Record for Note {
        const TABLE: Table = Table::new("notes");

        fn key(&self) -> Key {
            Key::sorted("notes", &self.id)
        }

        fn indexed(&self) -> Vec<IndexKey> {
            let place = |owner: &String| IndexKey {
                index: BY_OWNER,
                partition: owner.clone(),
                position: self.id.clone(),
            };
            self.owner.iter().map(place).collect()
        }
    }

    #[test]
    fn key_and_places_are_attributes_of_the_item_and_not_of_the_record() {
        let note = Note { id: "1".to_owned(), owner: Some("ann".to_owned()) };
        let item = item_of(&note);
        for (name, value) in
            [("pk", "notes"), ("sk", "1"), ("by_owner_pk", "ann"), ("by_owner_sk", "1")]
        {
            assert_eq!(item.get(name), Some(&AttributeValue::S(value.to_owned())), "{name}");
        }
        assert_eq!(from_item::<_, Note>(item).unwrap(), note);
    }

    #[test]
    fn a_record_is_in_no_index_that_it_leaves_out() {
        let item = item_of(&Note { id: "1".to_owned(), owner: None });
        assert_eq!(item.get("by_owner_pk"), None);
    }

    #[test]
    fn ids_are_spread_evenly_and_always_the_same_way() {
        let place = |id| IndexKey::spread(BY_OWNER, id, "").partition;
        let mut counts = [0; Index::PARTITIONS.len()];
        for number in 0..4_000 {
            let partition = place(Uuid::from_u128(number));
            assert_eq!(partition, place(Uuid::from_u128(number)));
            counts[Index::PARTITIONS.iter().position(|known| *known == partition).unwrap()] += 1;
        }
        assert!(counts.iter().all(|count| (900..1_100).contains(count)), "{counts:?}");
    }
}
