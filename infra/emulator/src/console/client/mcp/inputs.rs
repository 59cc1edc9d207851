//! The arguments of the tools. Their comments are the descriptions in the tools' schemas.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::activity::view::Stage;

/// The arguments of `list_requests`. All given parts have to match.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct ListRequests {
    /// A part of method, path, route, function, error code, caller or request id, in any case.
    pub(super) text: Option<String>,
    /// `2xx`, `4xx`, `5xx`, or an exact status such as `409`.
    pub(super) status: Option<String>,
    /// The logical id of the function.
    pub(super) function: Option<String>,
    /// The client's name or user agent, exactly.
    pub(super) client: Option<String>,
    /// The stage that refused the request.
    #[schemars(schema_with = "stage")]
    pub(super) refused_at: Option<Stage>,
    /// Only requests before this number, which the end of an earlier page names.
    pub(super) before: Option<u64>,
    /// At most this many requests: 20 by default, 100 at most.
    pub(super) limit: Option<usize>,
}

fn stage(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": Stage::ALL})
}

/// The arguments of tools about one request.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OneRequest {
    /// The request's id, its x-request-id, or `last` for the latest request.
    pub(super) id: String,
}

/// The arguments of `show_request`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ShowRequest {
    /// The request's id, its x-request-id, or `last` for the latest request.
    pub(super) id: String,
    /// More parts to show. Without them: stages, reason, field errors, verdicts, facts, commit and
    /// deferred work.
    #[serde(default)]
    pub(super) parts: Vec<Part>,
}

/// A part of a request that is shown only if it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum Part {
    /// The request's headers and body.
    Received,
    /// The parsed input.
    Input,
    /// The response's headers and body.
    Answer,
    /// The content of each write of the commit.
    Writes,
    /// The log lines.
    Logs,
    /// The calls to services, each with request and response.
    Calls,
    /// All permissions that the invocation used.
    Permissions,
}

/// The arguments of `resend_request`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ResendRequest {
    /// The request's id, its x-request-id, or `last` for the latest request.
    pub(super) id: String,
    /// The idempotency key of the new request; a new one by default.
    #[serde(default)]
    pub(super) idempotency_key: IdempotencyKey,
    /// Another body. Members whose value is still `•••` get their original values.
    #[serde(default)]
    pub(super) body: Option<String>,
    /// Another path with its query.
    #[serde(default)]
    pub(super) path: Option<String>,
    /// Headers to set, by name. The others stay.
    #[serde(default)]
    pub(super) headers: Option<BTreeMap<String, String>>,
    /// The account that sends it; by default the original caller.
    #[serde(default)]
    pub(super) account: Option<String>,
}

/// The idempotency key of a resent request.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum IdempotencyKey {
    /// The key of the original request: the service returns the stored response if it has one.
    Same,
    /// A new key: the request has its effects again.
    #[default]
    New,
    /// No key.
    None,
}

/// The arguments of `set_next_fault`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SetNextFault {
    /// Only a request of this route fails, such as `POST /orders`; by default the next request of
    /// any route.
    #[serde(default)]
    pub(super) route: Option<String>,
    /// The place of the failure, as exactly one member. Without it, a set fault is cleared.
    #[serde(default)]
    pub(super) at: Option<Place>,
}

/// The place where the next request fails.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum Place {
    /// A stage with I/O.
    Stage(FaultStage),
    /// The first call on this table, by its logical id.
    Table(String),
    /// The first call on this queue, by its logical id.
    Queue(String),
    /// The process is killed before or after its commit.
    Commit(CommitPoint),
}

/// A stage that can fail by its environment.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum FaultStage {
    /// The authorizer fails.
    Authentication,
    /// The first read fails with an internal error.
    Retrieval,
    /// The transaction fails.
    Effects,
    /// The process is killed after the commit and before the response.
    Response,
}

/// The moment of a killed process.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum CommitPoint {
    /// Nothing is written.
    Before,
    /// Everything is written, and the client gets no response.
    After,
}

/// The arguments of `list_queues`: none.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQueues {}

/// The arguments of `peek_queue`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PeekQueue {
    /// The logical id of the queue.
    pub(super) queue: String,
    /// At most this many messages: 10 by default, 50 at most.
    #[serde(default)]
    pub(super) limit: Option<usize>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_stages_of_the_schema_are_those_of_the_view() {
        let schema = stage(&mut SchemaGenerator::default());
        let stages = schema.get("enum").unwrap();
        let read: Vec<Stage> = serde_json::from_value(stages.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), *stages);
        assert!(read.is_sorted());
    }

    #[test]
    fn a_place_has_the_form_of_the_control_address() {
        for given in [
            json!({"stage": "retrieval"}),
            json!({"table": "OrdersTable"}),
            json!({"queue": "EmailQueue"}),
            json!({"commit": "after"}),
        ] {
            let place: Place = serde_json::from_value(given.clone()).unwrap();
            assert_eq!(serde_json::to_value(&place).unwrap(), given);
        }
        assert!(serde_json::from_value::<Place>(json!({"stage": "rules"})).is_err());
    }
}
