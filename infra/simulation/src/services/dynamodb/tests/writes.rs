use super::*;
use crate::Millis;

fn notes() -> World {
    world(TableDefinition::new("notes", "pk"))
}

fn update(expression: &str, values: Json) -> Json {
    json!({
        "TableName": "notes", "Key": key("a"), "UpdateExpression": expression,
        "ExpressionAttributeValues": values,
    })
}

#[test]
fn an_item_is_put_read_and_deleted() {
    let mut world = notes();
    let item = json!({ "pk": { "S": "a" }, "n": { "N": "1.50" } });
    world.put("notes", item);

    let stored = json!({ "pk": { "S": "a" }, "n": { "N": "1.5" } });
    assert_eq!(world.get("notes", key("a"), true), stored);
    assert_eq!(world.services.items("notes"), std::slice::from_ref(&stored));
    let delete = json!({ "TableName": "notes", "Key": key("a"), "ReturnValues": "ALL_OLD" });
    assert_eq!(world.db("DeleteItem", delete.clone())["Attributes"], stored);
    assert_eq!(world.db("DeleteItem", delete), json!({}));
    assert_eq!(world.get("notes", key("a"), true), Json::Null);
}

#[test]
fn a_first_item_that_the_service_would_refuse_is_an_error() {
    let by_state = IndexDefinition::new("by_state", KeySchema::of_strings("state", None));
    let mut world = world(TableDefinition::new("notes", "pk").with_global_index(by_state));
    let text = "x".repeat(400 * 1024);
    for (item, reason) in [
        (json!({ "pk": { "N": "1" } }), "Type mismatch for key pk"),
        (json!({ "pk": { "S": "a" }, "state": { "N": "1" } }), "IndexName: by_state"),
        (json!({ "pk": { "S": "a" }, "state": { "S": "" } }), "IndexName: by_state"),
        (json!({ "pk": { "S": "a" }, "text": { "S": text } }), "Item size has exceeded"),
    ] {
        let put = world.services.put_item("notes", &item, &mut world.random);
        let error = put.unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
    assert!(world.services.items("notes").is_empty());
    let item = json!({ "pk": { "S": "a" }, "state": { "S": "OPEN" } });
    world.services.put_item("notes", &item, &mut world.random).unwrap();
    assert_eq!(world.services.items("notes"), [item]);
}

#[test]
fn a_failed_condition_returns_the_stored_item_if_wanted() {
    let mut world = notes();
    world.put("notes", key("a"));
    let mut put = json!({
        "TableName": "notes", "Item": key("a"),
        "ConditionExpression": "attribute_not_exists(pk)",
    });

    let error = world.db_error("PutItem", put.clone());
    assert_eq!(error["__type"], "ConditionalCheckFailedException");
    assert_eq!(message(&error), "The conditional request failed");
    assert_eq!(error.get("Item"), None);
    put["ReturnValuesOnConditionCheckFailure"] = json!("ALL_OLD");
    assert_eq!(world.db_error("PutItem", put)["Item"], key("a"));
}

#[test]
fn an_update_returns_the_values_that_are_wanted() {
    let mut world = notes();
    world.put("notes", json!({ "pk": { "S": "a" }, "n": { "N": "1" }, "m": { "M": { "x": { "N": "1" }, "y": { "N": "2" } } } }));
    let mut returned = |wanted: &str| {
        let mut update = update("SET n = n + :one, m.x = :one", json!({ ":one": { "N": "1" } }));
        update["ReturnValues"] = json!(wanted);
        world.db("UpdateItem", update)["Attributes"].clone()
    };

    assert_eq!(returned("NONE"), Json::Null);
    assert_eq!(returned("ALL_OLD")["n"], json!({ "N": "2" }));
    assert_eq!(returned("ALL_NEW")["n"], json!({ "N": "4" }));
    let parts = |n: &str| json!({ "n": { "N": n }, "m": { "M": { "x": { "N": "1" } } } });
    assert_eq!(returned("UPDATED_OLD"), parts("4"));
    assert_eq!(returned("UPDATED_NEW"), parts("6"));
}

#[test]
fn an_update_creates_the_item_with_its_key() {
    let mut world = notes();

    world.db("UpdateItem", update("ADD n :one", json!({ ":one": { "N": "1" } })));

    let expected = json!({ "pk": { "S": "a" }, "n": { "N": "1" } });
    assert_eq!(world.get("notes", key("a"), true), expected);
}

#[test]
fn an_invalid_write_is_an_error_with_its_reason() {
    let mut world = notes();
    let put = |item: Json| ("PutItem", json!({ "TableName": "notes", "Item": item }));
    let long = "x".repeat(400 * 1024);
    let long_key = "x".repeat(2049);
    for ((operation, request), reason) in [
        (put(json!({})), "Missing the key pk in the item"),
        (put(json!({ "pk": { "N": "1" } })), "Type mismatch for key pk expected: S actual: N"),
        (put(json!({ "pk": { "S": "" } })), "cannot contain an empty string value. Key: pk"),
        (put(json!({ "pk": { "S": long_key } })), "Size of hashkey has exceeded"),
        (put(json!({ "pk": { "S": "a" }, "t": { "S": long } })), "Item size has exceeded"),
        (put(json!({ "pk": { "S": "a" }, "n": { "N": "x" } })), "cannot be converted to a numeric"),
        (
            ("UpdateItem", update("SET pk = :x", json!({ ":x": { "S": "b" } }))),
            "Cannot update attribute pk",
        ),
        (
            ("UpdateItem", update("SET n = :x", json!({ ":x": { "S": "b" }, ":y": { "S": "c" } }))),
            "unused in expressions: keys: {:y}",
        ),
        (
            ("DeleteItem", json!({ "TableName": "notes", "Key": { "id": { "S": "a" } } })),
            "The provided key element does not match the schema",
        ),
        (
            (
                "PutItem",
                json!({ "TableName": "notes", "Item": key("a"), "ReturnValues": "ALL_NEW" }),
            ),
            "ReturnValues can only be ALL_OLD or NONE",
        ),
    ] {
        let error = world.db_error(operation, request);
        assert_eq!(error["__type"], "ValidationException");
        assert!(message(&error).contains(reason), "{error}");
    }
    let error = world.db_error("GetItem", json!({ "TableName": "none", "Key": key("a") }));
    assert_eq!(error["__type"], "ResourceNotFoundException");
}

#[test]
fn a_key_of_an_index_has_its_type_and_is_not_empty() {
    let index = IndexDefinition::new("by_owner", KeySchema::of_strings("owner", None));
    let mut world = world(TableDefinition::new("notes", "pk").with_global_index(index));
    let put = |owner: Json| json!({ "TableName": "notes", "Item": { "pk": { "S": "a" }, "owner": owner } });

    let error = world.db_error("PutItem", put(json!({ "N": "1" })));
    assert!(message(&error).contains("Type mismatch for Index Key owner Expected: S Actual: N"));
    let error = world.db_error("PutItem", put(json!({ "S": "" })));
    assert!(message(&error).contains("IndexName: by_owner, IndexKey: owner"), "{error}");
    world.db("PutItem", put(json!({ "S": "ada" })));
}

#[test]
fn a_write_consumes_units_of_the_table_and_of_changed_indexes() {
    let index = IndexDefinition::new("by_owner", KeySchema::of_strings("owner", None));
    let mut world = world(TableDefinition::new("notes", "pk").with_global_index(index));
    let mut units = |owner: &str, text: usize| {
        let item =
            json!({ "pk": { "S": "a" }, "owner": { "S": owner }, "t": { "S": "x".repeat(text) } });
        let put =
            json!({ "TableName": "notes", "Item": item, "ReturnConsumedCapacity": "INDEXES" });
        let consumed = world.db("PutItem", put)["ConsumedCapacity"].clone();
        let index = consumed["GlobalSecondaryIndexes"]["by_owner"]["CapacityUnits"].as_f64();
        (consumed["Table"]["CapacityUnits"].as_f64(), index)
    };

    assert_eq!(units("ada", 10), (Some(1.0), Some(1.0)));
    assert_eq!(units("ada", 10), (Some(1.0), None), "nothing changes");
    assert_eq!(units("bob", 10), (Some(1.0), Some(2.0)), "one entry is deleted, one is put");
    assert_eq!(units("bob", 3000), (Some(3.0), Some(3.0)));
}

#[test]
fn a_partition_beyond_its_throughput_is_throttled_alone() {
    let limit = Throughput { read_units: 10, write_units: 2 };
    let mut world = world(TableDefinition::new("notes", "pk").with_throughput(limit));
    world.put("notes", key("a"));
    world.put("notes", key("a"));

    let error = world.db_error("PutItem", json!({ "TableName": "notes", "Item": key("a") }));
    assert_eq!(error["__type"], "ThrottlingException");
    world.put("notes", key("b"));
    world.pass(Millis(500));
    world.put("notes", key("a"));
}

#[test]
fn a_read_that_is_not_consistent_sees_a_write_after_the_lag() {
    let freedom = Freedom { replica_lag_max: Millis(500), ..Freedom::none() };
    let mut world = world_with(freedom, TableDefinition::new("notes", "pk"));
    let mut late = 0;
    for number in 0..50 {
        let key = key(&number.to_string());
        world.put("notes", key.clone());
        assert_eq!(world.get("notes", key.clone(), true), key);
        late += u32::from(world.get("notes", key.clone(), false) == Json::Null);
        world.pass(Millis(500));
        assert_eq!(world.get("notes", key.clone(), false), key);
    }
    assert!(late > 40, "{late}");
}

#[test]
fn writes_of_a_partition_become_visible_in_order() {
    let freedom = Freedom { replica_lag_max: Millis(100), ..Freedom::none() };
    let mut world = world_with(freedom, TableDefinition::new("notes", "pk"));
    for number in 0..100 {
        world.put("notes", json!({ "pk": { "S": "a" }, "n": { "N": number.to_string() } }));
        world.pass(Millis(3));
    }
    let mut last = -1;
    for _ in 0..100 {
        let seen = world.get("notes", key("a"), false)["n"]["N"].as_str().map(str::to_owned);
        let seen = seen.map_or(-1, |seen| seen.parse::<i32>().unwrap());
        assert!(seen >= last);
        last = seen;
        world.pass(Millis(2));
    }
    assert_eq!(last, 99);
}

#[test]
fn an_expired_item_is_deleted_late_unless_its_time_has_changed() {
    let freedom = Freedom { ttl_delay_max: Millis::hours(48), ..Freedom::none() };
    let mut world = world_with(freedom, TableDefinition::new("notes", "pk").with_ttl("expiresAt"));
    let at = |seconds: u64| json!({ "N": (1_800_000_000 + seconds).to_string() });
    world.put("notes", json!({ "pk": { "S": "a" }, "expiresAt": at(60) }));
    world.put("notes", json!({ "pk": { "S": "b" }, "expiresAt": at(60) }));
    world.put("notes", json!({ "pk": { "S": "c" }, "expiresAt": { "S": "soon" } }));
    world.put("notes", json!({ "pk": { "S": "old" }, "expiresAt": { "N": "1000" } }));

    world.pass(Millis::seconds(61));
    assert_eq!(world.services.items("notes").len(), 4, "expired items are read until deleted");
    world.put("notes", json!({ "pk": { "S": "b" }, "expiresAt": at(1_000_000) }));
    world.pass(Millis::hours(49));

    let mut left: Vec<String> =
        world.services.items("notes").iter().map(|item| item["pk"]["S"].to_string()).collect();
    left.sort();
    assert_eq!(left, ["\"b\"", "\"c\"", "\"old\""]);
}

#[test]
fn a_throttled_partition_cancels_a_transaction_and_delays_a_batch() {
    let limit = Throughput { read_units: 10, write_units: 1 };
    let mut world = world(TableDefinition::new("notes", "pk").with_throughput(limit));
    world.put("notes", key("a"));

    let put = |pk: &str| json!({ "Put": { "TableName": "notes", "Item": key(pk) } });
    let request = json!({ "TransactItems": [put("b"), put("a")] });
    let error = world.db_error("TransactWriteItems", request);
    assert_eq!(error["CancellationReasons"][0]["Code"], "None");
    assert_eq!(error["CancellationReasons"][1]["Code"], "ThrottlingError");
    let put = |pk: &str| json!({ "PutRequest": { "Item": key(pk) } });
    let batch = |list: Vec<Json>| json!({ "RequestItems": { "notes": list } });
    let answer = world.db("BatchWriteItem", batch(vec![put("a"), put("c")]));
    assert_eq!(answer["UnprocessedItems"]["notes"], json!([put("a")]));
    let error = world.db_error("BatchWriteItem", batch(vec![put("a")]));
    assert_eq!(error["__type"], "ThrottlingException");
}
