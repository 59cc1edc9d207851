//! The story of `infra/docs/TOUR.md`, from signing up to the confirmation of an order.

use client::{Client, PartnerPage};
use domain::catalogue::ProductId;
use domain::orders::{OrderDraft, OrderStatus, OrderView};
use emulator::options::Options;
use serde_json::json;

use crate::harness::{
    Api, CUSTOMER, Control, PASSWORD, Refused, euros, eventually, fresh_platform, new_address,
    new_product, order_of, proof_in, read, shared_platform, unique_email, user, when,
};

#[tokio::test]
async fn a_customer_signs_up_verifies_signs_in_and_orders_once() {
    let Some(api) = fresh_platform(Options { demo: true, ..Options::default() }).await else {
        return;
    };
    let control = api.control().unwrap();
    let email = unique_email();

    let ada = sign_up(&api, &control, &email).await;
    let product = browse(&api, &control).await;
    let order = order_twice(&control, &ada, product).await;
    be_told(&control, &email, &order).await;
}

/// Signs up, verifies the address by the mail, and signs in.
async fn sign_up(api: &Api, control: &Control, email: &str) -> Client {
    let store = api.client();
    let created = store.post_user(&user(email), None).await.unwrap();
    let id = created.data.user_id;
    assert_eq!(created.header("location"), Some(&*format!("/users/{id}")));
    assert!(!created.data.email_verified);
    store.post_session(email, PASSWORD).await.refused(403, "EMAIL_NOT_VERIFIED");

    let proof = proof_in(&control.mail(email, "Verify").await);
    store.put_verification(id, &proof, PASSWORD).await.unwrap();
    store.put_verification(id, &proof, PASSWORD).await.refused(410, "VERIFICATION_SPENT");

    let shown = api.get(&format!("/users/{id}")).token(&api.sign_in(email).await);
    let shown = shown.send().await.data(200);
    assert_eq!(shown["emailVerified"], true);
    let fields: Vec<_> = shown.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = ["createdAt", "email", "emailVerified", "name", "roles", "tier", "userId"];
    assert_eq!(fields, expected, "neither the password's hash nor any other field is shown");
    store.signing_in(email, PASSWORD)
}

/// A merchant offers a product, and two public requests read it, the second one from the cache.
async fn browse(api: &Api, control: &Control) -> ProductId {
    let product = new_product(&api.person("merchant").await, 5).await;
    let first = api.client().get_product(product).await.unwrap();
    assert_eq!(first.data.actual_price.amount.get(), 180);
    assert_eq!((first.header("age"), hits(control).await), (Some("0"), 0.0));

    let second = api.client().get_product(product).await.unwrap();
    assert_eq!(second.data, first.data);
    assert!(second.header("age").unwrap().parse::<u64>().is_ok(), "{second:?}");
    eventually("a hit of the cache", async || when(hits(control).await, |seen| *seen >= 1.0)).await;
    product
}

/// Orders two pieces, and repeats the request with the same key. Returns the order.
async fn order_twice(control: &Control, ada: &Client, product: ProductId) -> OrderView {
    let address_id = new_address(ada).await;
    let order = OrderDraft { address_id, ..order_of(product, 2) };
    let first = ada.create_order(&order, Some("the-first-order")).await.unwrap();
    assert_eq!((first.data.status, first.is_replayed()), (OrderStatus::Pending, false));
    assert_eq!(first.data.total, euros(2 * 180 + 490));
    let location = format!("/orders/{}", first.data.order_id);
    assert_eq!(first.header("location"), Some(&*location));

    let second = ada.create_order(&order, Some("the-first-order")).await.unwrap();
    assert_eq!((&second.data, second.is_replayed()), (&first.data, true));
    assert_eq!(second.header("location"), Some(&*location));
    assert_ne!(second.request_id(), first.request_id());

    assert_eq!(control.item("ProductsTable", product).await["stock"], 3);
    assert_eq!(control.table("OrdersTable").await.len(), 1);
    first.data
}

/// The order is approved, and the customer gets one confirmation.
async fn be_told(control: &Control, email: &str, order: &OrderView) {
    let mail = control.mail(email, "We have received your order").await;
    assert!(mail["text"].as_str().unwrap().contains("Total: 8.50 EUR"), "{mail}");

    let shown = async || control.table("OrderSummariesTable").await.pop();
    let shown = eventually("the approval", shown).await;
    assert_eq!(shown["orderId"], json!(order.order_id));
    assert_eq!(
        (&shown["orderStatus"], &shown["totalPrice"]),
        (&json!("APPROVED"), &json!(order.total))
    );
    assert_eq!(shown["serialNumber"], 1);
    assert_eq!(control.mails(email).await.len(), 2);
    for queue in ["EmailsDeadLetterQueue", "OutboxDeadLetterQueue"] {
        assert_eq!(control.queue(queue).await["visible"], 0, "{queue}");
    }
}

async fn hits(control: &Control) -> f64 {
    control.metric("cache_hits_total", &[r#"cache_type="products""#]).await
}

#[tokio::test]
async fn clients_see_the_effects_of_the_functions_behind_the_api() {
    let api = shared_platform().await;
    let customer = api.person("customer").await;
    let product = new_product(&api.person("merchant").await, 1).await;
    let order = order_of(product, 1);
    let order = customer.create_order(&order, None).await.unwrap().data.order_id;
    eventually("the order to be approved", async || {
        let order = customer.get_order(order).await.unwrap().data;
        when(order, |order| order.status == OrderStatus::Approved)
    })
    .await;
    let newest = read(json!({ "order": "desc" }));
    eventually("the order to be listed", async || {
        let page = customer.list_user_orders(CUSTOMER.into(), &newest).await.unwrap().data;
        page.items.into_iter().find(|listed| listed.order_id == order)
    })
    .await;
    api.new_object().await;
    let (who, language) = (read(json!("acme-7")), read(json!("en")));
    let page = PartnerPage::default();
    api.client().list_partner_products(&who, &language, &page).await.unwrap();
}
