use super::*;
use crate::Millis;

const STREAMS: &str = "DynamoDBStreams_20120810";

fn streamed(view: StreamView) -> World {
    world(TableDefinition::new("t", "pk").with_stream(view).with_ttl("expiresAt"))
}

fn stream_arn(world: &mut World) -> String {
    let streams = world.ok(STREAMS, "ListStreams", &json!({ "TableName": "t" }));
    streams["Streams"][0]["StreamArn"].as_str().unwrap().to_owned()
}

fn iterators(world: &mut World, kind: &str) -> Vec<Json> {
    let arn = stream_arn(world);
    let described = world.ok(STREAMS, "DescribeStream", &json!({ "StreamArn": arn }));
    let shards = described["StreamDescription"]["Shards"].as_array().unwrap().clone();
    let iterator = |shard: &Json| {
        let request =
            json!({ "StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": kind });
        world.ok(STREAMS, "GetShardIterator", &request)["ShardIterator"].clone()
    };
    shards.iter().map(iterator).collect()
}

fn records(world: &mut World, iterators: &[Json]) -> Vec<Json> {
    let mut records = Vec::new();
    for iterator in iterators {
        let read = world.ok(STREAMS, "GetRecords", &json!({ "ShardIterator": iterator }));
        records.extend(read["Records"].as_array().unwrap().clone());
    }
    records
}

fn all(world: &mut World) -> Vec<Json> {
    let iterators = iterators(world, "TRIM_HORIZON");
    records(world, &iterators)
}

#[test]
fn a_stream_has_each_change_with_its_images() {
    let mut world = streamed(StreamView::NewAndOldImages);
    let item = |n: &str| json!({ "pk": { "S": "a" }, "n": { "N": n } });
    world.put("t", item("1"));
    world.put("t", item("1"));
    world.put("t", item("2"));
    world.db("DeleteItem", json!({ "TableName": "t", "Key": key("a") }));

    let records = all(&mut world);

    let names: Vec<&Json> = records.iter().map(|record| &record["eventName"]).collect();
    assert_eq!(names, ["INSERT", "MODIFY", "REMOVE"], "a put without a change has no record");
    let changes: Vec<&Json> = records.iter().map(|record| &record["dynamodb"]).collect();
    assert_eq!(changes[1]["OldImage"], item("1"));
    assert_eq!(changes[1]["NewImage"], item("2"));
    assert_eq!(changes[2].get("NewImage"), None);
    assert_eq!(changes[0]["Keys"], key("a"));
}

#[test]
fn a_view_type_limits_the_images() {
    for (view, old, new) in [
        (StreamView::KeysOnly, false, false),
        (StreamView::NewImage, false, true),
        (StreamView::OldImage, true, false),
    ] {
        let mut world = streamed(view);
        world.put("t", key("a"));
        world.put("t", json!({ "pk": { "S": "a" }, "n": { "N": "1" } }));
        let last = all(&mut world).pop().unwrap();
        let change = &last["dynamodb"];
        assert_eq!(change.get("OldImage").is_some(), old, "{view:?}");
        assert_eq!(change.get("NewImage").is_some(), new, "{view:?}");
    }
}

#[test]
fn all_records_of_a_key_are_in_one_shard_in_order() {
    let mut world = streamed(StreamView::NewImage);
    for number in 0..400 {
        let pk = (number % 20).to_string();
        world.put("t", json!({ "pk": { "S": pk }, "n": { "N": number.to_string() } }));
    }
    let iterators = iterators(&mut world, "TRIM_HORIZON");
    let shards: Vec<Vec<Json>> =
        iterators.iter().map(|it| records(&mut world, std::slice::from_ref(it))).collect();

    assert!(shards.iter().all(|records| !records.is_empty()));
    assert_eq!(shards.iter().map(Vec::len).sum::<usize>(), 400);
    for pk in 0..20 {
        let of_key =
            |record: &&Json| record["dynamodb"]["Keys"]["pk"]["S"] == json!(pk.to_string());
        let with = shards.iter().filter(|records| records.iter().any(|it| of_key(&it)));
        let with: Vec<_> = with.collect();
        assert_eq!(with.len(), 1);
        let number = |record: &Json| {
            record["dynamodb"]["NewImage"]["n"]["N"].as_str().unwrap().parse::<u32>().unwrap()
        };
        let numbers: Vec<u32> = with[0].iter().filter(of_key).map(number).collect();
        assert!(numbers.is_sorted());
    }
}

#[test]
fn an_expired_item_is_removed_by_the_service() {
    let mut world = streamed(StreamView::OldImage);
    world.put("t", json!({ "pk": { "S": "a" }, "expiresAt": { "N": "1800000010" } }));
    world.pass(Millis::seconds(11));

    let last = all(&mut world).pop().unwrap();

    assert_eq!(last["eventName"], "REMOVE");
    let service = json!({ "Type": "Service", "PrincipalId": "dynamodb.amazonaws.com" });
    assert_eq!(last["userIdentity"], service);
}

#[test]
fn records_are_kept_for_a_day() {
    let mut world = streamed(StreamView::KeysOnly);
    world.put("t", key("a"));
    let old = iterators(&mut world, "TRIM_HORIZON");
    let number = all(&mut world)[0]["dynamodb"]["SequenceNumber"].clone();
    world.pass(Millis::hours(24));
    assert_eq!(all(&mut world).len(), 1);

    world.pass(Millis(1));
    assert_eq!(all(&mut world).len(), 0);
    let error = world.error(STREAMS, "GetRecords", &json!({ "ShardIterator": old[0] }));
    assert_eq!(error["__type"], "ExpiredIteratorException");
    let arn = stream_arn(&mut world);
    let described = world.ok(STREAMS, "DescribeStream", &json!({ "StreamArn": arn }));
    let shards = described["StreamDescription"]["Shards"].as_array().unwrap().clone();
    let trimmed = shards.iter().filter(|shard| {
        let request = json!({
            "StreamArn": arn, "ShardId": shard["ShardId"], "SequenceNumber": number,
            "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
        });
        let response = world.response(STREAMS, "GetShardIterator", &request);
        response.json()["__type"] == "TrimmedDataAccessException"
    });
    assert_eq!(trimmed.count(), 1);
}

#[test]
fn an_iterator_continues_and_the_latest_skips() {
    let mut world = streamed(StreamView::KeysOnly);
    world.put("t", key("a"));
    let latest = iterators(&mut world, "LATEST");
    assert_eq!(records(&mut world, &latest).len(), 0);
    world.put("t", key("b"));
    world.put("t", key("c"));

    assert_eq!(records(&mut world, &latest).len(), 2);
    let first = iterators(&mut world, "TRIM_HORIZON");
    let mut seen = 0;
    for iterator in first {
        let mut iterator = iterator;
        loop {
            let request = json!({ "ShardIterator": iterator, "Limit": 1 });
            let read = world.ok(STREAMS, "GetRecords", &request);
            let count = read["Records"].as_array().unwrap().len();
            seen += count;
            iterator = read["NextShardIterator"].clone();
            if count == 0 {
                break;
            }
        }
    }
    assert_eq!(seen, 3);
}
