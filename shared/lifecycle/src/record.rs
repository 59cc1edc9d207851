//! The data model of the store: tables, keys and records, without any SDK.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_dynamo::{AttributeValue, Item};
use sha2::{Digest, Sha256};

use crate::error::FieldErrors;

/// A table, by its logical name. Its physical name is in the environment variable `<NAME>_TABLE`.
///
/// The attributes of its key are `pk` and, in a table with a sort key, `sk`, unless the constant
/// names others. Both are strings. Write the names only once, into a constant: a table with other
/// names is another table.
///
/// ```
/// # use lifecycle::record::TableName;
/// const USERS: TableName = TableName::new("users");
/// const VISITS: TableName =
///     TableName::new("visits").partition_key_named("customerId").sort_key_named("visitedAt");
/// assert_eq!((USERS.partition_key(), VISITS.partition_key()), ("pk", "customerId"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TableName {
    name: &'static str,
    partition_key: &'static str,
    sort_key: &'static str,
}

impl TableName {
    /// Names a table in `snake_case`: `users` is found under `USERS_TABLE`.
    pub const fn new(name: &'static str) -> Self {
        Self { name, partition_key: PARTITION_KEY, sort_key: SORT_KEY }
    }

    /// Names the attribute of the partition key, instead of `pk`.
    #[must_use]
    pub const fn partition_key_named(self, partition_key: &'static str) -> Self {
        Self { partition_key, ..self }
    }

    /// Names the attribute of the sort key, instead of `sk`. Without effect on a table that has
    /// none: a [`Key`] shows whether there is one.
    #[must_use]
    pub const fn sort_key_named(self, sort_key: &'static str) -> Self {
        Self { sort_key, ..self }
    }

    /// The logical name.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The attribute of the partition key.
    pub const fn partition_key(self) -> &'static str {
        self.partition_key
    }

    /// The attribute of the sort key, in a table that has one.
    pub const fn sort_key(self) -> &'static str {
        self.sort_key
    }

    /// The environment variable that holds the physical name.
    pub fn variable(self) -> String {
        format!("{}_TABLE", self.name.to_uppercase())
    }
}

/// The key of an item: a partition key and, in some tables, a sort key. Both are strings.
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

/// An index of a table, by its name in the template.
///
/// Its partition key is the attribute `<name>_pk`, its sort key `<name>_sk`: two indexes of one
/// table never share an attribute. [`IndexName::keyed_by`] names other attributes, for a table that
/// exists already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IndexName {
    name: &'static str,
    attributes: Option<(&'static str, &'static str)>,
}

impl IndexName {
    /// The shards of an index that contains all records of a table. They bear four times the load
    /// of one partition, and a reader queries all of them concurrently.
    pub const WRITE_SHARDS: [&'static str; 4] = ["0", "1", "2", "3"];

    /// Names an index in `snake_case`.
    pub const fn new(name: &'static str) -> Self {
        Self { name, attributes: None }
    }

    /// Names the attributes of its partition key and of its sort key. Both are strings, and may be
    /// fields of the record.
    ///
    /// A [rewrite](crate::rewrite) leaves such an attribute on an item whose record has left the
    /// index, because it may be a field. List it in [`Record::FORMER`] if it is none.
    #[must_use]
    pub const fn keyed_by(self, partition: &'static str, position: &'static str) -> Self {
        Self { attributes: Some((partition, position)), ..self }
    }

    /// The name.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The attribute that holds the partition.
    pub fn partition_attribute(self) -> String {
        self.attributes
            .map_or_else(|| format!("{}_pk", self.name), |(partition, _)| partition.to_owned())
    }

    /// The attribute that holds the position.
    pub fn position_attribute(self) -> String {
        self.attributes
            .map_or_else(|| format!("{}_sk", self.name), |(_, position)| position.to_owned())
    }
}

/// A record's place in an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexKey {
    /// The index.
    pub index: IndexName,
    /// The partition.
    pub partition: String,
    /// The position in the partition: `{createdAt}#{id}`. Positions are compared as texts and are
    /// unique, so that a page can begin after any of them.
    pub position: String,
}

impl IndexKey {
    /// A place in an index that is sharded over [`IndexName::WRITE_SHARDS`], by the record's id.
    pub fn sharded(index: IndexName, id: impl ToString, position: impl ToString) -> Self {
        let hash = Sha256::digest(id.to_string())[0];
        let partition =
            IndexName::WRITE_SHARDS[usize::from(hash) % IndexName::WRITE_SHARDS.len()].to_owned();
        Self { index, partition, position: position.to_string() }
    }
}

/// A type whose values are stored in a table, one item each.
///
/// The attributes of the key and of the indexes are added on writing. Reading ignores them, and
/// every attribute that the type does not know: an item from a newer version can still be read.
///
/// In a single-table design, an `enum` with a discriminator attribute is the record of all items of
/// a partition. One read returns items of several types:
///
/// ```
/// # use lifecycle::record::{Key, Record, TableName, item_of};
/// # use serde::{Deserialize, Serialize};
/// # use serde_dynamo::AttributeValue;
/// #[derive(Serialize, Deserialize)]
/// #[serde(tag = "type", rename_all = "camelCase")]
/// enum Library {
///     Member { member: String, name: String },
///     Loan { member: String, book: String, due: String },
/// }
///
/// impl Record for Library {
///     const TABLE: TableName = TableName::new("library");
///
///     fn key(&self) -> Key {
///         match self {
///             Self::Member { member, .. } => Key::sorted(member, "member"),
///             Self::Loan { member, book, .. } => Key::sorted(member, format!("loan#{book}")),
///         }
///     }
/// }
///
/// let (member, book, due) = ("ann".to_owned(), "dune".to_owned(), "2026-01-31".to_owned());
/// let item = item_of(&Library::Loan { member, book, due });
/// for (name, value) in [("pk", "ann"), ("sk", "loan#dune"), ("type", "loan")] {
///     assert_eq!(item.get(name), Some(&AttributeValue::S(value.to_owned())));
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "stages 6 and 8: `{Self}` is not stored in a table",
    label = "not a record",
    note = "implement `Record` for it: its table and its key"
)]
pub trait Record: Serialize + DeserializeOwned + Send + Sync {
    /// The table.
    const TABLE: TableName;

    /// Whether the limits of input are checked on loading too. For a record that operators may edit
    /// directly in the table.
    const CHECKED_ON_LOADING: bool = false;

    /// Whether the key is personal data, such as an e-mail address: logs then contain a hash of the
    /// key.
    const KEY_IS_PERSONAL: bool = false;

    /// The attributes that other versions write and this one does not: an earlier version wrote a
    /// renamed or dropped one, and the next version writes the new name of a renamed one.
    /// [`rewritten`](crate::rewrite::rewritten) removes them. A name stays here as long as an
    /// item may have it. A field below an attribute is written as a path, `price/amount`.
    const FORMER: &'static [&'static str] = &[];

    /// The attribute that holds the version of a record, which
    /// [`Write::replace`](crate::effects::Write::replace) compares: a number.
    const VERSION_ATTRIBUTE: &'static str = "version";

    /// The key of the record.
    fn key(&self) -> Key;

    /// The record's places in the indexes of the table. A record is absent from an index without a
    /// place.
    ///
    /// Only a write of the whole record updates the places; an update of single attributes keeps
    /// them.
    fn indexed(&self) -> Vec<IndexKey> {
        Vec::new()
    }

    /// Reads a record from an item, with the limits of [stored](crate::stored) values.
    ///
    /// # Errors
    ///
    /// When the item does not have the record's shape.
    fn of_item(item: Item) -> Result<Self, serde_dynamo::Error> {
        if Self::CHECKED_ON_LOADING {
            return serde_dynamo::from_item(item);
        }
        crate::stored::reading(|| serde_dynamo::from_item(item))
    }
}

/// A record of which one exists: parameters that an operator can change while the system runs.
///
/// While it is not stored, its default is used.
pub trait Singleton: Record + Clone + Default {
    /// The key of the record.
    fn the_key() -> Key;

    /// The version, which is the attribute [`Record::VERSION_ATTRIBUTE`] and increases with each change; 0 for
    /// the default.
    fn version(&self) -> u64;

    /// Checks rules that involve several fields, on writing and on loading.
    ///
    /// # Errors
    ///
    /// Every field that contradicts the others.
    fn checked(self) -> Result<Self, FieldErrors>;
}

/// The attribute that holds the partition key, unless the [`TableName`] names another.
pub const PARTITION_KEY: &str = "pk";
/// The attribute that holds the sort key, in tables that have one, unless the [`TableName`] names
/// another.
pub const SORT_KEY: &str = "sk";

/// Returns the item of a record, with the attributes of its key and of its indexes.
///
/// # Panics
///
/// When the record's `Serialize` fails or returns no map: a defect of the record type, which its
/// first test shows.
pub fn item_of<R: Record>(record: &R) -> Item {
    let mut item: Item = serde_dynamo::to_item(record).unwrap_or_else(|error| {
        panic!("a record of table {} cannot be serialised as an item: {error}", R::TABLE.name())
    });
    let key = record.key();
    let mut add = |name: String, value| item.insert(name, AttributeValue::S(value));
    add(R::TABLE.partition_key().to_owned(), key.pk);
    if let Some(sk) = key.sk {
        add(R::TABLE.sort_key().to_owned(), sk);
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

    const BY_OWNER: IndexName = IndexName::new("by_owner");

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Note {
        id: String,
        owner: Option<String>,
    }

    impl Record for Note {
        const TABLE: TableName = TableName::new("notes");

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
    fn the_item_has_the_attributes_of_its_key_and_indexes() {
        let note = Note { id: "1".to_owned(), owner: Some("ann".to_owned()) };
        let item = item_of(&note);
        for (name, value) in
            [("pk", "notes"), ("sk", "1"), ("by_owner_pk", "ann"), ("by_owner_sk", "1")]
        {
            assert_eq!(item.get(name), Some(&AttributeValue::S(value.to_owned())), "{name}");
        }
        assert_eq!(from_item::<_, Note>(item).unwrap(), note);
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Visit {
        customer_id: String,
        visited_at: String,
        shop: String,
    }

    impl Record for Visit {
        const TABLE: TableName =
            TableName::new("visits").partition_key_named("customerId").sort_key_named("visitedAt");

        fn key(&self) -> Key {
            Key::sorted(&self.customer_id, &self.visited_at)
        }

        fn indexed(&self) -> Vec<IndexKey> {
            vec![IndexKey {
                index: IndexName::new("by_shop").keyed_by("shop", "visitedAt"),
                partition: self.shop.clone(),
                position: self.visited_at.clone(),
            }]
        }
    }

    #[test]
    fn key_and_index_attributes_with_own_names_are_fields_of_the_record() {
        let (customer_id, shop) = ("ann".to_owned(), "one".to_owned());
        let visit = Visit { customer_id, shop, visited_at: "2026-01-31".to_owned() };
        let item = item_of(&visit);
        let mut names: Vec<_> = item.inner().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["customerId", "shop", "visitedAt"]);
        assert_eq!(from_item::<_, Visit>(item).unwrap(), visit);
    }

    #[test]
    fn a_record_without_a_place_is_absent_from_the_index() {
        let item = item_of(&Note { id: "1".to_owned(), owner: None });
        assert_eq!(item.get("by_owner_pk"), None);
    }

    #[test]
    fn sharding_by_id_is_even_and_deterministic() {
        let place = |id| IndexKey::sharded(BY_OWNER, id, "").partition;
        let mut counts = [0; IndexName::WRITE_SHARDS.len()];
        for number in 0..4_000 {
            let partition = place(Uuid::from_u128(number));
            assert_eq!(partition, place(Uuid::from_u128(number)));
            counts
                [IndexName::WRITE_SHARDS.iter().position(|known| *known == partition).unwrap()] +=
                1;
        }
        assert!(counts.iter().all(|count| (900..1_100).contains(count)), "{counts:?}");
    }
}
