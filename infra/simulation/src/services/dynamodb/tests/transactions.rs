use super::*;
use crate::Millis;

fn slow() -> Freedom {
    Freedom { transaction_max: Millis(40), ..Freedom::none() }
}

fn put(pk: &str, condition: Option<&str>) -> Json {
    let mut put = json!({ "TableName": "t", "Item": key(pk) });
    if let Some(condition) = condition {
        put["ConditionExpression"] = json!(condition);
        put["ReturnValuesOnConditionCheckFailure"] = json!("ALL_OLD");
    }
    json!({ "Put": put })
}

fn transaction(actions: Vec<Json>, token: &str) -> Json {
    json!({ "TransactItems": actions, "ClientRequestToken": token })
}

fn table() -> TableDefinition {
    TableDefinition::new("t", "pk")
}

fn codes(error: &Json) -> Vec<&str> {
    let reasons = error["CancellationReasons"].as_array().unwrap();
    reasons.iter().map(|reason| reason["Code"].as_str().unwrap()).collect()
}

/// Starts transactions until one of them takes time.
fn started(world: &mut World, request: &Json) -> Millis {
    match world.start(SERVICE, "TransactWriteItems", request) {
        Called::CompletesAt(at, _) => at.since(world.now),
        Called::AtOnce(response) => panic!("{}", response.json()),
    }
}

fn ended(world: &mut World) -> WireResponse {
    let mut ended = world.pass(Millis(40));
    assert_eq!(ended.len(), 1);
    ended.remove(0).1
}

#[test]
fn all_writes_or_none_happen_with_a_reason_for_each() {
    let mut world = world(table());
    world.put("t", key("there"));
    let absent = Some("attribute_not_exists(pk)");

    let request = transaction(vec![put("a", absent), put("there", absent)], "");
    let error = world.db_error("TransactWriteItems", request);
    assert_eq!(error["__type"], "TransactionCanceledException");
    assert_eq!(codes(&error), ["None", "ConditionalCheckFailed"]);
    assert_eq!(error["CancellationReasons"][1]["Item"], key("there"));
    assert_eq!(
        message(&error),
        "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]"
    );
    assert_eq!(world.services.items("t").len(), 1);

    let check = json!({ "ConditionCheck": {
        "TableName": "t", "Key": key("there"), "ConditionExpression": "attribute_exists(pk)",
    }});
    let update = json!({ "Update": {
        "TableName": "t", "Key": key("u"), "UpdateExpression": "SET n = :n",
        "ExpressionAttributeValues": { ":n": { "N": "1" } },
    }});
    world.put("t", key("gone"));
    let delete = json!({ "Delete": { "TableName": "t", "Key": key("gone") } });
    let request = transaction(vec![put("a", absent), check, update, delete], "");
    world.db("TransactWriteItems", request);
    assert_eq!(world.services.items("t").len(), 3);
}

#[test]
fn a_write_that_is_impossible_on_the_stored_item_cancels() {
    let mut world = world(table());
    let update = json!({ "Update": {
        "TableName": "t", "Key": key("u"), "UpdateExpression": "SET n = n + :n",
        "ExpressionAttributeValues": { ":n": { "N": "1" } },
    }});
    let error = world.db_error("TransactWriteItems", transaction(vec![update], ""));
    assert_eq!(codes(&error), ["ValidationError"]);
}

#[test]
fn the_limits_of_a_transaction_are_checked() {
    let mut world = world(table());
    let many = (0..101).map(|number| put(&number.to_string(), None)).collect();
    let large = |number: usize| {
        json!({ "Put": { "TableName": "t", "Item": {
            "pk": { "S": number.to_string() }, "t": { "S": "x".repeat(390 * 1024) },
        }}})
    };
    for (actions, reason) in [
        (vec![], "Member must have length from 1 to 100"),
        (many, "Member must have length from 1 to 100"),
        (vec![put("a", None), put("a", None)], "multiple operations on one item"),
        ((0..11).map(large).collect(), "Collection size exceeded"),
    ] {
        let error = world.db_error("TransactWriteItems", transaction(actions, ""));
        assert_eq!(error["__type"], "ValidationException");
        assert!(message(&error).contains(reason), "{}", message(&error));
    }
}

#[test]
fn an_unknown_member_of_an_action_is_an_error() {
    let mut world = world(table());
    let mut action = put("a", None);
    action["Put"]["Expected"] = json!({});
    let error = world.db_error("TransactWriteItems", transaction(vec![action], ""));
    assert_eq!(error["__type"], "SerializationException");
}

#[test]
fn a_transaction_has_its_items_until_it_ends() {
    let mut world = world_with(slow(), table());
    started(&mut world, &transaction(vec![put("a", None), put("b", None)], ""));

    assert_eq!(world.get("t", key("a"), true), Json::Null);
    let other = transaction(vec![put("c", None), put("b", None)], "");
    let error = world.db_error("TransactWriteItems", other);
    assert_eq!(codes(&error), ["None", "TransactionConflict"]);
    let error = world.db_error("PutItem", json!({ "TableName": "t", "Item": key("a") }));
    assert_eq!(error["__type"], "TransactionConflictException");
    let get = json!({ "TransactItems": [{ "Get": { "TableName": "t", "Key": key("a") } }] });
    assert_eq!(codes(&world.db_error("TransactGetItems", get.clone())), ["TransactionConflict"]);
    world.put("t", key("c"));

    assert_eq!(ended(&mut world).status, 200);
    assert_eq!(world.get("t", key("a"), true), key("a"));
    let read = world.db("TransactGetItems", get);
    assert_eq!(read["Responses"], json!([{ "Item": key("a") }]));
}

#[test]
fn a_transaction_of_reads_is_cancelled_if_a_partition_is_throttled() {
    let limit = Throughput { read_units: 1, write_units: 10 };
    let mut world = world(table().with_throughput(limit));
    assert_eq!(world.get("t", key("a"), true), Json::Null);
    let get = |pk: &str| json!({ "Get": { "TableName": "t", "Key": key(pk) } });
    let both = json!({ "TransactItems": [get("b"), get("a")] });
    assert_eq!(codes(&world.db_error("TransactGetItems", both)), ["None", "ThrottlingError"]);
    let other = json!({ "TransactItems": [get("b")] });
    assert_eq!(world.db("TransactGetItems", other)["Responses"], json!([{}]), "b was not charged");
}

#[test]
fn a_repeated_token_has_no_second_effect_for_ten_minutes() {
    let mut world = world(table());
    let absent = Some("attribute_not_exists(pk)");
    let request = transaction(vec![put("a", absent)], "token");
    world.db("TransactWriteItems", request.clone());

    world.pass(Millis::seconds(600));
    world.db("TransactWriteItems", request.clone());
    let other = transaction(vec![put("b", absent)], "token");
    let error = world.db_error("TransactWriteItems", other);
    assert_eq!(error["__type"], "IdempotentParameterMismatchException");
    world.pass(Millis::seconds(1));
    let error = world.db_error("TransactWriteItems", request);
    assert_eq!(codes(&error), ["ConditionalCheckFailed"]);
}

#[test]
fn a_token_in_progress_is_an_error_and_of_a_cancelled_transaction_is_free() {
    let mut world = world_with(slow(), table());
    let request = transaction(vec![put("a", Some("attribute_exists(pk)"))], "token");
    started(&mut world, &request);

    let error = world.db_error("TransactWriteItems", request.clone());
    assert_eq!(error["__type"], "TransactionInProgressException");
    assert_eq!(ended(&mut world).status, 400);
    started(&mut world, &request);
}

#[test]
fn a_transaction_of_a_caller_that_is_gone_still_commits() {
    let mut world = world_with(slow(), table());
    let request = transaction(vec![put("a", None)], "");
    let Called::CompletesAt(_, call) = world.start(SERVICE, "TransactWriteItems", &request) else {
        panic!("the transaction takes time");
    };

    world.services.abandon(call);
    world.pass(Millis(40));

    assert_eq!(world.services.items("t"), [key("a")]);
}

#[test]
fn a_transaction_consumes_double_units() {
    let mut world = world(table());
    let mut request = transaction(vec![put("a", None), put("b", None)], "token");
    request["ReturnConsumedCapacity"] = json!("TOTAL");

    let first = world.db("TransactWriteItems", request.clone());
    let units = json!({ "TableName": "t", "CapacityUnits": 4.0, "WriteCapacityUnits": 4.0 });
    assert_eq!(first["ConsumedCapacity"], json!([units]));
    let again = world.db("TransactWriteItems", request);
    assert_eq!(again["ConsumedCapacity"][0]["ReadCapacityUnits"], 4.0);
}
