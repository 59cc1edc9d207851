//! The tokens for the partner.

use emulator::faults::{Faults, UpstreamFault};
use serde_json::{Value, json};

use super::{PRODUCTS, asks, environments, list, platform, trouble, wave};
use crate::harness::Refused;

const TOKENS: &str = "/oauth/token";

#[tokio::test]
async fn a_token_is_cached_for_a_lifetime_that_is_sent_as_text() {
    let Some((api, control)) = platform().await else { return };
    let token = json!({ "access_token": "t", "token_type": "bearer", "expires_in": "3600" });
    let faults = Faults::default()
        .standin("partner", "tokens", UpstreamFault::answer(200, token))
        .standin("partner", "products", UpstreamFault::answer(200, json!({ "products": [] })));
    control.inject(&faults).await;
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
        trouble(&control, "tokens", &UpstreamFault::answer(status, Value::Null)).await;
        list(&api).await.refused(502, named);
    }
    assert_eq!(asks(&control, PRODUCTS).await, 0);
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let Some((api, control)) = platform().await else { return };
    let refusal = UpstreamFault::answer(403, json!({ "code": "P08" })).times(1);
    trouble(&control, "products", &refusal).await;
    list(&api).await.unwrap();
    assert_eq!(control.requests_to("partner", TOKENS).await.len(), 2);
    let asked = control.requests_to("partner", PRODUCTS).await;
    let [refused, retry] = &asked[..] else { panic!("two requests: {asked:?}") };
    let by = |request: &Value| request["authorizedBy"].as_str().unwrap().to_owned();
    assert_ne!(by(refused), by(retry), "the retry has another token");

    // Further refusals do not replace the token again, for any client.
    for (status, body) in [(403, json!({ "code": "P08" })), (401, Value::Null)] {
        trouble(&control, "products", &UpstreamFault::answer(status, body)).await;
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
