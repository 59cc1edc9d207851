//! One bad item harms no other. Tested are names that a transport cannot carry, rows that cannot be
//! read or sent, and values beyond the bounds of input.
//!
//! The test of the poisoned product places a few orders after it. This places all of them:
//! `POISON_ORDERS=130 cargo test -p blackbox neighbours -- --nocapture`

use std::collections::BTreeSet;

use domain::catalogue::ProductId;
use emulator::faults::Faults;
use emulator::options::Options;
use futures::future::join_all;
use lifecycle::clock;
use lifecycle::paging::PageQuery;
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use crate::harness::{
    Api, Refused, eventually, fresh_platform, new_product, operate, order_of, proof_in, read,
    setting, shared_platform, text, unique, unique_email, unlimited, user, when,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_sqs_rejects_blocks_neither_its_order_nor_later_ones() {
    let Some(api) = fresh_platform(unlimited()).await else { return };
    let control = api.control().unwrap();
    let (merchant, customer) = (api.person("merchant").await, api.person("customer").await);
    refuses_as_sqs_does(&api).await;
    // Such a name was stored before input validation rejected it.
    let poisoned = new_product(&merchant, 5).await;
    let name = unique("Kettle\u{ffff}\u{fffe}");
    change(&api, "ProductsTable", poisoned, |item| item["name"] = name.clone().into()).await;
    let sound = new_product(&merchant, 1_000).await;

    let started = Instant::now();
    let first = customer.create_order(&order_of(poisoned, 1), None).await.unwrap().data.order_id;
    let behind = (0..setting("POISON_ORDERS", 15)).map(|_| async {
        customer.create_order(&order_of(sound, 1), None).await.unwrap().data.order_id
    });
    let mut orders: BTreeSet<String> =
        join_all(behind).await.into_iter().map(|order| order.to_string()).collect();
    orders.insert(first.to_string());
    let approved = async || {
        let stored = control.table("OrdersTable").await;
        let approved = stored.iter().filter(|order| order["status"] == "APPROVED");
        when(approved.count(), |seen| *seen == orders.len())
    };
    eventually("every order to be approved", approved).await;
    println!("{} orders approved {:?} after the first", orders.len(), started.elapsed());

    let mails = async || {
        let mails = control.mails("customer@example.com").await;
        let about = |order: &&String| mails.iter().any(|mail| text(&mail["text"]).contains(*order));
        (orders.iter().filter(about).count() == orders.len()).then_some(mails)
    };
    let mails = eventually("a mail about each order", mails).await;
    let of_poisoned = mails.iter().find(|mail| text(&mail["text"]).contains(&first.to_string()));
    assert!(text(&of_poisoned.unwrap()["text"]).contains("Kettle"));
    for queue in control.queues().await {
        assert!(!text(&queue["queue"]).contains("Dead") || queue["visible"] == 0, "{queue}");
    }
}

/// Checks that the local queue rejects like SQS, so that the test proves something.
async fn refuses_as_sqs_does(api: &Api) {
    let stores = api.inside().unwrap().platform().stores();
    let url = &stores.names().queue("EmailsQueue").unwrap().url;
    let entries = json!([{ "Id": "0", "MessageBody": "Kettle\u{ffff}" }]);
    let input = json!({ "QueueUrl": url, "Entries": entries });
    let answer = api.ask_stores("AmazonSQS.SendMessageBatch", &input).await;
    assert_eq!(answer["Failed"][0]["Code"], "InvalidMessageContents", "{answer}");
}

#[tokio::test]
async fn rows_next_to_a_rejected_or_unreadable_one_are_relayed_once() {
    let Some(api) = fresh_platform(unlimited()).await else { return };
    let control = api.control().unwrap();
    control.inject(&Faults::default().dropped_records("OutboxTable", 1.0)).await;
    let [before, refused, unreadable, after] = ["a", "b", "c", "d"].map(|id| {
        let row = waiting_row(id);
        api.put_item("OutboxTable", row.clone());
        row
    });
    // Larger than the queue accepts, as each character is six in JSON. So every attempt to send it
    // is rejected.
    let mut large = refused.clone();
    large["data"] = json!({ "orderId": Uuid::new_v4(), "padding": "\u{1}".repeat(200_000) });
    api.put_item("OutboxTable", large);
    let mut odd = unreadable.clone();
    odd.as_object_mut().unwrap().remove("eventType");
    api.put_item("OutboxTable", odd);

    control.run_schedule("SweepOutboxFunction").await;

    for row in [&before, &after] {
        let row = control.item("OutboxTable", &text(&row["pk"])).await;
        assert!(row.get("relayedAt").is_some() && row.get("by_waiting_pk").is_none(), "{row}");
    }
    let row = control.item("OutboxTable", &text(&unreadable["pk"])).await;
    assert!(row.get("setAsideAt").is_some() && row.get("by_waiting_pk").is_none(), "{row}");
    for refusals in 1..5 {
        let mut row = control.item("OutboxTable", &text(&refused["pk"])).await;
        assert_eq!((&row["refusals"], row.get("setAsideAt")), (&json!(refusals), None));
        row["by_waiting_sk"] = refused["by_waiting_sk"].clone();
        api.put_item("OutboxTable", row);
        control.run_schedule("SweepOutboxFunction").await;
    }
    let row = control.item("OutboxTable", &text(&refused["pk"])).await;
    assert!(row.get("setAsideAt").is_some() && row.get("by_waiting_pk").is_none(), "{row}");
    let counted = async || {
        let labels = [r#"type="OUTBOX_ROW_SET_ASIDE""#];
        let counted = control.metric("errors_total", &labels).await;
        when(counted, |seen| *seen >= 2.0)
    };
    eventually("both rows to be counted", counted).await;

    let shown = operate(&api, &["outbox", "show"]).await.unwrap();
    assert_eq!(shown.last().unwrap(), "1 rows set aside, 1 unreadable", "{shown:#?}");
    let retried = operate(&api, &["outbox", "retry"]).await.unwrap();
    assert_eq!(retried.last().unwrap(), "done: 1 of 1 rows wait again");
    let row = control.item("OutboxTable", &text(&refused["pk"])).await;
    assert!(row.get("setAsideAt").is_none() && row.get("by_waiting_pk").is_some(), "{row}");
}

/// A row whose event has waited for an hour.
fn waiting_row(id: &str) -> Value {
    let (about, event_id) = (unique(id), Uuid::now_v7().to_string());
    let at = clock::now().plus_seconds(-3_600);
    json!({
        "pk": about, "sk": event_id, "eventId": event_id, "eventType": "ApprovalLapsed",
        "version": 1, "occurredAt": at, "aggregateId": about,
        "requestId": "request", "data": {}, "expiresAt": 4_102_444_800_i64,
        "by_waiting_pk": "0", "by_waiting_sk": format!("{at}#{event_id}"),
    })
}

#[tokio::test]
async fn a_product_of_a_later_version_is_not_listed_and_harms_no_order() {
    let Some(api) = fresh_platform(unlimited()).await else { return };
    let control = api.control().unwrap();
    let merchant = api.person("merchant").await;
    let later = new_product(&merchant, 5).await;
    let beside = new_product(&merchant, 5).await;
    change(&api, "ProductsTable", later, |item| item["price"]["currency"] = "XTS".into()).await;

    for order in ["asc", "desc"] {
        let query: PageQuery = read(json!({ "limit": 100, "order": order }));
        let listed = api.client().list_products(None, &query).await.unwrap().data.items;
        let listed: Vec<ProductId> = listed.into_iter().map(|shown| shown.product_id).collect();
        assert!(!listed.contains(&later) && listed.contains(&beside), "{order}");
    }
    api.client().get_product(later).await.refused(500, "INTERNAL_ERROR");
    let customer = api.person("customer").await;
    customer.create_order(&order_of(later, 1), None).await.refused(500, "INTERNAL_ERROR");
    customer.create_order(&order_of(beside, 1), None).await.unwrap();
    let counted = async || {
        let labels = [r#"type="UNREADABLE_RECORD""#];
        when(control.metric("errors_total", &labels).await, |seen| *seen >= 4.0)
    };
    eventually("the unreadable record to be counted", counted).await;
    let logged = |line: &Value| line["pk"] == later.to_string() && line["table"] == "products";
    assert!(control.logs().await.iter().any(logged), "the log has its key");
}

#[tokio::test]
async fn stock_beyond_the_bounds_of_input_is_shown_changed_and_sold() {
    let api = shared_platform().await;
    if api.inside().is_none() {
        return;
    }
    let merchant = api.person("merchant").await;
    let full = new_product(&merchant, 1_000_000_000).await;
    change(&api, "ProductsTable", full, |item| item["stock"] = 1_000_000_001_i64.into()).await;

    let query: PageQuery = read(json!({ "limit": 100, "order": "desc" }));
    let listed = api.client().list_products(None, &query).await.unwrap().data.items;
    let shown = listed.into_iter().find(|shown| shown.product_id == full).unwrap();
    assert_eq!(shown.stock.get(), 1_000_000_001);
    let patch = read(json!({ "discount": 7 }));
    let patched = merchant.patch_product(full, &patch, None).await.unwrap().data;
    assert_eq!((patched.stock.get(), patched.discount.get()), (1_000_000_001, 7));
    let customer = api.person("customer").await;
    customer.create_order(&order_of(full, 1), None).await.unwrap();
}

#[tokio::test]
async fn concurrent_verification_mails_carry_each_token_once() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let (control, email) = (api.control().unwrap(), unique_email());
    api.client().post_user(&user(&email), None).await.unwrap();
    join_all((0..5).map(|_| async { api.client().post_verification_email(&email).await.ok() }))
        .await;
    let rested = async || {
        let at_rest = |queue: &Value| {
            queue["queue"] != "EmailsQueue"
                || (queue["visible"] == 0 && queue["inFlight"] == 0 && queue["delayed"] == 0)
        };
        let mails = control.mails(&email).await;
        (control.queues().await.iter().all(at_rest) && mails.len() > 1).then_some(mails)
    };
    let mails = eventually("all mails to be sent", rested).await;
    let tokens: BTreeSet<String> = mails.iter().map(proof_in).collect();
    assert_eq!(mails.len(), tokens.len(), "mails per token");
}

/// Changes a stored item directly.
async fn change(
    api: &Api,
    table: &str,
    pk: impl std::fmt::Display,
    change: impl FnOnce(&mut Value),
) {
    let mut item = api.control().unwrap().item(table, pk).await;
    change(&mut item);
    api.put_item(table, item);
}
