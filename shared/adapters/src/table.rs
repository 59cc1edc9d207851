//! Stage 6: records by key, and only with a permit.

use std::marker::PhantomData;

use lifecycle::effects::{Condition, Write};
use lifecycle::record::{Key, Record, Singleton};
use lifecycle::telemetry::{observe_error, without_values};
use lifecycle::{Fault, Permit};
use serde_dynamo::{AttributeValue, Item};
use sha2::{Digest, Sha256};

use crate::Aws;
use crate::expressions::SdkItem;

/// The table that records of one type are kept in.
///
/// Reading takes a [`Permit`], which the lifecycle alone can make: what is read was allowed to
/// be.
pub struct Table<R> {
    aws: Aws,
    record: PhantomData<fn() -> R>,
}

impl Aws {
    /// The table of a record type.
    ///
    /// # Panics
    ///
    /// When the table is not among the uses that the endpoint declares: a fault of the endpoint,
    /// which its first start shows.
    pub fn table<R: Record>(&self) -> Table<R> {
        let name = R::TABLE.name();
        assert!(self.configuration().table(R::TABLE).is_some(), "USES lacks the table {name}");
        Table { aws: self.clone(), record: PhantomData }
    }
}

impl<R: Record> Table<R> {
    /// One record, as it is now.
    ///
    /// Reads are strongly consistent unless they say otherwise: a decision about facts that were
    /// overtaken a moment ago would be thrown away by its commit.
    ///
    /// # Errors
    ///
    /// When the table cannot be read, or what it holds is no such record.
    pub async fn get<C>(&self, _: &Permit<C>, key: &Key) -> Result<Option<R>, Fault> {
        self.load(key, true).await
    }

    /// One record as it was a moment ago, at half the price: for caches, which are behind anyway.
    ///
    /// # Errors
    ///
    /// As [`Table::get`].
    pub async fn get_eventually<C>(&self, _: &Permit<C>, key: &Key) -> Result<Option<R>, Fault> {
        self.load(key, false).await
    }

    /// One record as it is now, for a list or as a hint: one that cannot be read counts as absent.
    ///
    /// # Errors
    ///
    /// When the table cannot be read.
    pub async fn get_readable<C>(&self, _: &Permit<C>, key: &Key) -> Result<Option<R>, Fault> {
        let item = self.aws.get_item(R::TABLE, key, true).await?;
        Ok(item.and_then(|item| record(key, item).ok()))
    }

    pub(crate) async fn load(&self, key: &Key, consistent: bool) -> Result<Option<R>, Fault> {
        let item = self.aws.get_item(R::TABLE, key, consistent).await?;
        item.map(|item| record(key, item)).transpose().map_err(Fault::internal)
    }

    pub(crate) fn aws(&self) -> &Aws {
        &self.aws
    }
}

impl<S: Singleton> Table<S> {
    /// The one record of its type as it is now; its default where none is stored.
    ///
    /// # Errors
    ///
    /// When the table cannot be read, or what it holds is no such record, or not valid.
    pub async fn get_the_one<C>(&self, _: &Permit<C>) -> Result<S, Fault> {
        self.load_the_one(true).await
    }

    /// The one record of its type as it is stored, to be replaced, also where it cannot be read.
    ///
    /// # Errors
    ///
    /// When the table cannot be read.
    pub async fn get_to_replace<C>(&self, _: &Permit<C>) -> Result<Present<S>, Fault> {
        self.load_to_replace().await
    }

    pub(crate) async fn load_the_one(&self, consistent: bool) -> Result<S, Fault> {
        let item = self.aws.get_item(S::TABLE, &S::the_key(), consistent).await?;
        let read = item.map(valid).transpose().map_err(Fault::internal)?;
        Ok(read.unwrap_or_default())
    }

    pub(crate) async fn load_to_replace(&self) -> Result<Present<S>, Fault> {
        let Some(item) = self.aws.get_item(S::TABLE, &S::the_key(), true).await? else {
            return Ok(Present::Default(S::default()));
        };
        let version = Item::from(item.clone()).get(VERSION).cloned();
        Ok(valid(item).map_or(Present::Unreadable(version), Present::Stored))
    }
}

/// The one record of its type as it is stored, for an endpoint that replaces it.
#[derive(Debug, Clone, PartialEq)]
pub enum Present<S> {
    /// None is stored: the default holds.
    Default(S),
    /// The stored record.
    Stored(S),
    /// The stored item is no such record, or not valid. Its attribute `version`, if it has one.
    Unreadable(Option<AttributeValue>),
}

/// The attribute that holds the version of a record.
const VERSION: &str = "version";

impl<S: Singleton> Present<S> {
    /// The version of what is stored, or of the default; `None` where it cannot be read.
    pub fn version(&self) -> Option<u64> {
        match self {
            Self::Default(record) | Self::Stored(record) => Some(record.version()),
            Self::Unreadable(Some(AttributeValue::N(version))) => version.parse().ok(),
            Self::Unreadable(_) => None,
        }
    }

    /// The version of what takes its place.
    pub fn next_version(&self) -> u64 {
        self.version().unwrap_or(0).saturating_add(1)
    }

    /// Stores a record in its place, if what is stored still has the version that was read.
    pub fn replaced_by(&self, record: &S) -> Write {
        match self {
            Self::Default(_) => Write::create(record),
            Self::Stored(read) => Write::replace(record, read.version()),
            Self::Unreadable(version) => Write::put(record).when(match version {
                Some(version) => Condition::Equals(VERSION, version.clone()),
                None => Condition::Present,
            }),
        }
    }
}

impl<R> Clone for Table<R> {
    fn clone(&self) -> Self {
        Self { aws: self.aws.clone(), record: PhantomData }
    }
}

/// What is missing may be missing to the client too.
pub trait OrAbsent<T> {
    /// The value, or [`Fault::Absent`], which is a 404.
    ///
    /// # Errors
    ///
    /// When there is none.
    fn or_absent(self) -> Result<T, Fault>;
}

impl<T> OrAbsent<T> for Option<T> {
    fn or_absent(self) -> Result<T, Fault> {
        self.ok_or(Fault::Absent)
    }
}

/// The type of the errors that count stored items that cannot be read.
const UNREADABLE_RECORD: &str = "UNREADABLE_RECORD";

/// A stored item that is no such record: one of a later version, or one that was written past us.
#[derive(Debug, thiserror::Error)]
#[error("the item {key} of table {table} cannot be read: {reason}")]
pub(crate) struct Unreadable {
    table: &'static str,
    key: String,
    /// Nothing of what is stored.
    reason: String,
}

/// The record that an item holds. One that cannot be read is logged with its key and counted: it
/// harms the request that needs it, and no other.
pub(crate) fn record<R: Record>(key: &Key, item: SdkItem) -> Result<R, Unreadable> {
    R::of_item(item.into())
        .map_err(|error| unreadable::<R>(key, without_values(&error.to_string())))
}

/// The one record of its type that an item holds, if its fields go together.
fn valid<S: Singleton>(item: SdkItem) -> Result<S, Unreadable> {
    let key = S::the_key();
    record::<S>(&key, item)?.checked().map_err(|violations| {
        let fields: Vec<_> = violations.iter().map(|one| one.field.as_str()).collect();
        unreadable::<S>(&key, format!("not valid: {}", fields.join(", ")))
    })
}

fn unreadable<R: Record>(key: &Key, reason: String) -> Unreadable {
    let table = R::TABLE.name();
    let told = |part: &str| if R::KEY_IS_PERSONAL { hashed(part) } else { part.to_owned() };
    let (pk, sk) = (told(&key.pk), key.sk.as_deref().map(told));
    tracing::error!(table, pk, sk, error = reason, "a stored record cannot be read");
    observe_error(UNREADABLE_RECORD);
    let key = sk.map_or_else(|| format!("{pk:?}"), |sk| format!("{pk:?} {sk:?}"));
    Unreadable { table, key, reason }
}

/// What the log has of a key that is personal data: the beginning of its SHA-256, by which the item
/// can be told from others.
fn hashed(part: &str) -> String {
    let digest = Sha256::digest(part);
    digest[..8].iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use lifecycle::record::Table;
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Claim {
        email: String,
        number: u8,
    }

    impl Record for Claim {
        const TABLE: Table = Table::new("claims");
        const KEY_IS_PERSONAL: bool = true;

        fn key(&self) -> Key {
            Key::new(&self.email)
        }
    }

    #[test]
    fn neither_a_personal_key_nor_a_value_is_told_of_an_unreadable_record() {
        let item = serde_dynamo::to_item(
            serde_json::json!({ "email": "ada@example.com", "number": "hunter2" }),
        );
        let item: Item = item.unwrap();
        let key = Key::sorted("email#ada@example.com", "ada");
        let Err(error) = record::<Claim>(&key, item.into()) else { panic!("it is no number") };
        let told = error.to_string();
        assert!(told.contains("\"sha256:") && told.contains("table claims"), "{told}");
        assert!(!told.contains("ada") && !told.contains("hunter2"), "{told}");
        assert_eq!(hashed("abc"), "sha256:ba7816bf8f01cfea");
    }
}
