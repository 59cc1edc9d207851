//! A stand-in for tests: a partner that rejects each of its clients.

use bytes::Bytes;
use http::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Service, Standins};
use crate::faults::{FakeResponse, UpstreamFault};

/// The partner.
pub(crate) struct Partner;

/// The faults of the partner.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct PartnerFaults {
    products: UpstreamFault,
}

impl Service for Partner {
    const NAME: &'static str = "partner";
    const PARAMETERS: &'static [&'static str] = &["PartnerUrl"];
    type Faults = PartnerFaults;

    fn secret(&self) -> Option<(&'static str, Value)> {
        Some(("PartnerSecret", json!({ "clientId": "store" })))
    }

    fn fault<'a>(faults: &'a PartnerFaults, _: &str) -> (&'static str, &'a UpstreamFault) {
        ("partner", &faults.products)
    }

    fn answer(&self, _: &Request<Bytes>, _: &PartnerFaults) -> FakeResponse {
        FakeResponse::new(StatusCode::UNAUTHORIZED, json!({ "message": "no valid token" }))
    }
}

/// The partner as the only stand-in.
pub(crate) async fn standins() -> Standins {
    let mut standins = Standins::default();
    standins.add(Partner).await.expect("a loopback port is free");
    standins
}
