//! Stage 6: records by key, and only with a permit.

use std::collections::{HashMap, HashSet};
use std::marker::PhantomData;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use lifecycle::record::{Key, Record};
use lifecycle::telemetry::observe_query;
use lifecycle::{Fault, Permit};

use crate::Aws;
use crate::expressions::{PARTITION_KEY, SORT_KEY, SdkItem, key_of};
use crate::faults::{fault, unavailable};

/// `DynamoDB`'s limit for one `BatchGetItem`.
pub const KEYS_MAX: usize = 100;
/// How often keys that were left out of an answer are asked for.
const ROUNDS_MAX: u32 = 5;
/// The first pause before they are asked for again is at most this long; it doubles.
const FIRST_PAUSE_MS: u64 = 50;

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

    /// Several records as they are now, in the order of their keys; `None` for those that do not
    /// exist. A key may be named twice.
    ///
    /// # Errors
    ///
    /// As [`Table::get`], and when there are more than [`KEYS_MAX`] keys.
    pub async fn get_many<C>(&self, _: &Permit<C>, keys: &[Key]) -> Result<Vec<Option<R>>, Fault> {
        self.load_many(keys).await
    }

    pub(crate) async fn load_many(&self, keys: &[Key]) -> Result<Vec<Option<R>>, Fault> {
        if keys.len() > KEYS_MAX {
            return Err(Fault::internal(format!(
                "{} keys at once, at most {KEYS_MAX}",
                keys.len()
            )));
        }
        let found = self.find(keys.iter().collect()).await?;
        let read = |key| found.get(key).map(|item| record(key, item)).transpose();
        keys.iter().map(read).collect()
    }

    /// The items of the keys, asking again for those that were left out of an answer.
    async fn find(&self, keys: HashSet<&Key>) -> Result<HashMap<Key, SdkItem>, Fault> {
        let mut found = HashMap::with_capacity(keys.len());
        let mut wanted: Vec<SdkItem> = keys.into_iter().map(key_of).collect();
        for round in 0..ROUNDS_MAX {
            if wanted.is_empty() {
                break;
            }
            if round > 0 {
                tokio::time::sleep(pause_before(round)).await;
            }
            let (items, left) = self.ask(wanted).await?;
            found.extend(items.into_iter().filter_map(|item| Some((key_in(&item)?, item))));
            wanted = left;
        }
        if wanted.is_empty() {
            return Ok(found);
        }
        let name = R::TABLE.name();
        Err(unavailable(format!("{} keys of table {name} stayed unread", wanted.len())))
    }

    pub(crate) async fn load(&self, key: &Key, consistent: bool) -> Result<Option<R>, Fault> {
        let item = self.aws.get_item(R::TABLE, key, consistent).await?;
        item.map(|item| record(key, &item)).transpose()
    }

    /// One `BatchGetItem`: the items it found, and the keys that it left out.
    async fn ask(&self, keys: Vec<SdkItem>) -> Result<(Vec<SdkItem>, Vec<SdkItem>), Fault> {
        let name = self.aws.table_name(R::TABLE)?;
        let wanted = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(true)
            .build()
            .map_err(Fault::internal)?;
        let request = self.aws.dynamodb().batch_get_item().request_items(name, wanted);
        let started = Instant::now();
        let answer = request.send().await;
        observe_query("BatchGetItem", R::TABLE.name(), started.elapsed());
        let answer = answer.map_err(|error| fault("BatchGetItem", R::TABLE.name(), error))?;
        let items = answer.responses.and_then(|mut tables| tables.remove(name));
        let left = answer.unprocessed_keys.and_then(|mut tables| tables.remove(name));
        Ok((items.unwrap_or_default(), left.map(|left| left.keys).unwrap_or_default()))
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

fn record<R: Record>(key: &Key, item: &SdkItem) -> Result<R, Fault> {
    serde_dynamo::from_item(item.clone()).map_err(|source| {
        Fault::internal(Unreadable { table: R::TABLE.name(), key: key.clone(), source })
    })
}

fn key_in(item: &SdkItem) -> Option<Key> {
    let text = |name| match item.get(name) {
        Some(AttributeValue::S(text)) => Some(text.clone()),
        _ => None,
    };
    Some(Key { pk: text(PARTITION_KEY)?, sk: text(SORT_KEY) })
}

/// Full jitter: whoever was throttled together does not come back together.
fn pause_before(round: u32) -> Duration {
    Duration::from_millis(fastrand::u64(0..=FIRST_PAUSE_MS << (round - 1)))
}
