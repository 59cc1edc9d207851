use super::*;
use crate::random::Chance;

fn keys(count: usize) -> Vec<Json> {
    (0..count).map(|number| key(&number.to_string())).collect()
}

fn puts(keys: &[Json]) -> Vec<Json> {
    keys.iter().map(|key| json!({ "PutRequest": { "Item": key } })).collect()
}

#[test]
fn a_batch_writes_and_reads_its_items() {
    let mut world = world(TableDefinition::new("t", "pk"));
    let written = world.db("BatchWriteItem", json!({ "RequestItems": { "t": puts(&keys(25)) } }));
    assert_eq!(written["UnprocessedItems"], json!({}));

    let read = world.db("BatchGetItem", json!({ "RequestItems": { "t": { "Keys": keys(100) } } }));
    assert_eq!(read["Responses"]["t"].as_array().unwrap().len(), 25);
    let delete = json!([{ "DeleteRequest": { "Key": key("0") } }]);
    world.db("BatchWriteItem", json!({ "RequestItems": { "t": delete } }));
    assert_eq!(world.services.items("t").len(), 24);
}

#[test]
fn a_batch_beyond_the_limits_is_an_error() {
    let mut world = world(TableDefinition::new("t", "pk"));
    let twice = vec![key("a"), key("a")];
    for (operation, items, reason) in [
        ("BatchWriteItem", json!({ "t": puts(&keys(26)) }), "Too many items requested"),
        ("BatchWriteItem", json!({ "t": puts(&twice) }), "contains duplicates"),
        ("BatchWriteItem", json!({}), "greater than or equal to 1"),
        ("BatchGetItem", json!({ "t": { "Keys": keys(101) } }), "Too many items requested"),
        ("BatchGetItem", json!({ "t": { "Keys": twice } }), "contains duplicates"),
        ("BatchGetItem", json!({ "t": { "Keys": [] } }), "greater than or equal to 1"),
    ] {
        let error = world.db_error(operation, json!({ "RequestItems": items }));
        assert!(message(&error).contains(reason), "{error}");
    }
}

#[test]
fn drawn_keys_and_items_stay_unprocessed() {
    let freedom = Freedom { unprocessed: Chance::percent(30), ..Freedom::none() };
    let mut world = world_with(freedom, TableDefinition::new("t", "pk"));

    let mut left = json!({ "t": puts(&keys(25)) });
    let mut rounds = 0;
    while left != json!({}) {
        rounds += 1;
        let response = world.response(SERVICE, "BatchWriteItem", &json!({ "RequestItems": left }));
        if response.status == 200 {
            left = response.json()["UnprocessedItems"].clone();
        }
    }
    assert!(rounds > 1);
    assert_eq!(world.services.items("t").len(), 25);

    let read = world.db("BatchGetItem", json!({ "RequestItems": { "t": { "Keys": keys(25) } } }));
    let found = read["Responses"]["t"].as_array().unwrap().len();
    let left = read["UnprocessedKeys"]["t"]["Keys"].as_array().unwrap().len();
    assert!(left > 0);
    assert_eq!(found + left, 25);
}

#[test]
fn a_batch_returns_its_items_in_another_order_than_that_of_the_keys() {
    let freedom = Freedom { unordered_batches: true, ..Freedom::none() };
    let mut world = world_with(freedom, TableDefinition::new("t", "pk"));
    let mut keys = keys(20);
    world.db("BatchWriteItem", json!({ "RequestItems": { "t": puts(&keys) } }));

    let read = world.db("BatchGetItem", json!({ "RequestItems": { "t": { "Keys": keys } } }));

    let mut found = read["Responses"]["t"].as_array().unwrap().clone();
    assert_ne!(found, keys);
    found.sort_by_key(ToString::to_string);
    keys.sort_by_key(ToString::to_string);
    assert_eq!(found, keys);
}

#[test]
fn an_unknown_member_of_a_write_is_an_error() {
    let mut world = world(TableDefinition::new("t", "pk"));
    for write in [
        json!({ "PutRequest": { "Item": key("a"), "ConditionExpression": "attribute_exists(pk)" } }),
        json!({ "PutRequest": { "Item": key("a") }, "DeleteRequest": { "Key": key("b") } }),
        json!({ "UpdateRequest": { "Key": key("a") } }),
    ] {
        let request = json!({ "RequestItems": { "t": [write] } });
        let error = world.db_error("BatchWriteItem", request);
        assert_eq!(error["__type"], "SerializationException", "{error}");
    }
}

#[test]
fn a_batch_returns_at_most_16_mb() {
    let mut world = world(TableDefinition::new("t", "pk"));
    let text = "x".repeat(399 * 1024);
    for number in 0..50 {
        world.put("t", json!({ "pk": { "S": number.to_string() }, "t": { "S": text } }));
    }

    let read = world.db("BatchGetItem", json!({ "RequestItems": { "t": { "Keys": keys(50) } } }));

    let found = read["Responses"]["t"].as_array().unwrap().len();
    assert_eq!(found, 16 * 1024 / 400 + 1);
    assert_eq!(read["UnprocessedKeys"]["t"]["Keys"].as_array().unwrap().len(), 50 - found);
}
