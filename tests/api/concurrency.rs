//! Many at once: nothing happens twice, and nothing is sold that is not there.

use std::collections::HashSet;

use futures::future::join_all;
use local::options::Options;
use serde_json::Value;
use uuid::Uuid;

use crate::harness::{eventually, order_of, own, shared, unique};

#[tokio::test]
async fn twenty_clients_with_one_key_get_one_order_and_one_answer() {
    let api = shared().await;
    let (merchant, customer) = (api.token("merchant").await, api.token("customer").await);
    let product = api.new_product(&merchant, 100).await;
    let address = api.new_address(&customer).await;
    let (order, key) = (order_of(&product, 1, &address), unique("key"));

    let orders = (0..20).map(|_| api.order(&customer, &key, &order).send());
    let answers = join_all(orders).await;

    let first = answers[0].data(201);
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (201, &answers[0].body));
    }
    let replayed =
        answers.iter().filter(|answer| !answer.header("idempotency-replayed").is_empty());
    assert_eq!(replayed.count(), 19);
    let product = api.get(&format!("/products/{product}")).send().await.data(200);
    assert_eq!((&product["stock"], &first["status"]), (&99.into(), &"PENDING".into()));
}

#[tokio::test]
async fn forty_buyers_of_ten_pieces_get_ten_orders_and_thirty_refusals() {
    let Some(api) = own(Options::default()).await else { return };
    let (inside, control) = (api.inside().unwrap(), api.control().unwrap());
    let merchant = inside.token(&Uuid::new_v4().to_string(), &["MERCHANT"]);
    let product = api.new_product(&merchant, 10).await;
    let buyers = (0..40).map(|_| {
        let token = inside.token(&Uuid::new_v4().to_string(), &["CUSTOMER"]);
        let (api, product) = (&api, &product);
        async move {
            let address = api.new_address(&token).await;
            (token, order_of(product, 1, &address))
        }
    });
    let buyers = join_all(buyers).await;

    let orders = buyers.iter().map(|(token, order)| api.order(token, "one", order).send());
    let answers = join_all(orders).await;

    let (sold, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    for answer in &refused {
        assert_eq!(answer.error_fields(422, "OUT_OF_STOCK"), ["/items/0/quantity"]);
    }
    assert_eq!((sold.len(), refused.len()), (10, 30));
    assert_eq!(control.item("ProductsTable", &product).await["stock"], 0);
    assert_eq!(control.table("OrdersTable").await.len(), 10);
    let events = control.events("OrderCreated").await;
    assert_eq!(events.len(), 10);
    let ordered: HashSet<Value> =
        sold.iter().map(|answer| answer.data(201)["orderId"].clone()).collect();
    let told: HashSet<Value> = events.iter().map(|event| event["aggregateId"].clone()).collect();
    assert_eq!(told, ordered);
    let numbers = eventually("ten approvals", async || {
        let orders = control.table("OrdersTable").await;
        let numbers = orders.iter().filter_map(|order| order["serialNumber"].as_i64());
        let numbers: HashSet<i64> = numbers.collect();
        (numbers.len() == 10).then_some(numbers)
    });
    assert_eq!(numbers.await, (1..=10).collect());
}

#[tokio::test]
async fn two_who_want_the_same_name_at_once_do_not_both_get_it() {
    let api = shared().await;
    let merchant = api.token("merchant").await;
    let product = serde_json::json!({
        "name": unique("Lamp"), "description": "", "discount": 0, "stock": 1,
        "price": { "amount": 1, "currency": "EUR" },
    });

    let offers = (0..8).map(|_| api.post("/products", &product).token(&merchant).send());
    let answers = join_all(offers).await;

    let taken = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(taken, 1);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(answer.error_fields(409, "NAME_TAKEN"), ["/name"]);
    }
}
