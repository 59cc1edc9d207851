//! The parameters of the business rules: what an operator changes while the system runs.

use futures::future::join_all;
use local::options::Options;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Api, order_of, own, unique};

#[tokio::test]
async fn what_an_operator_puts_is_what_they_get_and_versions_count_up() {
    let Some(api) = platform().await else { return };
    let admin = api.token("admin").await;
    let defaults = api.get("/rules").token(&admin).send().await;
    assert_eq!(defaults.header("etag"), "\"0\"");
    assert_eq!(versioned(rules(), 0), defaults.data(200));

    let mut changed = rules();
    changed["shipping"] = json!({ "amount": 0, "currency": "EUR" });
    for version in [1, 2] {
        changed["approvalsNeeded"] = version.into();
        let put = api.put("/rules", &changed).token(&admin).send().await.data(200);
        assert_eq!(put, versioned(changed.clone(), version));
        let got = api.get("/rules").token(&admin).send().await;
        assert_eq!((got.header("etag"), got.data(200)), (&*format!("\"{version}\""), put));
    }
}

#[tokio::test]
async fn a_new_rule_holds_for_the_next_order() {
    let Some(api) = platform().await else { return };
    let (admin, customer) = (api.token("admin").await, api.token("customer").await);
    let mut tight = rules();
    tight["itemsPerOrder"] = 1.into();
    tight["quantityPerItem"] = 3.into();
    tight["freeShippingTiers"] = json!(["STANDARD"]);
    api.put("/rules", &tight).token(&admin).send().await.data(200);

    let product = api.new_product(&api.token("merchant").await, 9).await;
    let address = api.new_address(&customer).await;
    let order = async |order: &Value| api.order(&customer, &unique("key"), order).send().await;
    let placed = order(&order_of(&product, 3, &address)).await.data(201);
    assert_eq!(placed["shipping"]["amount"], 0);
    let many = order(&order_of(&product, 4, &address)).await;
    assert_eq!(many.error_fields(422, "QUANTITY_TOO_LARGE"), ["/items/0/quantity"]);
    let mut two = order_of(&product, 1, &address);
    two["items"] = json!([two["items"][0], { "productId": Uuid::new_v4(), "quantity": 1 }]);
    assert_eq!(order(&two).await.error_fields(422, "TOO_MANY_ITEMS"), ["/items"]);
}

#[tokio::test]
async fn rules_that_cannot_hold_are_refused_with_everything_that_is_wrong() {
    let Some(api) = platform().await else { return };
    let admin = api.token("admin").await;
    let every_field = [
        "/approvalsNeeded",
        "/freeShippingTiers",
        "/itemsPerOrder",
        "/openCredit",
        "/quantityPerItem",
        "/sagaTimeoutSeconds",
        "/shipping",
    ];
    let cases: [(Value, &[&str]); 3] = [
        (json!({}), &every_field),
        (
            json!({ "approvalsNeeded": 6, "freeShippingTiers": ["SILVER"], "itemsPerOrder": 26,
                "quantityPerItem": 0, "sagaTimeoutSeconds": 86_401, "version": 1,
                "shipping": { "amount": -1, "currency": "EUR" }, "openCredit": "all of it" }),
            &[
                "/approvalsNeeded",
                "/freeShippingTiers/0",
                "/itemsPerOrder",
                "/openCredit",
                "/quantityPerItem",
                "/sagaTimeoutSeconds",
                "/shipping/amount",
                "/version",
            ],
        ),
        (
            json!({ "approvalsNeeded": 2, "freeShippingTiers": ["GOLD", "GOLD"],
                "itemsPerOrder": 25, "quantityPerItem": 99, "sagaTimeoutSeconds": 900,
                "shipping": { "amount": 490, "currency": "EUR" },
                "openCredit": { "amount": 500_000, "currency": "USD" } }),
            &["/freeShippingTiers/1", "/openCredit/currency"],
        ),
    ];
    for (body, fields) in cases {
        let answer = api.put("/rules", &body).token(&admin).send().await;
        assert_eq!(answer.error_fields(400, "INVALID_REQUEST"), fields, "{body}");
    }
    let rules = api.get("/rules").token(&admin).send().await.data(200);
    assert_eq!(rules["version"], 0, "nothing has changed");
}

#[tokio::test]
async fn of_two_operators_at_once_the_second_builds_on_the_first_or_is_told_so() {
    let Some(api) = platform().await else { return };
    let admin = api.token("admin").await;
    let rules = rules();
    let puts = (0..8).map(|_| api.put("/rules", &rules).token(&admin).send());
    let mut versions: Vec<_> = join_all(puts).await.iter().map(version).collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=8).collect::<Vec<_>>(), "no change takes another's place");

    let tag = api.get("/rules").token(&admin).send().await.header("etag").to_owned();
    let put = || api.put("/rules", &rules).token(&admin).header("if-match", &tag).send();
    let answers = join_all((0..8).map(|_| put())).await;
    let (taken, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|one| one.status == 200);
    assert_eq!((taken.len(), version(taken[0])), (1, 9));
    for answer in refused {
        answer.error(412, "PRECONDITION_FAILED");
    }
}

#[tokio::test]
async fn the_rules_are_for_operators_alone() {
    let Some(api) = platform().await else { return };
    for who in ["customer", "merchant", "editor"] {
        let token = api.token(who).await;
        api.get("/rules").token(&token).send().await.error(403, "FORBIDDEN");
        api.put("/rules", &rules()).token(&token).send().await.error(403, "FORBIDDEN");
    }
}

/// There is one set of rules, so that whoever changes it needs a platform of their own.
async fn platform() -> Option<Api> {
    own(Options { demo: true, ..Options::default() }).await
}

/// The defaults, as an operator would write them.
fn rules() -> Value {
    json!({
        "approvalsNeeded": 2, "freeShippingTiers": ["GOLD"], "itemsPerOrder": 25,
        "openCredit": { "amount": 500_000, "currency": "EUR" }, "quantityPerItem": 99,
        "sagaTimeoutSeconds": 900, "shipping": { "amount": 490, "currency": "EUR" },
    })
}

fn versioned(mut rules: Value, version: u64) -> Value {
    rules["version"] = version.into();
    rules
}

fn version(answer: &Answer) -> u64 {
    answer.data(200)["version"].as_u64().unwrap()
}
