//! Orders: each until it is approved, projected and its mail is sent; then read, and cancelled.

use demo::seed::demo_id;
use hyper::{Method, StatusCode};
use serde_json::json;
use tooling::Error;
use uuid::Uuid;

use super::lab::{Ask, Lab, Until, all_told, told};

pub(super) async fn count(lab: &mut Lab<'_>) -> Result<(), Error> {
    let asks = each_product(lab);
    let orders = lab.count("POST /orders", StatusCode::CREATED, Until::Each, asks).await?;
    let orders = all_told(&orders, "orderId")?;
    let paths: Vec<_> = orders.iter().map(|order| format!("/orders/{order}")).collect();

    let asks = paths.iter().map(|path| lab.by("customer", Method::GET, path)).collect();
    let read = lab.count("GET /orders/{orderId}", StatusCode::OK, Until::Last, asks).await?;
    for order in &read {
        let status = told(order, "status")?;
        if status != "APPROVED" {
            return Err(format!("an order is {status} when all is done").into());
        }
    }
    let request = lab.counts.request("POST /orders")?;
    if (request.mails - 1.0).abs() > f64::EPSILON {
        return Err(format!("an order has {} mails", request.mails).into());
    }

    let asks = lab.each(|_| lab.by("admin", Method::GET, "/orders"));
    lab.count("GET /orders", StatusCode::OK, Until::Last, asks).await?;
    let path = format!("/orders/user/{}", demo_id(1));
    let asks = lab.each(|_| lab.by("customer", Method::GET, &path));
    lab.count("GET /orders/user/{userId}", StatusCode::OK, Until::Last, asks).await?;

    let asks = paths.iter().map(|path| lab.by("customer", Method::DELETE, path)).collect();
    lab.count("DELETE /orders/{orderId}", StatusCode::NO_CONTENT, Until::Each, asks).await?;

    let asks = each_product(lab);
    let name = "POST /orders, in quick succession";
    lab.count(name, StatusCode::CREATED, Until::Last, asks).await?;
    Ok(())
}

/// An order of each product, so that none waits for the stock of another.
fn each_product(lab: &Lab<'_>) -> Vec<Ask> {
    let order = |product: &String| {
        let order = json!({
            "items": [{ "productId": product, "quantity": 1 }],
            "addressId": demo_id(0x201), "paymentMethod": "CARD",
        });
        let ask = lab.by("customer", Method::POST, "/orders").with(order);
        ask.header("idempotency-key", Uuid::new_v4())
    };
    lab.products.iter().map(order).collect()
}
