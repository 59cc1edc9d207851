//! One request id and one trace, from the client to the last consumer.

use emulator::faults::{Faults, StoreFault};
use emulator::options::Options;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{
    Control, eventually, fresh_platform, new_product, order_of, unique_email, user,
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[tokio::test]
async fn an_order_carries_its_request_id_and_trace_to_every_consumer() {
    let Some(api) = fresh_platform(Options { demo: true, ..Options::default() }).await else {
        return;
    };
    let control = api.control().unwrap();
    let customer = api.person("customer").await;
    let product = new_product(&api.person("merchant").await, 5).await;
    let order = order_of(product, 1);
    let customer = customer.in_trace(&format!("00-{TRACE}-00f067aa0ba902b7-01"));
    let placed = customer.create_order(&order, None).await.unwrap();

    control.mail("customer@example.com", "We have received").await;
    for (message, function) in [
        ("request", "create_order"),
        ("record", "send_email"),
        ("record", "approve_customer"),
        ("record", "settle_order"),
    ] {
        let line = line_of(&control, placed.request_id().unwrap(), message, function).await;
        assert_eq!(line["traceId"], TRACE, "{line}");
    }

    let deleted = customer.delete_order(placed.data.order_id).await.unwrap();
    let id = deleted.request_id().unwrap();
    let told = async || control.events("OrderDeleted").await.pop();
    let told = eventually("the event", told).await;
    assert_eq!(told["requestId"], id);
    let traceparent = told["traceparent"].as_str().unwrap();
    assert!(traceparent.starts_with(&format!("00-{TRACE}-")), "{traceparent}");
    assert!(!traceparent.contains("00f067aa0ba902b7"), "the parent is our own span");
    for function in ["relay_outbox", "approve_customer", "project_orders"] {
        let line = line_of(&control, id, "record", function).await;
        assert_eq!(line["traceId"], TRACE, "{line}");
    }
}

#[tokio::test]
async fn a_message_carries_the_request_id_made_for_its_request() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let control = api.control().unwrap();
    let ada = json!(user(&unique_email()));
    let broken = "00-00000000000000000000000000000000-0000000000000000-01";
    let created = api.post("/users", &ada).header("traceparent", broken).send().await;
    created.data(201);
    let id = created.header("x-request-id");
    assert_eq!(Uuid::parse_str(id).unwrap().get_version_num(), 7);

    let request = line_of(&control, id, "request", "post_user").await;
    let record = line_of(&control, id, "record", "send_email").await;
    assert_eq!(request["traceId"], record["traceId"]);
    let trace = request["traceId"].as_str().unwrap();
    assert!(trace.len() == 32 && trace.bytes().any(|digit| digit != b'0'), "{trace}");
}

#[tokio::test]
async fn every_log_line_of_a_request_has_its_id_and_one_sums_it_up() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let control = api.control().unwrap();
    api.post("/users", &json!({})).header("x-request-id", "r-1").send().await;
    control.inject(&Faults::default().table("ProductsTable", StoreFault::fail(1.0))).await;
    let path = format!("/products/{}", Uuid::nil());
    api.get(&path).header("x-request-id", "r-2").send().await.error(503, "SERVICE_UNAVAILABLE");

    let refused = line_of(&control, "r-1", "request", "post_user").await;
    assert_eq!((&refused["code"], &refused["level"]), (&json!("INVALID_REQUEST"), &json!("INFO")));
    let failed = line_of(&control, "r-2", "request", "get_product").await;
    assert_eq!((&failed["status"], &failed["level"]), (&json!("503"), &json!("ERROR")));
    assert!(
        failed["error"].as_str().unwrap().contains("products"),
        "the log has the cause: {failed}"
    );
    assert_eq!(control.requests("r-2").await.len(), 1);
    for stage in ["routing", "authentication", "authorization", "limit", "validation"] {
        assert!(failed["stages"][stage].is_number(), "{stage}: {failed}");
    }
}

/// The log line of a function about a request, once it is printed.
async fn line_of(control: &Control, id: &str, message: &str, function: &str) -> Value {
    let name = format!("-{function}");
    let is_it = |line: &Value| {
        line["message"] == message && line["function"].as_str().unwrap().ends_with(&name)
    };
    let find = async || control.logs_of(id).await.into_iter().find(is_it);
    eventually(&format!("{message} of {function}"), find).await
}
