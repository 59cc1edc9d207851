//! Calls that the embedded server answers, at the endpoint.

use aws_sdk_dynamodb::types::{BatchStatementErrorCodeEnum, BatchStatementRequest};

use super::*;

/// The status and the error of an operator's call with this body.
async fn error_of(stores: &Stores, operation: &str, body: &str) -> (u16, String) {
    let signature = "AWS4-HMAC-SHA256 Credential=OPERATOR/x, SignedHeaders=host, Signature=0";
    let request = reqwest::Client::new().post(stores.endpoint()).body(body.to_owned());
    let request = request
        .header("authorization", signature)
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-date", "20260101T000000Z")
        .header("x-amz-target", format!("DynamoDB_20120810.{operation}"));
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    let error = body["__type"].as_str().unwrap_or_default();
    (status, error.rsplit('#').next().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_malformed_body_and_an_unknown_operation_are_dynamodbs_errors() {
    let stores = stores().await;
    let no_table = r#"{"TableName": "none", "Key": {"pk": {"S": "a"}}}"#;
    for (operation, body, error) in [
        ("GetItem", "{", "SerializationException"),
        ("GetItem", r#"{"TableName": 3}"#, "SerializationException"),
        ("GetItem", "{}", "ValidationException"),
        ("GetItem", no_table, "ResourceNotFoundException"),
        ("MakeCoffee", "{}", "UnknownOperationException"),
    ] {
        let expected = (400, error.to_owned());
        assert_eq!(error_of(&stores, operation, body).await, expected, "{operation} {body}");
    }
    assert_eq!(error_of(&stores, "ListTables", "{}").await, (200, String::new()));
}

#[tokio::test]
async fn operations_on_tables_and_on_items_are_both_served() {
    let stores = stores().await;
    let clients = Clients::with_key(&stores, "operator");
    put_user(&clients, "user-1").await.unwrap();

    let described = clients.tables.describe_table().table_name("local-UsersTable").send().await;

    assert_eq!(described.unwrap().table().unwrap().item_count(), Some(1));
}

#[tokio::test]
async fn stream_records_end_after_a_day_and_a_thousand_newer_ones() {
    let stores = stores().await;
    let table = stores.names().table("OutboxTable").unwrap();
    let write = |pk: usize| {
        let item = json!({"pk": {"S": pk.to_string()}, "sk": {"S": "a"}});
        stores.put_item("OutboxTable", &item).unwrap();
    };
    let first = || {
        let records = stores.records(table, &StreamPosition::TrimHorizon, 1).unwrap();
        json!(records[0].dynamodb.keys)["pk"]["S"].clone()
    };

    write(1);
    pass(&stores, 25 * 60 * 60).await;
    for pk in 2..=1_000 {
        write(pk);
    }
    assert_eq!(first(), "1");
    write(1_001);
    assert_eq!(first(), "2");
    write(1_002);
    assert_eq!(first(), "2");
}

#[tokio::test]
async fn a_denied_statement_of_a_batch_fails_alone() {
    let stores = stores().await;
    let tables = Clients::of(&stores, "OrderFunction").tables;
    for (batch, denied) in [
        (&["OutboxTable", "UsersTable", "OutboxTable", "OrdersTable"][..], &[0, 2][..]),
        (&["OutboxTable"][..], &[0][..]),
    ] {
        let statements = batch.iter().map(|table| {
            let insert = format!("INSERT INTO \"local-{table}\" VALUE {{'pk': 'a', 'sk': 'a'}}");
            BatchStatementRequest::builder().statement(insert).build().unwrap()
        });
        let sent = tables.batch_execute_statement().set_statements(Some(statements.collect()));

        let answer = sent.send().await.unwrap();

        let codes: Vec<_> = answer.responses().iter().map(|it| it.error()?.code()).collect();
        let code = BatchStatementErrorCodeEnum::AccessDenied;
        let expected = (0..batch.len()).map(|place| denied.contains(&place).then_some(&code));
        assert_eq!(codes, expected.collect::<Vec<_>>(), "{batch:?}");
    }
    for (table, count) in [("UsersTable", 1), ("OrdersTable", 1), ("OutboxTable", 0)] {
        assert_eq!(stores.scan(table).unwrap().0.len(), count, "{table}");
    }
}
