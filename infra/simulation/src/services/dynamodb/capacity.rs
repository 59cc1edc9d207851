//! Capacity units: the consumption of calls, and the throughput of a partition.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::definition::Throughput;
use super::key::Partition;
use crate::Millis;
use crate::services::wire::AwsError;

/// The bytes of a read unit.
const READ_BYTES: usize = 4096;
/// The bytes of a write unit.
const WRITE_BYTES: usize = 1024;

/// Units, in halves: an eventually consistent read of 4 KB is one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct HalfUnits(pub(super) u64);

impl HalfUnits {
    /// Reading so many bytes.
    pub(super) fn read(bytes: usize, consistent: bool) -> Self {
        let units = count(bytes, READ_BYTES);
        Self(if consistent { 2 * units } else { units })
    }

    /// Writing so many bytes.
    pub(super) fn write(bytes: usize) -> Self {
        Self(2 * count(bytes, WRITE_BYTES))
    }

    #[expect(clippy::cast_precision_loss, reason = "no call consumes 2^52 units")]
    fn to_json(self) -> Json {
        json!(self.0 as f64 / 2.0)
    }
}

impl std::ops::Add for HalfUnits {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

fn count(bytes: usize, of: usize) -> u64 {
    u64::try_from(bytes.div_ceil(of)).unwrap_or(u64::MAX).max(1)
}

/// The units of a call, by table and index.
#[derive(Debug, Default)]
pub(super) struct Consumed(BTreeMap<String, OfTable>);

#[derive(Debug, Default)]
struct OfTable {
    table: HalfUnits,
    global: BTreeMap<String, HalfUnits>,
    local: BTreeMap<String, HalfUnits>,
}

/// A table or one of its indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consumer<'a> {
    Table,
    Global(&'a str),
    Local(&'a str),
}

impl Consumed {
    pub(super) fn add(&mut self, table: &str, consumer: Consumer<'_>, units: HalfUnits) {
        let of_table = self.0.entry(table.to_owned()).or_default();
        let sum = match consumer {
            Consumer::Table => &mut of_table.table,
            Consumer::Global(index) => of_table.global.entry(index.to_owned()).or_default(),
            Consumer::Local(index) => of_table.local.entry(index.to_owned()).or_default(),
        };
        *sum = *sum + units;
    }

    /// The list of all tables, as batches and transactions return it.
    pub(super) fn all(&self, wanted: ReturnConsumed) -> Option<Json> {
        if wanted == ReturnConsumed::None {
            return None;
        }
        Some(self.0.iter().map(|(table, units)| units.to_json(table, wanted)).collect())
    }

    /// The list of all tables of a transaction, with the kind of the units.
    pub(super) fn of_transaction(&self, wanted: ReturnConsumed, used: Use) -> Option<Json> {
        let mut all = self.all(wanted)?;
        let name = match used {
            Use::Read => "ReadCapacityUnits",
            Use::Write => "WriteCapacityUnits",
        };
        for table in all.as_array_mut().into_iter().flatten() {
            table[name] = table["CapacityUnits"].clone();
            if let Some(part) = table.get_mut("Table") {
                part[name] = part["CapacityUnits"].clone();
            }
            for indexes in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
                let indexes = table.get_mut(indexes).and_then(Json::as_object_mut);
                for (_, part) in indexes.into_iter().flatten() {
                    part[name] = part["CapacityUnits"].clone();
                }
            }
        }
        Some(all)
    }

    /// The units of the only table.
    pub(super) fn one(&self, wanted: ReturnConsumed) -> Option<Json> {
        self.all(wanted)?.as_array_mut()?.pop()
    }
}

impl OfTable {
    fn to_json(&self, table: &str, wanted: ReturnConsumed) -> Json {
        let indexes = self.global.values().chain(self.local.values());
        let total = indexes.fold(self.table, |sum, units| sum + *units);
        let mut json = json!({ "TableName": table, "CapacityUnits": total.to_json() });
        if wanted == ReturnConsumed::Indexes {
            json["Table"] = json!({ "CapacityUnits": self.table.to_json() });
            for (name, indexes) in
                [("GlobalSecondaryIndexes", &self.global), ("LocalSecondaryIndexes", &self.local)]
            {
                if !indexes.is_empty() {
                    let units = indexes.iter().map(|(index, units)| {
                        (index.clone(), json!({ "CapacityUnits": units.to_json() }))
                    });
                    json[name] = Json::Object(units.collect::<Map<_, _>>());
                }
            }
        }
        json
    }
}

/// `ReturnConsumedCapacity`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum ReturnConsumed {
    #[default]
    None,
    Total,
    Indexes,
}

/// The token buckets of the partitions of a table or index.
#[derive(Debug, Clone, Default)]
pub(super) struct Buckets {
    reads: BTreeMap<Partition, Bucket>,
    writes: BTreeMap<Partition, Bucket>,
}

/// A bucket that refills within a second. A call that finds something in it is admitted, and may
/// take more than there is; the next calls wait for it.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// In thousandths of a unit.
    left: i64,
    filled_at: Millis,
}

/// Reading or writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Read,
    Write,
}

impl Buckets {
    /// Whether a call to the partition is admitted.
    pub(super) fn admits(
        &mut self,
        limit: Throughput,
        used: Use,
        partition: &Partition,
        now: Millis,
    ) -> bool {
        self.filled(limit, used, partition, now).left > 0
    }

    /// Takes the units of a call.
    pub(super) fn take(
        &mut self,
        limit: Throughput,
        used: Use,
        partition: &Partition,
        now: Millis,
        units: HalfUnits,
    ) {
        let thousandths = i64::try_from(units.0.saturating_mul(500)).unwrap_or(i64::MAX);
        let bucket = self.filled(limit, used, partition, now);
        bucket.left = bucket.left.saturating_sub(thousandths);
    }

    fn filled(
        &mut self,
        limit: Throughput,
        used: Use,
        partition: &Partition,
        now: Millis,
    ) -> &mut Bucket {
        let (buckets, rate) = match used {
            Use::Read => (&mut self.reads, limit.read_units),
            Use::Write => (&mut self.writes, limit.write_units),
        };
        let full = i64::from(rate) * 1000;
        let bucket = buckets.entry(partition.clone());
        let bucket = bucket.or_insert(Bucket { left: full, filled_at: now });
        // A unit a second is a thousandth of a unit a millisecond.
        let passed = i64::try_from(now.since(bucket.filled_at).0).unwrap_or(i64::MAX);
        bucket.left = bucket.left.saturating_add(passed.saturating_mul(rate.into())).min(full);
        bucket.filled_at = now;
        bucket
    }
}

/// The error of a call that is not admitted.
pub(super) fn throttled() -> AwsError {
    AwsError::new(
        "ThrottlingException",
        "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically \
         scaling your table or index so please try again shortly.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::dynamodb::key::KeyValue;

    #[test]
    fn units_are_rounded_up_per_kilobyte() {
        for (bytes, consistent, halves) in
            [(0, true, 2), (0, false, 1), (4096, true, 2), (4097, true, 4), (4097, false, 2)]
        {
            assert_eq!(HalfUnits::read(bytes, consistent), HalfUnits(halves), "{bytes}");
        }
        assert_eq!(HalfUnits::write(0), HalfUnits(2));
        assert_eq!(HalfUnits::write(1025), HalfUnits(4));
    }

    #[test]
    fn a_partition_admits_its_units_of_each_second() {
        let limit = Throughput { read_units: 1, write_units: 10 };
        let mut buckets = Buckets::default();
        let partition = |name: &str| Partition::new(KeyValue::S(name.to_owned()));
        let mut write = |name: &str, at| {
            let partition = partition(name);
            let admitted = buckets.admits(limit, Use::Write, &partition, Millis(at));
            if admitted {
                buckets.take(limit, Use::Write, &partition, Millis(at), HalfUnits(2));
            }
            admitted
        };

        assert_eq!((0..20).filter(|_| write("a", 0)).count(), 10);
        assert!(write("b", 0), "partitions do not share their throughput");
        assert!(!write("a", 0));
        assert!(write("a", 100));
        assert_eq!((0..20).filter(|_| write("a", 5_000)).count(), 10);
    }

    #[test]
    fn consumed_units_are_totals_or_by_index() {
        let mut consumed = Consumed::default();
        consumed.add("t", Consumer::Table, HalfUnits(2));
        consumed.add("t", Consumer::Global("i"), HalfUnits(3));

        assert_eq!(consumed.one(ReturnConsumed::None), None);
        let total = consumed.one(ReturnConsumed::Total).unwrap();
        assert_eq!(total, json!({ "TableName": "t", "CapacityUnits": 2.5 }));
        let indexes = consumed.one(ReturnConsumed::Indexes).unwrap();
        assert_eq!(indexes["GlobalSecondaryIndexes"]["i"]["CapacityUnits"], json!(1.5));
        assert_eq!(indexes["Table"]["CapacityUnits"], json!(1.0));
    }
}
