//! Metrics as operators see them (seed 000), and logs without personal data or secrets.

use client::NewUser;
use domain::orders::OrderDraft;
use emulator::faults::{Faults, StoreFault};
use emulator::options::Options;
use serde_json::json;
use uuid::Uuid;

use crate::harness::{
    Control, Refused, eventually, fresh_platform, new_product, order_of, proof_in, read, unique,
    user, when,
};

#[tokio::test]
async fn metrics_have_the_specified_names_labels_buckets_and_routes() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let control = api.control().unwrap();
    let id = Uuid::new_v4();
    for _ in 0..2 {
        api.client().get_product(id.into()).await.refused(404, "NOT_FOUND");
    }
    control.inject(&Faults::default().table("ProductsTable", StoreFault::fail(1.0))).await;
    let failed = api.client().get_product(Uuid::new_v4().into()).await;
    failed.refused(503, "SERVICE_UNAVAILABLE");

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
    assert!(!metrics.contains(&id.to_string()), "a metric has a raw path");
}

#[tokio::test]
async fn no_personal_data_and_no_secret_is_in_a_log_or_a_metric() {
    let Some(api) = fresh_platform(Options { demo: true, ..Options::default() }).await else {
        return;
    };
    let control = api.control().unwrap();
    let [mailbox, password, guess, name, street] =
        ["ada", "password", "guess", "Adelheid", "Street"].map(unique);
    let email = format!("{mailbox}@example.com");
    let ada = NewUser { password: password.clone(), name: name.clone(), ..user(&email) };
    let store = api.client();
    let created = store.post_user(&ada, None).await.unwrap().data;
    let proof = &proof_in(&control.mail(&email, "Verify").await);
    store.put_verification(created.user_id, proof, &password).await.unwrap();
    store.post_session(&email, &guess).await.refused(401, "CREDENTIALS_WRONG");
    let token = &store.post_session(&email, &password).await.unwrap().data.access_token;
    let forged = store.with_token(&format!("{token}{}", unique("x")));
    forged.get_user(created.user_id).await.refused(401, "UNAUTHORIZED");
    let customer = store.with_token(token);
    let address = json!({
        "buildingNumber": 1, "streetName": street, "city": street, "country": "DE",
    });
    let address_id = customer.post_address(&read(address), None).await.unwrap().data.address_id;
    let product = new_product(&api.person("merchant").await, 5).await;
    let order = OrderDraft { address_id, ..order_of(product, 1) };
    let faults = Faults::default().mail(StoreFault::fail(0.5)).table("*", StoreFault::fail(0.3));
    control.inject(&faults).await;
    for _ in 0..5 {
        let _whatever = customer.create_order(&order, None).await;
        let _whatever = store.post_user(&ada, None).await;
        api.post("/users", &json!({ "email": mailbox, "password": 1, "name": name })).send().await;
    }
    control.no_faults().await;
    customer.create_order(&order, None).await.unwrap();
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

/// The metrics, once they contain all these series: a client may have its response before the
/// platform has read the metrics of that request.
async fn settled(control: &Control, expected: &[String]) -> String {
    let complete = async || {
        let metrics = control.metrics().await;
        when(metrics, |metrics| expected.iter().all(|series| metrics.contains(series)))
    };
    eventually(&format!("all of {expected:#?}"), complete).await
}
