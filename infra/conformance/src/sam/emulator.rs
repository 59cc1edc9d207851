//! `cargo xtask sam emulate`: runs every HTTP function in AWS's runtime interface emulator, which
//! SAM contains.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use hyper::StatusCode;
use sam_template::Function;
use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::time::sleep;
use tooling::context::Context;
use tooling::{Error, descriptions, say};
use tooling_async::child;
use tooling_async::http::Client;

use super::events::{adapted, generated, ready, refusals};
use super::ground::Ground;
use super::shape;

/// The time limit for the emulator's start.
const START_LIMIT: Duration = Duration::from_secs(10);

pub(super) async fn run(ground: &Ground) -> Result<(), Error> {
    let emulator = emulator(&ground.programs)?;
    let (generated, refusals) = (generated(ground)?, refusals(&ground.workspace)?);
    let described = descriptions::as_built(&ground.workspace, &ground.template.binaries())?;
    say("| function | status | ms |\n|---|---|---|");
    let mut complaints = Vec::new();
    for route in ground.template.apis.iter().flat_map(|api| &api.routes) {
        let function = &ground.template.functions[&route.function];
        let event = adapted(&generated, &ready(&ground.workspace, &function.binary)?);
        let (answer, took) = invoked(ground, &emulator, function, &event).await?;
        let (status, ms) = (&answer["statusCode"], took.as_millis());
        say(&format!("| {} | {status} | {ms} |", function.binary));
        let refused = refusals.get(&function.binary).copied();
        let found = shape::complaints(&described[&function.binary], refused, &answer);
        complaints.extend(found.into_iter().map(|found| format!("{}: {found}", function.binary)));
    }
    if complaints.is_empty() { Ok(()) } else { Err(complaints.join("\n").into()) }
}

/// SAM's emulator binary for this machine's architecture.
fn emulator(programs: &Path) -> Result<PathBuf, Error> {
    let machine = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    let inside = format!("site-packages/samcli/local/rapid/aws-lambda-rie-{machine}");
    let versions = fs_err::read_dir(programs.join("../lib"))?.flatten();
    let found = versions.map(|version| version.path().join(&inside)).find(|path| path.is_file());
    found.ok_or_else(|| format!("SAM has no {inside}").into())
}

/// The response of a newly started function, and the time for start and response.
async fn invoked(
    ground: &Ground,
    emulator: &Path,
    function: &Function,
    event: &Value,
) -> Result<(Value, Duration), Error> {
    let [port, runtime_port] = free_ports()?;
    let binary = ground.binary(&function.binary)?;
    let variables = ground.variables(&function.logical_id)?;
    let begun = Instant::now();
    let mut emulated = start(emulator, &binary, &variables, port, runtime_port)?;
    let answered = answer(&ground.client, port, event).await;
    let took = begun.elapsed();
    child::end(&mut emulated).await?;
    Ok((answered.map_err(|error| format!("{}: {error}", function.binary))?, took))
}

fn start(
    emulator: &Path,
    binary: &Path,
    variables: &BTreeMap<String, String>,
    port: u16,
    runtime_port: u16,
) -> Result<Child, Error> {
    let child = Command::new(emulator)
        .args(["--runtime-interface-emulator-address", &format!("127.0.0.1:{port}")])
        .args(["--runtime-api-address", &format!("127.0.0.1:{runtime_port}")])
        .arg(binary)
        .env_clear()
        .envs(variables)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context(|| emulator.display())?;
    Ok(child)
}

/// Posts the event once the emulator listens.
async fn answer(client: &Client, port: u16, event: &Value) -> Result<Value, Error> {
    let begun = Instant::now();
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        if begun.elapsed() > START_LIMIT {
            return Err("the emulator does not listen".into());
        }
        sleep(Duration::from_millis(5)).await;
    }
    let url = format!("http://127.0.0.1:{port}/2015-03-31/functions/function/invocations");
    client.post(&url, event, StatusCode::OK).await
}

/// Two ports that are free at this moment.
fn free_ports() -> Result<[u16; 2], Error> {
    let [one, other] = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
    Ok([one.local_addr()?.port(), other.local_addr()?.port()])
}
