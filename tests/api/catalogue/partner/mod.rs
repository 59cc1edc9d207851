//! The partner's catalogue, under every behaviour of the partner.

mod answers;
mod circuit;
mod records;
mod tokens;

use client::{ApiResponse, Error, PartnerPage};
use domain::partner::PartnerProduct;
use emulator::faults::{Faults, UpstreamFault};
use emulator::options::Options;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Api, Control, eventually, fresh_platform, read, when};

const FUNCTION: &str = "ListPartnerProductsFunction";
const PRODUCTS: &str = "/v2/product-list";

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
    trouble(control, "products", &UpstreamFault::answer(status, body.clone())).await;
}

async fn trouble(control: &Control, place: &str, trouble: &UpstreamFault) {
    control.inject(&Faults::default().standin("partner", place, trouble)).await;
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
        when(logs, |logs| logs.iter().any(|log| log["kind"] == kind))
    };
    eventually(&format!("an alert of {kind}"), logged).await;
}
