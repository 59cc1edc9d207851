//! The partner's answers, in our format, statuses and codes.

use client::PartnerPage;
use emulator::faults::UpstreamFault;
use serde_json::{Value, json};

use super::{PRODUCTS, answering, asks, list, list_page, platform, trouble};
use crate::harness::{Refused, eventually, read, when};

#[tokio::test]
async fn a_page_of_the_partners_catalogue_is_returned_in_our_format() {
    let Some((api, control)) = platform().await else { return };
    let wanted = PartnerPage {
        page: Some(read(json!(2))),
        page_size: Some(read(json!(2))),
        category: Some(read(json!("tea"))),
    };
    let page = list_page(&api, &wanted).await.unwrap().data;
    let products = json!([
        {
            "sku": "SKU-009", "name": "Product 9", "available": true,
            "price": { "amount": 900, "currency": "EUR" },
        },
        {
            "sku": "SKU-012", "name": "Product 12", "available": true,
            "price": { "amount": 1200, "currency": "EUR" },
        },
    ]);
    assert_eq!(json!(page), products);
    let [asked] = &control.requests_to("partner", PRODUCTS).await[..] else {
        panic!("one request")
    };
    assert_eq!(asked["query"], "page=2&page_size=2&category=tea");
    assert_eq!(asked["headers"]["x-partner-id"], "acme-7");
    assert_eq!(asked["headers"]["accept-language"], "en");

    let bare = api.get("/partner/products?pageSize=0").send().await;
    let fields = ["header.Accept-Language", "header.X-Partner-Id", "query.pageSize"];
    assert_eq!(bare.error_fields(400, "INVALID_REQUEST"), fields);
    let html = api.get("/partner/products").header("accept", "text/html").send().await;
    html.error(406, "NOT_ACCEPTABLE");
    assert_eq!(asks(&control, PRODUCTS).await, 1, "the partner was asked once");
}

#[tokio::test]
async fn each_refusal_of_the_partner_has_its_status_and_code() {
    let Some((api, control)) = platform().await else { return };
    for (status, code, answered, named, times) in [
        (403, "P01", 403, "PARTNER_FORBIDDEN", 1),
        (403, "P19", 403, "PARTNER_FORBIDDEN", 1),
        (403, "P08", 403, "PARTNER_FORBIDDEN", 2),
        // The token was replaced a moment ago.
        (401, "P08", 403, "PARTNER_FORBIDDEN", 1),
        (400, "U01", 422, "BILL_NOT_VALID", 1),
        (400, "U03", 422, "BILL_NOT_VALID", 1),
        (409, "S00", 409, "PRODUCT_CLOSED", 1),
        (503, "S04", 409, "PRODUCT_CLOSED", 3),
        (401, "", 502, "PARTNER_AUTHENTICATION_FAILED", 1),
        (400, "U04", 502, "PARTNER_ERROR", 1),
        (404, "", 502, "PARTNER_ERROR", 1),
        (503, "", 502, "PARTNER_ERROR", 3),
    ] {
        let before = asks(&control, PRODUCTS).await;
        answering(&control, status, &json!({ "code": code })).await;
        let refusal = list(&api).await.refused(answered, named);
        let told = refusal.field_errors.first().map_or("", |field_error| &field_error.message);
        assert_eq!(told, code, "{refusal:?}");
        assert_eq!(asks(&control, PRODUCTS).await - before, times, "{status} {code}");
    }
    answering(&control, 200, &json!({ "products": "none" })).await;
    list(&api).await.refused(502, "PARTNER_ERROR");
    trouble(&control, "products", &UpstreamFault::delay_ms(7000)).await;
    list(&api).await.refused(504, "TIMED_OUT");
    trouble(&control, "products", &UpstreamFault::down()).await;
    list(&api).await.refused(502, "PARTNER_ERROR");
}

#[tokio::test]
async fn an_unreadable_product_is_left_out_of_its_page_and_counted() {
    let Some((api, control)) = platform().await else { return };
    let product = |sku: &str, amount: Value| {
        let price = json!({ "amount": amount, "currency": "EUR" });
        json!({ "sku": sku, "name": "Tea", "available": true, "price": price })
    };
    let page = json!({ "products": [
        product("SKU-1", json!(1)), product("SKU-2", json!("one")), product("SKU-3", json!(3)),
    ] });
    answering(&control, 200, &page).await;
    let shown = list(&api).await.unwrap().data;
    let skus: Vec<_> = shown.iter().map(|product| product.sku.as_str()).collect();
    assert_eq!(skus, ["SKU-1", "SKU-3"]);
    let counted = async || {
        let left_out = control.metric("errors_total", &[r#"type="UNREADABLE_RECORD""#]).await;
        when(left_out, |seen| *seen >= 1.0)
    };
    let counted = eventually("the product to be counted", counted).await;
    assert!((counted - 1.0).abs() < 0.1, "{counted}");
    let logged = json!(control.logs().await).to_string();
    assert!(logged.contains("SKU-2") && logged.contains("left out"), "{logged}");

    let page = json!({ "products": vec![product("SKU-2", json!("one")); 10] });
    answering(&control, 200, &page).await;
    // An environment that has cached the closed circuit still admits one request.
    let mut told = Vec::new();
    for _ in 0..12 {
        told.push(list(&api).await.unwrap_err().code().unwrap().to_owned());
    }
    assert_eq!(told[..5], ["PARTNER_ERROR"; 5], "an unreadable page counts as a failure");
    assert_eq!(told[11], "SERVICE_UNAVAILABLE", "{told:?}");
}
