//! `DynamoDB`: tables, indexes, streams, expiry and transactions.

mod batch;
mod capacity;
mod definition;
mod expression;
mod in_progress;
mod key;
mod number;
mod page;
mod plan;
mod query;
mod reads;
mod scan;
mod stream;
mod stream_calls;
mod table;
mod transact_get;
mod transactions;
mod value;
mod view;
mod writes;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

pub use self::definition::{
    IndexDefinition, IndexProjection, KeyAttribute, KeySchema, KeyType, StreamView,
    TableDefinition, Throughput,
};
use self::in_progress::Transactions;
use self::key::Key;
use self::plan::{Action, Expressions, OnFailure, Plan};
use self::table::Table;
use self::value::Value;
#[cfg(test)]
pub(crate) use self::value::item_of;
pub(crate) use self::value::{Item, item_to_json, plain};
use super::call::{Answer, Call, CallId, Finished, Turn};
use super::freedom::Freedom;
use super::wire::AwsError;
use crate::Millis;
use crate::random::Random;

/// An item that expired longer ago than this is kept, as on AWS: five years.
const EXPIRED_MAX: Millis = Millis::hours(5 * 365 * 24);

/// The tables of an account.
#[derive(Debug, Clone, Default)]
pub(super) struct DynamoDb {
    tables: BTreeMap<String, Table>,
    transactions: Transactions,
    agenda: BTreeMap<(Millis, u64), Event>,
    /// The number of the next event. Events of one time happen in the order of their numbers.
    next_event: u64,
}

/// Something that happens later.
#[derive(Debug, Clone)]
enum Event {
    /// A write becomes visible in a view.
    Visible { table: String, view: usize, key: Key, item: Option<Arc<Item>> },
    /// An item is deleted, if its time is still the same.
    Expires { table: String, key: Key, at: u64 },
    /// A transaction ends.
    Commits(CallId),
}

/// The author of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Author {
    Caller,
    /// The service, which deletes expired items.
    Expiry,
}

impl DynamoDb {
    pub(super) fn add(&mut self, definition: TableDefinition, now: Millis) -> Result<(), String> {
        check(&definition)?;
        let name = definition.name.clone();
        if self.tables.contains_key(&name) {
            return Err(format!("there is a table {name} already"));
        }
        self.tables.insert(name, Table::new(definition, now));
        Ok(())
    }

    pub(super) fn stream_arn(&self, table: &str) -> Option<&str> {
        Some(self.tables.get(table)?.stream.as_ref()?.arn.as_str())
    }

    pub(super) fn stream_records(&self) -> u64 {
        let streams = self.tables.values().filter_map(|table| table.stream.as_ref());
        // The first record has the number 1.
        streams.map(|stream| stream.next - 1).sum()
    }

    pub(super) fn is_shard_read(&self, arn: &str, shard: &str, after: Option<&str>) -> bool {
        let mut streams = self.tables.values().filter_map(|table| table.stream.as_ref());
        let stream = streams.find(|stream| stream.arn == arn);
        stream.is_some_and(|stream| stream.is_read(shard, after))
    }

    /// Performs an operation.
    pub(super) fn call(
        &mut self,
        operation: &str,
        body: &[u8],
        call: &mut Call<'_>,
    ) -> Result<Answer, AwsError> {
        let answer = match operation {
            "GetItem" => self.get_item(body, call),
            "BatchGetItem" => self.batch_get_item(body, call),
            "Query" => self.query(body, call),
            "Scan" => self.scan(body, call),
            "PutItem" => self.put_item(body, call),
            "UpdateItem" => self.update_item(body, call),
            "DeleteItem" => self.delete_item(body, call),
            "BatchWriteItem" => self.batch_write_item(body, call),
            "TransactGetItems" => self.transact_get_items(body, call),
            "TransactWriteItems" => return self.transact_write_items(body, call),
            _ => Err(AwsError::unknown_operation()),
        };
        answer.map(Answer::Now)
    }

    /// Performs an operation of a stream.
    pub(super) fn call_stream(
        &mut self,
        operation: &str,
        body: &[u8],
        call: &mut Call<'_>,
    ) -> Result<Answer, AwsError> {
        let answer = match operation {
            "ListStreams" => self.list_streams(body, call),
            "DescribeStream" => self.describe_stream(body, call),
            "GetShardIterator" => self.get_shard_iterator(body, call),
            "GetRecords" => self.get_records(body, call),
            _ => Err(AwsError::unknown_operation()),
        };
        answer.map(Answer::Now)
    }

    /// The time of the next event.
    pub(super) fn next_event_at(&self) -> Option<Millis> {
        self.agenda.keys().next().map(|(at, _)| *at)
    }

    /// Performs the next event, at its time.
    pub(super) fn advance(
        &mut self,
        freedom: &Freedom,
        random: &mut dyn Random,
    ) -> Option<Finished> {
        let ((now, _), event) = self.agenda.pop_first()?;
        match event {
            Event::Visible { table, view, key, item } => {
                if let Some(Table { definition, views, .. }) = self.tables.get_mut(&table)
                    && let Some(view) = views.get_mut(view)
                {
                    view.show(definition, &key, item.as_ref());
                }
                None
            }
            Event::Expires { table, key, at } => {
                self.expire(&table, &key, at, &mut Turn { now, random, freedom });
                None
            }
            Event::Commits(id) => self.commit(id, &mut Turn { now, random, freedom }),
        }
    }

    fn schedule(&mut self, at: Millis, event: Event) {
        self.agenda.insert((at, self.next_event), event);
        self.next_event += 1;
    }

    /// Performs a write whose conditions hold. Indexes, replica and stream follow.
    fn write(
        &mut self,
        name: &str,
        key: &Key,
        new: Option<&Arc<Item>>,
        author: Author,
        turn: &mut Turn<'_>,
    ) {
        let Turn { now, random, freedom } = turn;
        let now = *now;
        let Some(table) = self.tables.get_mut(name) else { return };
        let old = table.store(key, new);
        if old.as_ref() == new {
            return;
        }
        let schema = &table.definition.key;
        if let Some(stream) = &mut table.stream {
            stream.append(now, schema, key, old.as_ref(), new, author == Author::Expiry);
        }
        let mut later = Vec::new();
        for (number, view) in table.views.iter_mut().enumerate() {
            let max = if number == 0 { freedom.replica_lag_max } else { freedom.index_lag_max };
            let at = view.visible_at(&key.partition, now, random.up_to(max));
            if at <= now {
                view.show(&table.definition, key, new);
            } else {
                let (table, key, item) = (name.to_owned(), key.clone(), new.cloned());
                later.push((at, Event::Visible { table, view: number, key, item }));
            }
        }
        let expires = new.and_then(|item| expiry_of(&table.definition, item));
        if let Some(seconds) = expires.filter(|_| old.as_ref() != new) {
            let at = Millis::seconds(seconds).max(now) + random.up_to(freedom.ttl_delay_max);
            let at = at.max(now + Millis(1));
            later.push((
                at,
                Event::Expires { table: name.to_owned(), key: key.clone(), at: seconds },
            ));
        }
        for (at, event) in later {
            self.schedule(at, event);
        }
    }

    fn expire(&mut self, name: &str, key: &Key, seconds: u64, turn: &mut Turn<'_>) {
        let now = turn.now;
        let Some(table) = self.tables.get(name) else { return };
        let Some(item) = table.item(key) else { return };
        let is_same = expiry_of(&table.definition, item) == Some(seconds);
        let age = now.since(Millis::seconds(seconds));
        if !is_same || age > EXPIRED_MAX {
            return;
        }
        if self.transactions.holds(name, key) {
            let (table, key) = (name.to_owned(), key.clone());
            self.schedule(now + Millis(100), Event::Expires { table, key, at: seconds });
            return;
        }
        self.write(name, key, None, Author::Expiry, turn);
    }

    fn table(&self, name: &str) -> Result<&Table, AwsError> {
        self.tables.get(name).ok_or_else(no_table)
    }

    fn table_mut(&mut self, name: &str) -> Result<&mut Table, AwsError> {
        self.tables.get_mut(name).ok_or_else(no_table)
    }

    /// The items of a table in its own order: for checks.
    pub(super) fn stored(&self, name: &str) -> impl Iterator<Item = &Arc<Item>> {
        let table = self.tables.get(name);
        table.unwrap_or_else(|| panic!("there is no table {name}")).items.values()
    }

    /// Stores an item without conditions, and without a caller. It is checked like that of a `PutItem`.
    pub(super) fn seed(
        &mut self,
        name: &str,
        item: &Json,
        turn: &mut Turn<'_>,
    ) -> Result<(), String> {
        let stored = (|| {
            let table = &self.table(name)?.definition;
            let plan = Plan::put(table, item, &Expressions::default(), OnFailure::None)?;
            if let Action::Put(item) = &plan.action {
                self.write(name, &plan.key, Some(item), Author::Caller, turn);
            }
            Ok(())
        })();
        stored.map_err(|error: AwsError| error.message)
    }
}

fn no_table() -> AwsError {
    AwsError::not_found("Requested resource not found")
}

/// The time at which an item expires, in seconds since 1970.
fn expiry_of(definition: &TableDefinition, item: &Item) -> Option<u64> {
    match item.get(definition.ttl_attribute.as_ref()?)? {
        Value::N(number) => number.as_u64(),
        _ => None,
    }
}

fn check(definition: &TableDefinition) -> Result<(), String> {
    let mut names: Vec<&str> = Vec::new();
    for index in definition.global_indexes.iter().chain(&definition.local_indexes) {
        if names.contains(&index.name.as_str()) {
            return Err(format!("two indexes have the name {}", index.name));
        }
        names.push(&index.name);
    }
    for index in &definition.local_indexes {
        if index.key.partition != definition.key.partition || index.key.sort.is_none() {
            return Err(format!(
                "the local index {} needs the table's partition key and a sort key",
                index.name
            ));
        }
    }
    Ok(())
}
