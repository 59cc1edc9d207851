//! Concurrent requests: nothing happens twice, and nothing is sold beyond the stock.

use std::collections::HashSet;

use client::ApiResponse;
use domain::orders::{OrderDraft, OrderStatus};
use emulator::options::Options;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::harness::{
    Refused, eventually, fresh_platform, lamp, new_address, new_product, order_of, shared_platform,
    unique, when,
};

#[tokio::test]
async fn twenty_requests_with_one_key_get_one_order_and_one_response() {
    let api = shared_platform().await;
    let customer = api.person("customer").await;
    let lamp = new_product(&api.person("merchant").await, 100).await;
    let order = order_of(lamp, 1);
    let key = unique("key");

    let orders = (0..20).map(|_| customer.create_order(&order, Some(&key)));
    let answers = join_all(orders).await.into_iter().map(Result::unwrap);
    let (replayed, first): (Vec<_>, Vec<_>) = answers.partition(ApiResponse::is_replayed);

    assert_eq!((first.len(), first[0].data.status), (1, OrderStatus::Pending));
    assert!(replayed.iter().all(|answer| answer.data == first[0].data), "{replayed:?}");
    let left = api.client().get_product(lamp).await.unwrap().data.stock;
    assert_eq!((replayed.len(), left.get()), (19, 99));
}

#[tokio::test]
async fn forty_buyers_of_ten_pieces_get_ten_orders_and_thirty_refusals() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let (inside, control) = (api.inside().unwrap(), api.control().unwrap());
    let product = new_product(&api.someone(inside, "MERCHANT"), 10).await;
    let buyers = join_all((0..40).map(async |_| {
        let buyer = api.someone(inside, "CUSTOMER");
        let address_id = new_address(&buyer).await;
        (buyer, OrderDraft { address_id, ..order_of(product, 1) })
    }));
    let buyers = buyers.await;

    let orders = buyers.iter().map(|(buyer, order)| buyer.create_order(order, Some("one")));
    let answers = join_all(orders).await;

    let (sold, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((sold.len(), refused.len()), (10, 30));
    for answer in refused {
        assert_eq!(answer.refused_fields(422, "OUT_OF_STOCK"), ["/items/0/quantity"]);
    }
    assert_eq!(control.item("ProductsTable", product).await["stock"], 0);
    let orders = control.table("OrdersTable").await;
    let all =
        |name: &str| orders.iter().map(|order| order[name].clone()).collect::<HashSet<Value>>();
    let ordered = sold.into_iter().map(|answer| json!(answer.unwrap().data.order_id));
    assert_eq!((orders.len(), all("orderId")), (10, ordered.collect()));
    assert_eq!(all("createdEventId").len(), 10, "each has its own event");
    let numbers = eventually("ten approvals", async || {
        let orders = control.table("OrdersTable").await;
        let numbers = orders.iter().filter_map(|order| order["serialNumber"].as_i64());
        let numbers: HashSet<i64> = numbers.collect();
        when(numbers, |numbers| numbers.len() == 10)
    });
    assert_eq!(numbers.await, (1..=10).collect());
}

#[tokio::test]
async fn of_concurrent_products_with_one_name_one_is_created() {
    let api = shared_platform().await;
    let (merchant, product) = (api.person("merchant").await, lamp(1));

    let offers = (0..8).map(|_| merchant.post_product(&product, None));
    let answers = join_all(offers).await;

    let (taken, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(taken.len(), 1);
    for answer in refused {
        assert_eq!(answer.refused_fields(409, "NAME_TAKEN"), ["/name"]);
    }
}
