//! The server, driven by a client over a pipe in memory.

use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::service::RunningService;
use rmcp::{RoleClient, ServiceExt};
use serde_json::{Value, json};

use super::server::Server;
use crate::console::client::fake::Fake;
use crate::console::client::samples;

/// A client, with the control address that its server asks.
struct Session {
    fake: Fake,
    client: RunningService<RoleClient, ()>,
}

impl Session {
    async fn start() -> Self {
        let fake = Fake::start().await;
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let server = Server::new(fake.client());
        tokio::spawn(async move {
            let running = server.serve(ours).await.unwrap();
            running.waiting().await.unwrap();
        });
        let client = ().serve(theirs).await.unwrap();
        Self { fake, client }
    }

    async fn call(&self, tool: &'static str, arguments: Value) -> CallToolResult {
        let Value::Object(arguments) = arguments else { panic!("no object") };
        let params = CallToolRequestParams::new(tool).with_arguments(arguments);
        self.client.call_tool(params).await.unwrap()
    }

    /// The text of a result that is no error.
    async fn text(&self, tool: &'static str, arguments: Value) -> String {
        let result = self.call(tool, arguments).await;
        assert_ne!(result.is_error, Some(true), "{result:?}");
        text_of(&result)
    }

    /// The text of a result that is an error.
    async fn error(&self, tool: &'static str, arguments: Value) -> String {
        let result = self.call(tool, arguments).await;
        assert_eq!(result.is_error, Some(true), "{result:?}");
        text_of(&result)
    }
}

fn text_of(result: &CallToolResult) -> String {
    let [content] = &result.content[..] else { panic!("{result:?}") };
    content.as_text().unwrap().text.clone()
}

#[tokio::test]
async fn the_instructions_name_the_nine_stages() {
    let session = Session::start().await;
    let info = session.client.peer_info().unwrap();
    let instructions = info.instructions.as_deref().unwrap();
    for number in 1..=9 {
        assert!(instructions.contains(&format!("({number}) ")), "{number}: {instructions}");
    }
}

#[tokio::test]
async fn each_tool_has_a_description_and_a_schema_of_an_object() {
    let session = Session::start().await;

    let tools = session.client.list_all_tools().await.unwrap();

    let names: Vec<_> = tools.iter().map(|tool| &*tool.name).collect();
    assert_eq!(
        names,
        [
            "list_requests",
            "show_request",
            "why_did_it_fail",
            "journey",
            "resend_request",
            "set_next_fault",
            "list_queues",
            "peek_queue"
        ]
    );
    for tool in &tools {
        assert!(tool.description.as_ref().is_some_and(|it| it.len() > 40), "{}", tool.name);
        assert_eq!(tool.input_schema["type"], "object", "{}", tool.name);
        assert_eq!(tool.input_schema["additionalProperties"], false, "{}", tool.name);
        let changes = ["resend_request", "set_next_fault"].contains(&&*tool.name);
        let hints = tool.annotations.as_ref().unwrap();
        assert_eq!(hints.read_only_hint, Some(!changes), "{}", tool.name);
    }
}

#[tokio::test]
async fn requests_are_listed_by_a_filter_with_their_ids() {
    let session = Session::start().await;

    let text = session
        .text("list_requests", json!({"status": "4xx", "refusedAt": "rules", "limit": 5_000}))
        .await;

    assert!(text.contains(&format!("id {}", samples::REFUSED)), "{text}");
    assert!(text.contains("409  POST /orders  OUT_OF_STOCK  refused at rules"), "{text}");
    assert_eq!(session.fake.queries(), ["limit=100&refusedAt=rules&status=4xx"]);
}

#[tokio::test]
async fn a_failed_request_is_explained_in_one_paragraph() {
    let session = Session::start().await;
    let text = session.text("why_did_it_fail", json!({"id": "last"})).await;
    assert!(text.starts_with("POST /orders was refused in stage 7 (rules) with 409"), "{text}");
    assert!(text.contains("of stock.") && !text.contains('\u{1b}'), "{text}");
    assert_eq!(text.lines().count(), 2, "{text}");
}

#[tokio::test]
async fn parts_of_a_request_are_shown_only_if_they_are_asked_for() {
    let session = Session::start().await;

    let short = session.text("show_request", json!({"id": samples::REFUSED})).await;
    let parts = json!({"id": samples::REFUSED, "parts": ["received", "input", "logs"]});
    let long = session.text("show_request", parts).await;

    assert!(short.contains("✗ 7 rules") && short.contains("· 8 effects"), "{short}");
    assert!(!short.contains("request headers"), "{short}");
    assert!(long.contains("authorization: •••") && long.contains("PlaceOrder {"), "{long}");
}

#[tokio::test]
async fn a_journey_is_shown_as_a_tree() {
    let session = Session::start().await;
    let text = session.text("journey", json!({"id": samples::PLACED})).await;
    assert!(text.starts_with("journey, at rest"), "{text}");
    assert!(text.contains("in the dead-letter queue"), "{text}");
}

#[tokio::test]
async fn a_request_is_resent_in_the_name_of_this_server() {
    let session = Session::start().await;

    let arguments = json!({"id": "last", "idempotencyKey": "same", "headers": {"if-match": "*"}});
    let text = session.text("resend_request", arguments).await;

    assert!(text.contains("\"id\": \"again\""), "{text}");
    let path = format!("POST /activity/requests/{}/resend", samples::REFUSED);
    let body = json!({
        "idempotencyKey": "same",
        "body": null,
        "path": null,
        "headers": [["authorization", "•••"], ["if-match", "*"]],
        "account": null,
        "client": "mcp",
    });
    assert_eq!(session.fake.changes(), [(path, body)]);
}

#[tokio::test]
async fn a_fault_is_set_and_cleared() {
    let session = Session::start().await;

    let arguments = json!({"route": "POST /orders", "at": {"commit": "after"}});
    session.text("set_next_fault", arguments.clone()).await;
    session.text("set_next_fault", json!({})).await;

    let put = ("PUT /activity/next-fault".to_owned(), arguments);
    let delete = ("DELETE /activity/next-fault".to_owned(), Value::Null);
    assert_eq!(session.fake.changes(), [put, delete]);
}

#[tokio::test]
async fn messages_are_shown_within_a_bound_and_the_rest_is_counted() {
    let session = Session::start().await;

    assert!(session.text("list_queues", json!({})).await.contains("\"visible\": 1"));
    let text = session.text("peek_queue", json!({"queue": "EmailQueue"})).await;

    assert!(text.len() < 25_000, "{}", text.len());
    assert!(text.contains("48000 more characters were left out"), "{text}");
}

#[tokio::test]
async fn errors_of_tools_are_results_that_the_model_reads() {
    let session = Session::start().await;

    let error = session.error("show_request", json!({"id": "unknown"})).await;
    assert!(error.contains("there is no request unknown; the latest are"), "{error}");
    let error = session.error("show_request", json!({})).await;
    assert!(error.contains("missing field `id`"), "{error}");
    let error = session.error("set_next_fault", json!({"at": {"table": "NoTable"}})).await;
    assert_eq!(error, "the template has no table NoTable");
    let error = session.error("set_next_fault", json!({"at": {"stage": "rules"}})).await;
    assert!(error.contains("invalid at at"), "{error}");
    let error = session.error("peek_queue", json!({"queue": "NoQueue"})).await;
    assert_eq!(error, "the template has no queue NoQueue");

    let unknown = session.client.call_tool(CallToolRequestParams::new("no_such_tool")).await;
    assert!(unknown.is_err(), "{unknown:?}");
}
