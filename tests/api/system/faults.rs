//! Under any fault, an effect is complete or absent, and a repeated request completes it.

use std::collections::BTreeSet;
use std::time::Duration;

use client::{Client, Health, Settings};
use domain::catalogue::ProductId;
use domain::orders::OrderDraft;
use emulator::faults::{Faults, KillFault, Rate, StoreFault, TableFault};
use emulator::options::Options;
use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{
    Api, Control, Refused, eventually, fresh_platform, new_address, new_product, order_of, text,
    unique, unique_email, unique_object, unlimited, user, when,
};
use crate::protocol::events::fixture;

#[tokio::test]
async fn a_process_that_dies_around_its_commit_leaves_one_order_or_none() {
    for (fault, replayed) in
        [(KillFault::before_commit(1.0), false), (KillFault::after_commit(1.0), true)]
    {
        let Some(shop) = Shop::open(5).await else { return };
        let Shop { control, customer, product, order, .. } = &shop;
        control.inject(&Faults::default().kill("CreateOrderFunction", fault)).await;
        customer.create_order(order, Some("key")).await.refused_by_gateway(500);

        control.no_faults().await;
        let placed = customer.create_order(order, Some("key")).await.unwrap();

        assert_eq!(placed.is_replayed(), replayed, "{fault:?}");
        assert_eq!(control.item("ProductsTable", product).await["stock"], 4, "{fault:?}");
        let orders = control.table("OrdersTable").await;
        assert_eq!(orders.len(), 1, "{fault:?}");
        assert_eq!(orders[0]["orderId"], json!(placed.data.order_id), "{fault:?}");
        assert!(orders[0]["createdEventId"].is_string(), "{fault:?}");
    }
}

#[tokio::test]
async fn an_order_whose_announcement_is_lost_is_announced_by_the_schedule() {
    let Some(api) = fresh_platform(Options { demo: true, ..Options::default() }).await else {
        return;
    };
    let control = api.control().unwrap();
    let customer = api.person("customer").await;
    let order = order_of(new_product(&api.person("merchant").await, 5).await, 1);
    // If the first queue fails, neither of the two messages is sent.
    for (queue, failures) in [("EmailsQueue", 2.0), ("CustomerApprovalsQueue", 3.0)] {
        control.inject(&Faults::default().queue(queue, StoreFault::fail(1.0))).await;
        let placed = customer.create_order(&order, None).await.unwrap().data.order_id;
        let failed = [r#"type="TERTIARY_EFFECT_FAILED""#];
        let lost =
            async || when(control.metric("errors_total", &failed).await, |seen| *seen >= failures);
        eventually("the announcement to fail", lost).await;
        control.no_faults().await;
        assert_eq!(control.item("OrdersTable", placed).await["status"], "PENDING", "{queue}");

        control.pass(31).await;
        control.run_schedule("ExpireSagasFunction").await;
        let approved = async || {
            when(control.item("OrdersTable", placed).await, |order| order["status"] == "APPROVED")
        };
        eventually("the order to be approved", approved).await;
    }
    let mails = async || when(control.mails("customer@example.com").await, |all| all.len() >= 2);
    let mails = eventually("a mail about each order", mails).await;
    assert_eq!(mails.len(), 2, "and no second one");
}

#[tokio::test]
async fn a_retrying_client_gets_one_order_despite_random_faults() {
    let Some(shop) = Shop::open(50).await else { return };
    let Shop { control, customer, product, order, .. } = &shop;
    let tables = TableFault {
        throttle: Rate::of(0.1),
        fail: Rate::of(0.1),
        conflict: Rate::of(0.2),
        ..TableFault::default()
    };
    let killed = KillFault::around_commit(0.2);
    let faults = Faults::default().seed(7).table("*", tables).kill("CreateOrderFunction", killed);
    control.inject(&faults).await;

    let patience = Duration::from_mins(5);
    let settings = Settings { attempts_max: 100, deadline: patience, ..Settings::default() };
    let customer = customer.with_settings(settings);
    let placed = join_all((0..12).map(|_| customer.create_order(order, None))).await;

    control.no_faults().await;
    let placed = placed.into_iter().map(|order| order.unwrap().data.order_id.to_string());
    let placed: BTreeSet<_> = placed.collect();
    let stored = control.table("OrdersTable").await;
    let stored: BTreeSet<_> = stored.iter().map(|order| text(&order["orderId"])).collect();
    assert_eq!(placed, stored, "each key has its order, and there is no other");
    assert_eq!(control.item("ProductsTable", product).await["stock"], 38);
    let unforeseen = control.metric("errors_total", &[r#"type="INTERNAL_ERROR""#]).await;
    assert!(unforeseen < 1.0, "no fault is an INTERNAL_ERROR");
}

#[tokio::test]
async fn a_failing_table_is_503_with_retry_after_and_changes_nothing() {
    let Some(shop) = Shop::open(5).await else { return };
    let Shop { control, customer, product, order, .. } = &shop;
    for fault in [StoreFault::throttle(1.0), StoreFault::fail(1.0)] {
        control.inject(&Faults::default().table("ProductsTable", fault)).await;
        let refused = customer.create_order(order, Some("key")).await;
        let refusal = refused.refused(503, "SERVICE_UNAVAILABLE");
        assert!(refusal.retry_after_s >= Some(1), "{refusal:?}");
        customer.get_product(*product).await.refused(503, "SERVICE_UNAVAILABLE");
    }
    control.no_faults().await;
    assert_eq!(control.table("OrdersTable").await.len(), 0);
    customer.create_order(order, Some("key")).await.unwrap();
    assert_eq!(control.item("ProductsTable", product).await["stock"], 4);
}

#[tokio::test]
async fn a_request_is_served_while_the_limits_table_fails() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let control = api.control().unwrap();
    control.inject(&Faults::default().table("LimitsTable", StoreFault::fail(1.0))).await;
    api.client().post_user(&user(&unique_email()), None).await.unwrap();
}

#[tokio::test]
async fn the_health_check_is_503_and_names_the_failed_dependency() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let control = api.control().unwrap();
    let healthy = api.client().get_health().await.unwrap();
    let health = Health { status: "OK".to_owned(), unavailable: vec![] };
    assert_eq!((healthy.status.as_u16(), healthy.data), (200, health));
    for (faults, dependency) in [
        (Faults::default().table("UsersTable", StoreFault::fail(1.0)), "table"),
        (Faults::default().queue("EmailsQueue", StoreFault::fail(1.0)), "queue"),
    ] {
        control.inject(&faults).await;
        // One round of probes serves all requests of a second.
        let named = eventually(dependency, async || {
            let ill = api.get("/healthcheck").send().await;
            when(ill, |ill| ill.json()["unavailable"] == json!([dependency]))
        });
        let named = named.await;
        assert_eq!((named.status, named.header("retry-after")), (503, "1"), "{named:?}");
        assert_eq!(named.json()["status"], "UNAVAILABLE");
    }
}

#[tokio::test]
async fn a_message_that_is_delivered_twice_sends_one_mail() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let control = api.control().unwrap();
    control.inject(&Faults::default().deliveries(1.0, 0.5)).await;
    let emails: Vec<_> = (0..3).map(|_| unique_email()).collect();
    for email in &emails {
        api.client().post_user(&user(email), None).await.unwrap();
    }

    let repeated = [r#"source="emails""#, r#"outcome="repeated""#];
    let all = async || when(control.metric("records_total", &repeated).await, |seen| *seen >= 3.0);
    eventually("every message to be delivered twice", all).await;
    for email in &emails {
        assert_eq!(control.mails(email).await.len(), 1);
    }
}

#[tokio::test]
async fn an_event_that_is_delivered_twice_is_processed_once() {
    let Some(shop) = Shop::open(5).await else { return };
    let Shop { control, customer, product, order, .. } = &shop;
    control.inject(&Faults::default().deliveries(1.0, 0.0)).await;
    let placed = customer.create_order(order, None).await.unwrap().data.order_id;
    let consumed = [r#"source="order_projections""#, r#"outcome="consumed""#];
    let again = async || when(control.metric("records_total", &consumed).await, |seen| *seen > 0.0);
    eventually("a repeated approval to be announced", again).await;
    let stored = control.item("OrdersTable", placed).await;
    assert_eq!(stored["version"], 2);
    // Two deliveries at a time take a position each, of which one is left out.
    let counted = control.item("CountersTable", "serial-numbers").await;
    let (number, last) = (stored["serialNumber"].as_u64(), counted["last"].as_u64());
    assert!(number.is_some() && number <= last, "{number:?} of {last:?}");
    assert_eq!(control.item("OrderSummariesTable", placed).await["version"], 2);
    assert_eq!(control.item("ProductsTable", product).await["stock"], 4);
    let credits = control.table("CreditsTable").await;
    assert_eq!(credits.len(), 2, "one account and one reservation: {credits:?}");
}

#[tokio::test]
async fn a_fresh_process_for_every_call_changes_nothing() {
    let Some(shop) = Shop::open(5).await else { return };
    let Shop { api, control, customer, product, order } = &shop;
    control.inject(&Faults::default().cold_starts()).await;
    let first = customer.create_order(order, Some("key")).await.unwrap();
    let second = customer.create_order(order, Some("key")).await.unwrap();
    assert_eq!((second.is_replayed(), second.data), (true, first.data));
    assert_eq!(control.item("ProductsTable", product).await["stock"], 4);
    let email = unique_email();
    api.client().post_user(&user(&email), None).await.unwrap();
    control.mail(&email, "Verify").await;
}

#[tokio::test]
async fn an_unparseable_message_goes_to_the_dead_letters_at_once() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let (stores, control) = (api.inside().unwrap().platform().stores(), api.control().unwrap());
    for consumed in [
        "Emails",
        "MailEvents",
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
            let letters = letters["messages"].as_array().unwrap().iter();
            let bodies: Vec<_> = letters.map(|letter| text(&letter["body"])).collect();
            when(bodies, |bodies| bodies.len() == 3)
        };
        let bodies = eventually(&format!("three dead letters of {consumed}"), buried).await;
        assert!(bodies.iter().any(|body| body.contains("not JSON")), "{bodies:?}");
    }
}

#[tokio::test]
async fn every_consumer_retries_a_failed_message_within_seconds() {
    let Some(api) = fresh_platform(unlimited()).await else { return };
    let control = api.control().unwrap();
    let customer = api.person("customer").await;
    let product = new_product(&api.person("merchant").await, 5).await;
    let order = order_of(product, 1);

    failing(&control, &["MailAddressesTable"]).await;
    let event = fixture("mark_undeliverable");
    let report: Value = serde_json::from_str(&text(&event["Records"][0]["body"])).unwrap();
    control.send("MailEventsQueue", &report).await;
    until_invoked(&control, "MarkUndeliverableFunction").await;

    failing(&control, &["UsersTable"]).await;
    empty(&control, "MailEventsQueue").await;
    api.client().post_verification_email("ada@example.com").await.unwrap();
    until_invoked(&control, "SendEmailFunction").await;
    failing(&control, &["CreditsTable", "CountersTable"]).await;
    empty(&control, "EmailsQueue").await;

    let placed = customer.create_order(&order, None).await.unwrap().data.order_id;
    until_invoked(&control, "ApproveCustomerFunction").await;
    failing(&control, &["CountersTable"]).await;
    until_invoked(&control, "SettleOrderFunction").await;
    control.no_faults().await;
    let summary = async || control.table("OrderSummariesTable").await.pop();
    eventually("the order to be approved", summary).await;
    failing(&control, &["OrderSummariesTable"]).await;
    customer.delete_order(placed).await.unwrap();
    until_invoked(&control, "ProjectOrdersFunction").await;
    control.no_faults().await;
    empty(&control, "OrderProjectionsQueue").await;
    assert_eq!(control.item("OrderSummariesTable", placed).await["orderStatus"], "CANCELLED");
}

#[tokio::test]
async fn an_expired_object_is_removed_although_the_first_attempt_fails() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
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
        when(control.table("ObjectsTable").await, Vec::is_empty)
    })
    .await;
}

/// Makes every call to these tables fail, and no other call.
async fn failing(control: &Control, tables: &[&str]) {
    let fail = |faults: Faults, table: &&str| faults.table(table, StoreFault::fail(1.0));
    control.inject(&tables.iter().fold(Faults::default(), fail)).await;
}

/// Waits until a function has responded to an invocation.
async fn until_invoked(control: &Control, function: &str) {
    let answered = async || {
        let invocations = control.invocations(function).await;
        let mut events = invocations.iter().flat_map(|one| one["events"].as_array().unwrap());
        events.any(|event| text(&event["what"]).starts_with("response posted")).then_some(())
    };
    eventually(&format!("an invocation of {function}"), answered).await;
}

/// Waits until all messages of a queue have been processed.
async fn empty(control: &Control, queue: &str) {
    let empty = async || {
        let report = control.queue(queue).await;
        when(report, |queue| {
            ["visible", "inFlight", "delayed"].iter().all(|state| queue[state] == 0)
        })
    };
    eventually(&format!("{queue} to be empty"), empty).await;
}

/// A shop with one product, and a customer with an order for it.
struct Shop {
    api: Api,
    control: Control,
    customer: Client,
    product: ProductId,
    order: OrderDraft,
}

impl Shop {
    async fn open(stock: i64) -> Option<Self> {
        let api = fresh_platform(Options::default()).await?;
        let (control, inside) = (api.control()?, api.inside()?);
        let product = new_product(&api.someone(inside, "MERCHANT"), stock).await;
        let customer = api.someone(inside, "CUSTOMER");
        let address_id = new_address(&customer).await;
        let order = OrderDraft { address_id, ..order_of(product, 1) };
        Some(Self { api, control, customer, product, order })
    }
}
