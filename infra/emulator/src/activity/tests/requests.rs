//! The views of requests that end in each way.

use super::*;
use crate::activity::view::{CommitOutcomeView, Stage, StageState, WriteKind};

fn states(activity: &Activity) -> Vec<StageState> {
    let detail = activity.request(REQUEST).unwrap();
    detail.stages.iter().map(|stage| stage.state).collect()
}

/// The boxes: this many have passed, one has this state, and the others this one.
fn boxes(passed: usize, then: StageState, others: StageState) -> Vec<StageState> {
    let place = |place: usize| match place.cmp(&passed) {
        std::cmp::Ordering::Less => StageState::Passed,
        std::cmp::Ordering::Equal => then,
        std::cmp::Ordering::Greater => others,
    };
    (0..9).map(place).collect()
}

#[test]
fn a_request_without_a_route_is_refused_in_the_first_stage() {
    let activity = Activity::default();
    begin(&activity, REQUEST);
    activity.request_refused(REQUEST, Stage::Routing, "No route fits.");
    activity.request_answered(REQUEST, 404, &HeaderMap::new(), &Bytes::new(), false);

    assert_eq!(states(&activity), boxes(0, StageState::Refused, StageState::NotReached));
    let detail = activity.request(REQUEST).unwrap();
    assert_eq!(detail.stages[0].note.as_deref(), Some("No route fits."));
    assert_eq!(detail.rule.unwrap().message, "No route fits.");
    assert_eq!(detail.answer.unwrap().by, "gateway");
    assert_eq!(detail.row.status, Some(404));
}

#[test]
fn an_authorizer_that_denies_refuses_in_the_second_stage() {
    let activity = Activity::default();
    begin(&activity, REQUEST);
    activity.request_routed(REQUEST, "POST /orders", "PlaceOrderFunction");
    let took = std::time::Duration::from_millis(3);
    let (name, reason) = ("Tokens", "The authorizer denies the request.");
    let decision =
        Authorization { name, allowed: false, cached: true, reason, took, context: None };
    activity.request_authorized(REQUEST, &decision);
    activity.request_refused(REQUEST, Stage::Authentication, reason);
    activity.request_answered(REQUEST, 403, &HeaderMap::new(), &Bytes::new(), false);

    assert_eq!(states(&activity), boxes(1, StageState::Refused, StageState::NotReached));
    let detail = activity.request(REQUEST).unwrap();
    assert_eq!(detail.stages[1].took_ms, Some(3.0));
    assert!(detail.verdicts[0].cached && !detail.verdicts[0].allowed);
}

#[test]
fn a_function_without_reports_has_unknown_stages() {
    let activity = Activity::default();
    begin(&activity, REQUEST);
    run(&activity, REQUEST, "i-1", "e-1");
    activity.invocation_ended("i-1", None);
    answer(&activity, REQUEST, 200, "req-1");

    assert_eq!(states(&activity), boxes(2, StageState::Unknown, StageState::Unknown));
}

#[test]
fn a_response_that_the_gateway_refuses_is_shown_with_the_reason() {
    let activity = Activity::default();
    begin(&activity, REQUEST);
    run(&activity, REQUEST, "i-1", "e-1");
    let stages = json!([["retrieval", 1.0, 1], ["response", 0.1, 1]]);
    let ended = json!({"type": "ended", "invocation": "i-1", "status": 200, "stages": stages});
    activity.request_refused(REQUEST, Stage::Response, "Too many headers.");
    // The report has another way, and may be read later.
    report(&activity, ended);
    activity.invocation_ended("i-1", None);
    activity.request_answered(REQUEST, 500, &HeaderMap::new(), &Bytes::new(), false);

    assert_eq!(states(&activity), boxes(8, StageState::Refused, StageState::NotReached));
    let detail = activity.request(REQUEST).unwrap();
    assert_eq!(detail.stages[8].note.as_deref(), Some("Too many headers."));
    assert_eq!(detail.rule.unwrap().message, "Too many headers.");
}

#[test]
fn stages_that_a_function_does_not_report_are_unknown_also_if_its_response_is_refused() {
    let activity = Activity::default();
    begin(&activity, REQUEST);
    run(&activity, REQUEST, "i-1", "e-1");
    activity.invocation_ended("i-1", None);
    activity.request_refused(REQUEST, Stage::Response, "No JSON.");
    activity.request_answered(REQUEST, 500, &HeaderMap::new(), &Bytes::new(), false);

    let states = states(&activity);
    assert_eq!((states[1], states[8]), (StageState::Passed, StageState::Refused));
    assert!(states[3..8].iter().all(|state| *state == StageState::Unknown), "{states:?}");
}

#[test]
fn rules_and_effects_of_a_request_that_only_reads_have_nothing_to_do() {
    let activity = Activity::default();
    let headers = HeaderMap::new();
    let (method, target) = ("GET", "/orders");
    let begun = Begun { id: REQUEST, api: "Api", method, target, headers: &headers };
    activity.request_begins(&begun);
    run(&activity, REQUEST, "i-1", "e-1");
    report(
        &activity,
        json!({
            "type": "ended", "invocation": "i-1", "status": 200,
            "stages": [["retrieval", 1.0, 1], ["rules", 0.1, 1], ["effects", 0.3, 1]],
        }),
    );
    activity.invocation_ended("i-1", None);
    answer(&activity, REQUEST, 200, "req-1");

    let stages = activity.request(REQUEST).unwrap().stages;
    assert_eq!(stages[5].took_ms, Some(1.0));
    for stage in &stages[6..8] {
        assert_eq!((stage.state, stage.took_ms), (StageState::Passed, None));
        assert!(stage.note.as_deref().is_some_and(|note| note.starts_with("Nothing to do")));
    }
}

#[test]
fn a_rule_that_refuses_is_shown_with_its_reason_and_the_facts() {
    let activity = Activity::default();
    begin(&activity, REQUEST);
    run(&activity, REQUEST, "i-1", "e-1");
    let read = Called {
        environment: "e-1",
        service: "dynamodb",
        operation: "GetItem",
        resource: "ProductsTable",
        body: json!({"TableName": "local-ProductsTable", "Key": {"pk": {"S": "P#1"}}}),
        writes: Vec::new(),
    };
    call(&activity, read, 200, &json!({"Item": {"pk": {"S": "P#1"}, "stock": {"N": "0"}}}));
    report(
        &activity,
        json!({
            "type": "ended", "invocation": "i-1",
            "stages": [["routing", 1.0, 1], ["rules", 0.5, 1], ["response", 0.2, 1]],
            "input": "PlaceOrder { quantity: 2 }", "caller": "customer 01a0", "attempts": 1,
            "verdicts": [{"stage": "authorization", "by": "access", "allowed": true, "reason": "r"}],
            "caches": [["products", true]], "status": 409, "code": "OUT_OF_STOCK", "message": "m",
            "refusedAt": "rules", "error": null, "replayed": false,
            "fieldErrors": [{"field": "/items/0/quantity", "message": "only 1 is left"}],
            "stale": [], "deferred": 0,
        }),
    );
    activity.invocation_ended("i-1", None);
    answer(&activity, REQUEST, 409, "req-1");

    assert_eq!(states(&activity), boxes(6, StageState::Refused, StageState::NotReached));
    let detail = activity.request("req-1").unwrap();
    assert_eq!((detail.stages[6].took_ms, detail.stages[8].took_ms), (Some(0.5), None));
    let rule = detail.rule.unwrap();
    assert_eq!((rule.stage, rule.code.as_str()), (Stage::Rules, "OUT_OF_STOCK"));
    assert_eq!(detail.facts[0].key, "pk = P#1");
    assert_eq!((detail.facts[0].found, detail.facts[0].read_units), (Some(1), Some(0.5)));
    assert_eq!(detail.field_errors[0].field, "/items/0/quantity");
    assert_eq!(detail.row.caller.as_deref(), Some("customer 01a0"));
    assert_eq!(detail.permissions[0].action, "dynamodb:GetItem");
    assert!(detail.caches[0].hit);
    let filter = RequestFilter { refused_at: Some(Stage::Rules), ..RequestFilter::default() };
    assert_eq!(activity.requests(&filter).total, 1);
    let filter = RequestFilter { status: Some("2xx".to_owned()), ..RequestFilter::default() };
    assert_eq!(activity.requests(&filter).total, 0);
    let filter = RequestFilter { text: Some("OUT_OF".to_owned()), ..RequestFilter::default() };
    assert_eq!(activity.requests(&filter).total, 1);
}

#[test]
fn a_commit_has_its_writes_conditions_and_attempts() {
    let activity = Activity::default();
    begin(&activity, REQUEST);
    run(&activity, REQUEST, "i-1", "e-1");
    let reasons = json!([
        {"Code": "ConditionalCheckFailed", "Item": {"version": {"N": "4"}}}, {"Code": "None"},
    ]);
    let cancelled = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "message": "cancelled", "CancellationReasons": reasons,
    });
    call(&activity, commit("e-1"), 400, &cancelled);
    call(&activity, commit("e-1"), 200, &json!({}));

    let commit = activity.request(REQUEST).unwrap().commit.unwrap();

    assert_eq!(commit.attempts.len(), 2);
    assert_eq!(commit.attempts[0].outcome, CommitOutcomeView::ConditionFailed);
    let write = &commit.attempts[0].writes[0];
    assert_eq!(write.condition.as_deref(), Some("version = 3"));
    assert_eq!(write.held, Some(false));
    assert_eq!(write.found, Some(json!({"version": 4})));
    assert_eq!(write.content, "SET status = \"OPEN\"");
    assert_eq!(commit.attempts[1].outcome, CommitOutcomeView::Committed);
    let event = &commit.attempts[1].writes[1];
    assert_eq!((event.kind, event.event.as_deref()), (WriteKind::OutboxRow, Some("OrderCreated")));
    assert_eq!(event.held, Some(true));
    let history = activity.item_history("OrdersTable", &json!({"pk": "ORDER#1"}));
    let outcomes: Vec<_> = history.iter().map(|write| write.outcome).collect();
    assert_eq!(outcomes, [CommitOutcomeView::ConditionFailed, CommitOutcomeView::Committed]);
    assert_eq!(history[1].request.as_deref(), Some(REQUEST));
}

#[test]
fn a_killed_process_is_interrupted_where_it_was() {
    let activity = Activity::default();
    begin(&activity, REQUEST);
    run(&activity, REQUEST, "i-1", "e-1");
    report(
        &activity,
        json!({
            "type": "begun", "invocation": "i-1", "requestId": "req-1", "method": "POST",
            "route": "/orders", "coldStart": false,
        }),
    );
    report(
        &activity,
        json!({
            "type": "reached", "invocation": "i-1", "stages": [["rules", 0.5, 1]], "input": null,
            "caller": null, "attempts": 1, "verdicts": [], "caches": [], "running": "effects",
        }),
    );
    assert_eq!(states(&activity), boxes(7, StageState::Running, StageState::NotReached));
    let open = open(&activity, commit("e-1"));
    activity.environment_killed("e-1");
    activity.environment_ended("e-1", "signal: 9");

    assert_eq!(states(&activity), boxes(7, StageState::Interrupted, StageState::NotReached));
    let detail = activity.request("req-1").unwrap();
    assert_eq!(detail.commit.unwrap().attempts[0].outcome, CommitOutcomeView::Failed);
    let error = detail.invocation.unwrap().error;
    assert_eq!(error.as_deref(), Some("killed by a fault: signal: 9"));
    let interrupted =
        RequestFilter { refused_at: Some(Stage::Effects), ..RequestFilter::default() };
    let rows = activity.requests(&interrupted).requests;
    assert_eq!(rows.iter().map(|row| row.refused_at).collect::<Vec<_>>(), [Some(Stage::Effects)]);

    // The write was made before the kill: then only the response is missing.
    close(&activity, open, 200, &json!({}));
    assert_eq!(states(&activity), boxes(8, StageState::Interrupted, StageState::NotReached));
}

#[test]
fn a_process_killed_after_its_report_is_interrupted_at_the_response() {
    let activity = Activity::default();
    begin(&activity, REQUEST);
    run(&activity, REQUEST, "i-1", "e-1");
    report(&activity, json!({"type": "begun", "invocation": "i-1", "requestId": "req-1"}));
    call(&activity, commit("e-1"), 200, &json!({}));
    report(
        &activity,
        json!({
            "type": "ended", "invocation": "i-1", "attempts": 1, "status": 201,
            "stages": [["effects", 3.0, 1], ["response", 0.1, 1]],
        }),
    );
    activity.environment_killed("e-1");
    activity.environment_ended("e-1", "signal: 9");

    assert_eq!(states(&activity), boxes(8, StageState::Interrupted, StageState::NotReached));
}

#[test]
fn the_original_request_and_its_lines_are_kept() {
    let activity = Activity::default();
    begin(&activity, REQUEST);
    run(&activity, REQUEST, "i-1", "e-1");
    let line =
        r#"{"level":"WARN","message":"slow","requestId":"req-1","n":[9007199254740993],"_aws":{}}"#;
    activity.line("e-1", false, line);
    activity.line("e-1", true, "it was killed");

    let original = activity.original(REQUEST).unwrap();

    assert_eq!(original.path, "/orders?limit=3");
    assert!(original.headers.contains(&("authorization".to_owned(), "Bearer a.b.c".to_owned())));
    assert_eq!(original.body, "{\"quantity\":2}");
    let logs = activity.request(REQUEST).unwrap().logs;
    assert_eq!((logs[0].level.as_str(), logs[0].message.as_str()), ("WARN", "slow"));
    // A browser would cut the number.
    assert_eq!(json!(logs[0].fields), json!({"n": ["9007199254740993"], "requestId": "req-1"}));
    assert_eq!((logs[1].level.as_str(), logs[1].message.as_str()), ("PLATFORM", "it was killed"));
    let running = activity.running_request("e-1").unwrap();
    assert_eq!((running.id.as_str(), running.invocation.as_str()), (REQUEST, "i-1"));
    activity.environment_free("e-1");
    assert_eq!(activity.running_request("e-1"), None);
}

#[test]
fn a_request_id_of_a_client_does_not_take_the_place_of_a_gateways_id() {
    let activity = Activity::default();
    for id in [REQUEST, "gw-2"] {
        begin(&activity, id);
        run(&activity, id, &format!("i-{id}"), "e-1");
    }
    answer(&activity, REQUEST, 200, "req-1");

    answer(&activity, "gw-2", 404, REQUEST);

    assert_eq!(activity.request(REQUEST).unwrap().row.status, Some(200));
    let second = activity.request("gw-2").unwrap();
    assert_eq!((second.row.status, second.row.request_id.as_deref()), (Some(404), Some(REQUEST)));
}
