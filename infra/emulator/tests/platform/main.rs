//! Tests of the platform's Lambda and gateway, with a function controlled by its event.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod applications;
mod functions;
mod gateway;
mod next_fault;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use emulator::functions::{FunctionConfig, Functions, LogLine, LogSink};
use serde_json::Value;

/// A function that runs the probe; tests change it as needed.
fn deployment() -> FunctionConfig {
    FunctionConfig {
        logical_id: "ProbeFunction".to_owned(),
        name: "local-ProbeFunction".to_owned(),
        binary: probe(),
        handler: "bootstrap".to_owned(),
        variables: BTreeMap::new(),
        access_key_id: "ASIAPROBE".to_owned(),
        services_endpoint: "http://127.0.0.1:9".to_owned(),
        timeout: Duration::from_secs(5),
        memory_mb: 128,
        reserved_concurrency: None,
        invocations_per_environment: 1,
    }
}

/// Starts functions whose logs are discarded.
fn start(deployments: Vec<FunctionConfig>) -> Functions {
    let nobody: LogSink = Arc::new(|_: &LogLine<'_>| ());
    Functions::start(deployments, &nobody)
}

/// A deployment with an environment variable.
fn with_variable(name: &str, value: &str) -> FunctionConfig {
    let mut deployment = deployment();
    deployment.variables.insert(name.to_owned(), value.to_owned());
    deployment
}

fn event(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}

/// The example that cargo builds along with these tests.
fn probe() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.ancestors().nth(2).unwrap();
    let probe = profile.join("examples").join("probe");
    assert!(probe.is_file(), "with `--test`, run `cargo build --example probe` first");
    probe
}
