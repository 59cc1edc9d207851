//! The data model of the store: tables, keys and records, without any SDK.

mod excerpt;
mod key_limits;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_dynamo::{AttributeValue, Item};
use sha2::{Digest, Sha256};

pub use self::excerpt::Excerpt;
use crate::error::FieldErrors;

/// A table, by its logical name. Its physical name is in the environment variable `<NAME>_TABLE`.
///
/// The attributes of its key are `pk` and, in a [sorted](Self::sorted) table, `sk`, unless the
/// constant names others. Both are strings. Write the names only once, into a constant: a table with
/// other names is another table. `cargo lifecycle drift` compares them with the template.
///
/// ```
/// # use lifecycle::record::TableName;
/// const USERS: TableName = TableName::new("users");
/// const VISITS: TableName =
///     TableName::new("visits").partition_key_named("customerId").sort_key_named("visitedAt");
/// const LOANS: TableName = TableName::new("loans").sorted();
/// assert_eq!((USERS.partition_key(), VISITS.partition_key()), ("pk", "customerId"));
/// assert_eq!([USERS, VISITS, LOANS].map(TableName::is_sorted), [false, true, true]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TableName {
    name: &'static str,
    partition_key: &'static str,
    sort_key: &'static str,
    is_sorted: bool,
}

/// Whether a name in capitals can begin the name of a variable, which Lambda limits to A-Z, 0-9 and
/// `_`.
pub(crate) const fn is_snake_case(name: &str) -> bool {
    let bytes = name.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !matches!(bytes[at], b'a'..=b'z' | b'0'..=b'9' | b'_') {
            return false;
        }
        at += 1;
    }
    !bytes.is_empty() && bytes[0].is_ascii_lowercase()
}

impl TableName {
    /// Names a table in `snake_case`: `users` is found under `USERS_TABLE`.
    ///
    /// # Panics
    ///
    /// If the name has more than `a` to `z`, digits and `_`, or does not begin with `a` to `z`.
    /// In a constant, this is an error of the compiler:
    ///
    /// ```compile_fail,E0080
    /// use lifecycle::record::TableName;
    /// const USERS: TableName = TableName::new("late-users");
    /// ```
    pub const fn new(name: &'static str) -> Self {
        assert!(is_snake_case(name), "a table's name has a-z, 0-9 and _ only, and a-z first");
        Self { name, partition_key: PARTITION_KEY, sort_key: SORT_KEY, is_sorted: false }
    }

    /// Names the attribute of the partition key, instead of `pk`.
    #[must_use]
    pub const fn partition_key_named(self, partition_key: &'static str) -> Self {
        Self { partition_key, ..self }
    }

    /// Declares that the table has a sort key: each key of its items is a [`Key::sorted`].
    #[must_use]
    pub const fn sorted(self) -> Self {
        Self { is_sorted: true, ..self }
    }

    /// Names the attribute of the sort key, instead of `sk`. The table is [sorted](Self::sorted).
    #[must_use]
    pub const fn sort_key_named(self, sort_key: &'static str) -> Self {
        Self { sort_key, is_sorted: true, ..self }
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

    /// Whether the table has a sort key.
    pub const fn is_sorted(self) -> bool {
        self.is_sorted
    }

    /// The environment variable that holds the physical name.
    pub fn variable(self) -> String {
        format!("{}_TABLE", self.name.to_uppercase())
    }
}

/// The key of an item: a partition key and, in some tables, a sort key. Both are strings.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
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

    /// A key of a table with a sort key: of [`TableName::sorted`].
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
///     const TABLE: TableName = TableName::new("library").sorted();
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
/// When the record's `Serialize` fails or returns no map, or when only one of its key and its table
/// is sorted: a defect of the record type, which its first test shows.
pub fn item_of<R: Record>(record: &R) -> Item {
    let mut item: Item = serde_dynamo::to_item(record).unwrap_or_else(|error| {
        panic!("a record of table {} cannot be serialised as an item: {error}", R::TABLE.name())
    });
    let key = record.key();
    let is_sorted = R::TABLE.is_sorted();
    assert!(
        key.sk.is_some() == is_sorted,
        "the key of a record of table {} does not fit its TableName, whose `is_sorted` is {is_sorted}",
        R::TABLE.name()
    );
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
mod tests;
