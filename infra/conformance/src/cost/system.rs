//! Routes without an aggregate: health, keys and rules; and the authorizer.

use std::time::Duration;

use demo::seed::{PASSWORD, demo_id};
use hyper::{Method, StatusCode};
use serde_json::json;
use tokio::time::sleep;
use tooling::Error;
use tooling_async::http::sign_in;

use super::lab::{AUTHORIZER, Ask, Lab, Until};

/// The pause after which the same user's token differs: its times are whole seconds.
const TOKENS_DIFFER: Duration = Duration::from_millis(1_100);

pub(super) async fn count(lab: &mut Lab<'_>) -> Result<(), Error> {
    for path in ["/healthcheck", "/.well-known/jwks.json"] {
        let asks = lab.each(|_| lab.by("anonymous", Method::GET, path));
        lab.count(&format!("GET {path}"), StatusCode::OK, Until::Last, asks).await?;
    }
    let asks = lab.each(|_| lab.by("admin", Method::GET, "/rules"));
    lab.count("GET /rules", StatusCode::OK, Until::Last, asks).await?;
    let rules = json!({
        "approvalsNeeded": 2, "freeShippingTiers": ["GOLD"],
        "shipping": { "amount": 490, "currency": "EUR" },
        "itemsPerOrder": 25, "quantityPerItem": 99, "sagaTimeoutSeconds": 900,
        "openCredit": { "amount": 500_000, "currency": "EUR" },
    });
    let asks = lab.each(|_| lab.by("admin", Method::PUT, "/rules").with(rules.clone()));
    lab.count("PUT /rules", StatusCode::OK, Until::Each, asks).await?;
    sign_ins(lab).await
}

/// Sign-ins, and the authorizer with each of their tokens.
async fn sign_ins(lab: &mut Lab<'_>) -> Result<(), Error> {
    let credentials = json!({ "email": "customer@example.com", "password": PASSWORD });
    let asks =
        lab.each(|_| lab.by("anonymous", Method::POST, "/sessions").with(credentials.clone()));
    lab.count("POST /sessions", StatusCode::OK, Until::Last, asks).await?;
    let mut asks = Vec::new();
    for _ in 0..lab.asked() {
        sleep(TOKENS_DIFFER).await;
        let token = sign_in(&lab.client, &lab.platform.api_url(), "customer", PASSWORD).await?;
        let ask = lab.by("anonymous", Method::GET, &format!("/users/{}", demo_id(1)));
        asks.push(Ask { token: Some(token), ..ask });
    }
    let asked = lab.caused("authorizer", StatusCode::OK, Until::Last, asks).await?;
    let (_, caused, samples) = asked;
    let used = caused.functions.get(AUTHORIZER).ok_or("there is no authorizer")?;
    if (used.invocations - f64::from(samples)).abs() > f64::EPSILON {
        return Err(format!("of {samples} tokens the authorizer saw {}", used.invocations).into());
    }
    lab.counts.authorizer = used.mean(samples);
    Ok(())
}
