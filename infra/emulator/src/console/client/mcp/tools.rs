//! The tools: names, descriptions, schemas, and calls.

use std::collections::BTreeMap;

use http::Method;
use rmcp::handler::server::tool::schema_for_input;
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::super::control::{AskError, ControlClient, encoded};
use super::super::draw::style::Style;
use super::super::{draw, why};
use super::inputs::{
    ListQueues, ListRequests, OneRequest, PeekQueue, ResendRequest, SetNextFault, ShowRequest,
};
use super::{parts, rows};
use crate::activity::view::{Pair, RequestFilter};

/// The name under which requests of this server are in the list of requests.
const CLIENT: &str = "mcp";

const REQUESTS_DEFAULT: usize = 20;
const REQUESTS_MAX: usize = 100;
const MESSAGES_DEFAULT: usize = 10;
const MESSAGES_MAX: usize = 50;

/// The form of drawings for a model.
const STYLE: Style = Style { width: 100, colours: false, unicode: true };

/// A tool of this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    ListRequests,
    ShowRequest,
    WhyDidItFail,
    Journey,
    ResendRequest,
    SetNextFault,
    ListQueues,
    PeekQueue,
}

impl Known {
    pub(super) const ALL: [Self; 8] = [
        Self::ListRequests,
        Self::ShowRequest,
        Self::WhyDidItFail,
        Self::Journey,
        Self::ResendRequest,
        Self::SetNextFault,
        Self::ListQueues,
        Self::PeekQueue,
    ];

    /// The tool of a name.
    pub(super) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::ListRequests => "list_requests",
            Self::ShowRequest => "show_request",
            Self::WhyDidItFail => "why_did_it_fail",
            Self::Journey => "journey",
            Self::ResendRequest => "resend_request",
            Self::SetNextFault => "set_next_fault",
            Self::ListQueues => "list_queues",
            Self::PeekQueue => "peek_queue",
        }
    }

    /// The declaration for the client.
    pub(super) fn declaration(self) -> Tool {
        match self {
            Self::ListRequests => self.reads::<ListRequests>(
                "Lists the latest requests to the local API, newest first: time, status, method \
                 and path, error code, the stage that refused it, duration, caller and id. \
                 Filter by text, status, function, client or stage. Use it to find the id that \
                 the other tools need.",
            ),
            Self::ShowRequest => self.reads::<ShowRequest>(
                "Shows one request: its nine stages with times, the reason of its outcome, \
                 field errors at their JSON pointers, authorization verdicts, the facts it \
                 read, each write of its commit with its condition, and deferred work. Ask for \
                 more parts, such as logs, calls, bodies or the parsed input, only if they are \
                 needed.",
            ),
            Self::WhyDidItFail => self.reads::<OneRequest>(
                "Explains in one paragraph why a request failed: the stage, the rule or cause, \
                 rejected fields, missing permissions, injected faults, failed effects, and the \
                 next step. Call it first when a request had an unexpected outcome.",
            ),
            Self::Journey => self.reads::<OneRequest>(
                "Shows where the effects of a request are now: outbox rows, messages, \
                 invocations, mails and dead letters as a tree, with waiting time apart from \
                 working time, failed deliveries, and the time of the next try.",
            ),
            Self::ResendRequest => self.changes::<ResendRequest>(
                "Sends a request to the local API again, with the same, a new or no idempotency \
                 key, and on request with another body, path, headers or account. Secrets of \
                 the original request are sent without being shown. It has the effects of a \
                 real request. Returns the id of the new request and its status.",
            ),
            Self::SetNextFault => self.changes::<SetNextFault>(
                "Makes the next matching request fail once: at a stage with I/O, at a table or \
                 queue, or by killing its process before or after the commit. Without a place \
                 it clears a fault that was set. Send a request afterwards, and look at its \
                 stages and journey.",
            ),
            Self::ListQueues => self.reads::<ListQueues>(
                "Lists the queues with their numbers of waiting and received messages, and with \
                 the dead-letter queue of each.",
            ),
            Self::PeekQueue => self.reads::<PeekQueue>(
                "Shows messages of a queue without receiving them: body, attributes, receive \
                 count, and the request that sent each.",
            ),
        }
    }

    fn reads<T: JsonSchema + 'static>(self, description: &'static str) -> Tool {
        self.tool::<T>(description)
            .annotate(ToolAnnotations::new().read_only(true).open_world(false))
    }

    fn changes<T: JsonSchema + 'static>(self, description: &'static str) -> Tool {
        let hints = ToolAnnotations::new().read_only(false).destructive(true).open_world(false);
        self.tool::<T>(description).annotate(hints)
    }

    fn tool<T: JsonSchema + 'static>(self, description: &'static str) -> Tool {
        let schema = schema_for_input::<T>().expect("the arguments of each tool are a struct");
        Tool::new(self.name(), description, schema)
    }

    /// Calls the tool. The result and the error are texts for the model.
    pub(super) async fn call(
        self,
        client: &ControlClient,
        arguments: JsonObject,
    ) -> Result<String, String> {
        let called = match self {
            Self::ListRequests => list_requests(client, read(arguments)?).await,
            Self::ShowRequest => show_request(client, read(arguments)?).await,
            Self::WhyDidItFail => why_did_it_fail(client, read(arguments)?).await,
            Self::Journey => journey(client, read(arguments)?).await,
            Self::ResendRequest => resend_request(client, read(arguments)?).await,
            Self::SetNextFault => set_next_fault(client, read(arguments)?).await,
            Self::ListQueues => list_queues(client, read(arguments)?).await,
            Self::PeekQueue => peek_queue(client, read(arguments)?).await,
        };
        called.map_err(|error| error.to_string())
    }
}

fn read<T: DeserializeOwned>(arguments: JsonObject) -> Result<T, String> {
    serde_path_to_error::deserialize(Value::Object(arguments)).map_err(|error| {
        format!("the arguments are invalid at {}: {}", error.path(), error.inner())
    })
}

async fn list_requests(client: &ControlClient, given: ListRequests) -> Result<String, AskError> {
    let filter = RequestFilter {
        text: given.text,
        status: given.status,
        function: given.function,
        client: given.client,
        refused_at: given.refused_at,
        before: given.before,
        limit: Some(given.limit.unwrap_or(REQUESTS_DEFAULT).clamp(1, REQUESTS_MAX)),
    };
    let page = client.requests(&filter).await?;
    Ok(parts::bounded(&rows::page(&page, STYLE)))
}

async fn show_request(client: &ControlClient, given: ShowRequest) -> Result<String, AskError> {
    let detail = client.request(&given.id).await?;
    let mut text = draw::request(&detail, None, STYLE);
    for part in given.parts {
        text.push('\n');
        text.push_str(&parts::part(&detail, part));
    }
    Ok(parts::bounded(&text))
}

async fn why_did_it_fail(client: &ControlClient, given: OneRequest) -> Result<String, AskError> {
    let detail = client.request(&given.id).await?;
    let journey = client.journey(&detail.row.id).await?;
    let reason = why::why(&detail, Some(&journey));
    Ok(parts::bounded(&format!("{}\nid {}\n", STYLE.clean(&reason), detail.row.id)))
}

async fn journey(client: &ControlClient, given: OneRequest) -> Result<String, AskError> {
    let journey = client.journey(&given.id).await?;
    let lines = draw::journey(&journey, STYLE);
    Ok(parts::bounded(&lines.join("\n")))
}

async fn resend_request(client: &ControlClient, given: ResendRequest) -> Result<String, AskError> {
    let id = client.known(&given.id).await?;
    let headers = match given.headers {
        Some(headers) => Some(changed(client.request(&id).await?.received.headers, headers)),
        None => None,
    };
    let body = json!({
        "idempotencyKey": given.idempotency_key,
        "body": given.body,
        "path": given.path,
        "headers": headers,
        "account": given.account,
        "client": CLIENT,
    });
    let path = format!("/activity/requests/{}/resend", encoded(&id));
    let sent = client.change(Method::POST, &path, Some(&body)).await;
    let sent = client.or_unknown(&id, sent).await?;
    Ok(parts::json(&sent))
}

/// The headers of a request with other values. The control address puts the original values in the
/// place of hidden ones.
fn changed(mut headers: Vec<Pair>, given: BTreeMap<String, String>) -> Vec<Pair> {
    headers.retain(|(name, _)| !given.keys().any(|it| it.eq_ignore_ascii_case(name)));
    headers.extend(given);
    headers
}

async fn set_next_fault(client: &ControlClient, given: SetNextFault) -> Result<String, AskError> {
    const PATH: &str = "/activity/next-fault";
    let Some(place) = given.at else {
        client.change(Method::DELETE, PATH, None).await?;
        return Ok("no fault is set".to_owned());
    };
    let body = json!({"route": given.route, "at": place});
    client.change(Method::PUT, PATH, Some(&body)).await?;
    Ok(format!("the next matching request fails once: {body}"))
}

async fn list_queues(client: &ControlClient, _: ListQueues) -> Result<String, AskError> {
    Ok(parts::json(&client.read("/activity/queues").await?))
}

async fn peek_queue(client: &ControlClient, given: PeekQueue) -> Result<String, AskError> {
    let limit = given.limit.unwrap_or(MESSAGES_DEFAULT).clamp(1, MESSAGES_MAX);
    let path = format!("/activity/queues/{}/messages?limit={limit}", encoded(&given.queue));
    Ok(parts::json(&client.read(&path).await?))
}
