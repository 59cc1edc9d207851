//! What an order takes from the stock, what ids things have, and what a repeated request does.

use domain::people::AddressDraft;
use serde_json::json;
use uuid::Uuid;

use crate::harness::{Control, order_of, read, shared, unique, user};

#[tokio::test]
async fn an_order_takes_from_the_stock_of_each_of_its_items() {
    let api = shared().await;
    let Some(control) = api.control() else { return };
    let (merchant, customer) = (api.token("merchant").await, api.token("customer").await);
    let address = api.new_address(&customer).await;
    let (lamp, teapot) = (api.new_product(&merchant, 5).await, api.new_product(&merchant, 7).await);
    let mut order = order_of(&lamp, 2, &address);
    let lamps = order["items"][0].clone();
    order["items"] = json!([lamps, { "productId": teapot, "quantity": 7 }]);
    api.order(&customer, &unique("key"), &order).send().await.data(201);
    assert_eq!((stock(&control, &lamp).await, stock(&control, &teapot).await), (3, 0));

    order["items"] = json!([lamps, { "productId": teapot, "quantity": 1 }]);
    let refused = api.order(&customer, &unique("key"), &order).send().await;
    assert_eq!(refused.error_fields(422, "OUT_OF_STOCK"), ["/items/1/quantity"]);
    assert_eq!(stock(&control, &lamp).await, 3, "all of an order or nothing");
}

#[tokio::test]
async fn a_client_may_choose_the_ids_of_what_it_creates_and_gets_uuidv7_otherwise() {
    let api = shared().await;
    let customer = api.store().with_token(&api.token("customer").await);
    let mut address: AddressDraft = read(json!({
        "buildingNumber": 44, "streetName": "Main Street", "city": "Springfield", "country": "US",
    }));
    let minted = customer.post_address(&address, None).await.unwrap().data.address_id;
    assert_eq!(Uuid::parse_str(&minted.to_string()).unwrap().get_version_num(), 7);

    address.address_id = Some(Uuid::new_v4().into());
    let created = customer.post_address(&address, None).await.unwrap();
    assert_eq!(Some(created.data.address_id), address.address_id);
}

#[tokio::test]
async fn a_sign_up_that_is_repeated_by_its_key_is_one_account() {
    let api = shared().await;
    let (ada, key) = (user(&format!("{}@example.com", unique("ada"))), unique("key"));
    let first = api.post("/users", &ada).key(&key).send().await;
    first.data(201);
    let second = api.post("/users", &ada).key(&key).send().await;
    assert_eq!((second.status, &second.body), (201, &first.body));
    assert_eq!(second.header("idempotency-replayed"), "true");
    api.post("/users", &ada).send().await.error(409, "EMAIL_TAKEN");
}

/// From the table itself: whoever has read a product may be shown it as it was.
async fn stock(control: &Control, product: &str) -> u64 {
    control.item("ProductsTable", product).await["stock"].as_u64().unwrap()
}
