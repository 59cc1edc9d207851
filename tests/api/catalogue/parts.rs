//! Products whose stock is in parts: it is shown, changed and sold as one stock.

use domain::catalogue::ProductId;
use lifecycle::paging::PageQuery;
use serde_json::{Value, json};

use crate::harness::{
    Api, Refused, eventually, new_product, order_of, read, shared_platform, stock_in, when,
};

#[tokio::test]
async fn the_stock_of_a_product_in_parts_is_shown_and_listed_as_one() {
    let api = shared_platform().await;
    let Some(lamp) = ten_in_parts(&api).await else { return };

    let shown = api.client().get_product(lamp).await.unwrap();
    assert_eq!((shown.data.stock.get(), shown.data.version), (10, 4));
    assert_eq!(shown.etag(), Some("\"4\""));

    let query: PageQuery = read(json!({ "limit": 100, "order": "desc" }));
    let listed = api.client().list_products(None, &query).await.unwrap().data.items;
    let listed = listed.into_iter().find(|listed| listed.product_id == lamp).unwrap();
    assert_eq!((listed.stock.get(), listed.version), (10, 4));
}

#[tokio::test]
async fn a_change_sets_the_sum_of_all_parts() {
    let api = shared_platform().await;
    let Some(lamp) = ten_in_parts(&api).await else { return };
    let merchant = api.person("merchant").await;
    for stock in [20, 5, 0, 7] {
        let patch = read(json!({ "stock": stock }));
        let changed = merchant.patch_product(lamp, &patch, None).await.unwrap().data;
        assert_eq!((changed.stock.get(), stock_of(&api, lamp).await), (stock, stock));
    }
}

#[tokio::test]
async fn a_change_with_if_match_is_412_after_a_sale_from_a_part() {
    let api = shared_platform().await;
    let Some(lamp) = ten_in_parts(&api).await else { return };
    let (merchant, customer) = (api.person("merchant").await, api.person("customer").await);
    customer.create_order(&order_of(lamp, 2), None).await.unwrap();

    let patch = read(json!({ "stock": 9 }));
    let changed = merchant.patch_product(lamp, &patch, Some("\"4\"")).await;

    changed.refused(412, "PRECONDITION_FAILED");
    assert_eq!(stock_of(&api, lamp).await, 8);
    let changed = merchant.patch_product(lamp, &patch, Some("\"5\"")).await.unwrap().data;
    assert_eq!((changed.stock.get(), stock_of(&api, lamp).await), (9, 9));
}

#[tokio::test]
async fn pieces_of_several_parts_are_sold_and_come_back() {
    let api = shared_platform().await;
    let Some(lamp) = ten_in_parts(&api).await else { return };
    let (control, customer) = (api.control().unwrap(), api.person("customer").await);

    customer.create_order(&order_of(lamp, 11), None).await.refused(422, "OUT_OF_STOCK");
    let order = customer.create_order(&order_of(lamp, 10), None).await.unwrap().data.order_id;
    assert_eq!(stock_of(&api, lamp).await, 0);
    customer.create_order(&order_of(lamp, 1), None).await.refused(422, "OUT_OF_STOCK");

    let approved = async || {
        when(control.item("OrdersTable", order).await, |order| order["status"] == "APPROVED")
    };
    eventually("the order to be approved", approved).await;
    customer.delete_order(order).await.unwrap();
    assert_eq!(stock_of(&api, lamp).await, 10);
    customer.create_order(&order_of(lamp, 10), None).await.unwrap();
    assert_eq!(stock_of(&api, lamp).await, 0);
}

#[tokio::test]
async fn a_product_whose_orders_conflict_is_split_into_parts() {
    let api = shared_platform().await;
    if api.inside().is_none() {
        return;
    }
    let (control, customer) = (api.control().unwrap(), api.person("customer").await);
    let lamp = new_product(&api.person("merchant").await, 300).await;
    // As if a later order had bought it before this one has committed.
    let mut item = control.item("ProductsTable", lamp).await;
    item["soldAt"] = json!("2099-01-01T00:00:00.000Z");
    api.put_item("ProductsTable", item);

    customer.create_order(&order_of(lamp, 2), None).await.unwrap();

    let product = control.item("ProductsTable", lamp).await;
    assert_eq!((&product["stockParts"], &product["stock"]), (&json!(32), &json!(10)));
    assert_eq!(stock_of(&api, lamp).await, 298);
    customer.create_order(&order_of(lamp, 2), None).await.unwrap();
    assert_eq!(stock_of(&api, lamp).await, 296);
}

/// A product with three pieces in each of three parts, and one in the product. `None` of a deployment,
/// whose items cannot be changed.
async fn ten_in_parts(api: &Api) -> Option<ProductId> {
    api.inside()?;
    let lamp = new_product(&api.person("merchant").await, 1).await;
    let mut item = api.control()?.item("ProductsTable", lamp).await;
    item["stockParts"] = json!(3);
    api.put_item("ProductsTable", item);
    for part in 0..3 {
        let pk = format!("stock#{lamp}#{part}");
        let item = json!({
            "pk": pk, "productId": lamp, "part": part, "pieces": 3, "version": 1,
        });
        api.put_item("ProductsTable", item);
    }
    Some(lamp)
}

/// The pieces of all parts and of the product.
async fn stock_of(api: &Api, product: ProductId) -> i64 {
    let items: Vec<Value> = api.scan("ProductsTable").await;
    i64::try_from(stock_in(&items, product)).unwrap()
}
