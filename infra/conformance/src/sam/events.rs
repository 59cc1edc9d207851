//! The events of `tests/events`, and the expected statuses.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tooling::Error;
use tooling::context::Context;

use super::ground::Ground;

/// The event of a function, by its binary's name.
pub(super) fn ready(workspace: &Path, binary: &str) -> Result<Value, Error> {
    read(workspace, &format!("{binary}.json"))
}

/// The expected statuses of events that are rejected, by function. All others succeed.
pub(super) fn refusals(workspace: &Path) -> Result<BTreeMap<String, u16>, Error> {
    serde_json::from_value(read(workspace, "refusals.json")?)
        .context(|| "tests/events/refusals.json")
}

fn read(workspace: &Path, name: &str) -> Result<Value, Error> {
    let path = workspace.join("tests/events").join(name);
    let text = fs_err::read_to_string(&path);
    let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).context(|| path.display())
}

/// The HTTP API event that SAM generates.
pub(super) fn generated(ground: &Ground) -> Result<Value, Error> {
    let made = Command::new(ground.programs.join("sam"))
        .args(["local", "generate-event", "apigateway", "http-api-proxy"])
        .env("SAM_CLI_TELEMETRY", "0")
        .output()
        .context(|| "sam local generate-event")?;
    serde_json::from_slice(&made.stdout).map_err(|error| {
        format!("sam local generate-event: {error}: {}", String::from_utf8_lossy(&made.stderr))
            .into()
    })
}

/// SAM's event as a request to one of our routes. Request and caller come from our event, all other
/// fields from SAM.
pub(super) fn adapted(generated: &Value, ready: &Value) -> Value {
    let mut event = generated.clone();
    let asked = [
        "routeKey",
        "rawPath",
        "rawQueryString",
        "queryStringParameters",
        "pathParameters",
        "body",
        "isBase64Encoded",
    ];
    for name in asked {
        take_over(&mut event, ready, name);
    }
    for name in ["routeKey", "authorizer"] {
        take_over(&mut event["requestContext"], &ready["requestContext"], name);
    }
    for name in ["method", "path"] {
        let ready = &ready["requestContext"]["http"];
        take_over(&mut event["requestContext"]["http"], ready, name);
    }
    for (name, value) in ready["headers"].as_object().into_iter().flatten() {
        event["headers"][name] = value.clone();
    }
    event
}

/// Replaces a field by that of another event, or removes it.
fn take_over(event: &mut Value, ready: &Value, name: &str) {
    match (ready.get(name), event.as_object_mut()) {
        (Some(value), Some(event)) => drop(event.insert(name.to_owned(), value.clone())),
        (None, Some(event)) => drop(event.remove(name)),
        (_, None) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_request_comes_from_our_event_and_the_rest_from_sam() {
        let generated = json!({
            "routeKey": "$default", "cookies": ["a"], "body": "eyJ9", "isBase64Encoded": true,
            "headers": { "Header1": "value1", "accept": "x" },
            "requestContext": {
                "authorizer": { "jwt": {} }, "stage": "$default",
                "http": { "method": "POST", "sourceIp": "192.168.0.1/32" },
            },
        });
        let ready = json!({
            "routeKey": "GET /products", "isBase64Encoded": false,
            "headers": { "accept": "application/json" },
            "requestContext": { "http": { "method": "GET", "sourceIp": "203.0.113.7" } },
        });
        assert_eq!(
            adapted(&generated, &ready),
            json!({
                "routeKey": "GET /products", "cookies": ["a"], "isBase64Encoded": false,
                "headers": { "Header1": "value1", "accept": "application/json" },
                "requestContext": {
                    "stage": "$default",
                    "http": { "method": "GET", "sourceIp": "192.168.0.1/32" },
                },
            })
        );
    }
}
