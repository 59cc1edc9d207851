//! Minimal functions, with which `cargo xtask bench` compares ours.
//!
//! | binary | content |
//! |---|---|
//! | `bare_json` | `lambda_http` and a response in JSON |
//! | `bare_sdk` | one `GetItem` by a client with the SDK's default configuration, as most have |
//! | `bare_tuned` | the same by the client of [`dynamodb`] |
//! | `bare_order` | the calls of `create_order`, in a row, by that client and one of SQS |
//!
//! They do only the measured work: they check nothing and log nothing, and unreadable input ends
//! the invocation.

use std::{env, fs};

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, IdentityCache, Region, StalledStreamProtectionConfig,
};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};
use lambda_http::{Body, Error, Request, RequestExt, Response};
use serde::Serialize;

/// A client that starts as quickly as possible. Nothing is searched, `ring` does the cryptography,
/// and one file holds the roots. One call during init opens the connection and pages the code in
/// before the first event.
///
/// # Errors
///
/// When a variable is missing that Lambda sets, or the roots cannot be read.
pub async fn dynamodb() -> Result<Client, Error> {
    dynamodb_over(connector()?).await
}

/// The client of [`dynamodb`], and a client of SQS over the same connector.
///
/// # Errors
///
/// As [`dynamodb`].
pub async fn dynamodb_and_sqs() -> Result<(Client, aws_sdk_sqs::Client), Error> {
    let connector = connector()?;
    let sqs = sqs_over(connector.clone())?;
    Ok((dynamodb_over(connector).await?, sqs))
}

fn connector() -> Result<SharedHttpConnector, Error> {
    let roots = fs::read(env::var("AWS_CA_BUNDLE")?)?;
    let trust = TrustStore::empty().with_pem_certificate(roots);
    let tls = TlsContext::builder().with_trust_store(trust).build()?;
    let connector = Connector::builder()
        .tls_provider(Provider::rustls(CryptoMode::Ring))
        .tls_context(tls)
        .sleep_impl(TokioSleep::new())
        .build();
    Ok(SharedHttpConnector::new(connector))
}

fn credentials() -> Result<Credentials, Error> {
    Ok(Credentials::new(
        env::var("AWS_ACCESS_KEY_ID")?,
        env::var("AWS_SECRET_ACCESS_KEY")?,
        env::var("AWS_SESSION_TOKEN").ok(),
        None,
        "environment",
    ))
}

fn sqs_over(connector: SharedHttpConnector) -> Result<aws_sdk_sqs::Client, Error> {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(env::var("AWS_REGION")?))
        .endpoint_url(env::var("AWS_ENDPOINT_URL_SQS")?)
        .credentials_provider(credentials()?)
        .identity_cache(IdentityCache::no_cache())
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .sleep_impl(TokioSleep::new())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build();
    Ok(aws_sdk_sqs::Client::from_conf(config))
}

async fn dynamodb_over(connector: SharedHttpConnector) -> Result<Client, Error> {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(env::var("AWS_REGION")?))
        .endpoint_url(env::var("AWS_ENDPOINT_URL_DYNAMODB")?)
        .credentials_provider(credentials()?)
        .identity_cache(IdentityCache::no_cache())
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .sleep_impl(TokioSleep::new())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build();
    let client = Client::from_conf(config);
    // The result does not matter.
    let _ = client.get_item().table_name("products").key("pk", text("warm")).send().await;
    Ok(client)
}

/// `GET /products/{productId}` by one `GetItem`: the name of the product in the path.
///
/// # Errors
///
/// When the table cannot be read.
pub async fn product_name(client: &Client, request: &Request) -> Result<Response<Body>, Error> {
    let parameters = request.path_parameters();
    let product_id = parameters.first("productId").unwrap_or_default();
    let found = client.get_item().table_name("products").key("pk", text(product_id)).send().await?;
    let name = found.item.as_ref().and_then(|item| item.get("name")?.as_s().ok());
    json(200, &serde_json::json!({ "data": { "productId": product_id, "name": name } }))
}

/// A string attribute.
pub fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A response in JSON.
///
/// # Errors
///
/// When the value has no JSON form.
pub fn json(status: u16, body: &impl Serialize) -> Result<Response<Body>, Error> {
    let body = serde_json::to_string(body)?;
    let answer = Response::builder().status(status).header("content-type", "application/json");
    Ok(answer.body(body.into())?)
}
