//! Stage 6: records of several tables by one call.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::types::KeysAndAttributes;
use lifecycle::record::{Excerpt, Key, Record, TableName as RecordTable};
use lifecycle::telemetry::observe_query;
use lifecycle::{Permit, ServiceError, random};
use tokio::time::Instant;

use super::expressions::{SdkItem, key_in, key_of};
use super::table::{excerpt, record};
use crate::errors::{fault, unavailable};
use crate::{Aws, Table};

/// `DynamoDB`'s limit for one `BatchGetItem`.
pub const KEYS_MAX: usize = 100;
/// Maximum calls until all keys are processed.
const ROUNDS_MAX: u32 = 5;
/// Longest first pause before unprocessed keys are requested again. It doubles.
const FIRST_PAUSE_MS: u64 = 50;

/// Reads all wanted records by one strongly consistent `BatchGetItem`: [`Table::one`],
/// [`Table::many`], [`Table::excerpt`], [`Table::excerpts`], or a tuple of these. One call needs one
/// connection and one signature; a call for each table would need one of each per table. Metrics name
/// the first table, faults name all.
///
/// # Errors
///
/// When a table cannot be read, a stored item is not such a record, or more than [`KEYS_MAX`] keys
/// are wanted.
pub async fn batch_get<C, W: BatchRequest>(
    _: &Permit<C>,
    wanted: W,
) -> Result<W::Found, ServiceError> {
    gather(wanted).await
}

pub(crate) async fn gather<W: BatchRequest>(wanted: W) -> Result<W::Found, ServiceError> {
    let mut keys = Keys::default();
    wanted.name(&mut keys)?;
    let count = keys.count();
    if count > KEYS_MAX {
        return Err(ServiceError::internal(format!("{count} keys at once, at most {KEYS_MAX}")));
    }
    let items = find(wanted.aws(), wanted.table(), keys).await?;
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

/// The wanted keys, by the physical names of their tables, in order: a simulation makes the same
/// requests in each run.
#[derive(Default)]
pub struct Keys(BTreeMap<String, KeysOfTable>);

/// The wanted keys of one table.
struct KeysOfTable {
    table: RecordTable,
    keys: BTreeSet<Key>,
    /// The attributes that are read; `None` for all.
    attributes: Option<BTreeSet<&'static str>>,
}

impl Keys {
    /// Adds keys, and the attributes that are read of their items; `None` for all.
    pub(super) fn add<'a>(
        &mut self,
        name: &str,
        table: RecordTable,
        attributes: Option<&[&'static str]>,
        keys: impl IntoIterator<Item = &'a Key>,
    ) {
        let none = || KeysOfTable { table, keys: BTreeSet::new(), attributes: Some([].into()) };
        let known = self.0.entry(name.to_owned()).or_insert_with(none);
        known.keys.extend(keys.into_iter().cloned());
        // A call reads the same attributes of all items of a table.
        match (&mut known.attributes, attributes) {
            (Some(known), Some(attributes)) => known.extend(attributes),
            (known, None) => *known = None,
            (None, Some(_)) => {}
        }
    }

    fn count(&self) -> usize {
        self.0.values().map(|wanted| wanted.keys.len()).sum()
    }

    /// The logical names of the tables, for a fault: any of them may be its cause.
    fn tables(&self) -> String {
        let mut names: Vec<_> = self.0.values().map(|wanted| wanted.table.name()).collect();
        names.sort_unstable();
        names.join(", ")
    }
}

/// The items found, by the physical names of their tables.
#[derive(Default)]
pub struct Items(HashMap<String, HashMap<Key, SdkItem>>);

/// One record.
pub struct GetOne<R> {
    table: Table<R>,
    key: Key,
}

/// Several records, in the order of their keys; `None` for a missing one.
pub struct GetMany<R> {
    table: Table<R>,
    keys: Vec<Key>,
}

impl<R: Record> Table<R> {
    /// One record, to be read by [`batch_get`].
    pub fn one(&self, key: Key) -> GetOne<R> {
        GetOne { table: self.clone(), key }
    }

    /// Several records, to be read by [`batch_get`]. A key may be named twice.
    pub fn many(&self, keys: impl IntoIterator<Item = Key>) -> GetMany<R> {
        GetMany { table: self.clone(), keys: keys.into_iter().collect() }
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
        keys.add(name, R::TABLE, None, [&self.key]);
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
        keys.add(name, R::TABLE, None, &self.keys);
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

    fn add(&mut self, name: String, table: RecordTable, found: Vec<SdkItem>) {
        let found = found.into_iter().filter_map(|item| Some((key_in(table, &item)?, item)));
        self.0.entry(name).or_default().extend(found);
    }
}

/// The items of the keys. Unprocessed keys are requested again.
async fn find(aws: &Aws, first: RecordTable, keys: Keys) -> Result<Items, ServiceError> {
    let mut found = Items::default();
    let mut wanted = HashMap::with_capacity(keys.0.len());
    for (name, of_table) in keys.0.iter().filter(|(_, of_table)| !of_table.keys.is_empty()) {
        wanted.insert(name.clone(), request_for(of_table)?);
    }
    for round in 0..ROUNDS_MAX {
        if wanted.is_empty() {
            return Ok(found);
        }
        if round > 0 {
            tokio::time::sleep(pause_before(round)).await;
        }
        wanted = ask(aws, first, &keys, wanted, &mut found).await?;
    }
    if wanted.is_empty() {
        return Ok(found);
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
        if let Some(KeysOfTable { table, .. }) = keys.0.get(&name) {
            found.add(name, *table, items);
        }
    }
    let mut left = answer.unprocessed_keys.unwrap_or_default();
    left.retain(|_, keys| !keys.keys.is_empty());
    Ok(left)
}

/// Strongly consistent: a decision from outdated facts would be discarded at its commit.
fn request_for(wanted: &KeysOfTable) -> Result<KeysAndAttributes, ServiceError> {
    let KeysOfTable { table, keys, attributes } = wanted;
    let keys = keys.iter().map(|key| key_of(*table, key)).collect();
    let mut request = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true);
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
