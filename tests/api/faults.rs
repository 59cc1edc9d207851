//! Whatever goes wrong, an effect is whole or it is not, and repeating the request completes it.

use futures::future::join_all;
use local::options::Options;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{
    Answer, Api, Control, eventually, order_of, own, text, unique, unique_object, unlimited, user,
};

/// How often a client repeats a request before it gives up.
const REPEATS_MAX: u32 = 60;

#[tokio::test]
async fn a_process_that_dies_around_its_commit_leaves_one_order_or_none() {
    for (when, replayed) in [("beforeCommit", ""), ("afterCommit", "true")] {
        let Some(shop) = Shop::open(5).await else { return };
        let Shop { api, control, customer, product, order } = &shop;
        let faults = json!({ "kill": { "CreateOrderFunction": { when: 1 } } });
        control.faults(&faults).await;
        let lost = api.order(customer, "key", order).send().await;
        lost.gateway(500, "Internal Server Error");

        control.no_faults().await;
        let answer = api.order(customer, "key", order).send().await;

        let placed = answer.data(201);
        assert_eq!(answer.header("idempotency-replayed"), replayed, "{when}");
        assert_eq!(control.item("ProductsTable", product).await["stock"], 4, "{when}");
        let orders = control.table("OrdersTable").await;
        assert_eq!(orders.len(), 1, "{when}");
        assert_eq!(orders[0]["orderId"], placed["orderId"], "{when}");
        assert_eq!(control.events("OrderCreated").await.len(), 1, "{when}");
    }
}

#[tokio::test]
async fn a_client_that_repeats_itself_gets_one_order_through_whatever_goes_wrong() {
    let Some(shop) = Shop::open(50).await else { return };
    let Shop { api, control, customer, product, order } = &shop;
    control
        .faults(&json!({
            "seed": 7,
            "tables": { "*": { "throttle": 0.1, "fail": 0.1, "conflict": 0.2 } },
            "kill": { "CreateOrderFunction": { "beforeCommit": 0.2, "afterCommit": 0.2 } },
        }))
        .await;

    let keys: Vec<String> = (0..12).map(|_| unique("key")).collect();
    let orders = keys.iter().map(|key| until_placed(api, customer, key, order));
    let mut placed: Vec<String> = join_all(orders).await;

    control.no_faults().await;
    placed.sort();
    let stored = control.table("OrdersTable").await;
    let mut stored: Vec<_> = stored.iter().map(|order| text(&order["orderId"])).collect();
    stored.sort();
    assert_eq!(placed, stored, "each key has its order and there is no other");
    assert_eq!(control.item("ProductsTable", product).await["stock"], 38);
    assert_eq!(control.events("OrderCreated").await.len(), 12);
}

#[tokio::test]
async fn a_store_that_refuses_is_a_503_with_retry_after_and_changes_nothing() {
    let Some(shop) = Shop::open(5).await else { return };
    let Shop { api, control, customer, product, order } = &shop;
    for kind in ["throttle", "fail"] {
        control.faults(&json!({ "tables": { "ProductsTable": { kind: 1 } } })).await;
        let answer = api.order(customer, "key", order).send().await;
        answer.error(503, "SERVICE_UNAVAILABLE");
        assert!(answer.header("retry-after").parse::<u32>().unwrap() >= 1, "{answer:?}");
        let answer = api.get(&format!("/products/{product}")).send().await;
        answer.error(503, "SERVICE_UNAVAILABLE");
    }
    control.no_faults().await;
    assert_eq!(control.table("OrdersTable").await.len(), 0);
    api.order(customer, "key", order).send().await.data(201);
    assert_eq!(control.item("ProductsTable", product).await["stock"], 4);
}

#[tokio::test]
async fn a_request_is_served_though_its_rate_cannot_be_counted() {
    let Some(api) = own(Options::default()).await else { return };
    let control = api.control().unwrap();
    control.faults(&json!({ "tables": { "LimitsTable": { "fail": 1 } } })).await;
    api.post("/users", &user(&format!("{}@example.com", unique("ada")))).send().await.data(201);
}

#[tokio::test]
async fn a_dependency_that_is_gone_makes_the_health_check_name_it() {
    let Some(api) = own(Options::default()).await else { return };
    let control = api.control().unwrap();
    let healthy = api.get("/healthcheck").send().await;
    assert_eq!((healthy.status, healthy.json()), (200, json!({ "status": "OK" })));
    for (kind, name, dependency) in
        [("tables", "UsersTable", "table"), ("queues", "EmailsQueue", "queue")]
    {
        control.faults(&json!({ kind: { name: { "fail": 1 } } })).await;
        let ill = api.get("/healthcheck").send().await;
        let expected = json!({ "status": "UNAVAILABLE", "unavailable": [dependency] });
        assert_eq!((ill.status, ill.json()), (503, expected));
    }
}

#[tokio::test]
async fn a_message_that_is_delivered_twice_is_mailed_about_once() {
    let Some(api) = own(Options::default()).await else { return };
    let control = api.control().unwrap();
    control.faults(&json!({ "deliveries": { "duplicate": 1, "reorder": 0.5 } })).await;
    let emails: Vec<_> = (0..3).map(|_| format!("{}@example.com", unique("ada"))).collect();
    for email in &emails {
        api.post("/users", &user(email)).send().await.data(201);
    }

    let repeated = [r#"source="emails""#, r#"outcome="repeated""#];
    let all = async || (control.metric("records_total", &repeated).await >= 3.0).then_some(());
    eventually("every message to be delivered twice", all).await;
    for email in &emails {
        assert_eq!(control.mails(email).await.len(), 1);
    }
}

#[tokio::test]
async fn an_event_that_is_relayed_twice_is_the_same_event() {
    let Some(shop) = Shop::open(5).await else { return };
    let Shop { api, control, customer, order, .. } = &shop;
    control.faults(&json!({ "deliveries": { "duplicate": 1 } })).await;
    api.order(customer, "key", order).send().await.data(201);
    let repeated = [r#"source="customer_saga""#, r#"outcome="repeated""#];
    let settled = async || (control.metric("records_total", &repeated).await > 0.0).then_some(());
    eventually("every event to be consumed twice", settled).await;
    for event_type in ["OrderCreated", "CustomerDecided", "OrderApproved"] {
        assert_eq!(control.events(event_type).await.len(), 1, "consumers know it by its id");
    }
}

#[tokio::test]
async fn a_fresh_process_for_every_call_changes_nothing() {
    let Some(shop) = Shop::open(5).await else { return };
    let Shop { api, control, customer, product, order } = &shop;
    control.faults(&json!({ "coldStarts": true })).await;
    let first = api.order(customer, "key", order).send().await;
    let second = api.order(customer, "key", order).send().await;
    assert_eq!((second.status, &second.body), (201, &first.body));
    assert_eq!(control.item("ProductsTable", product).await["stock"], 4);
    let email = format!("{}@example.com", unique("ada"));
    api.post("/users", &user(&email)).send().await.data(201);
    control.mail(&email, "Verify").await;
}

#[tokio::test]
async fn what_no_consumer_understands_goes_to_the_dead_letters_at_once() {
    let Some(api) = own(Options::default()).await else { return };
    let (stores, control) = (api.inside().unwrap().platform().stores(), api.control().unwrap());
    for consumed in [
        "Emails",
        "CustomerApprovals",
        "CustomerSaga",
        "OrderProjections",
        "Notifications",
        "Callbacks",
        "ObjectExpiries",
    ] {
        let queue = stores.names().queue(&format!("{consumed}Queue")).unwrap().clone();
        for poison in ["not JSON", "{}", r#"{"eventType":"OrderShipped"}"#] {
            stores.send(&queue, poison).await.unwrap();
        }
        let buried = async || {
            let letters = control.queue(&format!("{consumed}DeadLetterQueue")).await;
            (letters["visible"] == 3).then_some(letters)
        };
        let letters = eventually(&format!("three dead letters of {consumed}"), buried).await;
        let bodies: Vec<_> =
            letters["messages"].as_array().unwrap().iter().map(|one| text(&one["body"])).collect();
        assert!(bodies.iter().any(|body| body.contains("not JSON")), "{bodies:?}");
    }
}

#[tokio::test]
async fn what_fails_is_tried_again_within_seconds_by_every_consumer() {
    let Some(api) = own(unlimited()).await else { return };
    let control = api.control().unwrap();
    let customer = api.token("customer").await;
    let product = api.new_product(&api.token("merchant").await, 5).await;
    let order = order_of(&product, 1, &api.new_address(&customer).await);

    failing(&control, &["UsersTable"]).await;
    let asked = json!({ "email": "ada@example.com" });
    api.post("/verification-emails", &asked).send().await.data(202);
    until_invoked(&control, "SendEmailFunction").await;
    failing(&control, &["CreditsTable", "CountersTable", "OrderSummariesTable"]).await;
    empty(&control, "EmailsQueue").await;

    api.order(&customer, &unique("key"), &order).send().await.data(201);
    until_invoked(&control, "ApproveCustomerFunction").await;
    failing(&control, &["CountersTable", "OrderSummariesTable"]).await;
    until_invoked(&control, "SettleOrderFunction").await;
    failing(&control, &["OrderSummariesTable"]).await;
    until_invoked(&control, "ProjectOrdersFunction").await;
    control.no_faults().await;
    empty(&control, "OrderProjectionsQueue").await;
    assert_eq!(control.table("OrderSummariesTable").await.len(), 1);
}

#[tokio::test]
async fn an_object_that_is_gone_is_removed_by_its_message_though_that_fails_at_first() {
    let Some(api) = own(Options::default()).await else { return };
    let control = api.control().unwrap();
    let (object, last_seen) = (unique_object(), "2026-01-31T12:00:00.000Z");
    let kept_until = 4_102_444_800_i64;
    api.put_item(
        "ObjectsTable",
        json!({ "pk": object.to_string(), "id": object, "lastSeen": last_seen, "expiresAt": kept_until }),
    );
    failing(&control, &["ObjectsTable"]).await;
    let expires = json!({
        "eventId": Uuid::new_v4(), "eventType": "ObjectExpires", "version": 1,
        "occurredAt": last_seen, "aggregateId": object.to_string(), "requestId": unique("request"),
        "data": { "objectId": object, "lastSeen": last_seen },
    });
    control.send("ObjectExpiriesQueue", &expires).await;
    until_invoked(&control, "ExpireObjectFunction").await;
    control.no_faults().await;
    eventually("the object to be removed", async || {
        control.table("ObjectsTable").await.is_empty().then_some(())
    })
    .await;
}

/// Has every call of these tables fail, and of no others.
async fn failing(control: &Control, tables: &[&str]) {
    let faults: Value = tables.iter().map(|table| (*table, json!({ "fail": 1 }))).collect();
    control.faults(&json!({ "tables": faults })).await;
}

/// Waits until a function has answered an invocation.
async fn until_invoked(control: &Control, function: &str) {
    let answered = async || {
        let invocations = control.invocations(function).await;
        let mut events = invocations.iter().flat_map(|one| one["events"].as_array().unwrap());
        events.any(|event| text(&event["what"]).starts_with("response posted")).then_some(())
    };
    eventually(&format!("an invocation of {function}"), answered).await;
}

/// Waits until all messages of a queue have been dealt with.
async fn empty(control: &Control, queue: &str) {
    let empty = async || {
        let report = control.queue(queue).await;
        ["visible", "inFlight", "delayed"].iter().all(|state| report[state] == 0).then_some(())
    };
    eventually(&format!("{queue} to be empty"), empty).await;
}

/// A shop with one product, and a customer who knows what to order.
struct Shop {
    api: Api,
    control: Control,
    customer: String,
    product: String,
    order: Value,
}

impl Shop {
    async fn open(stock: u32) -> Option<Self> {
        let api = own(Options::default()).await?;
        let control = api.control()?;
        let inside = api.inside()?;
        let merchant = inside.token(&Uuid::new_v4().to_string(), &["MERCHANT"]);
        let customer = inside.token(&Uuid::new_v4().to_string(), &["CUSTOMER"]);
        let product = api.new_product(&merchant, stock).await;
        let order = order_of(&product, 1, &api.new_address(&customer).await);
        Some(Self { api, control, customer, product, order })
    }
}

/// Repeats an order until it is placed; gives its id. No answer but these three is given.
async fn until_placed(api: &Api, customer: &str, key: &str, order: &Value) -> String {
    for _ in 0..REPEATS_MAX {
        let answer: Answer = api.order(customer, key, order).send().await;
        match answer.status {
            201 => return text(&answer.data(201)["orderId"]),
            503 => {
                answer.error(503, "SERVICE_UNAVAILABLE");
                assert_ne!(answer.header("retry-after"), "");
            }
            _ => answer.gateway(500, "Internal Server Error"),
        }
    }
    panic!("not placed after {REPEATS_MAX} tries");
}
