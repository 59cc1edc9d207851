//! Changes of products by merchants. No change undoes another.

use client::{ApiResponse, Client, Error};
use domain::catalogue::{ProductId, ProductView};
use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{
    Api, Refused, euros, new_product, order_of, read, shared_platform, unique, until_done,
};

#[tokio::test]
async fn a_change_returns_the_new_value_and_leaves_the_rest() {
    let api = shared_platform().await;
    let lamp = Lamp::new(&api).await;
    let changes = [
        ("name", json!(unique("Lantern"))),
        ("description", json!("")),
        ("price", json!({ "amount": 0, "currency": "USD" })),
        ("discount", json!(0)),
        ("stock", json!(0)),
        ("available", json!(false)),
    ];
    let mut expected = json!(lamp.change(json!({ "discount": 10 })).await);
    for (field, value) in changes {
        let changed = json!(lamp.change(json!({ field: value })).await);
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
async fn an_invalid_change_is_400_with_all_violations() {
    let api = shared_platform().await;
    let (lamp, merchant) = (Lamp::new(&api).await, api.token("merchant").await);
    let path = format!("/products/{}", lamp.id);
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
        let answer = api.patch(&path, &patch).token(&merchant).send().await;
        assert_eq!(answer.error_fields(400, "INVALID_REQUEST"), fields, "{patch}");
    }
}

#[tokio::test]
async fn a_product_is_changed_by_its_merchant_and_by_admins() {
    let api = shared_platform().await;
    let lamp = Lamp::new(&api).await;
    let patch = read(json!({ "stock": 1 }));
    let by = async |who: &Client| who.patch_product(lamp.id, &patch, None).await;
    by(&api.person("admin").await).await.unwrap();
    by(&api.person("customer").await).await.refused(403, "FORBIDDEN");
    if let Some(inside) = api.inside() {
        by(&api.someone(inside, "MERCHANT")).await.refused(403, "FORBIDDEN");
    }
    let nothing = lamp.merchant.patch_product(Uuid::new_v4().into(), &patch, None).await;
    nothing.refused(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_new_name_is_unique_and_the_old_one_is_free_again() {
    let api = shared_platform().await;
    let (lamp, other) = (Lamp::new(&api).await, Lamp::new(&api).await);
    let (first, second) = (unique("First"), unique("Second"));
    let rename = |name: &str| json!({ "name": name, "stock": 1 });
    lamp.change(rename(&first)).await;
    let taken = other.patch(rename(&first)).await;
    assert_eq!(taken.refused_fields(409, "NAME_TAKEN"), ["/name"]);

    lamp.change(rename(&first)).await;
    lamp.change(rename(&second)).await;
    other.change(rename(&first)).await;

    let name = unique("Same");
    let renames = join_all((0..4).map(|_| lamp.change(rename(&name)))).await;
    assert!(renames.iter().all(|renamed| renamed.name.as_str() == name), "{renames:?}");
}

#[tokio::test]
async fn a_change_with_if_match_of_another_version_is_412() {
    let api = shared_platform().await;
    let lamp = Lamp::new(&api).await;
    let see = async || api.client().get_product(lamp.id).await.unwrap();
    let seen = see().await.etag().unwrap().to_owned();
    let patch = read(json!({ "stock": 3 }));
    let matching = async |tag: &str| lamp.merchant.patch_product(lamp.id, &patch, Some(tag)).await;
    for stale in ["\"0\"", "\"99\"", "", &format!("W/{seen}")] {
        matching(stale).await.refused(412, "PRECONDITION_FAILED");
    }
    for malformed in ["1", "\"1"] {
        matching(malformed).await.refused(400, "INVALID_REQUEST");
    }
    let changed = matching(&format!("\"99\", {seen}")).await.unwrap();
    assert_eq!((changed.data.version, changed.etag()), (2, Some("\"2\"")));

    // A reader may get an earlier version from the cache, and cannot overwrite the current one with
    // it.
    let kept = see().await;
    assert_eq!(matching(kept.etag().unwrap()).await.is_ok(), kept.etag() == changed.etag());
    matching("*").await.unwrap();
}

#[tokio::test]
async fn twenty_concurrent_changes_all_succeed() {
    let api = shared_platform().await;
    let lamp = Lamp::new(&api).await;
    let patch = |number: u64| match number % 4 {
        0 => json!({ "description": "It glows." }),
        1 => json!({ "discount": 20 }),
        2 => json!({ "stock": 7 }),
        _ => json!({ "price": euros(300) }),
    };

    let changed = join_all((0..20).map(|number| lamp.change(patch(number)))).await;

    let mut versions: Vec<_> = changed.iter().map(|product| product.version).collect();
    versions.sort_unstable();
    assert_eq!(versions, (2..=21).collect::<Vec<_>>());
    let last = changed.iter().find(|product| product.version == 21).unwrap();
    assert_eq!(last.description.as_str(), "It glows.");
    let numbers = (last.discount.get(), last.stock.get(), last.price.amount.get());
    assert_eq!(numbers, (20, 7, 300));
}

#[tokio::test]
async fn no_change_undoes_a_sale() {
    let api = shared_platform().await;
    let (lamp, customer) = (Lamp::new(&api).await, api.person("customer").await);
    let order = order_of(lamp.id, 1);

    let sales = (0..10).map(async |_| {
        let key = unique("key");
        until_done(async || customer.create_order(&order, Some(&key)).await).await.unwrap()
    });
    let changes = (0..10).map(|number| lamp.change(json!({ "discount": number })));
    let (sold, _) = tokio::join!(join_all(sales), join_all(changes));

    let after = lamp.change(json!({ "discount": 0 })).await;
    assert_eq!((sold.len(), after.stock.get()), (10, 90));
}

/// A product with a stock of a hundred, and its merchant.
struct Lamp {
    merchant: Client,
    id: ProductId,
}

impl Lamp {
    async fn new(api: &Api) -> Self {
        let merchant = api.person("merchant").await;
        let id = new_product(&merchant, 100).await;
        Self { merchant, id }
    }

    async fn patch(&self, patch: Value) -> Result<ApiResponse<ProductView>, Error> {
        let patch = read(patch);
        until_done(async || self.merchant.patch_product(self.id, &patch, None).await).await
    }

    /// The product after a change.
    async fn change(&self, patch: Value) -> ProductView {
        self.patch(patch).await.unwrap().data
    }
}
