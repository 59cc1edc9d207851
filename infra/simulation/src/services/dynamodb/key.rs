//! Keys of items, and the order of items.

use super::definition::{IndexDefinition, KeyAttribute, KeySchema, TableDefinition};
use super::number::Number;
use super::value::{Item, Value};
use crate::services::wire::AwsError;

/// The maximum size of a partition key, in bytes.
const PARTITION_BYTES_MAX: usize = 2048;
/// The maximum size of a sort key, in bytes.
const SORT_BYTES_MAX: usize = 1024;

/// The value of a key's attribute. Each attribute has values of one type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum KeyValue {
    S(String),
    N(Number),
    B(Vec<u8>),
}

impl KeyValue {
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::S(text) => Some(Self::S(text.clone())),
            Value::N(number) => Some(Self::N(*number)),
            Value::B(bytes) => Some(Self::B(bytes.clone())),
            _ => None,
        }
    }

    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::S(text) => Value::S(text.clone()),
            Self::N(number) => Value::N(*number),
            Self::B(bytes) => Value::B(bytes.clone()),
        }
    }
}

/// A partition. Partitions are in the order of their hashes, as in a scan of `DynamoDB`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Partition {
    pub(super) hash: u64,
    pub(super) value: KeyValue,
}

impl Partition {
    pub(super) fn new(value: KeyValue) -> Self {
        let hash = match &value {
            KeyValue::S(text) => hash(text.as_bytes()),
            KeyValue::N(number) => hash(number.to_string().as_bytes()),
            KeyValue::B(bytes) => hash(bytes),
        };
        Self { hash, value }
    }
}

/// FNV-1a with a last mix, so that similar keys are far from each other.
fn hash(bytes: &[u8]) -> u64 {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let hash = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^ (hash >> 29)
}

/// The primary key of an item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) partition: Partition,
    pub(super) sort: Option<KeyValue>,
}

/// The place of an item in a table or index. In an index, several items may have the same index
/// key; their primary keys follow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) partition: Partition,
    pub(super) sort: Option<KeyValue>,
    pub(super) key: Option<Key>,
}

impl From<Key> for Place {
    fn from(key: Key) -> Self {
        Self { partition: key.partition, sort: key.sort, key: None }
    }
}

impl Key {
    /// The key of a stored item.
    pub(super) fn stored(schema: &KeySchema, item: &Item) -> Option<Self> {
        let value = |attribute: &KeyAttribute| {
            let value = item.get(&attribute.name).filter(|it| it.tag() == attribute.kind.tag())?;
            KeyValue::of(value)
        };
        let partition = Partition::new(value(&schema.partition)?);
        let sort = match &schema.sort {
            None => None,
            Some(sort) => Some(value(sort)?),
        };
        Some(Self { partition, sort })
    }

    /// The key of an item to be written.
    pub(super) fn of_item(schema: &KeySchema, item: &Item) -> Result<Self, AwsError> {
        for attribute in schema.attributes() {
            let name = &attribute.name;
            let value = item.get(name).ok_or_else(|| {
                AwsError::invalid_value(format!("Missing the key {name} in the item")).of_item()
            })?;
            if value.tag() != attribute.kind.tag() {
                return Err(AwsError::invalid_value(format!(
                    "Type mismatch for key {name} expected: {} actual: {}",
                    attribute.kind.tag(),
                    value.tag()
                ))
                .of_item());
            }
        }
        Self::checked(schema, item)
    }

    /// The key that a request gives: exactly the attributes of the key.
    pub(super) fn given(schema: &KeySchema, key: &Item) -> Result<Self, AwsError> {
        let is_of = |attribute: &KeyAttribute| {
            key.get(&attribute.name).is_some_and(|value| value.tag() == attribute.kind.tag())
        };
        if key.len() != schema.attributes().count() || !schema.attributes().all(is_of) {
            return Err(mismatch());
        }
        Self::checked(schema, key)
    }

    fn checked(schema: &KeySchema, item: &Item) -> Result<Self, AwsError> {
        for attribute in schema.attributes() {
            if item.get(&attribute.name).is_some_and(is_empty) {
                let kind = if attribute.kind.tag() == "B" { "binary" } else { "string" };
                return Err(AwsError::invalid(format!(
                    "One or more parameter values are not valid. The AttributeValue for a key \
                     attribute cannot contain an empty {kind} value. Key: {}",
                    attribute.name
                )));
            }
        }
        let size = |attribute: &KeyAttribute| item.get(&attribute.name).map_or(0, Value::bytes);
        if size(&schema.partition) > PARTITION_BYTES_MAX {
            return Err(AwsError::invalid_value(
                "Size of hashkey has exceeded the maximum size limit of2048 bytes",
            ));
        }
        if schema.sort.as_ref().map_or(0, size) > SORT_BYTES_MAX {
            return Err(AwsError::invalid_value(
                "Aggregated size of all range keys has exceeded the size limit of 1024 bytes",
            ));
        }
        Self::stored(schema, item).ok_or_else(mismatch)
    }

    /// The attributes of the key.
    pub(super) fn attributes(&self, schema: &KeySchema) -> Item {
        let partition = (schema.partition.name.clone(), self.partition.value.to_value());
        let sort = schema.sort.as_ref().zip(self.sort.as_ref());
        let sort = sort.map(|(attribute, value)| (attribute.name.clone(), value.to_value()));
        std::iter::once(partition).chain(sort).collect()
    }
}

pub(super) fn mismatch() -> AwsError {
    AwsError::invalid("The provided key element does not match the schema").of_item()
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::S(text) => text.is_empty(),
        Value::B(bytes) => bytes.is_empty(),
        _ => false,
    }
}

/// Checks the attributes of an item that are keys of indexes.
pub(super) fn check_index_keys(table: &TableDefinition, item: &Item) -> Result<(), AwsError> {
    for index in table.global_indexes.iter().chain(&table.local_indexes) {
        check_index(index, item)?;
    }
    Ok(())
}

fn check_index(index: &IndexDefinition, item: &Item) -> Result<(), AwsError> {
    let is_partition = |name: &str| name == index.key.partition.name;
    for attribute in index.key.attributes() {
        let (name, index_name) = (&attribute.name, &index.name);
        let Some(value) = item.get(name) else { continue };
        if value.tag() != attribute.kind.tag() {
            return Err(AwsError::invalid_value(format!(
                "Type mismatch for Index Key {name} Expected: {} Actual: {} IndexName: {index_name}",
                attribute.kind.tag(),
                value.tag()
            ))
            .of_item());
        }
        if is_empty(value) {
            let kind = if value.tag() == "B" { "binary" } else { "string" };
            return Err(AwsError::invalid(format!(
                "One or more parameter values are not valid. A value specified for a secondary \
                 index key is not supported. The AttributeValue for a key attribute cannot contain \
                 an empty {kind} value. IndexName: {index_name}, IndexKey: {name}"
            )));
        }
        let bytes_max = if is_partition(name) { PARTITION_BYTES_MAX } else { SORT_BYTES_MAX };
        if value.bytes() > bytes_max {
            let part = if is_partition(name) { "hashkey" } else { "range keys" };
            return Err(AwsError::invalid_value(format!(
                "Size of {part} has exceeded the maximum size limit of {bytes_max} bytes, \
                 IndexName: {index_name}"
            ))
            .of_item());
        }
    }
    Ok(())
}
