//! One `GetItem`, with everything configured by hand.

use lambda_http::{Error, Request, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let client = &bare::dynamodb().await?;
    run(service_fn(async |request: Request| bare::product_name(client, &request).await)).await
}
