//! Retries: which requests, how often and after which wait.

use std::time::Duration;

use client::Error;
use domain::articles::{ArticleId, ArticlePatch};
use domain::catalogue::ProductId;
use domain::people::AddressDraft;
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use crate::server::{Server, Told};

#[tokio::test]
async fn a_failed_post_is_retried_with_its_generated_key() {
    let (server, client) = Server::telling(vec![failure(503), failure(500), created()]).await;
    let address = client.post_address(&address(), None).await.unwrap();
    assert_eq!(address.data.city.as_str(), "Springfield");
    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    for name in ["idempotency-key", "x-request-id", "traceparent"] {
        assert!(!asked[0].header(name).is_empty(), "{name}");
        assert!(asked.iter().all(|again| again.header(name) == asked[0].header(name)), "{name}");
    }
    assert!(asked.iter().all(|again| again.body == asked[0].body));
}

#[tokio::test]
async fn a_failed_patch_is_not_retried() {
    let (server, client) = Server::telling(vec![failure(503)]).await;
    let patched = client.patch_article(article_id(), &ArticlePatch::default(), None).await;
    let error = patched.unwrap_err();
    assert_eq!(error.refusal().unwrap().status, 503);
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_429_is_retried_after_its_retry_after() {
    let limited = (429, vec![("retry-after", "1")], json!({ "message": "Too Many Requests" }));
    let (server, client) = Server::telling(vec![limited, created()]).await;
    let began = Instant::now();
    let patched = client.patch_article(article_id(), &ArticlePatch::default(), None).await;
    assert!(matches!(patched, Err(Error::Unreadable { .. })), "an address is not an article");
    assert_eq!(server.asked().len(), 2);
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn an_error_page_of_a_proxy_is_retried_by_its_status() {
    let page = |status| (status, vec![], json!("<html>Try again.</html>"));
    let told = vec![page(502), page(503), page(504), created()];
    let (server, client) = Server::telling(told).await;
    client.post_address(&address(), None).await.unwrap();
    assert_eq!(server.asked().len(), 4);

    let (server, client) = Server::telling(vec![page(429)]).await;
    let patched = client.patch_article(article_id(), &ArticlePatch::default(), None).await;
    let error = patched.unwrap_err();
    assert_eq!(error.to_string(), "429 Too Many Requests: Too Many Requests");
    assert_eq!(server.asked().len(), 4);

    let (server, client) = Server::telling(vec![page(503)]).await;
    assert_eq!(client.get_health().await.unwrap_err().refusal().unwrap().status, 503);
    assert_eq!(server.asked().len(), 4);

    let (server, client) = Server::telling(vec![page(404)]).await;
    let error = client.get_product(product_id()).await.unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }), "{error}");
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_lasting_504_is_an_error_after_4_attempts() {
    let (server, client) = Server::telling(vec![failure(504)]).await;
    let error = client.get_product(product_id()).await.unwrap_err();
    assert_eq!(error.code(), Some("BROKEN"));
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test]
async fn a_retry_after_beyond_the_deadline_is_not_awaited() {
    let limited = (429, vec![("retry-after", "3600")], json!({ "message": "Too Many Requests" }));
    let (server, client) = Server::telling(vec![limited]).await;
    let error = client.get_product(product_id()).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().retry_after_s, Some(3600));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_400_is_an_error_with_code_violations_and_request_id() {
    let invalid = json!({ "error": {
        "code": "INVALID_REQUEST", "message": "The request is invalid.", "traceId": "r-1",
        "details": [{ "field": "/city", "message": "must not be blank" }],
    }});
    let (_server, client) = Server::telling(vec![(400, vec![], invalid)]).await;
    let error = client.post_address(&address(), Some("key")).await.unwrap_err();
    let refusal = error.refusal().unwrap();
    assert_eq!(refusal.code.as_deref(), Some("INVALID_REQUEST"));
    assert_eq!(refusal.field_errors[0].field, "/city");
    assert_eq!(refusal.request_id.as_deref(), Some("r-1"));
}

#[tokio::test]
async fn every_attempt_is_reported_to_the_callback() {
    let (_server, client) = Server::telling(vec![failure(503), created()]).await;
    let (told, shown) = std::sync::mpsc::channel();
    let client = client.watched_by(move |attempt| {
        let status = attempt.answer.unwrap().status().as_u16();
        told.send(format!("{} {} {status}", attempt.method, attempt.path)).unwrap();
    });
    client.post_address(&address(), None).await.unwrap();
    drop(client);
    assert_eq!(shown.iter().collect::<Vec<_>>(), ["POST /addresses 503", "POST /addresses 201"]);
}

#[tokio::test]
async fn a_503_with_health_data_is_a_response() {
    let ill = json!({ "status": "UNAVAILABLE", "unavailable": ["queue"] });
    let (server, client) = Server::telling(vec![(503, vec![], ill), failure(503)]).await;
    let health = client.get_health().await.unwrap();
    assert_eq!((health.status.as_u16(), health.data.unavailable), (503, vec!["queue".to_owned()]));
    assert_eq!(client.get_health().await.unwrap_err().code(), Some("BROKEN"));
    assert_eq!(server.asked().len(), 1 + 4, "only a failed request is retried");
}

#[tokio::test]
async fn an_entity_tag_is_read_and_sent_as_if_match() {
    let told = vec![("etag", "\"2\""), ("idempotency-replayed", "true")];
    let (_, _, body) = created();
    let (server, client) = Server::telling(vec![(201, told, body)]).await;
    let answer = client.post_address(&address(), Some("key")).await.unwrap();
    assert_eq!((answer.etag(), answer.is_replayed()), (Some("\"2\""), true));
    let patch = ArticlePatch::default();
    let _not_an_article = client.patch_article(article_id(), &patch, answer.etag()).await;
    assert_eq!(server.asked()[1].header("if-match"), "\"2\"");
}

#[tokio::test]
async fn a_response_above_the_size_limit_is_an_error() {
    let long = json!({ "data": "x".repeat(7 * 1024 * 1024) });
    let (_server, client) = Server::telling(vec![(200, vec![], long)]).await;
    let patched = client.patch_article(article_id(), &ArticlePatch::default(), None).await;
    assert!(matches!(patched, Err(Error::NoAnswer(_))));
}

fn failure(status: u16) -> Told {
    let error = json!({ "code": "BROKEN", "message": "It is broken.", "traceId": "r-1" });
    (status, vec![], json!({ "error": error }))
}

fn created() -> Told {
    let address = json!({ "data": {
        "addressId": Uuid::nil(), "userId": Uuid::nil(), "buildingNumber": 44,
        "streetName": "Main Street", "city": "Springfield", "country": "US",
        "createdAt": "2026-01-31T23:59:59.000Z",
    }});
    (201, vec![], address)
}

fn address() -> AddressDraft {
    read(json!({
        "buildingNumber": 44, "streetName": "Main Street", "city": "Springfield", "country": "US",
    }))
}

fn article_id() -> ArticleId {
    Uuid::nil().into()
}

fn product_id() -> ProductId {
    Uuid::nil().into()
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}
