//! Tables, their keys, indexes and streams.

use std::collections::BTreeMap;

/// `AWS::DynamoDB::Table`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its logical id.
    pub logical_id: String,
    /// Its physical name: the template's, or else `local-OrdersTable`.
    pub name: String,
    /// The partition and sort key.
    pub key: Key,
    /// The types of all key attributes, including those of indexes.
    pub attributes: BTreeMap<String, AttributeType>,
    /// Global secondary indexes.
    pub indexes: Vec<Index>,
    /// Local secondary indexes.
    pub local_indexes: Vec<Index>,
    /// The view type of its stream, if it has one.
    pub stream: Option<StreamView>,
    /// The attribute with an item's expiry time in epoch seconds.
    pub ttl_attribute: Option<String>,
}

/// The key of a table or an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The partition key attribute.
    pub partition: String,
    /// The sort key attribute.
    pub sort: Option<String>,
}

/// The type of a key attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
pub enum AttributeType {
    /// A string.
    S,
    /// A number.
    N,
    /// Bytes.
    B,
}

/// A secondary index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its key.
    pub key: Key,
    /// Its projected attributes.
    pub projection: Projection,
}

/// The attributes that an index holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Projection {
    /// Every attribute.
    All,
    /// Only the keys.
    KeysOnly,
    /// The keys and these attributes.
    Include(Vec<String>),
}

/// The view type of a stream: the content of its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
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
