//! Events of HTTP triggers: payload formats 2.0 and 1.0, load balancers, function URLs.
//!
//! An endpoint answers each event that is a request, also with invalid parts. It is in the shape of
//! the trigger, its status and body are described, and it is no internal error. An event that is no
//! request is a failed invocation, whose message names the wrong trigger.

use serde_json::Value as Json;

use crate::seeds::{as_function_url, as_load_balancer, as_rest, events, named, seed};
use crate::store::{Changes, about, invoke, names, of_kind};
use crate::{Seed, Target, answers, mutate};

/// The target.
pub const EVENT: Target = Target {
    name: "event",
    run,
    seeds,
    mutate: mutate::json,
    max_len: 32 * 1024,
    dictionary: &[
        "\"rawPath\"",
        "\"multiValueHeaders\"",
        "\"cookies\"",
        "\"isBase64Encoded\"",
        "\"elb\"",
        "if-match",
        "if-none-match",
        "idempotency-key",
        "traceparent",
        "tracestate",
        "accept",
        "accept-encoding",
        "content-type",
        "x-forwarded-for",
        "x-request-id",
        "prefer",
        "origin",
    ],
};

/// The beginning of the message for an event that is no request.
const WRONG_TRIGGER: &str = "the function serves an HTTP endpoint, and was invoked with ";

fn run(input: &[u8]) {
    let Some((function, event)) = named(input) else { return };
    if !names().any(|name| name == function) || about(function).description["kind"] != "endpoint" {
        return;
    }
    let parsed: Json = serde_json::from_slice(event).unwrap_or_default();
    let method = parsed.pointer("/requestContext/http/method").or_else(|| parsed.get("httpMethod"));
    let is_head = method.is_some_and(|it| it == "HEAD");
    match invoke(function, event, Changes::default()).answer {
        Ok(payload) => _ = answers::checked(function, &payload, is_head),
        Err(error) => assert!(error.starts_with(WRONG_TRIGGER), "{function}: {error}"),
    }
}

fn seeds() -> Vec<Seed> {
    let each = events(of_kind("endpoint")).flat_map(|(name, event)| {
        let text = |event: &Json| event.to_string().into_bytes();
        [
            seed(&name, ".http", &text(&event)),
            seed(&name, ".rest", &text(&as_rest(&event))),
            seed(&name, ".elb", &text(&as_load_balancer(&event))),
            seed(&name, ".url", &text(&as_function_url(&event))),
        ]
    });
    each.collect()
}
