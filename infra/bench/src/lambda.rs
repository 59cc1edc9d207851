//! A stub of Lambda for one process: the Runtime API, and the Extensions API for an internal
//! extension.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use bytes::Bytes;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tooling::Error;
use uuid::Uuid;

/// The time limit for a process: Lambda's limit for its start.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The timeout of an invocation, as the function receives it.
const INVOCATION_LIMIT: Duration = Duration::from_secs(10);

/// The Lambda stub of one process.
pub(super) struct Lambda {
    pub(super) address: SocketAddr,
    heard: mpsc::UnboundedReceiver<Heard>,
    server: JoinHandle<()>,
    runtime: Option<Poll>,
    extension: Option<Poll>,
    has_extension: bool,
    patience: Duration,
}

/// A pending request for the next event.
type Poll = oneshot::Sender<Event>;

#[derive(Clone)]
struct Event {
    request_id: String,
    payload: Bytes,
    deadline_ms: u128,
}

/// A message from the process.
enum Heard {
    Registered,
    RuntimePolls { at: Instant, poll: Poll },
    ExtensionPolls { at: Instant, poll: Poll },
    Answered { at: Instant, answer: Bytes },
    Failed { report: Bytes },
}

type Mouth = mpsc::UnboundedSender<Heard>;

impl Lambda {
    /// A stub that waits this long for each message of the process.
    pub(super) async fn start(patience: Duration) -> Result<Self, Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let listener = listener.tap_io(|connection| {
            // Responses are small, so send packets at once.
            let _ = connection.set_nodelay(true);
        });
        let (mouth, heard) = mpsc::unbounded_channel();
        let server = tokio::spawn(async move {
            // The task runs until it is aborted.
            let _ = axum::serve(listener, routes(mouth)).await;
        });
        let (runtime, extension, has_extension) = (None, None, false);
        Ok(Self { address, heard, server, runtime, extension, has_extension, patience })
    }

    /// Waits until the runtime and any extension request an event. Returns the time of the last
    /// request.
    pub(super) async fn ready(&mut self) -> Result<Instant, Error> {
        let mut since = None;
        loop {
            let complete = self.runtime.is_some() && self.has_extension == self.extension.is_some();
            if let (true, Some(since)) = (complete, since) {
                return Ok(since);
            }
            match self.hear().await? {
                Heard::Registered => self.has_extension = true,
                Heard::RuntimePolls { at, poll } => {
                    self.runtime = Some(poll);
                    since = Some(at);
                }
                Heard::ExtensionPolls { at, poll } => {
                    self.extension = Some(poll);
                    since = Some(at);
                }
                Heard::Answered { .. } => return Err("unexpected response without an event".into()),
                Heard::Failed { report } => return Err(failed(&report)),
            }
        }
    }

    /// Hands an event to the ready process, and returns its response and the time.
    pub(super) async fn invoke(&mut self, payload: &Bytes) -> Result<(Bytes, Duration), Error> {
        let runtime = self.runtime.take().ok_or("it is not ready")?;
        let now_ms = u128::try_from(lifecycle::clock::now().as_millis())?;
        let deadline_ms = now_ms + INVOCATION_LIMIT.as_millis();
        // An extension distinguishes invocations by their ids.
        let request_id = Uuid::new_v4().to_string();
        let event = Event { request_id, payload: payload.clone(), deadline_ms };
        let handed = Instant::now();
        if let Some(extension) = self.extension.take() {
            extension.send(event.clone()).map_err(|_| "its extension has ended")?;
        }
        runtime.send(event).map_err(|_| "it has ended")?;
        loop {
            match self.hear().await? {
                Heard::Answered { at, answer } => return Ok((answer, at - handed)),
                Heard::Failed { report } => return Err(failed(&report)),
                // It uses another connection, so it may arrive before the response.
                Heard::ExtensionPolls { poll, .. } => self.extension = Some(poll),
                Heard::RuntimePolls { .. } | Heard::Registered => {
                    return Err("it requested another event without a response".into());
                }
            }
        }
    }

    async fn hear(&mut self) -> Result<Heard, Error> {
        let heard = timeout(self.patience, self.heard.recv()).await;
        let heard = heard.map_err(|_| format!("no message from it for {:?}", self.patience))?;
        heard.ok_or_else(|| "its Lambda stub has ended".into())
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn failed(report: &[u8]) -> Error {
    format!("it failed: {}", String::from_utf8_lossy(report)).into()
}

fn routes(mouth: Mouth) -> Router {
    let runtime = Router::new()
        .route("/invocation/next", get(runtime_next))
        .route("/invocation/{request_id}/response", post(answer))
        .route("/invocation/{request_id}/error", post(error))
        .route("/init/error", post(error));
    let extension =
        Router::new().route("/register", post(register)).route("/event/next", get(extension_next));
    Router::new()
        .nest("/2018-06-01/runtime", runtime)
        .nest("/2020-01-01/extension", extension)
        .with_state(mouth)
}

const ARN: &str = "arn:aws:lambda:eu-west-1:000000000000:function:bench";
const TRACE: &str = "Root=1-00000000-000000000000000000000001;Sampled=0";

async fn runtime_next(State(mouth): State<Mouth>) -> Response {
    let at = Instant::now();
    let (poll, event) = oneshot::channel();
    let Some(event) = next(&mouth, Heard::RuntimePolls { at, poll }, event).await else {
        return StatusCode::GONE.into_response();
    };
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", event.request_id),
        ("lambda-runtime-deadline-ms", event.deadline_ms.to_string()),
        ("lambda-runtime-invoked-function-arn", ARN.to_owned()),
        ("lambda-runtime-trace-id", TRACE.to_owned()),
    ];
    (headers, event.payload).into_response()
}

async fn extension_next(State(mouth): State<Mouth>) -> Response {
    let at = Instant::now();
    let (poll, event) = oneshot::channel();
    let Some(event) = next(&mouth, Heard::ExtensionPolls { at, poll }, event).await else {
        return StatusCode::GONE.into_response();
    };
    let event = json!({
        "eventType": "INVOKE",
        "deadlineMs": event.deadline_ms,
        "requestId": event.request_id,
        "invokedFunctionArn": ARN,
        "tracing": { "type": "X-Amzn-Trace-Id", "value": TRACE },
    });
    axum::Json(event).into_response()
}

async fn next(mouth: &Mouth, poll: Heard, event: oneshot::Receiver<Event>) -> Option<Event> {
    mouth.send(poll).ok()?;
    event.await.ok()
}

async fn answer(State(mouth): State<Mouth>, answer: Bytes) -> StatusCode {
    // The receiver is closed only when the run is ending.
    let _ = mouth.send(Heard::Answered { at: Instant::now(), answer });
    StatusCode::ACCEPTED
}

async fn error(State(mouth): State<Mouth>, report: Bytes) -> StatusCode {
    let _ = mouth.send(Heard::Failed { report });
    StatusCode::ACCEPTED
}

async fn register(State(mouth): State<Mouth>) -> Response {
    let _ = mouth.send(Heard::Registered);
    let body = json!({ "functionName": "bench", "functionVersion": "$LATEST", "handler": "x" });
    ([("lambda-extension-identifier", "bench")], axum::Json(body)).into_response()
}
