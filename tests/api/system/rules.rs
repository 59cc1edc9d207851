//! The parameters of the business rules, which an operator changes while the system runs.

use domain::catalogue::Price;
use domain::people::Tier;
use domain::rules::{ItemsPerOrder, RulesDraft};
use emulator::options::Options;
use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Api, Refused, euros, fresh_platform, new_product, order_of, read};

#[tokio::test]
async fn stored_rules_are_returned_and_their_versions_count_up() {
    let Some(api) = platform().await else { return };
    let admin = api.person("admin").await;
    let defaults = admin.get_rules().await.unwrap();
    assert_eq!(defaults.etag(), Some("\"0\""));
    assert_eq!(defaults.data, rules().at_version(0));

    for version in [1, 2] {
        let approvals_needed = read(json!(version));
        let changed = RulesDraft { approvals_needed, shipping: free(), ..rules() };
        let put = admin.put_rules(&changed, None).await.unwrap().data;
        assert_eq!(put, changed.at_version(version));
        let got = admin.get_rules().await.unwrap();
        assert_eq!((got.etag(), &got.data), (Some(&*format!("\"{version}\"")), &put));
    }
}

#[tokio::test]
async fn a_new_rule_applies_to_the_next_order() {
    let Some(api) = platform().await else { return };
    let (admin, customer) = (api.person("admin").await, api.person("customer").await);
    let tight = RulesDraft {
        items_per_order: ItemsPerOrder::MIN,
        quantity_per_item: read(json!(3)),
        free_shipping_tiers: vec![Tier::Standard].into(),
        ..rules()
    };
    admin.put_rules(&tight, None).await.unwrap();

    let product = new_product(&api.person("merchant").await, 9).await;
    let placed = customer.create_order(&order_of(product, 3), None).await.unwrap().data;
    assert_eq!(placed.shipping, euros(0));
    let many = customer.create_order(&order_of(product, 4), None).await;
    assert_eq!(many.refused_fields(422, "QUANTITY_TOO_LARGE"), ["/items/0/quantity"]);
    let mut two = order_of(product, 1);
    two.items.extend(order_of(Uuid::new_v4().into(), 1).items);
    let two = customer.create_order(&two, None).await;
    assert_eq!(two.refused_fields(422, "TOO_MANY_ITEMS"), ["/items"]);
}

#[tokio::test]
async fn invalid_rules_are_400_with_all_violations() {
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
    let rules = api.person("admin").await.get_rules().await.unwrap().data;
    assert_eq!(rules.version, 0, "nothing has changed");
}

#[tokio::test]
async fn concurrent_rule_changes_all_apply_or_with_one_if_match_one_wins() {
    let Some(api) = platform().await else { return };
    let (admin, rules) = (api.person("admin").await, rules());
    let puts = join_all((0..8).map(|_| admin.put_rules(&rules, None))).await;
    let mut versions: Vec<_> = puts.into_iter().map(|put| put.unwrap().data.version).collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=8).collect::<Vec<_>>(), "no change replaces another");

    let read = admin.get_rules().await.unwrap();
    let puts = join_all((0..8).map(|_| admin.put_rules(&rules, read.etag()))).await;
    let (taken, refused): (Vec<_>, Vec<_>) = puts.into_iter().partition(Result::is_ok);
    let taken: Vec<_> = taken.into_iter().map(|put| put.unwrap().data.version).collect();
    assert_eq!(taken, [9]);
    for put in refused {
        put.refused(412, "PRECONDITION_FAILED");
    }
}

#[tokio::test]
async fn the_rules_are_403_for_all_but_administrators() {
    let Some(api) = platform().await else { return };
    for who in ["customer", "merchant", "editor"] {
        let who = api.person(who).await;
        who.get_rules().await.refused(403, "FORBIDDEN");
        who.put_rules(&rules(), None).await.refused(403, "FORBIDDEN");
    }
}

/// There is only one set of rules, so a test that changes it needs a separate platform.
async fn platform() -> Option<Api> {
    fresh_platform(Options { demo: true, ..Options::default() }).await
}

/// The default rules, as a request has them.
fn rules() -> RulesDraft {
    read(json!({
        "approvalsNeeded": 2, "freeShippingTiers": ["GOLD"], "itemsPerOrder": 25,
        "openCredit": { "amount": 500_000, "currency": "EUR" }, "quantityPerItem": 99,
        "sagaTimeoutSeconds": 900, "shipping": { "amount": 490, "currency": "EUR" },
    }))
}

fn free() -> Price {
    read(json!({ "amount": 0, "currency": "EUR" }))
}
