//! Callbacks: each until its objects are stored, and have expired.

use hyper::{Method, StatusCode};
use serde_json::json;
use tooling::Error;

use super::lab::{Lab, Until};

/// The maximum of objects of a callback.
const OBJECTS_MAX: u32 = 200;

pub(super) async fn count(lab: &mut Lab<'_>) -> Result<(), Error> {
    // Objects with even ids are online.
    let asks = lab.each(|number| {
        let body = json!({ "object_ids": [2 * number] });
        lab.by("anonymous", Method::POST, "/callback").with(body)
    });
    lab.count("POST /callback", StatusCode::ACCEPTED, Until::Delayed, asks).await?;

    let body = json!({ "object_ids": [2_000_000] });
    let seen = lab.by("anonymous", Method::POST, "/callback").with(body);
    lab.ask(&seen).await?;
    lab.done(false).await?;
    let asks = lab.each(|_| lab.by("anonymous", Method::GET, "/objects/2000000"));
    lab.count("GET /objects/{objectId}", StatusCode::OK, Until::Last, asks).await?;

    // One alone: the rate limit counts it as 200 requests of its address.
    let ids: Vec<_> = (0..OBJECTS_MAX).map(|number| 1_000_000 + 2 * number).collect();
    let body = json!({ "object_ids": ids });
    let asks = vec![lab.by("anonymous", Method::POST, "/callback").with(body)];
    lab.done(true).await?;
    let name = "POST /callback, of 200 objects";
    lab.count(name, StatusCode::ACCEPTED, Until::Delayed, asks).await?;
    Ok(())
}
