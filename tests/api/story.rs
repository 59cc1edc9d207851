//! The README's story, from signing up to the confirmation of an order.

use local::options::Options;
use serde_json::{Value, json};

use crate::harness::{Api, Control, eventually, order_of, own, proof_in, shared, unique, user};

#[tokio::test]
async fn a_customer_signs_up_verifies_signs_in_and_orders_once() {
    let Some(api) = own(Options { demo: true, ..Options::default() }).await else { return };
    let control = api.control().unwrap();
    let email = format!("{}@example.com", unique("ada"));

    let ada = sign_up(&api, &control, &email).await;
    let product = browse(&api, &control).await;
    let order = order_twice(&api, &control, &ada, &product).await;
    be_told(&control, &email, &order).await;
}

/// Signs up, proves that the address is theirs by the mail, and signs in; gives the access token.
async fn sign_up(api: &Api, control: &Control, email: &str) -> String {
    let created = api.post("/users", &user(email)).send().await;
    let ada = created.data(201);
    let path = format!("/users/{}", ada["userId"].as_str().unwrap());
    assert_eq!(created.header("location"), path);
    assert_eq!(ada["emailVerified"], false);

    let credentials = user(email);
    let credentials = json!({ "email": email, "password": credentials["password"] });
    let refused = api.post("/sessions", &credentials).send().await;
    refused.error(403, "EMAIL_NOT_VERIFIED");

    let mail = control.mail(email, "Verify").await;
    let proof = proof_in(&mail);
    let verified = api.put(&format!("{path}/verification"), &proof).send().await;
    assert_eq!((verified.status, verified.body.len()), (204, 0));
    api.put(&format!("{path}/verification"), &proof).send().await.error(410, "VERIFICATION_SPENT");

    let token = api.sign_in(email).await;
    let shown = api.get(&path).token(&token).send().await.data(200);
    assert_eq!(shown["emailVerified"], true);
    let fields: Vec<_> = shown.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = ["createdAt", "email", "emailVerified", "name", "roles", "tier", "userId"];
    assert_eq!(fields, expected, "the hash of the password is not shown, nor anything else");
    token
}

/// A merchant offers a product and anybody looks at it, the second time from the cache.
async fn browse(api: &Api, control: &Control) -> String {
    let merchant = api.token("merchant").await;
    let product = api.new_product(&merchant, 5).await;
    let first = api.get(&format!("/products/{product}")).send().await;
    assert_eq!(first.data(200)["actualPrice"], json!({ "amount": 180, "currency": "EUR" }));
    assert_eq!((first.header("age"), hits(control).await), ("0", 0.0));

    let second = api.get(&format!("/products/{product}")).send().await;
    assert_eq!(second.body, first.body);
    assert!(second.header("age").parse::<u64>().is_ok(), "{second:?}");
    eventually("a hit of the cache", async || (hits(control).await >= 1.0).then_some(())).await;
    product
}

/// Orders two pieces, and the same again by the same key; gives the order.
async fn order_twice(api: &Api, control: &Control, token: &str, product: &str) -> Value {
    let address = api.new_address(token).await;
    let order = order_of(product, 2, &address);
    let first = api.order(token, "the-first-order", &order).send().await;
    let placed = first.data(201);
    assert_eq!(placed["status"], "PENDING");
    assert_eq!(placed["total"], json!({ "amount": 2 * 180 + 490, "currency": "EUR" }));
    assert_eq!(
        first.header("location"),
        format!("/orders/{}", placed["orderId"].as_str().unwrap())
    );
    assert_eq!(first.header("idempotency-replayed"), "");

    let second = api.order(token, "the-first-order", &order).send().await;
    assert_eq!((second.status, &second.body), (201, &first.body));
    assert_eq!(second.header("idempotency-replayed"), "true");
    assert_eq!(second.header("location"), first.header("location"));
    assert_ne!(second.header("x-request-id"), first.header("x-request-id"));

    assert_eq!(control.item("ProductsTable", product).await["stock"], 3);
    assert_eq!(control.table("OrdersTable").await.len(), 1);
    placed
}

/// The customer is approved, and gets one confirmation.
async fn be_told(control: &Control, email: &str, order: &Value) {
    let mail = control.mail(email, "We have received your order").await;
    assert!(mail["text"].as_str().unwrap().contains("Total: 8.50 EUR"), "{mail}");

    let approved = async || control.events("OrderApproved").await.pop();
    let approved = eventually("the approval", approved).await;
    assert_eq!(approved["aggregateId"], order["orderId"]);
    assert_eq!(approved["data"]["total"], order["total"]);
    assert_eq!(approved["data"]["serialNumber"], 1);
    assert_eq!(control.mails(email).await.len(), 2);
    for queue in ["EmailsDeadLetterQueue", "OutboxDeadLetterQueue"] {
        assert_eq!(control.queue(queue).await["visible"], 0, "{queue}");
    }
}

async fn hits(control: &Control) -> f64 {
    control.metric("cache_hits_total", &[r#"cache_type="products""#]).await
}

#[tokio::test]
async fn what_happens_behind_the_api_is_seen_by_its_clients() {
    let api = shared().await;
    let customer = api.token("customer").await;
    let product = api.new_product(&api.token("merchant").await, 1).await;
    let order = order_of(&product, 1, &api.new_address(&customer).await);
    let placed = api.order(&customer, &unique("key"), &order).send().await.data(201);
    let see = async |path: &str| api.get(path).token(&customer).send().await.json()["data"].take();

    let path = format!("/orders/{}", placed["orderId"].as_str().unwrap());
    let approved = async || (see(&path).await["status"] == "APPROVED").then_some(());
    eventually("the order to be approved", approved).await;
    let listed = async || {
        let orders = see("/orders/user/00000000-0000-7000-8000-000000000001?order=desc").await;
        let mut ids = orders.as_array().unwrap().iter().map(|order| &order["orderId"]);
        ids.any(|id| *id == placed["orderId"]).then_some(())
    };
    eventually("the order to be listed", listed).await;
    api.new_object().await;
    let partner = api.get("/partner/products").header("x-partner-id", "acme-7");
    assert_eq!(partner.header("accept-language", "en").send().await.status, 200);
}
