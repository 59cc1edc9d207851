//! The API of streams.

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::stream::{Shard, Stream, sequence_of, sequence_text};
use super::{Call, DynamoDb};
use crate::Millis;
use crate::services::wire::{AwsError, parsed};

/// The maximum number of records of one response.
const RECORDS_MAX: usize = 1000;
/// The maximum size of the records of one response, in bytes.
const BYTES_MAX: usize = 1024 * 1024;
/// How long an iterator is valid.
const ITERATOR: Millis = Millis::seconds(15 * 60);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ListStreams {
    table_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DescribeStream {
    stream_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetShardIterator {
    stream_arn: String,
    shard_id: String,
    shard_iterator_type: IteratorType,
    sequence_number: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum IteratorType {
    TrimHorizon,
    Latest,
    AtSequenceNumber,
    AfterSequenceNumber,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetRecords {
    shard_iterator: String,
    limit: Option<usize>,
}

/// A position in a shard, as the text of an iterator.
struct Position {
    arn: String,
    shard: String,
    sequence: u64,
    expires_at: Millis,
}

impl Position {
    fn text(&self) -> String {
        format!("{}|{}|{}|{}", self.arn, self.shard, self.sequence, self.expires_at.0)
    }

    fn of(text: &str) -> Option<Self> {
        let mut parts = text.split('|');
        let (arn, shard) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        let (sequence, expires_at) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(Self { arn, shard, sequence, expires_at: Millis(expires_at) })
    }
}

impl DynamoDb {
    pub(super) fn list_streams(
        &mut self,
        body: &[u8],
        call: &mut Call<'_>,
    ) -> Result<Json, AwsError> {
        let request: ListStreams = parsed(body)?;
        call.access.check("dynamodb:ListStreams", "*")?;
        let tables = self.tables.iter();
        let tables =
            tables.filter(|(name, _)| request.table_name.as_ref().is_none_or(|it| it == *name));
        let streams = tables.filter_map(|(name, table)| {
            let stream = table.stream.as_ref()?;
            Some(json!({
                "StreamArn": stream.arn, "StreamLabel": stream.label, "TableName": name,
            }))
        });
        Ok(json!({ "Streams": streams.collect::<Vec<_>>() }))
    }

    pub(super) fn describe_stream(
        &mut self,
        body: &[u8],
        call: &mut Call<'_>,
    ) -> Result<Json, AwsError> {
        let request: DescribeStream = parsed(body)?;
        check_access(call, "DescribeStream", &request.stream_arn)?;
        let (table, stream) = self.stream(&request.stream_arn)?;
        let shards = stream.shards.iter().map(|shard| {
            json!({
                "ShardId": shard.id,
                "SequenceNumberRange": {
                    "StartingSequenceNumber": sequence_text(shard.trimmed_to),
                },
            })
        });
        Ok(json!({ "StreamDescription": {
            "StreamArn": stream.arn,
            "StreamLabel": stream.label,
            "StreamStatus": "ENABLED",
            "StreamViewType": stream.view.name(),
            "TableName": table,
            "Shards": shards.collect::<Vec<_>>(),
        }}))
    }

    pub(super) fn get_shard_iterator(
        &mut self,
        body: &[u8],
        call: &mut Call<'_>,
    ) -> Result<Json, AwsError> {
        let request: GetShardIterator = parsed(body)?;
        check_access(call, "GetShardIterator", &request.stream_arn)?;
        let (_, stream) = self.stream(&request.stream_arn)?;
        let next = stream.next;
        let shard = shard(stream, &request.shard_id)?;
        shard.trim(call.now);
        let number = || {
            let text = request.sequence_number.as_deref().unwrap_or_default();
            let number =
                sequence_of(text).ok_or_else(|| AwsError::invalid("Invalid SequenceNumber"))?;
            if number < shard.trimmed_to {
                return Err(trimmed());
            }
            Ok(number)
        };
        let sequence = match request.shard_iterator_type {
            IteratorType::TrimHorizon => shard.trimmed_to,
            IteratorType::Latest => next,
            IteratorType::AtSequenceNumber => number()?,
            IteratorType::AfterSequenceNumber => number()? + 1,
        };
        let position = Position {
            arn: request.stream_arn.clone(),
            shard: request.shard_id.clone(),
            sequence,
            expires_at: call.now + ITERATOR,
        };
        Ok(json!({ "ShardIterator": position.text() }))
    }

    pub(super) fn get_records(
        &mut self,
        body: &[u8],
        call: &mut Call<'_>,
    ) -> Result<Json, AwsError> {
        let request: GetRecords = parsed(body)?;
        let position = Position::of(&request.shard_iterator)
            .ok_or_else(|| AwsError::invalid("Invalid ShardIterator."))?;
        check_access(call, "GetRecords", &position.arn)?;
        if position.expires_at < call.now {
            return Err(AwsError::new(
                "ExpiredIteratorException",
                "The shard iterator has expired.",
            ));
        }
        let limit = request.limit.unwrap_or(RECORDS_MAX);
        if !(1..=RECORDS_MAX).contains(&limit) {
            return Err(AwsError::invalid(format!("Limit must be from 1 to {RECORDS_MAX}")));
        }
        let (_, stream) = self.stream(&position.arn)?;
        let view = stream.view;
        let shard = shard(stream, &position.shard)?;
        shard.trim(call.now);
        if position.sequence < shard.trimmed_to {
            return Err(trimmed());
        }
        let start = shard.records.partition_point(|record| record.sequence < position.sequence);
        let (mut records, mut bytes, mut next) = (Vec::new(), 0, position.sequence);
        for record in shard.records.iter().skip(start).take(limit) {
            bytes += record.bytes(view);
            if bytes > BYTES_MAX && !records.is_empty() {
                break;
            }
            next = record.sequence + 1;
            records.push(record.to_json(view));
        }
        let next = Position { sequence: next, expires_at: call.now + ITERATOR, ..position };
        Ok(json!({ "Records": records, "NextShardIterator": next.text() }))
    }

    fn stream(&mut self, arn: &str) -> Result<(&str, &mut Stream), AwsError> {
        let tables = self.tables.iter_mut();
        let mut streams =
            tables.filter_map(|(name, table)| Some((name.as_str(), table.stream.as_mut()?)));
        streams.find(|(_, stream)| stream.arn == arn).ok_or_else(|| {
            AwsError::not_found(format!("Requested resource not found: Stream: {arn} not found"))
        })
    }
}

fn check_access(call: &Call<'_>, action: &str, arn: &str) -> Result<(), AwsError> {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or(arn);
    call.access.check(&format!("dynamodb:{action}"), resource)
}

fn shard<'a>(stream: &'a mut Stream, id: &str) -> Result<&'a mut Shard, AwsError> {
    stream.shards.iter_mut().find(|shard| shard.id == id).ok_or_else(|| {
        AwsError::not_found(format!("Requested resource not found: Shard: {id} not found"))
    })
}

fn trimmed() -> AwsError {
    AwsError::new(
        "TrimmedDataAccessException",
        "The operation attempted to read past the oldest stream record in a shard.",
    )
}
