//! One `GetItem`, with everything as the SDK's guide has it.

use lambda_http::{Error, Request, run, service_fn};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let config = aws_config::load_defaults(aws_config::BehaviorVersion::v2026_01_12()).await;
    let client = &aws_sdk_dynamodb::Client::new(&config);
    run(service_fn(async |request: Request| bare::product_name(client, &request).await)).await
}
