//! What operators see: the metrics of seed 000, and nothing that is nobody's business.

use local::options::Options;
use serde_json::json;
use uuid::Uuid;

use crate::harness::{Control, eventually, order_of, own, unique};

#[tokio::test]
async fn metrics_have_their_names_labels_and_buckets_and_routes_instead_of_paths() {
    let Some(api) = own(Options::default()).await else { return };
    let control = api.control().unwrap();
    let id = Uuid::new_v4().to_string();
    for _ in 0..2 {
        api.get(&format!("/products/{id}")).send().await.error(404, "NOT_FOUND");
    }
    control.faults(&json!({ "tables": { "ProductsTable": { "fail": 1 } } })).await;
    let other = format!("/products/{}", Uuid::new_v4());
    api.get(&other).send().await.error(503, "SERVICE_UNAVAILABLE");

    let route = r#"method="GET",path="/products/{productId}""#;
    let expected = [
        format!(r#"http_requests_total{{{route},status="404"}} 2"#),
        format!(r#"http_requests_total{{{route},status="503"}} 1"#),
        format!("http_request_duration_seconds_count{{{route}}} 3"),
        r#"cache_misses_total{cache_type="products"}"#.to_owned(),
        r#"cache_hits_total{cache_type="products"} 1"#.to_owned(),
        r#"db_query_duration_seconds_count{operation="GetItem",table="products"}"#.to_owned(),
        r#"errors_total{service="local",type="SERVICE_UNAVAILABLE"} 1"#.to_owned(),
    ];
    let metrics = settled(&control, &expected).await;
    for (metric, labels, bounds) in [
        ("http_request_duration_seconds", route, "0.01 0.05 0.1 0.5 1 2 5 +Inf"),
        (
            "db_query_duration_seconds",
            r#"operation="GetItem",table="products""#,
            "0.001 0.01 0.1 0.5 1 +Inf",
        ),
    ] {
        for bound in bounds.split(' ') {
            let bucket = format!(r#"{metric}_bucket{{{labels},le="{bound}"}}"#);
            assert!(metrics.contains(&bucket), "{bucket} is missing:\n{metrics}");
        }
    }
    assert!(!metrics.contains(&id), "a raw path");
}

#[tokio::test]
async fn nothing_personal_and_no_secret_stands_in_a_log_or_a_metric() {
    let Some(api) = own(Options { demo: true, ..Options::default() }).await else { return };
    let control = api.control().unwrap();
    let [mailbox, password, guess, name, street] =
        ["ada", "password", "guess", "Adelheid", "Street"].map(unique);
    let email = format!("{mailbox}@example.com");
    let person = json!({ "email": email, "password": password, "name": name });
    let created = api.post("/users", &person).send().await.data(201);
    let mail = control.mail(&email, "Verify").await["text"].as_str().unwrap().to_owned();
    let proof = mail.split_once(r#"{"token": ""#).unwrap().1.split('"').next().unwrap();
    let path = format!("/users/{}/verification", created["userId"].as_str().unwrap());
    api.put(&path, &json!({ "token": proof })).send().await;
    let credentials = |password: &str| json!({ "email": email, "password": password });
    let wrong = api.post("/sessions", &credentials(&guess)).send().await;
    wrong.error(401, "CREDENTIALS_WRONG");
    let session = api.post("/sessions", &credentials(&password)).send().await.data(200);
    let token = session["accessToken"].as_str().unwrap();
    let forged = format!("{token}{}", unique("x"));
    api.get("/users/1").token(&forged).send().await.gateway(401, "Unauthorized");
    let address =
        json!({ "buildingNumber": 1, "streetName": street, "city": street, "country": "DE" });
    let address = api.post("/addresses", &address).token(token).send().await.data(201);
    let product = api.new_product(&api.token("merchant").await, 5).await;
    let order = order_of(&product, 1, address["addressId"].as_str().unwrap());
    control.faults(&json!({ "mail": { "fail": 0.5 }, "tables": { "*": { "fail": 0.3 } } })).await;
    for _ in 0..5 {
        api.order(token, &unique("key"), &order).send().await;
        api.post("/users", &person).send().await;
        api.post("/users", &json!({ "email": mailbox, "password": 1, "name": name })).send().await;
    }
    control.no_faults().await;
    api.order(token, &unique("key"), &order).send().await.data(201);
    control.mail(&email, "We have received").await;

    let logs: Vec<String> = control.logs().await.iter().map(ToString::to_string).collect();
    let metrics = control.metrics().await;
    assert!(logs.len() > 20, "there are logs to look at");
    let [_, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("parts") };
    for secret in [&mailbox, &password, &guess, &name, &street, proof, payload, signature] {
        for text in logs.iter().chain([&metrics]) {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

/// The metrics once all these series are among them: they are told after the answers.
async fn settled(control: &Control, expected: &[String]) -> String {
    let complete = async || {
        let metrics = control.metrics().await;
        expected.iter().all(|series| metrics.contains(series)).then_some(metrics)
    };
    eventually(&format!("all of {expected:#?}"), complete).await
}
