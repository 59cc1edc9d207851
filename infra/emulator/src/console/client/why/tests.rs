//! Paragraphs of failed requests.

use serde_json::Value;

use super::*;
use crate::activity::view::{CallView, FieldErrorView, PermissionView, Verdict};
use crate::console::client::samples;

/// A request that ended at a stage with a status.
fn ended(stage: Stage, state: StageState, status: u16) -> RequestDetail {
    let mut detail = samples::refused();
    detail.row.status = Some(status);
    detail.row.code = None;
    detail.rule = None;
    detail.stages = samples::stages(stage, state, None);
    detail
}

#[test]
fn a_request_that_succeeded_did_not_fail() {
    let mut detail = samples::placed();
    assert_eq!(why(&detail, None), "POST /orders succeeded with 201 in 41 ms.");
    detail.row.replayed = true;
    assert!(why(&detail, None).contains("the stored response of an earlier request"));
}

#[test]
fn effects_that_did_not_succeed_are_named_with_their_errors() {
    let text = why(&samples::placed(), Some(&samples::journey()));
    assert!(text.contains("message CreditQueue (retrying: the upstream is down)"), "{text}");
    assert!(
        text.contains("StockDeadLetterQueue (a dead letter: five deliveries failed)"),
        "{text}"
    );
}

#[test]
fn rejected_fields_are_named_at_their_pointers_up_to_a_maximum() {
    let mut detail = ended(Stage::Validation, StageState::Refused, 400);
    detail.field_errors = (0..7)
        .map(|number| FieldErrorView {
            field: format!("/items/{number}/quantity"),
            message: "must be at least 1".to_owned(),
        })
        .collect();

    let text = why(&detail, None);

    assert!(text.contains("refused in stage 5 (validation) with 400."), "{text}");
    assert!(text.contains("Rejected fields: /items/0/quantity (must be at least 1); "), "{text}");
    assert!(text.contains("; 2 more."), "{text}");
    assert!(
        text.ends_with("Correct the rejected parts of the input, and send it again."),
        "{text}"
    );
}

#[test]
fn a_missing_permission_is_named_with_the_remedy() {
    let mut detail = ended(Stage::Retrieval, StageState::Refused, 500);
    detail.permissions.push(PermissionView {
        action: "dynamodb:Query".to_owned(),
        resource: "OrdersTable".to_owned(),
        allowed: false,
        count: 1,
    });

    let text = why(&detail, None);

    let cause = "CreateOrderFunction lacks the permission: dynamodb:Query on OrdersTable.";
    assert!(text.contains(cause), "{text}");
    assert!(text.contains("Add the permission to the function's policies"), "{text}");
}

#[test]
fn an_injected_fault_is_named_as_the_cause() {
    let mut detail = ended(Stage::Effects, StageState::Refused, 503);
    detail.calls.push(CallView {
        service: "dynamodb".to_owned(),
        operation: "TransactWriteItems".to_owned(),
        resources: vec!["OrdersTable".to_owned()],
        status: 500,
        error: Some("InternalServerError".to_owned()),
        fault: Some("error".to_owned()),
        at_ms: 1.0,
        took_ms: None,
        deferred: false,
        request: Value::Null,
        response: Value::Null,
    });

    let text = why(&detail, None);

    assert!(
        text.contains("An injected fault applied to: TransactWriteItems on OrdersTable"),
        "{text}"
    );
    assert!(text.contains("Clear the injected faults"), "{text}");
}

#[test]
fn a_refusing_verdict_is_named_once() {
    let mut detail = ended(Stage::Authorization, StageState::Refused, 403);
    let reason = "Only staff may do this.";
    detail.verdicts.push(Verdict {
        stage: Stage::Authorization,
        by: "access".to_owned(),
        allowed: false,
        cached: false,
        reason: reason.to_owned(),
        took_ms: None,
    });
    assert!(why(&detail, None).contains("Refused by access: Only staff may do this."));

    detail.stages = samples::stages(Stage::Authorization, StageState::Refused, Some(reason));
    assert_eq!(why(&detail, None).matches(reason).count(), 1);
}

#[test]
fn a_killed_process_and_a_running_request_have_sentences_of_their_stage() {
    let killed = ended(Stage::Effects, StageState::Interrupted, 502);
    let text = why(&killed, None);
    assert!(text.starts_with("The process of POST /orders ended in stage 8 (effects)"), "{text}");

    let mut running = ended(Stage::Retrieval, StageState::Running, 200);
    running.row.status = None;
    assert_eq!(why(&running, None), "POST /orders is running, in stage 6 (retrieval).");
}

#[test]
fn every_refusing_stage_has_a_next_step() {
    for stage in Stage::ALL {
        let text = remedy(&ended(stage, StageState::Refused, 400));
        assert!(text.is_some(), "{stage:?}");
    }
    let limited = remedy(&ended(Stage::Authorization, StageState::Refused, 429)).unwrap();
    assert!(limited.contains("retry-after"), "{limited}");
}
