//! Stage 6: records of several tables by one call.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::KeysAndAttributes;
use lifecycle::record::{Excerpt, Key, Record, TableName as RecordTable};
use lifecycle::telemetry::observe_query;
use lifecycle::{Permit, ServiceError, random};
use tokio::time::Instant;

use super::expressions::{SdkItem, key_in, key_of};
use super::table::{excerpt, record};
use super::wanted_keys::{Freshness, Keys, KeysOfTable};
use crate::errors::{fault, unavailable};
use crate::{Aws, Table};

/// `DynamoDB`'s limit for one `BatchGetItem`.
pub const KEYS_MAX: usize = 100;
/// Maximum calls until all keys are processed.
const ROUNDS_MAX: u32 = 5;
/// Longest first pause before unprocessed keys are requested again. It doubles.
const FIRST_PAUSE_MS: u64 = 50;

/// Reads all wanted records as they are now, by one `BatchGetItem`: [`Table::one`],
/// [`Table::many`], [`Table::excerpt`], [`Table::excerpts`], or a tuple of these. One call needs one
/// connection and one signature; a call for each table would need one of each per table. Metrics name
/// the first table, faults name all.
///
/// Records that are wanted as [`GetOne::lagging`] or [`GetOne::guarded`], and excerpts as
/// [`GetExcerpt::lagging`](crate::GetExcerpt::lagging), may be a moment old, and cost half. They
/// are read as they are now, at the full price, if another record of their table is, or if the
/// facts of an earlier run of stage 6 were stale.
///
/// # Errors
///
/// When a table cannot be read, a stored item is not such a record, or more than [`KEYS_MAX`] keys
/// are wanted.
pub async fn batch_get<C, W: BatchRequest>(
    permit: &Permit<C>,
    wanted: W,
) -> Result<W::Found, ServiceError> {
    gather_as(wanted, !permit.had_stale_facts()).await
}

/// Reads all wanted records as they are now.
#[cfg(any(test, feature = "admin"))]
pub(crate) async fn gather<W: BatchRequest>(wanted: W) -> Result<W::Found, ServiceError> {
    gather_as(wanted, false).await
}

pub(crate) async fn gather_as<W: BatchRequest>(
    wanted: W,
    may_lag: bool,
) -> Result<W::Found, ServiceError> {
    let mut keys = Keys::default();
    wanted.name(&mut keys)?;
    let count = keys.count();
    if count > KEYS_MAX {
        return Err(ServiceError::internal(format!("{count} keys at once, at most {KEYS_MAX}")));
    }
    let mut items = Items::default();
    find(wanted.aws(), wanted.table(), &keys, may_lag, &mut items).await?;
    if may_lag {
        let missed = keys.missed(|table, key| items.has(table, key));
        find(wanted.aws(), wanted.table(), &missed, false, &mut items).await?;
    }
    wanted.take(&items)
}

/// Records to read together with others. Only types of this crate implement it.
pub trait BatchRequest: sealed::Sealed + Send + Sync {
    /// The type of the result.
    type Found;

    #[doc(hidden)]
    fn aws(&self) -> &Aws;

    #[doc(hidden)]
    fn table(&self) -> RecordTable;

    #[doc(hidden)]
    fn name(&self, keys: &mut Keys) -> Result<(), ServiceError>;

    #[doc(hidden)]
    fn take(&self, items: &Items) -> Result<Self::Found, ServiceError>;
}

pub(super) mod sealed {
    pub trait Sealed {}
}

/// The items found, by the physical names of their tables.
#[derive(Default)]
pub struct Items(HashMap<String, HashMap<Key, SdkItem>>);

/// One record.
pub struct GetOne<R> {
    table: Table<R>,
    key: Key,
    freshness: Freshness,
}

/// Several records, in the order of their keys; `None` for a missing one.
pub struct GetMany<R> {
    table: Table<R>,
    keys: Vec<Key>,
}

impl<R: Record> Table<R> {
    /// One record, to be read by [`batch_get`].
    pub fn one(&self, key: Key) -> GetOne<R> {
        GetOne { table: self.clone(), key, freshness: Freshness::Current }
    }

    /// Several records, to be read by [`batch_get`]. A key may be named twice.
    pub fn many(&self, keys: impl IntoIterator<Item = Key>) -> GetMany<R> {
        GetMany { table: self.clone(), keys: keys.into_iter().collect() }
    }
}

impl<R> GetOne<R> {
    /// Allows the record to be a moment old, at half the price: for one that never changes, or
    /// whose last change does not matter to the decision. A missing record is read again, as it is
    /// now.
    #[must_use]
    pub fn lagging(self) -> Self {
        Self { freshness: Freshness::Lagging, ..self }
    }

    /// As [`GetOne::lagging`], and a record that has just been created may be missing: for one that
    /// the commit has conditions on. If they fail, the next run reads it as it is now.
    #[must_use]
    pub fn guarded(self) -> Self {
        Self { freshness: Freshness::Guarded, ..self }
    }
}

/// Several items, in the order of their keys. An unreadable item does not end the read of the
/// others, as an operator's work on a whole table needs.
pub struct Each<R>(GetMany<R>);

/// The result for one key.
#[derive(Debug)]
pub enum Looked<R> {
    /// No item.
    Nothing,
    /// A record.
    Record(R),
    /// An item that is not such a record.
    Unreadable,
}

impl<R> Looked<R> {
    /// The record, if there is a readable one.
    pub(super) fn record(self) -> Option<R> {
        match self {
            Self::Record(record) => Some(record),
            Self::Nothing | Self::Unreadable => None,
        }
    }
}

impl<R: Record> GetMany<R> {
    /// The same records; an unreadable one does not fail the others.
    #[must_use]
    pub fn each(self) -> Each<R> {
        Each(self)
    }
}

impl<R: Record> sealed::Sealed for Each<R> {}

impl<R: Record> BatchRequest for Each<R> {
    type Found = Vec<Looked<R>>;

    fn aws(&self) -> &Aws {
        self.0.aws()
    }

    fn table(&self) -> RecordTable {
        R::TABLE
    }

    fn name(&self, keys: &mut Keys) -> Result<(), ServiceError> {
        self.0.name(keys)
    }

    fn take(&self, items: &Items) -> Result<Vec<Looked<R>>, ServiceError> {
        let name = self.aws().table_name(R::TABLE)?;
        let looked = |key| match items.record(name, key) {
            Ok(None) => Looked::Nothing,
            Ok(Some(record)) => Looked::Record(record),
            Err(_) => Looked::Unreadable,
        };
        Ok(self.0.keys.iter().map(looked).collect())
    }
}

impl<R: Record> sealed::Sealed for GetOne<R> {}

impl<R: Record> BatchRequest for GetOne<R> {
    type Found = Option<R>;

    fn aws(&self) -> &Aws {
        self.table.aws()
    }

    fn table(&self) -> RecordTable {
        R::TABLE
    }

    fn name(&self, keys: &mut Keys) -> Result<(), ServiceError> {
        let name = self.aws().table_name(R::TABLE)?;
        keys.add(name, R::TABLE, None, self.freshness, [&self.key]);
        Ok(())
    }

    fn take(&self, items: &Items) -> Result<Option<R>, ServiceError> {
        items.record(self.aws().table_name(R::TABLE)?, &self.key)
    }
}

impl<R: Record> sealed::Sealed for GetMany<R> {}

impl<R: Record> BatchRequest for GetMany<R> {
    type Found = Vec<Option<R>>;

    fn aws(&self) -> &Aws {
        self.table.aws()
    }

    fn table(&self) -> RecordTable {
        R::TABLE
    }

    fn name(&self, keys: &mut Keys) -> Result<(), ServiceError> {
        let name = self.aws().table_name(R::TABLE)?;
        keys.add(name, R::TABLE, None, Freshness::Current, &self.keys);
        Ok(())
    }

    fn take(&self, items: &Items) -> Result<Vec<Option<R>>, ServiceError> {
        let name = self.aws().table_name(R::TABLE)?;
        self.keys.iter().map(|key| items.record(name, key)).collect()
    }
}

macro_rules! several_requests {
    ($($wanted:ident $number:tt),+) => {
        impl<$($wanted: BatchRequest),+> sealed::Sealed for ($($wanted,)+) {}

        impl<$($wanted: BatchRequest),+> BatchRequest for ($($wanted,)+) {
            type Found = ($($wanted::Found,)+);

            fn aws(&self) -> &Aws {
                self.0.aws()
            }

            fn table(&self) -> RecordTable {
                self.0.table()
            }

            fn name(&self, keys: &mut Keys) -> Result<(), ServiceError> {
                $(self.$number.name(keys)?;)+
                Ok(())
            }

            fn take(&self, items: &Items) -> Result<Self::Found, ServiceError> {
                Ok(($(self.$number.take(items)?,)+))
            }
        }
    };
}

several_requests!(A 0, B 1);
several_requests!(A 0, B 1, C 2);

impl Items {
    fn record<R: Record>(&self, table: &str, key: &Key) -> Result<Option<R>, ServiceError> {
        let item = self.0.get(table).and_then(|items| items.get(key));
        // A key may be wanted more than once.
        item.map(|item| record(key, item.clone())).transpose().map_err(ServiceError::internal)
    }

    pub(super) fn excerpt<E: Excerpt>(
        &self,
        table: &str,
        key: &Key,
    ) -> Result<Option<E>, ServiceError> {
        let item = self.0.get(table).and_then(|items| items.get(key));
        item.map(|item| excerpt(key, item.clone())).transpose().map_err(ServiceError::internal)
    }

    fn has(&self, table: &str, key: &Key) -> bool {
        self.0.get(table).is_some_and(|items| items.contains_key(key))
    }

    fn add(&mut self, name: String, table: RecordTable, found: Vec<SdkItem>) {
        let found = found.into_iter().filter_map(|item| Some((key_in(table, &item)?, item)));
        self.0.entry(name).or_default().extend(found);
    }
}

/// Adds the items of the keys to those found. Unprocessed keys are requested again.
async fn find(
    aws: &Aws,
    first: RecordTable,
    keys: &Keys,
    may_lag: bool,
    found: &mut Items,
) -> Result<(), ServiceError> {
    let mut wanted = HashMap::with_capacity(keys.0.len());
    for (name, known) in keys.0.iter().filter(|(_, known)| !known.keys.is_empty()) {
        wanted.insert(name.clone(), request_for(known, known.is_current || !may_lag)?);
    }
    for round in 0..ROUNDS_MAX {
        if wanted.is_empty() {
            return Ok(());
        }
        if round > 0 {
            tokio::time::sleep(pause_before(round)).await;
        }
        wanted = ask(aws, first, keys, wanted, found).await?;
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let mut tables: Vec<_> = wanted.into_keys().collect();
    tables.sort_unstable();
    Err(unavailable(format!("keys of {} stayed unread", tables.join(", "))))
}

type Request = HashMap<String, KeysAndAttributes>;

/// One `BatchGetItem`: adds the items found, and returns the unprocessed keys.
async fn ask(
    aws: &Aws,
    first: RecordTable,
    keys: &Keys,
    wanted: Request,
    found: &mut Items,
) -> Result<Request, ServiceError> {
    let request = aws.dynamodb().batch_get_item().set_request_items(Some(wanted));
    let started = Instant::now();
    let answer = request.send().await;
    observe_query("BatchGetItem", first.name(), started.elapsed());
    let answer = answer.map_err(|error| fault("BatchGetItem", &keys.tables(), error))?;
    for (name, items) in answer.responses.unwrap_or_default() {
        if let Some(known) = keys.0.get(&name) {
            found.add(name, known.table, items);
        }
    }
    let mut left = answer.unprocessed_keys.unwrap_or_default();
    left.retain(|_, keys| !keys.keys.is_empty());
    Ok(left)
}

/// Strongly consistent, unless the records may lag: a decision from outdated facts would be discarded
/// at its commit.
fn request_for(wanted: &KeysOfTable, is_current: bool) -> Result<KeysAndAttributes, ServiceError> {
    let KeysOfTable { table, keys, attributes, .. } = wanted;
    let keys = keys.iter().map(|key| key_of(*table, key)).collect();
    let mut request = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(is_current);
    if let Some(attributes) = attributes {
        let mut attributes = attributes.clone();
        attributes.insert(table.partition_key());
        attributes.extend(table.is_sorted().then(|| table.sort_key()));
        let mut aliases = Vec::with_capacity(attributes.len());
        for (number, name) in attributes.into_iter().enumerate() {
            let alias = format!("#n{number}");
            request = request.expression_attribute_names(alias.as_str(), name);
            aliases.push(alias);
        }
        request = request.projection_expression(aliases.join(","));
    }
    request.build().map_err(ServiceError::internal)
}

/// Full jitter: callers that were throttled together do not retry together.
fn pause_before(round: u32) -> Duration {
    Duration::from_millis(random::up_to(FIRST_PAUSE_MS << (round - 1)))
}
