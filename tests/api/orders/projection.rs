//! The projection of orders for customers, under every order of events.

use std::collections::BTreeMap;

use emulator::options::Options;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{
    ADDRESS, Api, CUSTOMER, Control, Refused, eventually, fresh_platform, operate, read,
    shared_platform, when,
};

#[tokio::test]
async fn an_approved_order_is_listed_until_it_is_cancelled() {
    let api = shared_platform().await;
    let Some(control) = api.control() else { return };
    let order = Uuid::new_v4().to_string();
    store(&api, &order, "APPROVED", 2);
    tell(&api, &control, "OrderApproved", &order).await;

    let summary = control.item("OrderSummariesTable", &order).await;
    assert_eq!(summary["orderStatus"], "APPROVED");
    assert_eq!(summary["client"]["clientId"], json!(CUSTOMER));
    assert!(summary["client"]["clientName"].is_string(), "{summary}");
    assert_eq!(summary["address"], "US, Springfield, Main Street, 44");
    assert_eq!(summary["products"][0]["actualPrice"]["amount"], 180);
    assert_eq!(summary["by_customer_pk"], json!(CUSTOMER));

    store(&api, &order, "CANCELLED", 3);
    tell(&api, &control, "OrderDeleted", &order).await;
    let cancelled = control.item("OrderSummariesTable", &order).await;
    assert_eq!(cancelled["orderStatus"], "CANCELLED");
    assert!(cancelled.get("by_customer_pk").is_none(), "{cancelled}");

    tell(&api, &control, "OrderApproved", &order).await;
    let late = control.item("OrderSummariesTable", &order).await;
    assert_eq!(late, cancelled, "a late approval changes nothing");
}

#[tokio::test]
async fn a_customers_approved_orders_are_paged_and_404_for_strangers() {
    let api = shared_platform().await;
    let Some(control) = api.control() else { return };
    let inside = api.inside().unwrap();
    let id = Uuid::new_v4();
    for status in ["APPROVED", "APPROVED", "CANCELLED", "APPROVED"] {
        let order = Uuid::new_v4().to_string();
        store_of(&api, id, &order, status, 2);
        tell(&api, &control, "OrderApproved", &order).await;
    }
    let token = inside.token(&id.to_string(), &["CUSTOMER"]);
    let shown = api.get(&format!("/orders/user/{id}")).token(&token).send().await.json();
    let shown = shown["data"][0].as_object().unwrap().keys().map(String::as_str);
    let expected = [
        "address",
        "client",
        "createdAt",
        "orderId",
        "orderStatus",
        "paymentMethod",
        "products",
        "serialNumber",
        "totalPrice",
    ];
    assert_eq!(shown.collect::<Vec<_>>(), expected);

    let (customer, asked) = (api.client().with_token(&token), read(json!({ "limit": 2 })));
    let first = customer.list_user_orders(id.into(), &asked).await.unwrap().data;
    assert_eq!(first.items.len(), 2);
    let admin = api.someone(inside, "ADMIN");
    let second = admin.list_user_orders(id.into(), &first.next(&asked).unwrap()).await.unwrap();
    assert_eq!((second.data.items.len(), second.data.next(&asked)), (1, None));
    assert_ne!(second.data.items[0].order_id, first.items[1].order_id);

    let stranger = api.someone(inside, "MERCHANT").list_user_orders(id.into(), &asked).await;
    stranger.refused(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_destroyed_projection_is_rebuilt_to_the_identical_read_model() {
    let Some(api) = fresh_platform(Options { demo: true, ..Options::default() }).await else {
        return;
    };
    let control = api.control().unwrap();
    let orders: Vec<String> = (0..24).map(|_| Uuid::new_v4().to_string()).collect();
    for (number, order) in orders.iter().enumerate() {
        let status = ["APPROVED", "CANCELLED", "PENDING", "TIMED_OUT"][number % 4];
        store(&api, order, status, 2);
        tell(&api, &control, "OrderApproved", order).await;
    }
    let before = read_model(&control).await;
    assert_eq!(before.len(), 12, "approved and cancelled orders");

    destroy(&api, &control, &orders).await;
    assert_ne!(read_model(&control).await, before);
    let said = operate(&api, &["rebuild-projection"]).await.unwrap();

    assert_eq!(read_model(&control).await, before);
    assert!(said.len() > 1 && said[0].contains("orders read"), "progress is shown: {said:?}");
    assert!(said.last().unwrap().contains("24 orders read"), "{said:?}");
}

/// Damages the projection. One summary is missing, one has a wrong value, and one is not in its
/// index. One belongs to an unknown order, and one to an order that must have none.
async fn destroy(api: &Api, control: &Control, orders: &[String]) {
    let stores = api.inside().unwrap().platform().stores();
    let table = &stores.names().table("OrderSummariesTable").unwrap().name;
    let key = json!({ "pk": { "S": orders[0] } });
    let input = json!({ "TableName": table, "Key": key });
    api.ask_stores("DynamoDB_20120810.DeleteItem", &input).await;
    let found = api.ask_stores("DynamoDB_20120810.Scan", &json!({ "TableName": table })).await;
    let items = found["Items"].as_array().unwrap();
    let item = |order: &str| items.iter().find(|item| item["pk"]["S"] == order).unwrap().clone();
    let mut wrong = item(&orders[4]);
    wrong["address"] = json!({ "S": "nowhere" });
    let mut unlisted = item(&orders[8]);
    unlisted.as_object_mut().unwrap().remove("by_customer_pk");
    let stray = |id: &str| {
        let mut stray = item(&orders[4]);
        for name in ["pk", "orderId"] {
            stray[name] = json!({ "S": id });
        }
        stray
    };
    let unknown = stray(&Uuid::new_v4().to_string());
    for item in [wrong, unlisted, unknown, stray(&orders[2])] {
        stores.put_item("OrderSummariesTable", &item).unwrap();
    }
    assert_eq!(control.table("OrderSummariesTable").await.len(), 13);
}

/// The read model by id, without the commit tokens of single writes.
async fn read_model(control: &Control) -> BTreeMap<String, Value> {
    let items = control.table("OrderSummariesTable").await.into_iter();
    let unstamped = items.map(|mut item| {
        item.as_object_mut().unwrap().remove("writtenBy");
        (item["pk"].as_str().unwrap().to_owned(), item)
    });
    unstamped.collect()
}

/// Stores an order of the demo's customer, in the form of the write model.
fn store(api: &Api, order: &str, status: &str, version: u32) {
    store_of(api, CUSTOMER, order, status, version);
}

fn store_of(api: &Api, customer: Uuid, order: &str, status: &str, version: u32) {
    let money = |amount: u32| json!({ "M": { "amount": { "N": amount.to_string() }, "currency": { "S": "EUR" } } });
    let text = |text: &str| json!({ "S": text });
    let at = text("2026-01-31T12:00:00.000Z");
    let line = json!({ "M": {
        "productId": text("00000000-0000-7000-8000-000000000101"), "name": text("Desk lamp"),
        "quantity": { "N": "2" }, "unitPrice": money(200), "actualPrice": money(180),
    }});
    let item = json!({
        "pk": text(order), "orderId": text(order), "userId": text(&customer.to_string()),
        "status": text(status), "paymentMethod": text("CARD"), "items": { "L": [line] },
        "addressId": text(&ADDRESS.to_string()), "shipping": money(490), "total": money(850),
        "serialNumber": { "N": "7" }, "version": { "N": version.to_string() },
        "createdAt": at, "updatedAt": at, "settleBy": at,
    });
    let stores = api.inside().unwrap().platform().stores();
    stores.put_item("OrdersTable", &item).unwrap();
}

/// Sends an event to the projection, and waits until it is consumed.
async fn tell(api: &Api, control: &Control, event_type: &str, order: &str) {
    let event_id = Uuid::new_v4().to_string();
    let envelope = json!({
        "eventId": event_id, "eventType": event_type, "version": 1, "aggregateId": order,
        "occurredAt": "2026-01-31T12:00:00.000Z", "requestId": event_id,
        "data": { "orderId": order },
    });
    let stores = api.inside().unwrap().platform().stores();
    let queue = stores.names().queue("OrderProjectionsQueue").unwrap();
    stores.send(queue, &envelope.to_string()).await.unwrap();
    let consumed = async || {
        let lines = control.logs_of(&event_id).await;
        when(lines, |lines| lines.iter().any(|line| line["outcome"] == "consumed"))
    };
    eventually("the event to be consumed", consumed).await;
}
