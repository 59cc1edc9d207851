//! The circuit breaker of the partner.

use emulator::faults::{Faults, StoreFault, UpstreamFault};
use serde_json::{Value, json};

use super::{PRODUCTS, answering, asks, environments, list, platform, told, trouble, wave};
use crate::harness::{Refused, eventually, when};

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
    let busy = UpstreamFault::answer(429, json!({ "message": "slow down" })).retry_after_s(120);
    trouble(&control, "products", &busy).await;
    for _ in 0..6 {
        let refusal = list(&api).await.refused(503, "SERVICE_UNAVAILABLE");
        assert_eq!(refusal.retry_after_s, Some(120));
    }
    assert_eq!(asks(&control, PRODUCTS).await - before, 6, "there is no time for a retry");
    trouble(&control, "products", &UpstreamFault::default()).await;
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
        let refused = UpstreamFault::answer(status, Value::Null).retry_after_s(60);
        let faults = Faults::default()
            .cold_starts()
            .table("TokensTable", StoreFault::fail(1.0))
            .standin("partner", "tokens", refused);
        control.inject(&faults).await;
        for _ in 0..6 {
            list(&api).await.refused(answered, named);
        }
    }
    assert!(control.table("CircuitsTable").await.is_empty(), "no failure was noted");
}

#[tokio::test]
async fn an_open_circuit_stops_all_environments_then_admits_one_probe() {
    const ENVIRONMENTS: u64 = 8;
    /// A failing call is sent three times.
    const SENT: u64 = 3;
    let Some((api, control)) = platform().await else { return };
    trouble(&control, "products", &UpstreamFault::delay_ms(500)).await;
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

    // The probe has to last until all environments have started.
    trouble(&control, "products", &UpstreamFault::delay_ms(2000)).await;
    control.pass(30).await;
    let before = asks(&control, PRODUCTS).await;
    let answers = wave(&api, ENVIRONMENTS).await;
    let admitted = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!((admitted, asks(&control, PRODUCTS).await - before), (1, 1), "{answers:?}");
    trouble(&control, "products", &UpstreamFault::default()).await;
    let closed = async || {
        let _whatever = list(&api).await;
        let circuit = control.item("CircuitsTable", "partner").await;
        when(circuit, |circuit| circuit["state"].get("CLOSED").is_some())
    };
    eventually("three probes to close the circuit", closed).await;
    assert_eq!(asks(&control, PRODUCTS).await - before, 3);
    let all =
        async || when(wave(&api, ENVIRONMENTS).await, |answers| answers.iter().all(Result::is_ok));
    eventually("all environments to learn of it", all).await;
}

#[tokio::test]
async fn requests_pass_while_all_tables_of_the_partner_fail() {
    let Some((api, control)) = platform().await else { return };
    let failing = ["CircuitsTable", "CommunicationsTable", "TokensTable"];
    let fail = |faults: Faults, table| faults.table(table, StoreFault::fail(1.0));
    control.inject(&failing.into_iter().fold(Faults::default(), fail)).await;
    for _ in 0..2 {
        list(&api).await.unwrap();
    }
    let counted = async || {
        let missed = control.metric("errors_total", &[r#"type="JOURNAL_UNAVAILABLE""#]).await;
        when(missed, |seen| *seen >= 4.0)
    };
    eventually("the missing records to be counted", counted).await;
}
