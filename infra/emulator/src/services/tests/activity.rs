//! The records of calls.

use super::*;
use crate::activity::Cause;
use crate::activity::view::CommitOutcomeView;

/// An invocation runs in the environment of all clients.
fn run(stores: &Stores) {
    stores.activity().invocation_queued("i-1", "OrderFunction", Cause::ByHand);
    stores.activity().invocation_taken("i-1", "environment-1", false);
}

#[tokio::test]
async fn a_call_is_recorded_with_its_bodies_and_units_that_its_function_does_not_see() {
    let stores = stores().await;
    let _listener = stores.activity().listen().unwrap();
    run(&stores);
    let clients = Clients::of(&stores, "OrderFunction");
    let put = clients.tables.put_item().table_name("local-UsersTable").item("pk", s("u1"));
    let answer = put.send().await.unwrap();

    assert_eq!(answer.consumed_capacity(), None);
    let detail = stores.activity().invocation("i-1").unwrap();
    let call = &detail.calls[0];
    assert_eq!((call.service.as_str(), call.operation.as_str()), ("dynamodb", "PutItem"));
    assert_eq!((call.status, call.resources.as_slice()), (200, &["UsersTable".to_owned()][..]));
    assert_eq!(call.request["Item"]["pk"]["S"], "u1");
    assert!(call.response["ConsumedCapacity"].is_null());
    let permission = &detail.permissions[0];
    assert_eq!((permission.action.as_str(), permission.allowed), ("dynamodb:PutItem", true));
    let history = stores.activity().item_history("UsersTable", &json!({"pk": "u1"}));
    assert_eq!((history.len(), history[0].outcome), (1, CommitOutcomeView::Committed));
}

#[test]
fn the_checksum_of_a_shortened_body_is_its_own() {
    let mut headers = http::HeaderMap::new();
    headers.insert("content-length", 20.into());
    headers.insert("x-amz-crc32", 1.into());

    endpoint::describe_body(&mut headers, b"123456789");

    // The check value of CRC-32 in the catalogue of algorithms.
    assert_eq!(headers.get("x-amz-crc32").unwrap(), "3421780262");
    assert!(!headers.contains_key("content-length"));
}

#[tokio::test]
async fn a_function_that_asks_for_the_units_gets_them() {
    let stores = stores().await;
    let _listener = stores.activity().listen().unwrap();
    run(&stores);
    let clients = Clients::of(&stores, "OrderFunction");
    let put = clients.tables.put_item().table_name("local-UsersTable").item("pk", s("u1"));
    let total = aws_sdk_dynamodb::types::ReturnConsumedCapacity::Total;
    let answer = put.return_consumed_capacity(total).send().await.unwrap();
    assert!(answer.consumed_capacity().is_some());
}

#[tokio::test]
async fn a_denied_call_names_the_missing_permission_and_a_fault_its_kind() {
    let stores = stores().await;
    run(&stores);
    let denied = Clients::of(&stores, "IdleFunction");
    put_user(&denied, "u1").await.unwrap_err();
    faults(&stores, json!({"tables": {"UsersTable": {"throttle": 1}}}));
    let clients = Clients::of(&stores, "OrderFunction");
    put_user(&clients, "u2").await.unwrap_err();

    let detail = stores.activity().invocation("i-1").unwrap();

    let missing = &detail.permissions[0];
    assert_eq!((missing.action.as_str(), missing.allowed), ("dynamodb:PutItem", false));
    assert!(missing.resource.ends_with("table/local-UsersTable"), "{missing:?}");
    assert!(detail.calls[0].error.as_deref().unwrap().starts_with("AccessDeniedException"));
    assert_eq!(detail.calls[1].fault.as_deref(), Some("throttled"));
}

#[tokio::test]
async fn a_write_before_which_its_process_is_killed_was_not_made_and_one_after_was() {
    let stores = stores().await;
    run(&stores);
    let clients = Clients::of(&stores, "OrderFunction");
    for (kill, outcome) in
        [("beforeCommit", CommitOutcomeView::Failed), ("afterCommit", CommitOutcomeView::Committed)]
    {
        faults(&stores, json!({"kill": {"OrderFunction": {kill: 1}}}));
        put_user(&clients, kill).await.unwrap_err();
        let history = stores.activity().item_history("UsersTable", &json!({ "pk": kill }));
        assert_eq!(history[0].outcome, outcome, "{kill}");
    }
}

#[tokio::test]
async fn a_sent_message_is_known_with_its_sender() {
    let stores = stores().await;
    run(&stores);
    let queue = stores.names().queue("EmailsQueue").unwrap().clone();
    stores.send(&queue, "by hand").await.unwrap();
    let id = stores.receive(&queue, 1, 0).await.unwrap()[0].message_id.clone();

    let origin = stores.activity().message(&id).unwrap();

    assert_eq!((origin.request, origin.journey), (None, id));
}
