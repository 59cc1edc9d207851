//! What a product may cost, and what an order of it comes to.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Api, shared, unique};

/// Price, discount and quantity of an item, and what a piece of it costs.
type Priced = (i64, i64, i64, i64);

#[tokio::test]
async fn an_order_comes_to_its_discounted_prices_and_shipping_which_is_free_for_gold() {
    let api = shared().await;
    let merchant = api.token("merchant").await;
    let cases: [&[Priced]; 6] = [
        &[(200, 10, 1, 180)],
        &[(0, 0, 1, 0)],
        &[(0, 99, 99, 0)],
        &[(1, 99, 1, 0), (1, 50, 1, 1)],
        &[(999, 5, 3, 949)],
        &[(200, 10, 2, 180), (1_990, 0, 1, 1_990), (0, 0, 5, 0)],
    ];
    for priced in cases {
        let mut items = Vec::new();
        for (price, discount, quantity, actual) in priced {
            let offered = offer(&api, &merchant, *price, *discount).await.data(201);
            assert_eq!(offered["actualPrice"], euros(*actual), "{price} less {discount} %");
            items.push(json!({ "productId": offered["productId"], "quantity": quantity }));
        }
        let goods: i64 = priced.iter().map(|(_, _, quantity, actual)| quantity * actual).sum();
        for (who, shipping) in [("customer", 490), ("gold", 0)] {
            let placed = order(&api, who, items.clone().into()).await.data(201);
            assert_eq!(placed["shipping"], euros(shipping), "{who}: {priced:?}");
            assert_eq!(placed["total"], euros(goods + shipping), "{who}: {priced:?}");
        }
    }
}

#[tokio::test]
async fn prices_and_discounts_out_of_bounds_are_refused_at_their_pointers() {
    let api = shared().await;
    let merchant = api.token("merchant").await;
    let cases: [(i64, i64, &[&str]); 5] = [
        (200, 100, &["/discount"]),
        (200, -1, &["/discount"]),
        (-1, 10, &["/price/amount"]),
        (10_000_000_001, 0, &["/price/amount"]),
        (-1, 100, &["/discount", "/price/amount"]),
    ];
    for (price, discount, fields) in cases {
        let answer = offer(&api, &merchant, price, discount).await;
        let found = answer.error_fields(400, "INVALID_REQUEST");
        assert_eq!(found, fields, "{price} less {discount} %");
    }
}

#[tokio::test]
async fn items_that_cannot_be_ordered_are_all_named_at_once() {
    let api = shared().await;
    let merchant = api.token("merchant").await;
    let (lamp, teapot) = (api.new_product(&merchant, 2).await, api.new_product(&merchant, 1).await);
    let gone = api.new_product(&merchant, 9).await;
    let patch = json!({ "available": false });
    api.patch(&format!("/products/{gone}"), &patch).token(&merchant).send().await.data(200);
    let unknown = Uuid::new_v4().to_string();
    let item = |id: &str, quantity: i64| json!({ "productId": id, "quantity": quantity });
    let cases: [(Value, u16, &str, &[&str]); 5] = [
        (
            json!([item(&lamp, 3), item(&teapot, 1), item(&lamp, 100), item(&teapot, 0)]),
            400,
            "INVALID_REQUEST",
            &["/items/2/quantity", "/items/3/quantity"],
        ),
        (
            json!([item(&lamp, 1), item(&teapot, 1), item(&lamp, 1), item(&teapot, 1)]),
            400,
            "INVALID_REQUEST",
            &["/items/2/productId", "/items/3/productId"],
        ),
        (
            json!([item(&lamp, 3), item(&teapot, 2)]),
            422,
            "OUT_OF_STOCK",
            &["/items/0/quantity", "/items/1/quantity"],
        ),
        (
            json!([item(&unknown, 1), item(&lamp, 3)]),
            422,
            "PRODUCT_UNKNOWN",
            &["/items/0/productId"],
        ),
        (
            json!([item(&lamp, 1), item(&gone, 1)]),
            422,
            "PRODUCT_UNAVAILABLE",
            &["/items/1/productId"],
        ),
    ];
    for (items, status, code, fields) in cases {
        let answer = order(&api, "customer", items.clone()).await;
        assert_eq!(answer.error_fields(status, code), fields, "{items}");
    }
}

async fn offer(api: &Api, merchant: &str, price: i64, discount: i64) -> Answer {
    let product = json!({
        "name": unique("Lamp"), "description": "", "discount": discount, "stock": 1_000,
        "price": euros(price),
    });
    api.post("/products", &product).token(merchant).send().await
}

async fn order(api: &Api, who: &str, items: Value) -> Answer {
    let token = api.token(who).await;
    let address = api.new_address(&token).await;
    let order = json!({ "items": items, "addressId": address, "paymentMethod": "ONLINE" });
    api.order(&token, &unique("key"), &order).send().await
}

fn euros(cents: i64) -> Value {
    json!({ "amount": cents, "currency": "EUR" })
}
