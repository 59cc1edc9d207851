//! The life of an order: approved, rejected, timed out, cancelled.

use client::Client;
use domain::catalogue::{Discount, ProductDraft, ProductId};
use domain::orders::{OrderId, OrderStatus};
use emulator::faults::{Faults, StoreFault};
use emulator::options::Options;
use serde_json::{Value, json};

use crate::harness::{
    Api, Control, Refused, euros, eventually, fresh_platform, lamp, order_of, read, when,
};

#[tokio::test]
async fn an_approved_order_can_be_cancelled_once() {
    let Some(shop) = Shop::open().await else { return };
    let order = shop.order(1, 1_000).await;
    let approved = shop.settled(&order, "APPROVED").await;
    assert_eq!(approved["serialNumber"], 1);
    let summary = shop.control.item("OrderSummariesTable", order.id).await;
    assert_eq!(summary["version"], approved["version"], "the commit of the approval has it");
    assert_eq!((shop.stock(&order).await, shop.reserved().await), (4, 1_490));

    let merchant = shop.api.person("merchant").await;
    merchant.delete_order(order.id).await.refused(404, "NOT_FOUND");
    shop.customer.delete_order(order.id).await.unwrap();
    shop.customer.delete_order(order.id).await.refused(404, "NOT_FOUND");

    shop.settled(&order, "CANCELLED").await;
    assert_eq!(shop.stock(&order).await, 5);
    shop.released().await;
}

#[tokio::test]
async fn an_order_beyond_the_open_credit_is_rejected_and_returns_its_stock() {
    let Some(shop) = Shop::open().await else { return };
    let order = shop.order(2, 250_000).await;
    let rejected = shop.settled(&order, "REJECTED").await;
    assert_eq!(rejected.get("serialNumber"), None);
    assert_eq!(shop.stock(&order).await, 5);
    shop.customer.delete_order(order.id).await.refused(409, "ORDER_CLOSED");
    // Credit that was never reserved is not released: there is no account.
    let reservations = shop.control.table("CreditsTable").await;
    assert!(reservations.iter().all(|item| item.get("reserved").is_none()), "{reservations:?}");
}

#[tokio::test]
async fn an_order_without_a_result_times_out_and_ignores_a_late_approval() {
    let Some(shop) = Shop::open().await else { return };
    shop.api.set_rule("sagaTimeoutSeconds", json!(1));
    // The customer service fails, so no credit result arrives.
    let down = Faults::default().table("CreditsTable", StoreFault::fail(1.0));
    shop.control.inject(&down).await;
    let order = shop.order(1, 1_000).await;
    shop.customer.delete_order(order.id).await.refused(409, "ORDER_PENDING");
    let timed_out = async || {
        shop.control.run_schedule("ExpireSagasFunction").await;
        when(shop.stored(&order).await, |order| order["status"] == "TIMED_OUT")
    };
    eventually("the order to time out", timed_out).await;
    assert_eq!(shop.stock(&order).await, 5);

    shop.say(&json!({ "orderId": order.id, "orderType": "APPROVED" })).await;
    let lapsed = async || shop.control.events("ApprovalLapsed").await.pop();
    eventually("the compensation", lapsed).await;
    let stored = shop.stored(&order).await;
    assert_eq!((&stored["status"], stored.get("serialNumber")), (&json!("TIMED_OUT"), None));
    assert_eq!(shop.stock(&order).await, 5);
    shop.customer.delete_order(order.id).await.refused(409, "ORDER_CLOSED");
}

#[tokio::test]
async fn a_manual_credit_result_settles_an_order_only_if_it_is_the_first() {
    let Some(shop) = Shop::open().await else { return };
    let order = shop.order(1, 500_000).await;
    shop.settled(&order, "REJECTED").await;
    shop.say(&json!({ "orderID": order.id, "orderType": "Approved" })).await;
    let lapsed = async || shop.control.events("ApprovalLapsed").await.pop();
    eventually("the compensation", lapsed).await;
    assert_eq!(shop.stored(&order).await["status"], "REJECTED");

    // The customer service fails, so the manual result is the first.
    shop.control.inject(&Faults::default().table("CreditsTable", StoreFault::fail(1.0))).await;
    let order = shop.order(1, 1_000).await;
    shop.say(&json!({ "orderID": order.id, "orderType": "Approved" })).await;
    assert_eq!(shop.settled(&order, "APPROVED").await["serialNumber"], 1);
}

/// A customer and a merchant on a separate platform.
struct Shop {
    api: Api,
    control: Control,
    customer: Client,
}

struct Order {
    id: OrderId,
    product: ProductId,
}

impl Shop {
    async fn open() -> Option<Self> {
        let api = fresh_platform(Options { demo: true, ..Options::default() }).await?;
        let control = api.control()?;
        let customer = api.person("customer").await;
        Some(Self { api, control, customer })
    }

    /// Orders `quantity` of five pieces of a new product with this price, in cents.
    async fn order(&self, quantity: i64, price: i64) -> Order {
        let price = read(json!(euros(price)));
        let lamp = ProductDraft { price, discount: Discount::MIN, ..lamp(5) };
        let merchant = self.api.person("merchant").await;
        let product = merchant.post_product(&lamp, None).await.unwrap().data.product_id;
        let order = order_of(product, quantity);
        let placed = self.customer.create_order(&order, None).await.unwrap().data;
        assert_eq!(placed.status, OrderStatus::Pending);
        Order { id: placed.order_id, product }
    }

    /// Sends a message to the queue of the saga.
    async fn say(&self, answer: &Value) {
        self.control.send("CustomerSagaQueue", answer).await;
    }

    async fn stored(&self, order: &Order) -> Value {
        self.control.item("OrdersTable", order.id).await
    }

    /// The order, once it has this status.
    async fn settled(&self, order: &Order, status: &str) -> Value {
        let there = async || when(self.stored(order).await, |order| order["status"] == status);
        eventually(&format!("the order to be {status}"), there).await
    }

    async fn stock(&self, order: &Order) -> i64 {
        self.control.item("ProductsTable", order.product).await["stock"].as_i64().unwrap()
    }

    /// The credit that all customers together have reserved.
    async fn reserved(&self) -> i64 {
        let credits = self.control.table("CreditsTable").await;
        credits.iter().filter_map(|item| item["reserved"].as_i64()).sum()
    }

    /// Waits until no credit is reserved.
    async fn released(&self) {
        let released = async || when(self.reserved().await, |seen| *seen == 0);
        eventually("the credit to be released", released).await;
    }
}
