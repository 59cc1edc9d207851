//! A function controlled by its event, for the tests of the platform.
//!
//! As a route's function it returns the event in its response. As an authorizer it decides by the
//! token. Otherwise the event names the action: `{"do": "sleep", "ms": 100}`.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use lambda_extension::{Extension, LambdaEvent as ExtensionEvent, service_fn as extension_fn};
use lambda_runtime::{Error, LambdaEvent, run_concurrent, service_fn};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::sleep;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    if let Some(address) = std::env::args().nth(1) {
        return hold(&address).await;
    }
    match variable("PROBE_INIT").as_deref() {
        Some("exit") => std::process::exit(7),
        Some("hang") => sleep(Duration::from_mins(1)).await,
        _ => {}
    }
    let Some(work_ms) = variable("PROBE_EXTENSION_MS") else {
        return serve().await;
    };
    // Register the extension before the runtime requests its first event.
    let work = Duration::from_millis(work_ms.parse()?);
    let extension = Extension::new()
        .with_extension_name("probe")
        .with_events(&["INVOKE"])
        .with_events_processor(extension_fn(move |_: ExtensionEvent| async move {
            sleep(work).await;
            Ok::<_, Infallible>(())
        }));
    let extension = extension.register().await?;
    tokio::try_join!(extension.run(), serve()).map(|_| ())
}

/// The work of a process that a function has started: it keeps a connection open.
async fn hold(address: &str) -> Result<(), Error> {
    let _connection = TcpStream::connect(address).await?;
    sleep(Duration::from_mins(1)).await;
    Ok(())
}

async fn serve() -> Result<(), Error> {
    run_concurrent(service_fn(async |event: LambdaEvent<Value>| handle(&event.payload).await)).await
}

async fn handle(event: &Value) -> Result<Value, Error> {
    if event["type"] == "TOKEN" {
        let token = event["authorizationToken"].as_str().unwrap_or_default();
        return decide(token).map(|decision| policy(&decision, &event["methodArn"]));
    }
    if event["type"] == "REQUEST" {
        return decide(event["identitySource"][0].as_str().unwrap_or_default());
    }
    match event["do"].as_str() {
        None if event["version"] == "2.0" => Ok(answer(event)),
        None if event["httpMethod"].is_string() => Ok(rest_answer(event)),
        Some("sleep") => {
            sleep(Duration::from_millis(event["ms"].as_u64().unwrap_or(0))).await;
            Ok(json!("slept"))
        }
        Some("variables") => Ok(json!(std::env::vars().collect::<BTreeMap<_, _>>())),
        Some("start") => {
            let address = event["address"].as_str().unwrap_or_default();
            Command::new(std::env::current_exe()?).arg(address).spawn()?;
            Ok(Value::Null)
        }
        Some("exit") => std::process::exit(3),
        Some("fail") => Err("as ordered".into()),
        Some("answer much") => Ok(json!("x".repeat(7 * 1024 * 1024))),
        _ => Ok(event.clone()),
    }
}

fn decide(token: &str) -> Result<Value, Error> {
    match token {
        "good" => Ok(json!({"isAuthorized": true, "context": {"sub": "u1"}})),
        "bad" => Ok(json!({"isAuthorized": false})),
        "unknown" => Err("Unauthorized".into()),
        _ => Err("out of order".into()),
    }
}

/// The decision in the form of a REST API's authorizer.
fn policy(decision: &Value, method: &Value) -> Value {
    let effect = if decision["isAuthorized"] == true { "Allow" } else { "Deny" };
    let statement = json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": method});
    json!({
        "principalId": "u1",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": decision["context"].as_object().cloned().unwrap_or_default(),
    })
}

/// The event as the response body, in the form of a REST API's proxy integration.
fn rest_answer(event: &Value) -> Value {
    json!({
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "multiValueHeaders": {"set-cookie": ["a=1", "b=2"]},
        "body": event.to_string(),
    })
}

/// The event as the response body, or an invalid response.
fn answer(event: &Value) -> Value {
    if event["queryStringParameters"]["nonsense"].is_string() {
        return json!({"statusCode": "none"});
    }
    json!({
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "cookies": ["a=1", "b=2"],
        "body": event.to_string(),
    })
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
