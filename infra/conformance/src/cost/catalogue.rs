//! Products, ours and the partner's.

use hyper::{Method, StatusCode};
use serde_json::json;
use tooling::Error;

use super::lab::{Lab, Until, all_told};

pub(super) async fn count(lab: &mut Lab<'_>) -> Result<(), Error> {
    let asks = lab.each(|number| {
        let product = json!({
            "name": format!("Kettle {number}"), "description": "Whistles.",
            "price": { "amount": 200, "currency": "EUR" }, "discount": 10, "stock": 5,
        });
        lab.by("merchant", Method::POST, "/products").with(product)
    });
    let products = lab.count("POST /products", StatusCode::CREATED, Until::Each, asks).await?;
    let products = all_told(&products, "productId")?;
    let paths: Vec<_> = products.iter().map(|product| format!("/products/{product}")).collect();

    let patch = json!({ "stock": 40 });
    let asks = paths.iter().map(|path| lab.by("merchant", Method::PATCH, path).with(patch.clone()));
    let asks = asks.collect();
    lab.count("PATCH /products/{productId}", StatusCode::OK, Until::Each, asks).await?;

    let asks = paths.iter().map(|path| lab.by("anonymous", Method::GET, path)).collect();
    lab.count("GET /products/{productId}", StatusCode::OK, Until::Last, asks).await?;
    let asks = lab.each(|_| lab.by("anonymous", Method::GET, &paths[0]));
    let name = "GET /products/{productId}, from the cache";
    lab.count(name, StatusCode::OK, Until::Last, asks).await?;

    let asks = lab.each(|_| lab.by("anonymous", Method::GET, "/products"));
    lab.count("GET /products", StatusCode::OK, Until::Last, asks).await?;

    let asks = lab.each(|_| {
        let ask = lab.by("anonymous", Method::GET, "/partner/products");
        ask.header("x-partner-id", "acme-7").header("accept-language", "en")
    });
    lab.count("GET /partner/products", StatusCode::OK, Until::Each, asks).await?;
    lab.products = products;
    Ok(())
}
