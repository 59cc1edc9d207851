//! Stage 6: records by key. Reading requires a permit.

use std::marker::PhantomData;

use lifecycle::effects::{Condition, Write};
use lifecycle::record::{Excerpt, Key, Record, Singleton};
use lifecycle::telemetry::{observe_error, without_values};
use lifecycle::{Permit, RetrieveError, ServiceError};
use serde_dynamo::{AttributeValue, Item};
use sha2::{Digest, Sha256};

use super::expressions::SdkItem;
use crate::Aws;

/// The table that holds the records of one type.
///
/// Reading takes a [`Permit`], which only the lifecycle can make. So every read was authorized.
pub struct Table<R> {
    aws: Aws,
    record: PhantomData<fn() -> R>,
}

impl Aws {
    /// The table of a record type.
    ///
    /// # Panics
    ///
    /// When the function's `RESOURCES` lacks the table. Its first start shows this bug.
    pub fn table<R: Record>(&self) -> Table<R> {
        let name = R::TABLE.name();
        assert!(self.configuration().table(R::TABLE).is_some(), "RESOURCES lacks the table {name}");
        Table { aws: self.clone(), record: PhantomData }
    }
}

impl<R: Record> Table<R> {
    /// Reads one record.
    ///
    /// Reads are strongly consistent unless documented otherwise: a decision from outdated facts
    /// would be discarded at its commit.
    ///
    /// A key may be the text of a client. No item has one that is empty or too long for `DynamoDB`, so
    /// it finds `None`.
    ///
    /// # Errors
    ///
    /// When the table cannot be read, or the stored item is not such a record.
    pub async fn get<C>(&self, _: &Permit<C>, key: &Key) -> Result<Option<R>, ServiceError> {
        self.load(key, true).await
    }

    /// Reads one record with eventual consistency, at half the price: for caches, which lag anyway.
    ///
    /// # Errors
    ///
    /// As [`Table::get`].
    pub async fn get_eventually_consistent<C>(
        &self,
        _: &Permit<C>,
        key: &Key,
    ) -> Result<Option<R>, ServiceError> {
        self.load(key, false).await
    }

    /// Reads one record, for a list or as a hint. An unreadable record counts as absent.
    ///
    /// # Errors
    ///
    /// When the table cannot be read.
    pub async fn get_readable<C>(
        &self,
        _: &Permit<C>,
        key: &Key,
    ) -> Result<Option<R>, ServiceError> {
        let item = self.aws.get_item(R::TABLE, key, true).await?;
        Ok(item.and_then(|item| record(key, item).ok()))
    }

    pub(crate) async fn load(
        &self,
        key: &Key,
        consistent: bool,
    ) -> Result<Option<R>, ServiceError> {
        let item = self.aws.get_item(R::TABLE, key, consistent).await?;
        item.map(|item| record(key, item)).transpose().map_err(ServiceError::internal)
    }

    pub(crate) fn aws(&self) -> &Aws {
        &self.aws
    }
}

impl<S: Singleton> Table<S> {
    /// Reads the only record of its type; its default if none is stored.
    ///
    /// # Errors
    ///
    /// When the table cannot be read, or the stored item is not such a record, or is invalid.
    pub async fn get_the_one<C>(&self, _: &Permit<C>) -> Result<S, ServiceError> {
        self.load_the_one(true).await
    }

    /// Reads the only record of its type in order to replace it. An unreadable record is no error.
    ///
    /// # Errors
    ///
    /// When the table cannot be read.
    pub async fn get_to_replace<C>(&self, _: &Permit<C>) -> Result<Present<S>, ServiceError> {
        self.load_to_replace().await
    }

    pub(crate) async fn load_the_one(&self, consistent: bool) -> Result<S, ServiceError> {
        let item = self.aws.get_item(S::TABLE, &S::the_key(), consistent).await?;
        let read = item.map(valid).transpose().map_err(ServiceError::internal)?;
        Ok(read.unwrap_or_default())
    }

    pub(crate) async fn load_to_replace(&self) -> Result<Present<S>, ServiceError> {
        let Some(item) = self.aws.get_item(S::TABLE, &S::the_key(), true).await? else {
            return Ok(Present::Default(S::default()));
        };
        let version = Item::from(item.clone()).get(S::VERSION_ATTRIBUTE).cloned();
        Ok(valid(item).map_or(Present::Unreadable(version), Present::Stored))
    }
}

/// The stored state of the only record of its type, for an endpoint that replaces it.
#[derive(Debug, Clone, PartialEq)]
pub enum Present<S> {
    /// None is stored: the default applies.
    Default(S),
    /// The stored record.
    Stored(S),
    /// The stored item is not such a record, or is invalid. Its [`Record::VERSION_ATTRIBUTE`], if
    /// it has one.
    Unreadable(Option<AttributeValue>),
}

impl<S: Singleton> Present<S> {
    /// The version of the stored record or of the default; `None` if it cannot be read.
    pub fn version(&self) -> Option<u64> {
        match self {
            Self::Default(record) | Self::Stored(record) => Some(record.version()),
            Self::Unreadable(Some(AttributeValue::N(version))) => version.parse().ok(),
            Self::Unreadable(_) => None,
        }
    }

    /// The version of the record that replaces it.
    pub fn next_version(&self) -> u64 {
        self.version().unwrap_or(0).saturating_add(1)
    }

    /// Stores a record in its place, if the stored version is still the one that was read.
    pub fn replaced_by(&self, record: &S) -> Write {
        match self {
            Self::Default(_) => Write::create(record),
            Self::Stored(read) => Write::replace(record, read.version()),
            Self::Unreadable(version) => Write::put(record).when(match version {
                Some(version) => Condition::Equals(S::VERSION_ATTRIBUTE, version.clone()),
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

/// Turns a missing value into the fault that becomes a 404. Only `Option` implements it:
///
/// ```compile_fail,E0277
/// struct Own;
///
/// impl aws::OrNotFound<()> for Own {
///     fn or_not_found(self) -> Result<(), lifecycle::error::RetrieveError> {
///         Ok(())
///     }
/// }
/// ```
pub trait OrNotFound<T>: sealed::Sealed {
    /// The value, or [`RetrieveError::NotFound`], which is a 404.
    ///
    /// # Errors
    ///
    /// When there is none.
    fn or_not_found(self) -> Result<T, RetrieveError>;
}

mod sealed {
    pub trait Sealed {}

    impl<T> Sealed for Option<T> {}
}

impl<T> OrNotFound<T> for Option<T> {
    fn or_not_found(self) -> Result<T, RetrieveError> {
        self.ok_or(RetrieveError::NotFound)
    }
}

/// The error type that counts unreadable stored items.
const UNREADABLE_RECORD: &str = "UNREADABLE_RECORD";

/// A stored item that is not such a record: a later version wrote it, or another program did.
#[derive(Debug, thiserror::Error)]
#[error("the item {key} of table {table} cannot be read: {reason}")]
pub(crate) struct Unreadable {
    table: &'static str,
    key: String,
    /// Contains no stored values.
    reason: String,
}

/// The record that an item holds. An unreadable one is logged with its key and counted. It fails
/// only the request that needs it.
pub(crate) fn record<R: Record>(key: &Key, item: SdkItem) -> Result<R, Unreadable> {
    R::of_item(item.into())
        .map_err(|error| unreadable::<R>(key, without_values(&error.to_string())))
}

/// The excerpt that an item holds. An unreadable one is treated as in [`record`].
pub(crate) fn excerpt<E: Excerpt>(key: &Key, item: SdkItem) -> Result<E, Unreadable> {
    E::of_item(item.into())
        .map_err(|error| unreadable::<E::Of>(key, without_values(&error.to_string())))
}

/// The only record of its type, if the item holds a valid one.
fn valid<S: Singleton>(item: SdkItem) -> Result<S, Unreadable> {
    let key = S::the_key();
    record::<S>(&key, item)?.checked().map_err(|field_errors| {
        let fields: Vec<_> = field_errors.iter().map(|one| one.field.as_str()).collect();
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

/// The form in which the log shows a personal key: the beginning of its SHA-256, enough to
/// distinguish items.
pub(crate) fn hashed(part: &str) -> String {
    let digest = Sha256::digest(part);
    digest[..8].iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use lifecycle::record::TableName;
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Claim {
        email: String,
        number: u8,
    }

    impl Record for Claim {
        const TABLE: TableName = TableName::new("claims");
        const KEY_IS_PERSONAL: bool = true;

        fn key(&self) -> Key {
            Key::new(&self.email)
        }
    }

    #[test]
    fn an_unreadable_records_error_hides_personal_keys_and_values() {
        let item = serde_dynamo::to_item(
            serde_json::json!({ "email": "ada@example.com", "number": "hunter2" }),
        );
        let item: Item = item.unwrap();
        let key = Key::sorted("email#ada@example.com", "ada");
        let Err(error) = record::<Claim>(&key, item.into()) else {
            panic!("hunter2 is not a number")
        };
        let told = error.to_string();
        assert!(told.contains("\"sha256:") && told.contains("table claims"), "{told}");
        assert!(!told.contains("ada") && !told.contains("hunter2"), "{told}");
        assert_eq!(hashed("abc"), "sha256:ba7816bf8f01cfea");
    }
}
