use super::*;
use crate::Millis;
use crate::services::dynamodb::{IndexProjection, KeyAttribute, KeyType, Throughput};

fn orders() -> World {
    let by_state = IndexDefinition::new("by_state", KeySchema::of_strings("state", Some("at")))
        .with_projection(IndexProjection::Include(vec!["total".to_owned()]));
    let by_total = KeySchema {
        partition: KeyAttribute::new("pk", KeyType::S),
        sort: Some(KeyAttribute::new("total", KeyType::N)),
    };
    let table = TableDefinition::new("orders", "pk")
        .with_sort_key("sk")
        .with_global_index(by_state)
        .with_local_index(IndexDefinition::new("by_total", by_total));
    let mut world = world(table);
    for number in 0..10 {
        let state = if number % 2 == 0 { "OPEN" } else { "DONE" };
        world.put("orders", json!({
            "pk": { "S": "ada" }, "sk": { "S": format!("o{number}") }, "state": { "S": state },
            "at": { "S": format!("2026-{number}") }, "total": { "N": (100 - number).to_string() },
            "note": { "S": "secret" },
        }));
    }
    world.put("orders", json!({ "pk": { "S": "bob" }, "sk": { "S": "o0" } }));
    world
}

fn query(condition: &str, values: Json) -> Json {
    json!({
        "TableName": "orders", "KeyConditionExpression": condition,
        "ExpressionAttributeValues": values,
    })
}

fn of_ada() -> Json {
    query("pk = :pk", json!({ ":pk": { "S": "ada" } }))
}

fn sort_keys(answer: &Json) -> Vec<String> {
    let items = answer["Items"].as_array().unwrap();
    items.iter().map(|item| item["sk"]["S"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_query_has_the_items_of_its_range_in_order() {
    let mut world = orders();
    assert_eq!(world.db("Query", of_ada())["Count"], 10);
    for (condition, expected) in [
        ("pk = :pk AND sk < :b", vec!["o0", "o1"]),
        ("pk = :pk AND sk <= :b", vec!["o0", "o1", "o2"]),
        ("pk = :pk AND sk = :b", vec!["o2"]),
    ] {
        let values = json!({ ":pk": { "S": "ada" }, ":b": { "S": "o2" } });
        assert_eq!(sort_keys(&world.db("Query", query(condition, values))), expected);
    }
    let mut backwards = of_ada();
    backwards["ScanIndexForward"] = json!(false);
    backwards["Limit"] = json!(2);
    assert_eq!(sort_keys(&world.db("Query", backwards)), ["o9", "o8"]);
}

#[test]
fn pages_continue_after_the_last_key() {
    let mut world = orders();
    for forward in [true, false] {
        let mut request = of_ada();
        request["Limit"] = json!(3);
        request["ScanIndexForward"] = json!(forward);
        let (mut found, mut pages) = (Vec::new(), 0);
        loop {
            let page = world.db("Query", request.clone());
            found.extend(sort_keys(&page));
            pages += 1;
            match page.get("LastEvaluatedKey") {
                Some(last) => request["ExclusiveStartKey"] = last.clone(),
                None => break,
            }
        }
        assert_eq!((found.len(), pages), (10, 4));
        found.dedup();
        assert_eq!(found.len(), 10);
    }
}

#[test]
fn a_filter_counts_all_scanned_items() {
    let mut world = orders();
    let mut request = query("pk = :pk", json!({ ":pk": { "S": "ada" }, ":open": { "S": "OPEN" } }));
    request["FilterExpression"] = json!("#state = :open");
    request["ExpressionAttributeNames"] = json!({ "#state": "state" });
    request["Select"] = json!("COUNT");

    let answer = world.db("Query", request.clone());
    assert_eq!((&answer["Count"], &answer["ScannedCount"]), (&json!(5), &json!(10)));
    assert_eq!(answer.get("Items"), None);
    request["FilterExpression"] = json!("sk = :open");
    request["ExpressionAttributeNames"] = Json::Null;
    let error = world.db_error("Query", request);
    assert!(message(&error).contains("can only contain non-primary key attributes"), "{error}");
}

#[test]
fn a_global_index_has_its_projection_and_order() {
    let mut world = orders();
    let mut request = query("#s = :s", json!({ ":s": { "S": "DONE" } }));
    request["ExpressionAttributeNames"] = json!({ "#s": "state" });
    request["IndexName"] = json!("by_state");
    request["Limit"] = json!(2);

    let page = world.db("Query", request.clone());
    assert_eq!(sort_keys(&page), ["o1", "o3"]);
    assert_eq!(page["Items"][0]["total"], json!({ "N": "99" }));
    assert_eq!(page["Items"][0].get("note"), None);
    let last = page["LastEvaluatedKey"].as_object().unwrap();
    assert_eq!(last.keys().collect::<Vec<_>>(), ["at", "pk", "sk", "state"]);
    request["ExclusiveStartKey"] = page["LastEvaluatedKey"].clone();
    assert_eq!(sort_keys(&world.db("Query", request.clone())), ["o5", "o7"]);
    request["ConsistentRead"] = json!(true);
    let error = world.db_error("Query", request);
    assert_eq!(message(&error), "Consistent reads are not supported on global secondary indexes");
}

#[test]
fn a_local_index_is_consistent_and_orders_numbers() {
    let mut world = orders();
    let mut request = query(
        "pk = :pk AND #total BETWEEN :a AND :b",
        json!({ ":pk": { "S": "ada" }, ":a": { "N": "92" }, ":b": { "N": "100" } }),
    );
    request["IndexName"] = json!("by_total");
    request["ExpressionAttributeNames"] = json!({ "#total": "total" });
    request["ConsistentRead"] = json!(true);
    request["Select"] = json!("ALL_ATTRIBUTES");
    request["ReturnConsumedCapacity"] = json!("INDEXES");
    let units = &world.db("Query", request.clone())["ConsumedCapacity"];
    assert_eq!(units["Table"]["CapacityUnits"], 0.0, "the index has all attributes");
    let expected: Vec<String> = (0..=8).rev().map(|number| format!("o{number}")).collect();
    assert_eq!(sort_keys(&world.db("Query", request)), expected);
}

#[test]
fn an_index_is_only_asked_for_its_attributes() {
    let mut world = orders();
    let mut request = query("#s = :s", json!({ ":s": { "S": "DONE" } }));
    request["ExpressionAttributeNames"] = json!({ "#s": "state" });
    request["IndexName"] = json!("by_state");
    request["ProjectionExpression"] = json!("sk, note.words, size_of_it");
    let error = world.db_error("Query", request.clone());
    assert!(message(&error).ends_with("does not project [note, size_of_it]"), "{error}");
    request["ProjectionExpression"] = json!("sk, pk");
    assert_eq!(world.db("Query", request.clone())["Count"], 5);
    request["FilterExpression"] = json!("attribute_exists(note)");
    let error = world.db_error("Query", request);
    let expected =
        "Secondary index by_state does not project one or more filter attributes: [note]";
    assert!(message(&error).ends_with(expected), "{error}");
    let scan = json!({
        "TableName": "orders", "IndexName": "by_state", "FilterExpression": "attribute_exists(note)",
    });
    assert_eq!(world.db("Scan", scan)["Count"], 0);
}

#[test]
fn attributes_that_a_local_index_lacks_are_read_from_the_table() {
    let by_due = KeySchema::of_strings("pk", Some("due"));
    let by_due = IndexDefinition::new("by_due", by_due).with_projection(IndexProjection::KeysOnly);
    let table = TableDefinition::new("orders", "pk").with_sort_key("sk").with_local_index(by_due);
    let mut world = world(table);
    world.put(
        "orders",
        json!({
            "pk": { "S": "ada" }, "sk": { "S": "o1" }, "due": { "S": "2026" },
            "note": { "S": "x".repeat(5000) }, "n": { "N": "1" },
        }),
    );
    let mut request = of_ada();
    request["IndexName"] = json!("by_due");
    request["ConsistentRead"] = json!(true);
    request["ReturnConsumedCapacity"] = json!("INDEXES");
    let mut units = |projection: Option<&str>, select: Option<&str>| {
        request["ProjectionExpression"] = json!(projection);
        request["Select"] = json!(select);
        let answer = world.db("Query", request.clone());
        let units = &answer["ConsumedCapacity"];
        let of_index = &units["LocalSecondaryIndexes"]["by_due"]["CapacityUnits"];
        let attributes = answer["Items"][0].as_object().unwrap().keys().cloned();
        (
            attributes.collect::<Vec<_>>().join(" "),
            units["Table"]["CapacityUnits"].as_f64().unwrap(),
            of_index.as_f64().unwrap(),
        )
    };

    assert_eq!(units(None, None), ("due pk sk".to_owned(), 0.0, 1.0));
    assert_eq!(units(Some("due, sk"), None), ("due sk".to_owned(), 0.0, 1.0));
    assert_eq!(units(Some("n, sk"), None), ("n sk".to_owned(), 2.0, 1.0));
    let all = units(None, Some("ALL_ATTRIBUTES"));
    assert_eq!(all, ("due n note pk sk".to_owned(), 2.0, 1.0));
}

#[test]
fn a_write_of_a_local_index_takes_from_the_throughput_of_the_table() {
    let by_at = IndexDefinition::new("by_at", KeySchema::of_strings("pk", Some("at")));
    let throughput = Throughput { read_units: 10, write_units: 10 };
    let table = TableDefinition::new("orders", "pk").with_sort_key("sk").with_local_index(by_at);
    let mut world = world(table.with_throughput(throughput));
    let written = (0..20).take_while(|number| {
        let item = json!({
            "pk": { "S": "ada" }, "sk": { "S": number.to_string() }, "at": { "S": "2026" },
        });
        let put = json!({ "TableName": "orders", "Item": item });
        world.response("DynamoDB_20120810", "PutItem", &put).status == 200
    });
    assert_eq!(written.count(), 5);
}

#[test]
fn an_item_leaves_an_index_with_its_key() {
    let mut world = orders();
    let mut count =
        |remove: bool| {
            if remove {
                world.db("UpdateItem", json!({
                "TableName": "orders", "Key": { "pk": { "S": "ada" }, "sk": { "S": "o1" } },
                "UpdateExpression": "REMOVE #s", "ExpressionAttributeNames": { "#s": "state" },
            }));
            }
            world.db("Scan", json!({ "TableName": "orders", "IndexName": "by_state" }))["Count"]
                .clone()
        };
    assert_eq!(count(false), 10);
    assert_eq!(count(true), 9);
}

#[test]
fn segments_divide_a_scan() {
    let mut world = orders();
    for number in 0..100 {
        world.put("orders", json!({ "pk": { "S": format!("p{number}") }, "sk": { "S": "o" } }));
    }
    let mut counts = Vec::new();
    for segment in 0..4 {
        let mut request =
            json!({ "TableName": "orders", "Segment": segment, "TotalSegments": 4, "Limit": 7 });
        let mut count = 0;
        loop {
            let page = world.db("Scan", request.clone());
            count += page["Count"].as_u64().unwrap();
            match page.get("LastEvaluatedKey") {
                Some(last) => request["ExclusiveStartKey"] = last.clone(),
                None => break,
            }
        }
        counts.push(count);
    }
    assert_eq!(counts.iter().sum::<u64>(), 111);
    assert!(counts.iter().all(|count| *count > 10), "{counts:?}");
}

#[test]
fn a_page_has_at_most_a_megabyte() {
    let mut world = world(TableDefinition::new("orders", "pk").with_sort_key("sk"));
    for number in 0..5 {
        let text = "x".repeat(300 * 1024);
        world.put(
            "orders",
            json!({ "pk": { "S": "ada" }, "sk": { "S": number.to_string() }, "t": { "S": text } }),
        );
    }
    let page = world.db("Query", of_ada());
    assert_eq!(page["Count"], 3);
    assert_eq!(page["LastEvaluatedKey"]["sk"], json!({ "S": "2" }));
}

#[test]
fn an_invalid_query_is_an_error_with_its_reason() {
    let mut world = orders();
    let with = |member: &str, value: Json| {
        let mut request = of_ada();
        request[member] = value;
        request
    };
    for (request, reason) in [
        (query("pk = :pk", json!({ ":pk": { "N": "1" } })), "does not match schema type"),
        (query("pk = :pk", json!({ ":pk": { "S": "" } })), "cannot contain an empty string value"),
        (query("sk = :pk", json!({ ":pk": { "S": "a" } })), "missed key schema element: pk"),
        (with("IndexName", json!("other")), "does not have the specified index: other"),
        (with("Limit", json!(0)), "greater than or equal to 1"),
        (with("ExclusiveStartKey", json!({ "x": { "S": "a" } })), "starting key is invalid"),
        (
            with("ExclusiveStartKey", json!({ "pk": { "S": "bob" }, "sk": { "S": "a" } })),
            "outside query boundaries",
        ),
        (with("Select", json!("SPECIFIC_ATTRIBUTES")), "SPECIFIC_ATTRIBUTES"),
    ] {
        let error = world.db_error("Query", request);
        assert_eq!(error["__type"], "ValidationException");
        assert!(message(&error).contains(reason), "{error}");
    }
    let scan = json!({ "TableName": "orders", "Segment": 4, "TotalSegments": 4 });
    assert!(message(&world.db_error("Scan", scan)).contains("zero-based"));
}

#[test]
fn an_index_has_a_write_after_its_lag() {
    let index = IndexDefinition::new("by_owner", KeySchema::of_strings("owner", None));
    let freedom = Freedom { index_lag_max: Millis(2_000), ..Freedom::none() };
    let table = TableDefinition::new("notes", "pk").with_global_index(index);
    let mut world = world_with(freedom, table);
    world.put("notes", json!({ "pk": { "S": "a" }, "owner": { "S": "ada" } }));
    let scan = json!({ "TableName": "notes", "IndexName": "by_owner" });

    assert_eq!(world.db("Scan", scan.clone())["Count"], 0);
    assert!(world.services.next_event_at().is_some_and(|at| at > world.now));
    world.pass(Millis(2_000));
    assert_eq!(world.db("Scan", scan)["Count"], 1);
    assert_eq!(world.services.next_event_at(), None);
}

#[test]
fn a_read_consumes_units_by_its_bytes() {
    let mut world = orders();
    let mut request = of_ada();
    request["ReturnConsumedCapacity"] = json!("TOTAL");
    assert_eq!(world.db("Query", request.clone())["ConsumedCapacity"]["CapacityUnits"], json!(0.5));
    request["ConsistentRead"] = json!(true);
    assert_eq!(world.db("Query", request)["ConsumedCapacity"]["CapacityUnits"], json!(1.0));
}
