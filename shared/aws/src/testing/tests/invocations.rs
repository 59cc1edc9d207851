//! The invocation of a simulated endpoint.

use std::time::Duration;

use lifecycle::testing::simulated::SimulatedInvocation;
use serde_json::{Value, json};
use tokio::time::Instant;

/// The first invocation, by a request with a JSON body and further headers.
pub(super) fn invocation(
    method: &str,
    path: &str,
    body: &Value,
    further: &[(&str, &str)],
) -> SimulatedInvocation {
    let mut headers = json!({ "content-type": "application/json" });
    for (name, value) in further {
        headers[*name] = json!(value);
    }
    let event = json!({
        "version": "2.0", "rawPath": path, "rawQueryString": "",
        "headers": headers,
        "body": body.to_string(),
        "requestContext": { "http": { "method": method, "sourceIp": "192.0.2.1" } },
    });
    SimulatedInvocation {
        id: "1".to_owned(),
        event: event.to_string().into(),
        deadline: Instant::now() + Duration::from_secs(10),
        x_ray: None,
        cold_start: true,
    }
}
