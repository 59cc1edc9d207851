//! Stage 6: records by key, and only with a permit.

use std::marker::PhantomData;

use lifecycle::record::{Key, Record, Singleton};
use lifecycle::telemetry::observe_error;
use lifecycle::{Fault, Permit};

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

    /// One record as it is now, for a list: one that cannot be read is left out, as in every list.
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
    /// As [`Table::get`].
    pub async fn get_the_one<C>(&self, permit: &Permit<C>) -> Result<S, Fault> {
        Ok(self.get(permit, &S::the_key()).await?.unwrap_or_default())
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
#[error("the item {key:?} of table {table} cannot be read")]
pub(crate) struct Unreadable {
    table: &'static str,
    key: Key,
    source: serde_dynamo::Error,
}

/// The record that an item holds. One that cannot be read is logged with its key and counted: it
/// harms the request that needs it, and no other.
pub(crate) fn record<R: Record>(key: &Key, item: SdkItem) -> Result<R, Unreadable> {
    R::of_item(item.into()).map_err(|source| {
        let table = R::TABLE.name();
        let (pk, sk) = (key.pk.as_str(), key.sk.as_deref());
        tracing::error!(table, pk, sk, error = %source, "a stored record cannot be read");
        observe_error(UNREADABLE_RECORD);
        Unreadable { table, key: key.clone(), source }
    })
}
