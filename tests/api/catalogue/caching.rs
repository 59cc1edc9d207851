//! Responses that clients may cache, and responses that browsers may read.

use http::Method;
use serde_json::json;

use crate::harness::{CUSTOMER, shared_platform, user};

/// The origin that the template allows by default.
const ORIGIN: &str = "http://localhost:5173";
const PRODUCT: &str = "/products/00000000-0000-7000-8000-000000000102";

#[tokio::test]
async fn a_version_that_the_client_knows_is_304_without_a_body() {
    let api = shared_platform().await;
    let first = api.get(PRODUCT).send().await;
    first.data(200);
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 2, "{tag}");
    for known in [tag.clone(), format!("\"other\", {tag}"), format!("W/{tag}"), "*".to_owned()] {
        let answer = api.get(PRODUCT).header("if-none-match", &known).send().await;
        assert_eq!((answer.status, answer.body.len()), (304, 0), "{known}");
        assert_eq!(answer.header("etag"), tag);
        assert!(answer.header("cache-control").starts_with("public, max-age="), "{answer:?}");
        answer.assert_is_a_functions();
    }
    let answer = api.get(PRODUCT).header("if-none-match", "\"other\"").send().await;
    assert_eq!(answer.body, first.body);
}

#[tokio::test]
async fn only_public_responses_may_be_cached() {
    let api = shared_platform().await;
    let customer = api.token("customer").await;
    let product = api.get(PRODUCT).send().await;
    let lifetime = product.header("cache-control").strip_prefix("public, max-age=").unwrap();
    assert!((1..=900).contains(&lifetime.parse::<u32>().unwrap()), "{product:?}");
    assert!(product.header("age").parse::<u32>().unwrap() <= 900);
    let keys = api.get("/.well-known/jwks.json").send().await;
    assert_eq!(keys.header("cache-control"), "public, max-age=300");

    for answer in [
        api.get(&format!("/users/{CUSTOMER}")).token(&customer).send().await,
        api.get("/healthcheck").send().await,
        api.get("/products/unknown").send().await,
        api.post("/users", &json!(user("nobody"))).send().await,
    ] {
        assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
    }
}

#[tokio::test]
async fn only_pages_of_an_allowed_origin_may_read_responses() {
    let api = shared_platform().await;
    let allowed = api.get(PRODUCT).header("origin", ORIGIN).send().await;
    assert_eq!(allowed.header("access-control-allow-origin"), ORIGIN);
    // Header names are case-insensitive.
    let exposed = allowed.header("access-control-expose-headers").to_lowercase();
    for name in ["x-request-id", "www-authenticate", "etag", "retry-after"] {
        assert!(exposed.split(',').any(|exposed| exposed.trim() == name), "{name}: {exposed}");
    }
    let allowed = api.get("/products/x").header("origin", ORIGIN).send().await;
    assert_eq!((allowed.status, allowed.header("access-control-allow-origin")), (400, ORIGIN));
    let other = api.get(PRODUCT).header("origin", "https://evil.example.com").send().await;
    assert_eq!((other.status, other.header("access-control-allow-origin")), (200, ""));
}

#[tokio::test]
async fn a_preflight_is_204_for_every_route_without_a_token() {
    let api = shared_platform().await;
    for path in ["/orders", "/products", PRODUCT] {
        let call = api.call(Method::OPTIONS, path).header("origin", ORIGIN);
        let answer = call
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,idempotency-key")
            .send()
            .await;
        assert_eq!((answer.status, answer.body.len()), (204, 0));
        assert_eq!(answer.header("access-control-allow-origin"), ORIGIN);
        assert!(answer.header("access-control-allow-methods").contains("POST"));
        let headers = answer.header("access-control-allow-headers").to_lowercase();
        for name in ["idempotency-key", "x-partner-id", "tracestate", "if-none-match"] {
            assert!(headers.split(',').any(|allowed| allowed.trim() == name), "{name}: {headers}");
        }
    }
}

#[tokio::test]
async fn vary_names_origin_and_accept_for_every_origin() {
    let api = shared_platform().await;
    let tag = api.get(PRODUCT).send().await.header("etag").to_owned();
    for path in [PRODUCT, "/.well-known/jwks.json", "/products", "/products/unknown"] {
        for origin in ["", ORIGIN, "https://evil.example.com"] {
            let call = api.get(path).header("if-none-match", &tag);
            let call = if origin.is_empty() { call } else { call.header("origin", origin) };
            let answer = call.send().await;
            let vary = answer.headers.get_all("vary").iter().map(|value| value.to_str().unwrap());
            let vary = vary.collect::<Vec<_>>().join(", ").to_lowercase();
            assert!(vary.contains("origin") && vary.contains("accept"), "{path} {origin}: {vary}");
        }
    }
}
