//! Stage 6: records by key, and only with a permit.

use std::marker::PhantomData;

use lifecycle::record::{Key, Record, Singleton};
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

    pub(crate) async fn load(&self, key: &Key, consistent: bool) -> Result<Option<R>, Fault> {
        let item = self.aws.get_item(R::TABLE, key, consistent).await?;
        item.map(|item| record(key, item)).transpose()
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

/// A stored item that is no such record.
#[derive(Debug, thiserror::Error)]
#[error("the item {key:?} of table {table} cannot be read")]
struct Unreadable {
    table: &'static str,
    key: Key,
    source: serde_dynamo::Error,
}

pub(crate) fn record<R: Record>(key: &Key, item: SdkItem) -> Result<R, Fault> {
    serde_dynamo::from_item(item).map_err(|source| {
        Fault::internal(Unreadable { table: R::TABLE.name(), key: key.clone(), source })
    })
}
