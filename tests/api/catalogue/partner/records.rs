//! The audit records of calls of the partner.

use emulator::faults::{Faults, KillFault, StoreFault, UpstreamFault};
use serde_json::{Value, json};

use super::{FUNCTION, PRODUCTS, answering, list, platform, told};
use crate::harness::{Refused, eventually};

#[tokio::test]
async fn the_sweep_closes_the_audit_record_of_a_killed_function() {
    let Some((api, control)) = platform().await else { return };
    control.inject(&Faults::default().kill(FUNCTION, KillFault::after_commit(1.0))).await;
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
    // The sweep runs every minute.
    control.pass(61).await;
    let closed = eventually("the audit record to be closed", async || {
        let mut records = control.table("CommunicationsTable").await;
        records.pop().filter(|record| record["outcome"] != "PENDING")
    })
    .await;
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
    // A fresh process, because another one may still hold a token.
    let faults = Faults::default()
        .cold_starts()
        .table("TokensTable", StoreFault::fail(1.0))
        .standin("partner", "tokens", UpstreamFault::answer(200, gossip("")));
    control.inject(&faults).await;
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
