//! Request bodies and headers: accepted spellings, and how much of a rejection is reported.

use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{ApiResponse, lamp, new_product, shared_platform, someone, unique};

/// The maximum size of the response to a bad request.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

#[tokio::test]
async fn a_whole_number_of_a_body_is_equal_in_every_json_spelling() {
    let api = shared_platform().await;
    let merchant = api.token("merchant").await;
    let product = json!(lamp(7)).to_string();
    let with = |from: &str, to: &str| {
        let name = unique("Number");
        let product = product.replace("\"name\":\"", &format!("\"name\":\"{name} "));
        assert!(product.contains(from), "{product}");
        product.replace(from, to)
    };
    let post = async |body: String| {
        let call = api.call(Method::POST, "/products").token(&merchant).body(body);
        call.header("content-type", "application/json").send().await
    };
    for (spelling, value) in [("5.0", 5), ("1e2", 100), ("-0", 0), ("50e-1", 5), ("7", 7)] {
        let answer = post(with("\"stock\":7", &format!("\"stock\":{spelling}"))).await;
        assert_eq!(answer.data(201)["stock"], value, "{spelling}");
    }
    for spelling in ["5.5", "1e400", "99999999999999999999", "\"5\"", "1e1000000000", "-1.0"] {
        let answer = post(with("\"stock\":7", &format!("\"stock\":{spelling}"))).await;
        let told = answer.error(400, "INVALID_REQUEST")["details"].clone();
        assert_eq!(told[0]["field"], "/stock", "{spelling}");
        let sentence = told[0]["message"].as_str().unwrap();
        assert!(
            ["must be a whole number", "must be from 0 to 1000000000"].contains(&sentence),
            "{told}"
        );
    }
}

#[tokio::test]
async fn a_whole_number_of_a_query_has_one_spelling() {
    let api = shared_platform().await;
    assert_eq!(api.get("/products?limit=5").send().await.status, 200);
    for limit in ["%2B5", "+5", "05", "5.0", "5e0", "", "5%20", "99999999999999999999"] {
        let answer = api.get(&format!("/products?limit={limit}")).send().await;
        assert_eq!(answer.error_fields(400, "INVALID_REQUEST"), ["query.limit"], "{limit}");
    }
    let answer = api.get("/products?limit=1&limit=2&order=up&cursor=&x=1").send().await;
    let fields = answer.error_fields(400, "INVALID_REQUEST");
    assert_eq!(fields, ["query.cursor", "query.limit", "query.order", "query.x"]);
}

#[tokio::test]
async fn a_query_that_is_not_utf8_is_400_with_its_field() {
    let api = shared_platform().await;
    for query in ["name=%ff", "name=k%C3", "name=%ED%A0%80"] {
        let answer = api.get(&format!("/products?{query}")).send().await;
        assert_eq!(answer.error_fields(400, "INVALID_REQUEST"), ["query.name"], "{query}");
    }
    assert_eq!(api.get("/products?name=caf%C3%A9").send().await.status, 200);
}

#[tokio::test]
async fn every_violation_of_a_body_is_reported_and_no_other() {
    let api = shared_platform().await;
    let post = async |path: &str, token: &str, body: &str| {
        let call = api.call(Method::POST, path).token(token).key(&unique("key")).body(body);
        call.header("content-type", "application/json").send().await
    };
    let customer = api.token("customer").await;
    let id = Uuid::nil();
    for (body, expected) in [
        (
            format!(
                r#"{{"items":[{{"productId":"{id}","quantity":1,"product\u0049d":"{id}"}}],"addressId":"{id}","paymentMethod":"CARD"}}"#
            ),
            vec!["/items/0/productId"],
        ),
        (
            format!(
                r#"{{"items":[{{"productId":"{id}","quantity":0,"quantity":1}}],"addressId":7,"addressId":"{id}","x":1,"x":2}}"#
            ),
            vec![
                "/addressId",
                "/addressId",
                "/items/0/quantity",
                "/items/0/quantity",
                "/paymentMethod",
                "/x",
            ],
        ),
        (
            format!(
                r#"{{"items":[{{"productId":"\ud800","quantity":1.5}}],"addressId":"{id}","paymentMethod":"CASH"}}"#
            ),
            vec!["/items/0/productId", "/items/0/quantity"],
        ),
        (
            format!(
                r#"{{"items":{},"addressId":"{id}","paymentMethod":"cash"}}"#,
                "[".repeat(500) + &"]".repeat(500)
            ),
            vec!["/items/0", "/paymentMethod"],
        ),
    ] {
        let answer = post("/orders", &customer, &body).await;
        assert_eq!(answer.error_fields(400, "INVALID_REQUEST"), expected, "{body}");
    }
}

#[tokio::test]
async fn a_hostile_body_costs_little_and_gets_a_short_400() {
    let api = shared_platform().await;
    let customer = api.token("customer").await;
    let many = |element: &str, bytes: usize| vec![element; bytes / (element.len() + 1)].join(",");
    let unknown = (0..1_000).map(|n| format!("\"x{n}\":0")).collect::<Vec<_>>().join(",");
    for (path, body) in [
        ("/orders", format!("{{\"items\":[{}]}}", many("{}", 16_000))),
        ("/orders", format!("{{\"items\":[{}]}}", many("7", 16_000))),
        ("/orders", format!("{{{unknown}}}")),
        ("/callback", format!("{{\"object_ids\":[{}]}}", many("\"\"", 16_000))),
        ("/sessions", format!("{{\"{}\":1}}", "\\u0001".repeat(600))),
        ("/users", format!("{{\"email\":\"{}\"}}", "\\\"".repeat(3_000))),
    ] {
        for accept in ["application/json", "application/problem+json"] {
            let call = api.call(Method::POST, path).token(&customer).key(&unique("key"));
            let call = call.header("content-type", "application/json").header("accept", accept);
            let answer = call.body(body.clone()).send().await;
            assert_eq!(answer.status, 400, "{path}: {answer:?}");
            assert!(answer.body.len() <= ANSWER_BYTES_MAX, "{path}: {}", answer.body.len());
            let told = listed(&answer);
            assert!((1..=50).contains(&told.len()), "{path}: {}", told.len());
            let too_many =
                told.iter().any(|told| told["message"].as_str().unwrap().contains(" items"));
            assert_eq!(too_many, body.contains('['), "{path}: {told:?}");
        }
    }
    let items = format!("{{\"items\":[{}]}}", many("{}", 16_000));
    let call = api.call(Method::POST, "/orders").token(&customer).key(&unique("key"));
    let answer = call.header("content-type", "application/json").body(items).send().await;
    let error = answer.error(400, "INVALID_REQUEST");
    assert!(error["message"].as_str().unwrap().contains("Only 50"), "{error}");
}

/// The largest body of an endpoint with an idempotency key. Such an endpoint compares bodies by
/// value.
#[tokio::test]
async fn a_deeply_nested_body_is_400_and_ends_no_process() {
    let api = shared_platform().await;
    let Some(inside) = api.inside() else { return };
    let author = someone(inside, "WRITER");
    let half = 256 * 1024 / 2 - 16;
    for (open, close, whole) in
        [("[", "]", true), ("{\"a\":", "}", true), ("[", "", false), ("[{\"a\":", "}]", true)]
    {
        let depth = half / open.len();
        let nested = format!("{}0{}", open.repeat(depth), close.repeat(depth));
        let call = api.call(Method::POST, "/articles").token(&author).key(&unique("key"));
        let call = call.header("content-type", "application/json");
        let answer = call.body(format!("{{\"title\":{nested}}}")).send().await;
        let error = answer.error(400, "INVALID_REQUEST");
        assert_eq!(whole, !error.to_string().contains("not valid JSON"), "{error}");
    }
}

fn listed(answer: &ApiResponse) -> Vec<Value> {
    let body = answer.json();
    let details = body.pointer("/error/details").or(body.get("errors"));
    details.and_then(Value::as_array).cloned().unwrap_or_default()
}

#[tokio::test]
async fn another_type_charset_or_coding_of_a_body_is_415_with_the_accepted() {
    let api = shared_platform().await;
    let (merchant, token) = (api.person("merchant").await, api.token("merchant").await);
    let product = format!("/products/{}", new_product(&merchant, 5).await);
    let patch = async |headers: &[(&str, &str)]| {
        let call = api.call(Method::PATCH, &product).token(&token).body("{\"stock\":3}");
        headers.iter().fold(call, |call, (name, value)| call.header(name, value)).send().await
    };
    let post = async |content_type: &str| {
        let call =
            api.call(Method::POST, "/products").token(&token).body(json!(lamp(1)).to_string());
        call.header("content-type", content_type).send().await
    };
    for other in [
        "application/json-patch+json",
        "application/ld+json",
        "application/problem+json",
        "application/vnd.api+json",
        "text/json",
        "application/json; charset=utf-16",
        "application/json, application/json",
        "application/merge-patch+json; charset=latin1",
    ] {
        let answer = patch(&[("content-type", other)]).await;
        answer.error(415, "UNSUPPORTED_MEDIA_TYPE");
        let offered = "application/json, application/merge-patch+json";
        assert_eq!(answer.header("accept-patch"), offered, "{other}");
        let answer = post(other).await;
        answer.error(415, "UNSUPPORTED_MEDIA_TYPE");
        assert_eq!(answer.header("accept"), "application/json", "{other}");
    }
    post("application/merge-patch+json").await.error(415, "UNSUPPORTED_MEDIA_TYPE");
    for coding in ["gzip", "deflate", "br", "identity, gzip"] {
        let headers = [("content-type", "application/json"), ("content-encoding", coding)];
        let answer = patch(&headers).await;
        answer.error(415, "UNSUPPORTED_MEDIA_TYPE");
        assert_eq!(answer.header("accept-encoding"), "identity", "{coding}");
    }
    for ours in
        ["application/merge-patch+json", "Application/JSON", "application/json ;charset=\"UTF-8\""]
    {
        patch(&[("content-type", ours), ("content-encoding", "identity")]).await.data(200);
    }
}

#[tokio::test]
async fn an_accept_header_that_refuses_json_is_406_in_every_spelling() {
    let api = shared_platform().await;
    let ask = async |accept: &str| api.get("/products").header("accept", accept).send().await;
    for refused in [
        "application/json;q=0, */*",
        "application/json;Q=0",
        "application/json ; q = 0",
        "application/json;q=0, application/*",
        "text/html",
        "application/*;q=0",
    ] {
        ask(refused).await.error(406, "NOT_ACCEPTABLE");
    }
    for taken in ["*/*;q=0, application/json", "text/html, */*;q=0.1", "application/problem+json"] {
        assert_eq!(ask(taken).await.status, 200, "{taken}");
    }
    let preferring = "application/json, application/problem+json;q=0.1";
    let bad = api.get("/products?limit=0").header("accept", preferring).send().await;
    bad.error(400, "INVALID_REQUEST");
}
