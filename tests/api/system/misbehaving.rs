//! The client's response when a handler panics, hangs, or dies.

use std::path::Path;

use emulator::options::Options;
use emulator::{BoxError, NoApplication, Platform};
use testkit::{Api, Suite, SystemUnderTest};

use crate::harness::{eventually, when};

#[tokio::test]
async fn a_panic_is_our_500_and_reveals_nothing() {
    let Some(api) = platform().await else { return };
    for _ in 0..2 {
        let answer = api.get("/panics").header("x-request-id", "r-1").send().await;
        let error = answer.error(500, "INTERNAL_ERROR");
        assert_eq!(error["traceId"], "r-1");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    let invocations = api.control().unwrap().invocations("PanicsFunction").await;
    assert_eq!(
        invocations[0]["environment"], invocations[1]["environment"],
        "the process continues"
    );
}

#[tokio::test]
async fn a_handler_that_hangs_is_our_504_before_lambda_ends_it() {
    let Some(api) = platform().await else { return };
    api.get("/hangs").send().await.error(504, "TIMED_OUT");
    api.get("/hangs").send().await.error(504, "TIMED_OUT");
    let invocations = api.control().unwrap().invocations("HangsFunction").await;
    assert_eq!(
        invocations[0]["environment"], invocations[1]["environment"],
        "the process continues"
    );
}

#[tokio::test]
async fn work_that_blocks_its_thread_is_our_504_and_is_counted() {
    let Some(api) = platform().await else { return };
    let control = api.control().unwrap();
    for _ in 0..2 {
        let answer = api.get("/spins").header("x-request-id", "r-1").send().await;
        assert_eq!(answer.error(504, "TIMED_OUT")["traceId"], "r-1");
    }
    let invocations = control.invocations("SpinsFunction").await;
    assert_ne!(
        invocations[0]["environment"], invocations[1]["environment"],
        "a process with a blocked thread gets no further request"
    );
    let labels = [r#"path="/spins""#, r#"status="504""#];
    let told =
        async || when(control.metric("http_requests_total", &labels).await, |seen| *seen >= 2.0);
    eventually("both responses in the metrics", told).await;
    let counted = async || {
        let rows = control.table("LimitsTable").await;
        let counts = rows.iter().filter_map(|row| row["total"].as_u64());
        when(counts.sum::<u64>(), |seen| *seen == 2)
    };
    eventually("both to be counted", counted).await;
}

#[tokio::test]
async fn a_process_that_dies_is_the_gateways_500() {
    let Some(api) = platform().await else { return };
    for _ in 0..2 {
        let answer = api.get("/crashes").send().await;
        answer.gateway(500, "Internal Server Error");
    }
}

async fn platform() -> Option<Api<Platform>> {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("misbehaving/template.yaml");
    // Cargo builds the functions of this package along with its tests.
    let options = Options { template: Some(template), no_build: true, ..Options::default() };
    MISBEHAVING.fresh_platform(options).await
}

static MISBEHAVING: Suite<Misbehaving> = Suite::new(Misbehaving);

/// Another service than the store, with another template, no users and no description.
struct Misbehaving;

impl SystemUnderTest for Misbehaving {
    type Running = Platform;

    async fn start(&self, options: Options) -> Result<Platform, BoxError> {
        Ok(Platform::start(options, &NoApplication).await?)
    }
}
