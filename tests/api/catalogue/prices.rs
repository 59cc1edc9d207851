//! Prices: allowed values, and the total of an order.

use domain::catalogue::ProductId;
use domain::people::AddressId;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{ADDRESS, euros, new_address, new_product, read, shared_platform, unique};

/// Price, discount and quantity of an item, and the actual price of one piece.
type Priced = (i64, i64, i64, i64);

#[tokio::test]
async fn an_order_costs_its_discounted_prices_and_shipping_free_for_gold() {
    let api = shared_platform().await;
    let merchant = api.person("merchant").await;
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
            let offer = offer(*price, *discount);
            let offered = merchant.post_product(&read(offer), None).await.unwrap().data;
            assert_eq!(offered.actual_price.amount.get(), *actual, "{price} less {discount} %");
            items.push(json!({ "productId": offered.product_id, "quantity": quantity }));
        }
        let goods: i64 = priced.iter().map(|(_, _, quantity, actual)| quantity * actual).sum();
        for (who, shipping) in [("customer", 490), ("gold", 0)] {
            let customer = api.person(who).await;
            let order = order(json!(items), new_address(&customer).await);
            let placed = customer.create_order(&read(order), None).await.unwrap().data;
            assert_eq!(placed.shipping, euros(shipping), "{who}: {priced:?}");
            assert_eq!(placed.total, euros(goods + shipping), "{who}: {priced:?}");
        }
    }
}

#[tokio::test]
async fn prices_and_discounts_out_of_bounds_are_400_with_their_pointers() {
    let api = shared_platform().await;
    let merchant = api.token("merchant").await;
    let cases: [(i64, i64, &[&str]); 5] = [
        (200, 100, &["/discount"]),
        (200, -1, &["/discount"]),
        (-1, 10, &["/price/amount"]),
        (10_000_000_001, 0, &["/price/amount"]),
        (-1, 100, &["/discount", "/price/amount"]),
    ];
    for (price, discount, fields) in cases {
        let answer = api.post("/products", &offer(price, discount)).token(&merchant).send().await;
        let found = answer.error_fields(400, "INVALID_REQUEST");
        assert_eq!(found, fields, "{price} less {discount} %");
    }
}

#[tokio::test]
async fn items_that_cannot_be_ordered_are_all_named_at_once() {
    let api = shared_platform().await;
    let (merchant, customer) = (api.person("merchant").await, api.token("customer").await);
    let (lamp, teapot) = (new_product(&merchant, 2).await, new_product(&merchant, 1).await);
    let gone = new_product(&merchant, 9).await;
    let patch = read(json!({ "available": false }));
    merchant.patch_product(gone, &patch, None).await.unwrap();
    let unknown = Uuid::new_v4().into();
    let item = |id: ProductId, quantity: i64| json!({ "productId": id, "quantity": quantity });
    let cases: [(Value, u16, &str, &[&str]); 5] = [
        (
            json!([item(lamp, 3), item(teapot, 1), item(lamp, 100), item(teapot, 0)]),
            400,
            "INVALID_REQUEST",
            &["/items/2/quantity", "/items/3/quantity"],
        ),
        (
            json!([item(lamp, 1), item(teapot, 1), item(lamp, 1), item(teapot, 1)]),
            400,
            "INVALID_REQUEST",
            &["/items/2/productId", "/items/3/productId"],
        ),
        (
            json!([item(lamp, 3), item(teapot, 2)]),
            422,
            "OUT_OF_STOCK",
            &["/items/0/quantity", "/items/1/quantity"],
        ),
        (json!([item(unknown, 1), item(lamp, 3)]), 422, "PRODUCT_UNKNOWN", &["/items/0/productId"]),
        (
            json!([item(lamp, 1), item(gone, 1)]),
            422,
            "PRODUCT_UNAVAILABLE",
            &["/items/1/productId"],
        ),
    ];
    for (items, status, code, fields) in cases {
        let order = order(items.clone(), ADDRESS.into());
        let call = api.post("/orders", &order).token(&customer).key(&unique("key"));
        assert_eq!(call.send().await.error_fields(status, code), fields, "{items}");
    }
}

fn offer(price: i64, discount: i64) -> Value {
    json!({
        "name": unique("Lamp"), "description": "", "discount": discount, "stock": 1_000,
        "price": { "amount": price, "currency": "EUR" },
    })
}

fn order(items: Value, address: AddressId) -> Value {
    json!({ "items": items, "addressId": address, "paymentMethod": "ONLINE" })
}
