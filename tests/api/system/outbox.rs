//! The outbox: rows are relayed by the stream, or else by the sweeper.

use domain::orders::{OrderId, OrderStatus};
use emulator::faults::Faults;
use emulator::options::Options;
use serde_json::{Value, json};

use crate::harness::{
    Api, eventually, fresh_platform, new_product, order_of, shared_platform, unique, when,
};

#[tokio::test]
async fn a_relayed_row_leaves_the_index_of_waiting_rows() {
    let api = shared_platform().await;
    let Some(control) = api.control() else { return };
    let order = cancelled_order(&api).await;
    let row = eventually("the event to be relayed", async || {
        control.relayed("OrderDeleted", order).await
    })
    .await;
    assert!(row.get("by_waiting_pk").is_none(), "it is out of the index: {row}");
}

#[tokio::test]
async fn an_event_lost_by_the_stream_is_relayed_once_by_the_sweeper() {
    let Some(api) = fresh_platform(Options { demo: true, ..Options::default() }).await else {
        return;
    };
    let control = api.control().unwrap();
    control.inject(&Faults::default().dropped_records("OutboxTable", 1.0)).await;
    let order = cancelled_order(&api).await;

    control.run_schedule("SweepOutboxFunction").await;
    assert!(
        control.relayed("OrderDeleted", order).await.is_none(),
        "a new row is left to the stream"
    );

    // The sweeper runs every minute, and relays rows that have waited for two.
    control.pass(121).await;
    let relayed = async || control.relayed("OrderDeleted", order).await;
    eventually("the event to be relayed", relayed).await;
    control.run_schedule("SweepOutboxFunction").await;
    let released = async || {
        let credits = control.table("CreditsTable").await;
        when(credits, |credits| credits.iter().any(|item| item["reserved"] == 0))
    };
    eventually("the credit to be released", released).await;
    let summary = async || {
        let summary = control.item("OrderSummariesTable", order).await;
        when(summary, |summary| summary["orderStatus"] == "CANCELLED")
    };
    eventually("the projection to have it", summary).await;
}

#[tokio::test]
async fn the_sweeper_sends_overdue_rows_to_the_queues_of_all_subscribers() {
    let Some(api) = fresh_platform(Options { demo: true, ..Options::default() }).await else {
        return;
    };
    let control = api.control().unwrap();
    control.inject(&Faults::default().dropped_records("OutboxTable", 1.0)).await;
    let order = cancelled_order(&api).await;
    let row = only_row(&api).await;
    control.pass(121).await;
    let relayed = async || control.relayed("OrderDeleted", order).await;
    eventually("the first event to be relayed", relayed).await;
    let stores = api.inside().unwrap().platform().stores();
    let told = [
        ("OrderCreated", "EmailsQueue"),
        ("OrderCreated", "CustomerApprovalsQueue"),
        ("CustomerDecided", "CustomerSagaQueue"),
        ("OrderApproved", "OrderProjectionsQueue"),
        ("OrderDeleted", "OrderProjectionsQueue"),
        ("NoticeDue", "NotificationsQueue"),
    ];
    for (event_type, queue) in told {
        let mut row = row.clone();
        let about = unique(queue);
        for name in ["pk", "aggregateId"] {
            row[name] = json!({ "S": about });
        }
        row["eventType"] = json!({ "S": event_type });
        stores.put_item("OutboxTable", &row).unwrap();
        control.run_schedule("SweepOutboxFunction").await;
        let relayed = control.relayed(event_type, &about).await;
        assert!(relayed.is_some(), "{event_type} goes to {queue}");
    }
}

/// Places an order of the demo's customer, and cancels it once it is approved: its cancellation has
/// a row in the outbox. Returns its id.
async fn cancelled_order(api: &Api) -> OrderId {
    let customer = api.person("customer").await;
    let product = new_product(&api.person("merchant").await, 5).await;
    let order = order_of(product, 1);
    let placed = customer.create_order(&order, None).await.unwrap().data.order_id;
    eventually("the order to be approved", async || {
        let order = customer.get_order(placed).await.unwrap().data;
        when(order, |order| order.status == OrderStatus::Approved)
    })
    .await;
    customer.delete_order(placed).await.unwrap();
    placed
}

/// The only row of the outbox, in `DynamoDB`'s JSON.
async fn only_row(api: &Api) -> Value {
    let stores = api.inside().unwrap().platform().stores();
    let name = &stores.names().table("OutboxTable").unwrap().name;
    let found = api.ask_stores("DynamoDB_20120810.Scan", &json!({ "TableName": name })).await;
    found["Items"][0].clone()
}
