//! What a merchant changes of a product, and that no change undoes another's.

use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Api, order_of, shared, unique, until_done};

#[tokio::test]
async fn a_change_shows_what_it_gave_and_leaves_the_rest() {
    let (api, merchant) = (shared().await, shared().await.token("merchant").await);
    let lamp = Lamp::new(&api, &merchant).await;
    let changes = [
        ("name", json!(unique("Lantern"))),
        ("description", json!("")),
        ("price", json!({ "amount": 0, "currency": "USD" })),
        ("discount", json!(0)),
        ("stock", json!(0)),
        ("available", json!(false)),
    ];
    let mut expected = lamp.patch(&json!({ "discount": 10 })).await.data(200);
    for (field, value) in changes {
        let changed = lamp.patch(&json!({ field: value })).await.data(200);
        expected[field] = value;
        expected["version"] = (expected["version"].as_u64().unwrap() + 1).into();
        for of_it in ["actualPrice", "updatedAt"] {
            expected[of_it] = changed[of_it].clone();
        }
        assert_eq!(changed, expected, "{field}");
    }
    assert_eq!(expected["actualPrice"], json!({ "amount": 0, "currency": "USD" }));
}

#[tokio::test]
async fn a_change_that_cannot_be_is_refused_with_everything_that_is_wrong() {
    let (api, merchant) = (shared().await, shared().await.token("merchant").await);
    let lamp = Lamp::new(&api, &merchant).await;
    let cases: [(Value, &[&str]); 6] = [
        (json!({}), &[""]),
        (json!([]), &[""]),
        (json!({ "name": "lamp" }), &["/name"]),
        (
            json!({ "name": "", "description": 1, "price": { "amount": -1, "currency": "EUR" },
                "discount": 100, "stock": -1, "available": "yes", "version": 7, "ownerId": 1 }),
            &[
                "/available",
                "/description",
                "/discount",
                "/name",
                "/ownerId",
                "/price/amount",
                "/stock",
                "/version",
            ],
        ),
        (json!({ "discount": -1, "actualPrice": 1 }), &["/actualPrice", "/discount"]),
        (json!({ "name": null, "stock": 1 }), &["/name"]),
    ];
    for (patch, fields) in cases {
        let answer = lamp.patch(&patch).await;
        assert_eq!(answer.error_fields(400, "INVALID_REQUEST"), fields, "{patch}");
    }
}

#[tokio::test]
async fn a_product_is_changed_by_its_merchant_and_by_admins() {
    let (api, merchant) = (shared().await, shared().await.token("merchant").await);
    let lamp = Lamp::new(&api, &merchant).await;
    let patch = json!({ "stock": 1 });
    let by = async |token: &str| api.patch(&lamp.path, &patch).token(token).send().await;
    by(&api.token("admin").await).await.data(200);
    by(&api.token("customer").await).await.error(403, "FORBIDDEN");
    if let Some(inside) = api.inside() {
        let another = inside.token(&Uuid::new_v4().to_string(), &["MERCHANT"]);
        by(&another).await.error(403, "FORBIDDEN");
    }
    let nothing = format!("/products/{}", Uuid::new_v4());
    let answer = api.patch(&nothing, &patch).token(&merchant).send().await;
    answer.error(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_new_name_is_unique_and_the_old_one_is_free_again() {
    let (api, merchant) = (shared().await, shared().await.token("merchant").await);
    let (lamp, other) = (Lamp::new(&api, &merchant).await, Lamp::new(&api, &merchant).await);
    let (first, second) = (unique("First"), unique("Second"));
    let rename = |name: &str| json!({ "name": name, "stock": 1 });
    lamp.patch(&rename(&first)).await.data(200);
    let taken = other.patch(&rename(&first)).await;
    assert_eq!(taken.error_fields(409, "NAME_TAKEN"), ["/name"]);

    lamp.patch(&rename(&first)).await.data(200);
    lamp.patch(&rename(&second)).await.data(200);
    other.patch(&rename(&first)).await.data(200);

    let name = unique("Same");
    let renames = join_all((0..4).map(|_| lamp.until_done(rename(&name)))).await;
    assert!(renames.iter().all(|renamed| renamed["name"] == name.as_str()), "{renames:?}");
}

#[tokio::test]
async fn if_match_lets_only_the_version_that_was_seen_be_changed() {
    let (api, merchant) = (shared().await, shared().await.token("merchant").await);
    let lamp = Lamp::new(&api, &merchant).await;
    let seen = api.get(&lamp.path).send().await.header("etag").to_owned();
    let patch = json!({ "stock": 3 });
    let matching = async |tag: &str| {
        api.patch(&lamp.path, &patch).token(&merchant).header("if-match", tag).send().await
    };
    for stale in ["\"0\"", "\"99\"", &format!("W/{seen}"), "1", ""] {
        matching(stale).await.error(412, "PRECONDITION_FAILED");
    }
    let changed = matching(&format!("\"99\", {seen}")).await;
    let tag = changed.header("etag").to_owned();
    assert_eq!((changed.data(200)["version"].as_u64(), tag.as_str()), (Some(2), "\"2\""));

    // Whoever reads it now may be shown the product as it was, and cannot overwrite what it is.
    let kept = api.get(&lamp.path).send().await.header("etag").to_owned();
    assert_eq!(matching(&kept).await.status, if kept == tag { 200 } else { 412 });
    matching("*").await.data(200);
}

#[tokio::test]
async fn twenty_changes_at_once_all_happen() {
    let (api, merchant) = (shared().await, shared().await.token("merchant").await);
    let lamp = Lamp::new(&api, &merchant).await;
    let patch = |number: u64| match number % 4 {
        0 => json!({ "description": "It glows." }),
        1 => json!({ "discount": 20 }),
        2 => json!({ "stock": 7 }),
        _ => json!({ "price": { "amount": 300, "currency": "EUR" } }),
    };

    let changed = join_all((0..20).map(|number| lamp.until_done(patch(number)))).await;

    let mut versions: Vec<_> =
        changed.iter().map(|product| product["version"].as_u64().unwrap()).collect();
    versions.sort_unstable();
    assert_eq!(versions, (2..=21).collect::<Vec<_>>());
    let last = changed.iter().find(|product| product["version"] == 21).unwrap();
    assert_eq!(last["description"], "It glows.");
    assert_eq!((&last["discount"], &last["stock"]), (&20.into(), &7.into()));
    assert_eq!(last["price"]["amount"], 300);
}

#[tokio::test]
async fn no_change_undoes_a_sale() {
    let (api, merchant) = (shared().await, shared().await.token("merchant").await);
    let customer = api.token("customer").await;
    let lamp = Lamp::new(&api, &merchant).await;
    let (_, product_id) = lamp.path.rsplit_once('/').unwrap();
    let order = order_of(product_id, 1, &api.new_address(&customer).await);

    let sales = (0..10).map(async |_| {
        let key = unique("key");
        let sold = until_done(async || api.order(&customer, &key, &order).send().await).await;
        sold.data(201)
    });
    let changes = (0..10).map(|number| lamp.until_done(json!({ "discount": number })));
    let (sold, _) = tokio::join!(join_all(sales), join_all(changes));

    let after = lamp.patch(&json!({ "discount": 0 })).await.data(200);
    assert_eq!((sold.len(), &after["stock"]), (10, &90.into()));
}

/// A product of which there are a hundred, and whose it is.
struct Lamp<'a> {
    api: &'a Api,
    merchant: &'a str,
    path: String,
}

impl<'a> Lamp<'a> {
    async fn new(api: &'a Api, merchant: &'a str) -> Self {
        let path = format!("/products/{}", api.new_product(merchant, 100).await);
        Self { api, merchant, path }
    }

    async fn patch(&self, patch: &Value) -> Answer {
        self.api.patch(&self.path, patch).token(self.merchant).send().await
    }

    async fn until_done(&self, patch: Value) -> Value {
        until_done(async || self.patch(&patch).await).await.data(200)
    }
}
