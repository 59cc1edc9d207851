//! Each answer of this process is the one that the embedded server gives.

use std::future::pending;

use serde_json::{Value, json};

use super::super::form::is_usual;
use super::super::tables::Tables;
use super::*;
use crate::clock::Clock;
use crate::services::tests::template;

const USERS: &str = "local-UsersTable";
const ORDERS: &str = "local-OrdersTable";

/// Tables with a user and an order.
async fn tables() -> Tables {
    let tables = Tables::start(None, &Clock::default(), pending()).await.unwrap();
    for table in ["UsersTable", "OrdersTable"] {
        tables.add(&template().tables[table]).unwrap();
    }
    tables.put(USERS, &json!({"pk": {"S": "ann"}, "age": {"N": "7"}})).unwrap();
    tables.put(ORDERS, &json!({"pk": {"S": "1"}, "userId": {"S": "ann"}})).unwrap();
    tables
}

/// The headers that an SDK sends.
fn headers(operation: &str) -> HeaderMap {
    let signature = "AWS4-HMAC-SHA256 Credential=OPERATOR/20260101/eu-west-1/dynamodb/aws4_request, \
                     SignedHeaders=host, Signature=0";
    let target = format!("DynamoDB_20120810.{operation}");
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    headers.insert(AUTHORIZATION, HeaderValue::from_static(signature));
    headers.insert("x-amz-date", HeaderValue::from_static("20260101T000000Z"));
    headers.insert("x-amz-target", HeaderValue::try_from(target).unwrap());
    headers
}

/// An answer as a client reads it: status, media type and body.
type Read = (StatusCode, HeaderValue, Value);

async fn read(response: Response) -> Read {
    let (head, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    assert_eq!(head.headers[CHECKSUM], crc32fast::hash(&body).to_string());
    assert_eq!(head.headers[REQUEST_ID].len(), 52);
    (head.status, head.headers[CONTENT_TYPE].clone(), serde_json::from_slice(&body).unwrap())
}

/// The answer in this process, if there is one.
async fn here(tables: &Tables, operation: &str, body: &str) -> Option<Read> {
    let input: Value = serde_json::from_str(body).unwrap_or_default();
    if !is_usual(operation, &input) {
        return None;
    }
    let answer = answer(&tables.database, operation, &headers(operation), body.as_bytes())?;
    Some(read(answer).await)
}

async fn by_server(tables: &Tables, operation: &str, body: &str) -> Read {
    let body = Bytes::copy_from_slice(body.as_bytes());
    read(tables.server.answer(headers(operation), body).await.unwrap()).await
}

/// Calls that are answered here, in an order in which later ones depend on earlier ones; with the
/// error, if it is one.
fn calls() -> Vec<(&'static str, Value, Option<&'static str>)> {
    let ann = json!({"pk": {"S": "ann"}});
    let bob = json!({"pk": {"S": "bob"}, "tags": {"SS": ["b", "a"]}, "n": {"N": "1.50"}});
    let absent = "attribute_not_exists(pk)";
    let put = json!({"TableName": USERS, "Item": ann, "ConditionExpression": absent});
    let key = json!({"TableName": USERS, "Key": ann});
    let condition = "ConditionalCheckFailedException";
    let cancelled = "TransactionCanceledException";
    let write = |item: &Value| json!({"Put": {"TableName": USERS, "Item": item}});
    let token = |item| json!({"TransactItems": [write(item)], "ClientRequestToken": "t"});
    let mut increment = key.clone();
    increment["UpdateExpression"] = "ADD age :one".into();
    increment["ExpressionAttributeValues"] = json!({":one": {"N": "1"}});
    increment["ReturnValues"] = "ALL_NEW".into();
    let mut delete = key.clone();
    delete["ReturnValues"] = "ALL_OLD".into();
    let by_user = json!({
        "TableName": ORDERS, "IndexName": "by-user", "KeyConditionExpression": "userId = :u",
        "ExpressionAttributeValues": {":u": {"S": "ann"}}, "ReturnConsumedCapacity": "TOTAL",
    });
    vec![
        ("GetItem", key.clone(), None),
        ("GetItem", json!({"TableName": USERS, "Key": {"pk": {"S": "none"}}}), None),
        ("GetItem", json!({"TableName": "none", "Key": ann}), Some("ResourceNotFoundException")),
        ("PutItem", json!({"TableName": USERS, "Item": bob}), None),
        ("PutItem", put.clone(), Some(condition)),
        ("UpdateItem", increment, None),
        ("Query", by_user, None),
        ("Scan", json!({"TableName": ORDERS, "Limit": 1}), None),
        ("BatchGetItem", json!({"RequestItems": {USERS: {"Keys": [ann]}}}), None),
        ("BatchWriteItem", json!({"RequestItems": {USERS: [{"PutRequest": {"Item": bob}}]}}), None),
        ("TransactGetItems", json!({"TransactItems": [{"Get": key}]}), None),
        ("TransactWriteItems", json!({"TransactItems": [{"Put": put}]}), Some(cancelled)),
        ("TransactWriteItems", token(&ann), None),
        ("TransactWriteItems", token(&ann), None),
        ("TransactWriteItems", token(&bob), Some("IdempotentParameterMismatchException")),
        ("DeleteItem", delete, None),
        ("DeleteItem", key, None),
    ]
}

/// Calls that can be read, and that their operations refuse.
fn refused_calls() -> Vec<(&'static str, Value, Option<&'static str>)> {
    let ann = json!({"pk": {"S": "ann"}});
    let update = |expression: &str| {
        json!({
            "TableName": USERS, "Key": ann, "UpdateExpression": expression,
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        })
    };
    let put = |item: Value| json!({"TableName": USERS, "Item": item});
    let twice = json!({"RequestItems": {USERS: [
        {"DeleteRequest": {"Key": ann}}, {"DeleteRequest": {"Key": ann}},
    ]}});
    let refused = [
        ("GetItem", json!({"TableName": USERS, "Key": {"no": {"S": "a"}}})),
        ("PutItem", put(json!({"pk": {"S": ""}}))),
        ("PutItem", put(json!({"pk": {"N": "1"}}))),
        ("PutItem", put(json!({"pk": {"S": "a"}, "set": {"SS": []}}))),
        ("PutItem", put(json!({"pk": {"S": "a"}, "set": {"SS": ["b", "b"]}}))),
        ("UpdateItem", update("SET")),
        ("UpdateItem", update("SET pk = :one")),
        ("UpdateItem", update("SET age = absent + :one")),
        ("UpdateItem", update("SET age = :two")),
        ("DeleteItem", json!({"TableName": USERS, "Key": ann, "ConditionExpression": "pk ="})),
        ("Query", json!({"TableName": USERS})),
        ("Scan", json!({"TableName": USERS, "FilterExpression": ""})),
        ("BatchGetItem", json!({"RequestItems": {}})),
        ("BatchWriteItem", twice),
        ("TransactGetItems", json!({"TransactItems": []})),
        ("TransactWriteItems", json!({"TransactItems": []})),
    ];
    refused.map(|(operation, body)| (operation, body, Some("ValidationException"))).into()
}

#[tokio::test]
async fn each_operation_on_items_is_answered_here_as_by_the_server() {
    let (ours, theirs) = (tables().await, tables().await);
    for (operation, body, error) in refused_calls().into_iter().chain(calls()) {
        let body = body.to_string();
        let answer = here(&ours, operation, &body).await;
        let answer = answer.unwrap_or_else(|| panic!("{operation} {body} goes to the server"));
        assert_eq!(answer, by_server(&theirs, operation, &body).await, "{operation} {body}");
        let named = answer.2["__type"].as_str().and_then(|named| named.rsplit('#').next());
        assert_eq!(named, error, "{operation} {body}");
    }
    for table in [USERS, ORDERS] {
        assert_eq!(ours.scan(table).unwrap(), theirs.scan(table).unwrap(), "{table}");
    }
}

#[tokio::test]
async fn the_server_words_the_refusal_of_a_malformed_request() {
    let tables = tables().await;
    let serialization = "SerializationException";
    let validation = "ValidationException";
    let too_deep = [&r#"{"M":{"a":"#.repeat(100), r#"{"S":"x"}"#, &"}}".repeat(100)].concat();
    let item = format!(r#"{{"pk":{{"S":"bob"}},"deep":{too_deep}}}"#);
    let too_deep = format!(r#"{{"TableName":"{USERS}","Item":{item}}}"#);
    for (operation, body, error) in [
        ("MakeCoffee", "{}", "UnknownOperationException"),
        ("GetItem", "", serialization),
        ("GetItem", "{", serialization),
        ("GetItem", "\u{1}", serialization),
        ("GetItem", r#"{"TableName": 3}"#, serialization),
        ("GetItem", "{}", validation),
        ("PutItem", r#"{"TableName": "local-UsersTable", "Item": {"pk": {}}}"#, validation),
        ("PutItem", too_deep.as_str(), validation),
        ("Scan", r#"{"TableName": "local-UsersTable", "ScanFilter": []}"#, serialization),
    ] {
        assert_eq!(here(&tables, operation, body).await, None, "{operation} {body}");
        let (status, _, body) = by_server(&tables, operation, body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{operation}: {body}");
        assert!(body["__type"].as_str().unwrap().ends_with(error), "{operation}: {body}");
    }
    assert_eq!(tables.scan(USERS).unwrap().0.len(), 1);
}

#[tokio::test]
async fn a_call_is_answered_here_or_by_the_server_and_has_its_effect_once() {
    let tables = tables().await;
    let mut update = json!({
        "TableName": USERS, "Key": {"pk": {"S": "ann"}}, "UpdateExpression": "ADD age :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    });
    for number in ["1", "1E0"] {
        update["ExpressionAttributeValues"][":one"]["N"] = number.into();
        let body = Bytes::from(update.to_string());
        let is_usual = is_usual("UpdateItem", &update);
        assert_eq!(is_usual, number == "1");
        let answer = tables.answer("UpdateItem", is_usual, headers("UpdateItem"), body).await;
        assert_eq!(read(answer.unwrap()).await.0, StatusCode::OK);
    }
    assert_eq!(tables.scan(USERS).unwrap().0[0]["age"], 9);
}

#[test]
fn headers_that_the_server_refuses_or_answers_to_are_not_usual() {
    assert!(are_usual(&headers("GetItem")));
    for name in [CONTENT_TYPE.as_str(), AUTHORIZATION.as_str(), "x-amz-date"] {
        let mut without = headers("GetItem");
        without.remove(name);
        assert!(!are_usual(&without), "{name}");
    }
    for (name, value) in [
        (CONTENT_TYPE, "application/json"),
        (AUTHORIZATION, "AWS4-HMAC-SHA256 Credential=OPERATOR/x"),
        (ORIGIN, "http://127.0.0.1"),
    ] {
        let mut with = headers("GetItem");
        with.insert(&name, HeaderValue::from_static(value));
        assert!(!are_usual(&with), "{name}: {value}");
    }
}
