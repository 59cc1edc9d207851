//! The partner's catalogue, under every behaviour of the partner.

use client::{ApiResponse, Error, PartnerPage};
use domain::partner::PartnerProduct;
use futures::future::join_all;
use local::options::Options;
use serde_json::{Value, json};
use tokio::time::{Duration, sleep};

use crate::harness::{Api, Control, Refused, eventually, fresh_platform, read};

const FUNCTION: &str = "ListPartnerProductsFunction";
const TOKENS: &str = "/oauth/token";
const PRODUCTS: &str = "/v2/product-list";

#[tokio::test]
async fn a_page_of_the_partners_catalogue_is_returned_in_our_format() {
    let Some((api, control)) = platform().await else { return };
    let wanted = PartnerPage {
        page: Some(read(json!(2))),
        page_size: Some(read(json!(2))),
        category: Some(read(json!("tea"))),
    };
    let page = list_page(&api, &wanted).await.unwrap().data;
    let products = json!([
        {
            "sku": "SKU-009", "name": "Product 9", "available": true,
            "price": { "amount": 900, "currency": "EUR" },
        },
        {
            "sku": "SKU-012", "name": "Product 12", "available": true,
            "price": { "amount": 1200, "currency": "EUR" },
        },
    ]);
    assert_eq!(json!(page), products);
    let asked = &control.standin("partner").await["requests"][1];
    assert_eq!(asked["query"], "page=2&page_size=2&category=tea");
    assert_eq!(asked["headers"]["x-partner-id"], "acme-7");
    assert_eq!(asked["headers"]["accept-language"], "en");

    let bare = api.get("/partner/products?pageSize=0").send().await;
    let fields = ["header.Accept-Language", "header.X-Partner-Id", "query.pageSize"];
    assert_eq!(bare.error_fields(400, "INVALID_REQUEST"), fields);
    let html = api.get("/partner/products").header("accept", "text/html").send().await;
    html.error(406, "NOT_ACCEPTABLE");
    assert_eq!(asks(&control, PRODUCTS).await, 1, "the partner was asked once");
}

#[tokio::test]
async fn each_refusal_of_the_partner_has_its_status_and_code() {
    let Some((api, control)) = platform().await else { return };
    for (status, code, answered, named, times) in [
        (403, "P01", 403, "PARTNER_FORBIDDEN", 1),
        (403, "P19", 403, "PARTNER_FORBIDDEN", 1),
        (403, "P08", 403, "PARTNER_FORBIDDEN", 2),
        // The token was replaced a moment ago.
        (401, "P08", 403, "PARTNER_FORBIDDEN", 1),
        (400, "U01", 422, "BILL_NOT_VALID", 1),
        (400, "U03", 422, "BILL_NOT_VALID", 1),
        (409, "S00", 409, "PRODUCT_CLOSED", 1),
        (503, "S04", 409, "PRODUCT_CLOSED", 3),
        (401, "", 502, "PARTNER_AUTHENTICATION_FAILED", 1),
        (400, "U04", 502, "PARTNER_ERROR", 1),
        (404, "", 502, "PARTNER_ERROR", 1),
        (503, "", 502, "PARTNER_ERROR", 3),
    ] {
        let before = asks(&control, PRODUCTS).await;
        answering(&control, status, &json!({ "code": code })).await;
        let refusal = list(&api).await.refused(answered, named);
        let told = refusal.violations.first().map_or("", |violation| &violation.message);
        assert_eq!(told, code, "{refusal:?}");
        assert_eq!(asks(&control, PRODUCTS).await - before, times, "{status} {code}");
    }
    answering(&control, 200, &json!({ "products": "none" })).await;
    list(&api).await.refused(502, "PARTNER_ERROR");
    trouble(&control, "products", &json!({ "delayMs": 7000 })).await;
    list(&api).await.refused(504, "TIMED_OUT");
    trouble(&control, "products", &json!({ "down": true })).await;
    list(&api).await.refused(502, "PARTNER_ERROR");
}

#[tokio::test]
async fn an_error_that_a_client_may_have_caused_does_not_open_the_circuit() {
    let Some((api, control)) = platform().await else { return };
    for status in [400, 404, 410, 422] {
        answering(&control, status, &Value::Null).await;
        for _ in 0..6 {
            list(&api).await.refused(502, "PARTNER_ERROR");
        }
    }
    let before = asks(&control, PRODUCTS).await;
    let busy = json!({ "status": 429, "body": { "message": "slow down" }, "retryAfterS": 120 });
    trouble(&control, "products", &json!({ "answer": busy })).await;
    for _ in 0..6 {
        let refusal = list(&api).await.refused(503, "SERVICE_UNAVAILABLE");
        assert_eq!(refusal.retry_after_s, Some(120));
    }
    assert_eq!(asks(&control, PRODUCTS).await - before, 6, "there is no time for a retry");
    trouble(&control, "products", &json!({})).await;
    list(&api).await.unwrap();
    assert!(control.table("CircuitsTable").await.is_empty(), "no failure was noted");
    let records = control.table("CommunicationsTable").await;
    let refused = records.iter().filter(|record| record["outcome"] == "REFUSED").count();
    assert_eq!((refused, records.len()), (30, 31));
    assert!(control.table("NoticesTable").await.is_empty(), "operators get no alert");

    // The same applies to the partner's tokens.
    for (status, answered, named) in
        [(429, 503, "SERVICE_UNAVAILABLE"), (404, 502, "PARTNER_ERROR")]
    {
        let answer = json!({ "answer": { "status": status, "retryAfterS": 60 } });
        let tokens = json!({ "partner": { "tokens": answer } });
        let unshared = json!({ "TokensTable": { "fail": 1 } });
        let faults = json!({ "coldStarts": true, "standins": tokens, "tables": unshared });
        control.faults(&faults).await;
        for _ in 0..6 {
            list(&api).await.refused(answered, named);
        }
    }
    assert!(control.table("CircuitsTable").await.is_empty(), "no failure was noted");
}

#[tokio::test]
async fn an_unreadable_product_is_left_out_of_its_page_and_counted() {
    let Some((api, control)) = platform().await else { return };
    let product = |sku: &str, amount: Value| {
        let price = json!({ "amount": amount, "currency": "EUR" });
        json!({ "sku": sku, "name": "Tea", "available": true, "price": price })
    };
    let page = json!({ "products": [
        product("SKU-1", json!(1)), product("SKU-2", json!("one")), product("SKU-3", json!(3)),
    ] });
    answering(&control, 200, &page).await;
    let shown = list(&api).await.unwrap().data;
    let skus: Vec<_> = shown.iter().map(|product| product.sku.as_str()).collect();
    assert_eq!(skus, ["SKU-1", "SKU-3"]);
    let counted = async || {
        let left_out = control.metric("errors_total", &[r#"type="UNREADABLE_RECORD""#]).await;
        (left_out >= 1.0).then_some(left_out)
    };
    let counted = eventually("the product to be counted", counted).await;
    assert!((counted - 1.0).abs() < 0.1, "{counted}");
    let logged = json!(control.logs().await).to_string();
    assert!(logged.contains("SKU-2") && logged.contains("left out"), "{logged}");

    let page = json!({ "products": [product("SKU-2", json!("one")), null] });
    answering(&control, 200, &page).await;
    // An environment that has cached the closed circuit still admits one request.
    let mut told = Vec::new();
    for _ in 0..12 {
        told.push(list(&api).await.unwrap_err().code().unwrap().to_owned());
    }
    assert_eq!(told[..5], ["PARTNER_ERROR"; 5], "an unreadable page counts as a failure");
    assert_eq!(told[11], "SERVICE_UNAVAILABLE", "{told:?}");
}

#[tokio::test]
async fn a_token_is_cached_for_a_lifetime_that_is_sent_as_text() {
    let Some((api, control)) = platform().await else { return };
    let token = json!({ "access_token": "t", "token_type": "bearer", "expires_in": "3600" });
    let faults = json!({
        "tokens": { "answer": { "status": 200, "body": token } },
        "products": { "answer": { "status": 200, "body": { "products": [] } } },
    });
    control.faults(&json!({ "standins": { "partner": faults } })).await;
    for _ in 0..3 {
        list(&api).await.unwrap();
    }
    assert_eq!(asks(&control, TOKENS).await, 1);
}

#[tokio::test]
async fn without_a_token_the_partner_is_not_asked_for_products() {
    let Some((api, control)) = platform().await else { return };
    for (status, named) in [
        (400, "PARTNER_AUTHENTICATION_FAILED"),
        (401, "PARTNER_AUTHENTICATION_FAILED"),
        (500, "PARTNER_ERROR"),
    ] {
        trouble(&control, "tokens", &json!({ "answer": { "status": status } })).await;
        list(&api).await.refused(502, named);
    }
    assert_eq!(asks(&control, PRODUCTS).await, 0);
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let Some((api, control)) = platform().await else { return };
    let refusal = json!({ "answer": { "status": 403, "body": { "code": "P08" } }, "times": 1 });
    trouble(&control, "products", &refusal).await;
    list(&api).await.unwrap();
    let asked = control.standin("partner").await;
    assert_eq!((&asked["counts"][TOKENS], &asked["counts"][PRODUCTS]), (&json!(2), &json!(2)));
    let by = |number: usize| asked["requests"][number]["authorizedBy"].as_str().unwrap().to_owned();
    assert_ne!(by(1), by(3), "the retry has another token");

    // Further refusals do not replace the token again, for any client.
    for refusal in [json!({ "status": 403, "body": { "code": "P08" } }), json!({ "status": 401 })] {
        trouble(&control, "products", &json!({ "answer": refusal })).await;
        for _ in 0..5 {
            list(&api).await.unwrap_err();
        }
    }
    assert_eq!(asks(&control, TOKENS).await, 2);
}

#[tokio::test]
async fn fifty_concurrent_requests_without_a_token_make_one_fetch() {
    let Some((api, control)) = platform().await else { return };
    let answers = wave(&api, 50).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert!(environments(&control).await > 1.0, "several environments have asked");
    assert_eq!(asks(&control, TOKENS).await, 1);
}

#[tokio::test]
async fn an_open_circuit_stops_all_environments_then_admits_one_probe() {
    const ENVIRONMENTS: u64 = 8;
    /// A failing call is sent three times.
    const SENT: u64 = 3;
    let Some((api, control)) = platform().await else { return };
    trouble(&control, "products", &json!({ "delayMs": 500 })).await;
    assert!(wave(&api, ENVIRONMENTS).await.iter().all(Result::is_ok));
    assert!(environments(&control).await >= 8.0);

    let before = asks(&control, PRODUCTS).await;
    answering(&control, 503, &Value::Null).await;
    for _ in 0..4 {
        wave(&api, ENVIRONMENTS).await;
    }
    let asked = asks(&control, PRODUCTS).await - before;
    assert!(asked <= (5 + ENVIRONMENTS - 1) * SENT, "{asked} requests came to the partner");
    for refused in wave(&api, ENVIRONMENTS).await {
        let refusal = refused.refused(503, "SERVICE_UNAVAILABLE");
        assert!((1..=30).contains(&refusal.retry_after_s.unwrap()), "{refusal:?}");
    }
    assert_eq!(
        asks(&control, PRODUCTS).await - before,
        asked,
        "the partner gets no further request"
    );
    let opened = [r#"type="CIRCUIT_OPENED""#];
    assert!((control.metric("errors_total", &opened).await - 1.0).abs() < 0.1, "it opened once");
    told(&control, "partner/CIRCUIT_OPENED").await;
    told(&control, "partner/FAILED").await;

    trouble(&control, "products", &json!({ "delayMs": 500 })).await;
    let_time_pass(&api, &control).await;
    let before = asks(&control, PRODUCTS).await;
    let answers = wave(&api, ENVIRONMENTS).await;
    let admitted = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!((admitted, asks(&control, PRODUCTS).await - before), (1, 1), "{answers:?}");
    let closed = async || {
        let _whatever = list(&api).await;
        let circuit = control.item("CircuitsTable", "partner").await;
        circuit["state"].get("CLOSED").is_some().then_some(())
    };
    eventually("three probes to close the circuit", closed).await;
    assert_eq!(asks(&control, PRODUCTS).await - before, 3);
    let all = async || {
        let answers = wave(&api, ENVIRONMENTS).await;
        answers.iter().all(Result::is_ok).then_some(())
    };
    eventually("all environments to learn of it", all).await;
}

#[tokio::test]
async fn requests_pass_while_all_tables_of_the_partner_fail() {
    let Some((api, control)) = platform().await else { return };
    let failing = ["CircuitsTable", "CommunicationsTable", "TokensTable"];
    let failing: Value = failing.iter().map(|name| (*name, json!({ "fail": 1 }))).collect();
    control.faults(&json!({ "tables": failing })).await;
    for _ in 0..2 {
        list(&api).await.unwrap();
    }
    let counted = async || {
        let missed = control.metric("errors_total", &[r#"type="JOURNAL_UNAVAILABLE""#]).await;
        (missed >= 4.0).then_some(())
    };
    eventually("the missing records to be counted", counted).await;
}

#[tokio::test]
async fn the_sweep_closes_the_audit_record_of_a_killed_function() {
    let Some((api, control)) = platform().await else { return };
    control.faults(&json!({ "kill": { FUNCTION: { "afterCommit": 1 } } })).await;
    list(&api).await.refused_by_gateway(500);
    control.no_faults().await;
    let [record] = &control.table("CommunicationsTable").await[..] else { panic!("one record") };
    assert_eq!(record["outcome"], "PENDING");

    control.run_schedule("SweepCommunicationsFunction").await;
    assert_eq!(
        control.table("CommunicationsTable").await[0]["outcome"],
        "PENDING",
        "the record is too new"
    );
    let mut old = record.clone();
    old["by_pending_sk"] = json!(record["by_pending_sk"].as_str().unwrap().replacen("20", "19", 1));
    api.put_item("CommunicationsTable", old);
    control.run_schedule("SweepCommunicationsFunction").await;
    let closed = &control.table("CommunicationsTable").await[0];
    assert_eq!(closed["outcome"], "ABANDONED");
    assert!(closed.get("by_pending_pk").is_none(), "{closed}");
}

#[tokio::test]
async fn calls_are_recorded_and_no_secret_is_stored_or_logged() {
    let Some((api, control)) = platform().await else { return };
    let answer = list(&api).await.unwrap();
    let id = answer.request_id().unwrap();
    let token = control.item("TokensTable", "partner").await["token"].as_str().unwrap().to_owned();
    let platform = api.inside().unwrap().platform();
    let credentials = &platform.standins().secrets()["PartnerCredentialsSecret"];
    let credentials: Value = serde_json::from_str(credentials).unwrap();
    let secret = credentials["clientSecret"].as_str().unwrap().to_owned();
    let gossip = |code: &str| {
        let message = format!("ada@example.com sent {token}");
        json!({ "code": code, "message": message, "client_secret": secret })
    };
    for (status, code) in [(400, "U01"), (500, "X01"), (401, "P08")] {
        answering(&control, status, &gossip(code)).await;
        list(&api).await.unwrap_err();
    }
    let odd = json!({ "answer": { "status": 200, "body": gossip("") } });
    // A fresh process, because another one may still hold a token.
    let unshared = json!({ "TokensTable": { "fail": 1 } });
    let tokens = json!({ "partner": { "tokens": odd } });
    let faults = json!({ "coldStarts": true, "standins": tokens, "tables": unshared });
    control.faults(&faults).await;
    list(&api).await.unwrap_err();
    told(&control, "partner/AUTHENTICATION_FAILED").await;

    let records = control.table("CommunicationsTable").await;
    let record = records.iter().find(|record| record["requestId"] == id).unwrap();
    let url = &platform.standins().parameters()["PartnerUrl"];
    for (field, value) in [
        ("who", "acme-7"),
        ("route", "GET /partner/products"),
        ("upstream", "partner"),
        ("address", &format!("{url}{PRODUCTS}")),
        ("outcome", "ANSWERED"),
    ] {
        assert_eq!(record[field], value, "{record}");
    }
    assert_eq!((&record["status"], record["latencyMs"].is_u64()), (&json!(200), true));
    let shown = record["response"]["bodyBeginning"].as_str().unwrap();
    assert!(shown.len() <= 1024 && shown.contains("SKU-001"), "{shown}");
    assert_eq!(record["response"]["bodySha256"].as_str().unwrap().len(), 43);

    let mut said = vec![control.metrics().await, control.standin("partner").await.to_string()];
    for table in ["CommunicationsTable", "OutboxTable", "CircuitsTable", "NoticesTable"] {
        said.push(json!(control.table(table).await).to_string());
    }
    said.push(json!(control.queues().await).to_string());
    said.push(json!(control.logs().await).to_string());
    said.push(control.standin("notifiers").await.to_string());
    for hidden in [&token, &secret, "ada@example.com"] {
        for text in &said {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
    }
}

async fn platform() -> Option<(Api, Control)> {
    let api = fresh_platform(Options::default()).await?;
    let control = api.control()?;
    Some((api, control))
}

async fn list(api: &Api) -> Result<ApiResponse<Vec<PartnerProduct>>, Error> {
    list_page(api, &PartnerPage::default()).await
}

async fn list_page(
    api: &Api,
    wanted: &PartnerPage,
) -> Result<ApiResponse<Vec<PartnerProduct>>, Error> {
    let (who, language) = (read(json!("acme-7")), read(json!("en")));
    api.client().list_partner_products(&who, &language, wanted).await
}

/// Sends this many requests at the same time.
async fn wave(api: &Api, requests: u64) -> Vec<Result<ApiResponse<Vec<PartnerProduct>>, Error>> {
    join_all((0..requests).map(|_| list(api))).await
}

/// Makes the partner return this instead of its catalogue.
async fn answering(control: &Control, status: u16, body: &Value) {
    trouble(control, "products", &json!({ "answer": { "status": status, "body": body } })).await;
}

async fn trouble(control: &Control, place: &str, trouble: &Value) {
    control.faults(&json!({ "standins": { "partner": { place: trouble } } })).await;
}

/// The number of requests for a path that the partner has received.
async fn asks(control: &Control, path: &str) -> u64 {
    control.standin("partner").await["counts"][path].as_u64().unwrap_or(0)
}

/// The number of environments of the function that were started.
async fn environments(control: &Control) -> f64 {
    let function = format!(r#"function="{FUNCTION}""#);
    control.metric("lambda_cold_starts_total", &[&function]).await
}

/// Waits until operators are alerted of a kind of failure.
async fn told(control: &Control, kind: &str) {
    let logged = async || {
        let logs = control.table("NoticesTable").await;
        logs.iter().any(|log| log["kind"] == kind).then_some(())
    };
    eventually(&format!("an alert of {kind}"), logged).await;
}

/// Changes the circuit as if it had been open for long, and waits until all instances read it
/// again.
async fn let_time_pass(api: &Api, control: &Control) {
    let mut circuit = control.item("CircuitsTable", "partner").await;
    circuit["state"]["OPEN"]["until"] = json!("2026-01-01T00:00:00.000Z");
    api.put_item("CircuitsTable", circuit);
    sleep(Duration::from_secs(5)).await;
}
