//! Streams: the changes of each item, in order.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::normal::normal;
use super::pair::Pair;

const SERVICE: &str = "DynamoDBStreams_20120810";
const TABLES: [&str; 2] = ["pairs", "plain"];

/// The records of both engines, if they differ.
pub(crate) fn difference(pair: &mut Pair) -> Option<(Json, Json)> {
    TABLES.into_iter().find_map(|table| {
        let (ours, theirs) = (by_item(&ours(pair, table)), by_item(&theirs(pair, table)));
        (ours != theirs).then(|| (json!(ours), json!(theirs)))
    })
}

/// The changes of each item. Records of two items have no order.
///
/// A write that changes nothing has no record in DynamoDB. The embedded one writes a record for an
/// update of this kind, which is left out here.
fn by_item(records: &[Json]) -> BTreeMap<String, Vec<Json>> {
    let mut changes: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    for record in records {
        let change = &record["dynamodb"];
        if change["OldImage"].is_object()
            && normal(&change["OldImage"]) == normal(&change["NewImage"])
        {
            continue;
        }
        let images = [&record["eventName"], &change["OldImage"], &change["NewImage"]];
        let images = images.into_iter().map(normal).collect();
        changes.entry(normal(&change["Keys"]).to_string()).or_default().push(images);
    }
    changes
}

fn ours(pair: &mut Pair, table: &str) -> Vec<Json> {
    let mut call = |operation: &str, request: &Json| {
        let (status, answer) = pair.ours_of(SERVICE, operation, request);
        assert_eq!(status, 200, "{operation}: {answer}");
        answer
    };
    let streams = call("ListStreams", &json!({ "TableName": table }));
    let arn = &streams["Streams"][0]["StreamArn"];
    let stream = call("DescribeStream", &json!({ "StreamArn": arn }));
    let shards = stream["StreamDescription"]["Shards"].as_array().cloned().unwrap_or_default();
    let mut records = Vec::new();
    for shard in shards {
        let iterator = call(
            "GetShardIterator",
            &json!({
                "StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON",
            }),
        );
        let read = call("GetRecords", &json!({ "ShardIterator": iterator["ShardIterator"] }));
        records.extend(read["Records"].as_array().cloned().unwrap_or_default());
    }
    records
}

fn theirs(pair: &Pair, table: &str) -> Vec<Json> {
    let iterator = json!({
        "StreamArn": dynoxide::streams::stream_arn(table, ""),
        "ShardId": dynoxide::streams::shard_id(table),
        "ShardIteratorType": "TRIM_HORIZON",
    });
    let iterator = serde_json::from_value(iterator).unwrap();
    let iterator = pair.theirs.get_shard_iterator(iterator).unwrap();
    let request = json!({ "ShardIterator": iterator.shard_iterator, "Limit": 1000 });
    let read = pair.theirs.get_records(serde_json::from_value(request).unwrap()).unwrap();
    read.records.iter().map(|record| json!(record)).collect()
}
