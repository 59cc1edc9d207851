//! Streams: the changes of a table, for 24 hours.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::definition::{KeySchema, StreamView};
use super::key::Key;
use super::value::{Item, item_bytes, item_to_json};
use crate::Millis;
use crate::services::account::{ACCOUNT_ID, REGION};

/// How long a record is kept.
const RETENTION: Millis = Millis::hours(24);
/// The number of shards of a stream. All records of a partition key are in one of them.
const SHARDS: u64 = 4;

/// The stream of a table.
#[derive(Debug, Clone)]
pub(super) struct Stream {
    pub(super) arn: String,
    pub(super) label: String,
    pub(super) view: StreamView,
    pub(super) shards: Vec<Shard>,
    /// The sequence number of the next record.
    pub(super) next: u64,
}

/// A part of a stream.
#[derive(Debug, Clone)]
pub(super) struct Shard {
    pub(super) id: String,
    pub(super) records: VecDeque<Record>,
    /// The sequence number after the last trimmed record.
    pub(super) trimmed_to: u64,
}

/// A change of an item.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) sequence: u64,
    at: Millis,
    key: Item,
    old: Option<Arc<Item>>,
    new: Option<Arc<Item>>,
    by_expiry: bool,
}

impl Stream {
    pub(super) fn new(table: &str, view: StreamView, created_at: Millis) -> Self {
        let label = format!("{:020}", created_at.0);
        let shard = |number: u64| Shard {
            id: format!("shardId-{number:020}-{number:08x}"),
            records: VecDeque::new(),
            trimmed_to: 0,
        };
        Self {
            arn: format!("arn:aws:dynamodb:{REGION}:{ACCOUNT_ID}:table/{table}/stream/{label}"),
            label,
            view,
            shards: (0..SHARDS).map(shard).collect(),
            next: 1,
        }
    }

    pub(super) fn append(
        &mut self,
        now: Millis,
        schema: &KeySchema,
        key: &Key,
        old: Option<&Arc<Item>>,
        new: Option<&Arc<Item>>,
        by_expiry: bool,
    ) {
        let shards = u128::from(SHARDS);
        let number = (u128::from(key.partition.hash) * shards) >> 64;
        let Some(shard) = usize::try_from(number).ok().and_then(|it| self.shards.get_mut(it))
        else {
            return;
        };
        let (sequence, key) = (self.next, key.attributes(schema));
        self.next += 1;
        let (old, new) = (old.cloned(), new.cloned());
        shard.records.push_back(Record { sequence, at: now, key, old, new, by_expiry });
        shard.trim(now);
    }
}

impl Stream {
    /// Whether a shard has no record after the one with this sequence number; `None` is its beginning.
    /// False for a reader whose position may be trimmed.
    pub(super) fn is_read(&self, shard: &str, after: Option<&str>) -> bool {
        let shard = self.shards.iter().find(|known| known.id == shard);
        shard.is_some_and(|shard| match (shard.records.back(), after) {
            (Some(newest), Some(after)) => sequence_of(after) == Some(newest.sequence),
            (newest, after) => newest.is_none() && after.is_none(),
        })
    }
}

impl Shard {
    /// Deletes the records that are older than the retention.
    pub(super) fn trim(&mut self, now: Millis) {
        while let Some(record) = self.records.front()
            && now.since(record.at) > RETENTION
        {
            self.trimmed_to = record.sequence + 1;
            self.records.pop_front();
        }
    }
}

/// A sequence number as a text.
pub(super) fn sequence_text(sequence: u64) -> String {
    format!("1{sequence:020}")
}

/// The sequence number of a text.
pub(super) fn sequence_of(text: &str) -> Option<u64> {
    text.strip_prefix('1').filter(|digits| digits.len() == 20)?.parse().ok()
}

impl Record {
    /// The record in the JSON of `GetRecords`.
    pub(super) fn to_json(&self, view: StreamView) -> Json {
        let name = match (&self.old, &self.new) {
            (None, _) => "INSERT",
            (_, Some(_)) => "MODIFY",
            (_, None) => "REMOVE",
        };
        let mut change = json!({
            "ApproximateCreationDateTime": self.at.as_seconds(),
            "Keys": item_to_json(&self.key),
            "SequenceNumber": sequence_text(self.sequence),
            "SizeBytes": self.bytes(view),
            "StreamViewType": view.name(),
        });
        let (old, new) = self.images(view);
        for (name, image) in [("OldImage", old), ("NewImage", new)] {
            if let Some(image) = image {
                change[name] = item_to_json(image);
            }
        }
        let mut record = json!({
            "eventID": format!("{:032x}", self.sequence),
            "eventName": name,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": REGION,
            "dynamodb": change,
        });
        if self.by_expiry {
            let service = json!({ "Type": "Service", "PrincipalId": "dynamodb.amazonaws.com" });
            record["userIdentity"] = service;
        }
        record
    }

    pub(super) fn bytes(&self, view: StreamView) -> usize {
        let (old, new) = self.images(view);
        let images = old.into_iter().chain(new).map(item_bytes).sum::<usize>();
        item_bytes(&self.key) + images
    }

    fn images(&self, view: StreamView) -> (Option<&Item>, Option<&Item>) {
        let (old, new) = (self.old.as_deref(), self.new.as_deref());
        match view {
            StreamView::KeysOnly => (None, None),
            StreamView::NewImage => (None, new),
            StreamView::OldImage => (old, None),
            StreamView::NewAndOldImages => (old, new),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_read_up_to_its_newest_record_or_from_an_empty_beginning() {
        let mut stream = Stream::new("t", StreamView::NewImage, Millis(0));
        let id = stream.shards[0].id.clone();
        assert!(stream.is_read(&id, None) && !stream.is_read(&id, Some(&sequence_text(7))));
        for sequence in [7, 9] {
            let (key, old, new) = (Item::new(), None, None);
            let record = Record { sequence, at: Millis(0), key, old, new, by_expiry: true };
            stream.shards[0].records.push_back(record);
        }
        let after = |sequence| Some(sequence_text(sequence));
        for (after, is_read) in [(None, false), (after(7), false), (after(9), true)] {
            assert_eq!(stream.is_read(&id, after.as_deref()), is_read, "{after:?}");
        }
        stream.shards[0].trim(RETENTION + Millis(1));
        assert!(!stream.is_read(&id, after(9).as_deref()), "its position may be trimmed");
        assert!(!stream.is_read("another", None));
    }
}
