//! Returns a product as JSON, and does nothing else.

use bare::json;
use lambda_http::{Body, Error, Request, RequestExt, Response, run, service_fn};
use serde::Serialize;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(product)).await
}

async fn product(request: Request) -> Result<Response<Body>, Error> {
    let parameters = request.path_parameters();
    let product_id = parameters.first("productId").unwrap_or_default();
    let price = Money { amount: 200, currency: "EUR" };
    let data = Product {
        product_id,
        name: "Lamp",
        description: "It shines.",
        price,
        discount: 10,
        actual_price: Money { amount: 180, ..price },
        stock: 5,
        available: true,
        version: 1,
        created_at: "2027-01-15T08:00:00.000Z",
        updated_at: "2027-01-15T08:00:00.000Z",
    };
    json(200, &Answer { data })
}

#[derive(Serialize)]
struct Answer<'a> {
    data: Product<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Product<'a> {
    product_id: &'a str,
    name: &'a str,
    description: &'a str,
    price: Money,
    discount: u8,
    actual_price: Money,
    stock: u32,
    available: bool,
    version: u32,
    created_at: &'a str,
    updated_at: &'a str,
}

#[derive(Clone, Copy, Serialize)]
struct Money {
    amount: u32,
    currency: &'static str,
}
