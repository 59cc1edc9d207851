//! `cargo xtask trace`: places one order on a local platform and checks its trace. The trace must
//! lead from `POST /orders` to the mail. A third-party OTLP receiver decodes the spans.

mod receiver;
mod spans;

use std::path::Path;
use std::time::Duration;

use demo::seed::{PASSWORD, demo_id};
use emulator::Platform;
use emulator::options::Options;
use hyper::{Method, StatusCode};
use serde_json::json;
use tokio::time::{Instant, sleep};
use tooling::{Error, say};
use tooling_async::http::{Client, sign_in};
use uuid::Uuid;

use self::receiver::Receiver;
use self::spans::{Span, Trace};

/// The spans from the request to the mail, each the parent of the next.
const PATH: [&str; 3] = ["POST /orders", "process emails", "mail"];
/// Further spans in the trace of an approved order.
const BESIDE: [&str; 2] = ["process customer_approvals", "process customer_saga"];
/// The time limit for the mail and the spans.
const PATIENCE: Duration = Duration::from_mins(1);

/// Runs the command.
///
/// # Errors
///
/// If the receiver rejects the functions' spans, or the trace is incomplete.
pub(crate) fn run(workspace: &Path) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(order(workspace))
}

async fn order(workspace: &Path) -> Result<(), Error> {
    let receiver = Receiver::start(workspace).await?;
    let options = Options {
        port: 0,
        control_port: 0,
        demo: true,
        template: Some(workspace.join("template.yaml")),
        parameters: vec![("OtlpEndpoint".to_owned(), receiver.url())],
        ..Options::default()
    };
    let platform = demo::start(options).await?;
    let traced = traced(&platform, &receiver).await;
    platform.stop().await;
    receiver.stop().await?;
    let trace = traced?;
    for line in trace.told() {
        say(&line);
    }
    say(&format!("trace: {} spans, from {} to the mail", trace.len(), PATH[0]));
    Ok(())
}

/// Places an order, waits for its mail, and then for its complete trace.
async fn traced(platform: &Platform, receiver: &Receiver) -> Result<Trace, Error> {
    let end = Instant::now() + PATIENCE;
    place(&platform.api_url()).await?;
    let mailed = || {
        let mails = platform.stores().mailbox().mails(Some("customer@example.com"));
        mails.iter().any(|mail| mail.subject.starts_with("We have received"))
    };
    while !mailed() {
        if Instant::now() > end {
            return Err("the mail about the order did not arrive".into());
        }
        sleep(Duration::from_millis(50)).await;
    }
    loop {
        let trace = trace_of(&receiver.spans()?);
        match trace.as_ref().map_or(Err("there is no trace".to_owned()), complete) {
            Ok(()) => return trace.ok_or_else(|| "there is no trace".into()),
            Err(missing) if Instant::now() > end => {
                let told = trace.map(|trace| trace.told().join("\n")).unwrap_or_default();
                return Err(format!("{missing}:\n{told}").into());
            }
            Err(_) => sleep(Duration::from_millis(200)).await,
        }
    }
}

/// Places an order as the demo's customer, without a `traceparent`.
async fn place(api: &str) -> Result<(), Error> {
    let client = Client::new();
    let token = sign_in(&client, api, "customer", PASSWORD).await?;
    let order = json!({
        "items": [{ "productId": demo_id(0x101), "quantity": 1 }],
        "addressId": demo_id(0x201), "paymentMethod": "CARD",
    });
    let key = Uuid::new_v4().to_string();
    let headers = [("idempotency-key", key.as_str())];
    let url = format!("{api}/orders");
    let answer = client.call_with(Method::POST, &url, Some(&token), &headers, Some(&order)).await?;
    answer.json_of(StatusCode::CREATED).map(drop)
}

fn trace_of(spans: &[Span]) -> Option<Trace> {
    let root = spans.iter().find(|span| span.name == PATH[0])?;
    Some(Trace::of(&root.trace_id, spans))
}

/// Checks that the path from the request to the mail is complete, and that the further spans exist.
fn complete(trace: &Trace) -> Result<(), String> {
    if !trace.has_path(&PATH) {
        return Err(format!("{} is not a path of the trace", PATH.join(" → ")));
    }
    match BESIDE.iter().find(|name| !trace.has(name)) {
        Some(missing) => Err(format!("`{missing}` is not in the trace")),
        None => Ok(()),
    }
}
