//! The definition of a table.

use std::collections::BTreeSet;

/// A table, its indexes and its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableDefinition {
    /// The physical name.
    pub name: String,
    /// The primary key.
    pub key: KeySchema,
    /// The global secondary indexes.
    pub global_indexes: Vec<IndexDefinition>,
    /// The local secondary indexes. They have the partition key of the table.
    pub local_indexes: Vec<IndexDefinition>,
    /// The images in the records of the stream; without it, there is no stream.
    pub stream: Option<StreamView>,
    /// The attribute with the time in seconds since 1970 at which an item expires.
    pub ttl_attribute: Option<String>,
    /// The throughput of one partition key. Without it, no call is throttled.
    pub throughput: Option<Throughput>,
}

/// The attributes of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySchema {
    /// The partition key.
    pub partition: KeyAttribute,
    /// The sort key.
    pub sort: Option<KeyAttribute>,
}

/// An attribute of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyAttribute {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: KeyType,
}

/// The type of a key's attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// A string.
    S,
    /// A number.
    N,
    /// Bytes.
    B,
}

/// A secondary index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexDefinition {
    /// Its name.
    pub name: String,
    /// Its key.
    pub key: KeySchema,
    /// The attributes that it has besides the keys.
    pub projection: IndexProjection,
}

/// The attributes of an index besides its key and the table's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexProjection {
    /// All attributes.
    All,
    /// None.
    KeysOnly,
    /// These.
    Include(Vec<String>),
}

/// The images in the records of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamView {
    /// Only the key.
    KeysOnly,
    /// The item after the change.
    NewImage,
    /// The item before the change.
    OldImage,
    /// Both.
    NewAndOldImages,
}

impl StreamView {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::KeysOnly => "KEYS_ONLY",
            Self::NewImage => "NEW_IMAGE",
            Self::OldImage => "OLD_IMAGE",
            Self::NewAndOldImages => "NEW_AND_OLD_IMAGES",
        }
    }
}

/// The throughput of one partition key, in units a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throughput {
    /// Read units.
    pub read_units: u32,
    /// Write units.
    pub write_units: u32,
}

impl Throughput {
    /// `DynamoDB`'s limit for a partition.
    pub const OF_A_PARTITION: Self = Self { read_units: 3_000, write_units: 1_000 };
}

impl KeyType {
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::N => "N",
            Self::B => "B",
        }
    }
}

impl KeyAttribute {
    /// An attribute of a key.
    pub fn new(name: impl Into<String>, kind: KeyType) -> Self {
        Self { name: name.into(), kind }
    }
}

impl KeySchema {
    /// A key of one string, or of two.
    pub fn of_strings(partition: &str, sort: Option<&str>) -> Self {
        Self {
            partition: KeyAttribute::new(partition, KeyType::S),
            sort: sort.map(|sort| KeyAttribute::new(sort, KeyType::S)),
        }
    }

    /// The attributes of the key, the partition key first.
    pub fn attributes(&self) -> impl Iterator<Item = &KeyAttribute> {
        std::iter::once(&self.partition).chain(&self.sort)
    }
}

impl IndexDefinition {
    /// An index with all attributes.
    pub fn new(name: impl Into<String>, key: KeySchema) -> Self {
        Self { name: name.into(), key, projection: IndexProjection::All }
    }

    /// The index with this projection.
    #[must_use]
    pub fn with_projection(mut self, projection: IndexProjection) -> Self {
        self.projection = projection;
        self
    }

    /// The names of the attributes that the index of a table with this key lacks: `note, total`. `None`
    /// if it has all.
    pub(super) fn lacked<'a>(
        &self,
        table: &KeySchema,
        attributes: impl Iterator<Item = &'a str>,
    ) -> Option<String> {
        let included: &[String] = match &self.projection {
            IndexProjection::All => return None,
            IndexProjection::KeysOnly => &[],
            IndexProjection::Include(names) => names,
        };
        let keys = table.attributes().chain(self.key.attributes()).map(|key| &key.name);
        let has: BTreeSet<&str> = keys.chain(included).map(String::as_str).collect();
        let lacked: BTreeSet<&str> = attributes.filter(|it| !has.contains(it)).collect();
        (!lacked.is_empty()).then(|| lacked.into_iter().collect::<Vec<_>>().join(", "))
    }
}

impl TableDefinition {
    /// A table with a partition key that is a string, and nothing else.
    pub fn new(name: impl Into<String>, partition: &str) -> Self {
        Self {
            name: name.into(),
            key: KeySchema::of_strings(partition, None),
            global_indexes: Vec::new(),
            local_indexes: Vec::new(),
            stream: None,
            ttl_attribute: None,
            throughput: None,
        }
    }

    /// The table with this key.
    #[must_use]
    pub fn with_key(mut self, key: KeySchema) -> Self {
        self.key = key;
        self
    }

    /// The table with a sort key that is a string.
    #[must_use]
    pub fn with_sort_key(mut self, name: &str) -> Self {
        self.key.sort = Some(KeyAttribute::new(name, KeyType::S));
        self
    }

    /// The table with one more global index.
    #[must_use]
    pub fn with_global_index(mut self, index: IndexDefinition) -> Self {
        self.global_indexes.push(index);
        self
    }

    /// The table with one more local index.
    #[must_use]
    pub fn with_local_index(mut self, index: IndexDefinition) -> Self {
        self.local_indexes.push(index);
        self
    }

    /// The table with a stream.
    #[must_use]
    pub fn with_stream(mut self, view: StreamView) -> Self {
        self.stream = Some(view);
        self
    }

    /// The table with items that expire.
    #[must_use]
    pub fn with_ttl(mut self, attribute: &str) -> Self {
        self.ttl_attribute = Some(attribute.to_owned());
        self
    }

    /// The table with a limit for each partition key.
    #[must_use]
    pub fn with_throughput(mut self, throughput: Throughput) -> Self {
        self.throughput = Some(throughput);
        self
    }
}
