//! A control address with the sample requests, for tests.

use std::sync::{Arc, Mutex};

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::address::ControlUrl;
use super::control::ControlClient;
use super::samples;
use crate::activity::view::{Journey, RequestDetail, RequestPage};

/// A running control address. It ends with its test.
pub(super) struct Fake {
    url: ControlUrl,
    state: Arc<Known>,
}

/// The recorded and prepared state.
#[derive(Default)]
struct Known {
    /// The number of journeys that are still moving.
    moving: Mutex<u32>,
    /// Each change: method, path, and body.
    changes: Mutex<Vec<(String, Value)>>,
    /// The queries of the list of requests.
    queries: Mutex<Vec<String>>,
}

impl Fake {
    /// Starts it on a free port.
    pub(super) async fn start() -> Self {
        let state = Arc::new(Known::default());
        let router = Router::new()
            .route("/activity/requests", get(requests))
            .route("/activity/requests/{id}", get(request))
            .route("/activity/requests/{id}/journey", get(journey))
            .route("/activity/requests/{id}/resend", post(resend))
            .route("/activity/next-fault", get(fault).put(set_fault).delete(clear_fault))
            .route("/activity/queues", get(queues))
            .route("/activity/queues/{queue}/messages", get(messages))
            .with_state(Arc::clone(&state));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, state }
    }

    pub(super) fn url(&self) -> ControlUrl {
        self.url.clone()
    }

    pub(super) fn client(&self) -> ControlClient {
        ControlClient::new(self.url())
    }

    /// The next so many journeys are still moving.
    pub(super) fn moves_for(&self, looks: u32) {
        *self.state.moving.lock().unwrap() = looks;
    }

    /// The changes until now, as `POST /path` with the body.
    #[cfg(feature = "mcp")]
    pub(super) fn changes(&self) -> Vec<(String, Value)> {
        self.state.changes.lock().unwrap().clone()
    }

    /// The queries of the list until now.
    #[cfg(feature = "mcp")]
    pub(super) fn queries(&self) -> Vec<String> {
        self.state.queries.lock().unwrap().clone()
    }
}

fn known(id: &str) -> Option<RequestDetail> {
    [samples::refused(), samples::placed()].into_iter().find(|detail| detail.row.id == id)
}

fn unknown() -> Response {
    (StatusCode::NOT_FOUND, Json(json!({"error": "there is no such request"}))).into_response()
}

async fn requests(State(state): State<Arc<Known>>, RawQuery(query): RawQuery) -> Json<RequestPage> {
    let query = query.unwrap_or_default();
    let limit = if query.contains("limit=1&") || query.ends_with("limit=1") { 1 } else { 2 };
    state.queries.lock().unwrap().push(query);
    let mut requests = vec![samples::refused().row, samples::placed().row];
    requests.truncate(limit);
    Json(RequestPage { requests, total: 2, dropped: 0 })
}

async fn request(Path(id): Path<String>) -> Response {
    known(&id).map_or_else(unknown, |detail| Json(detail).into_response())
}

async fn journey(State(state): State<Arc<Known>>, Path(id): Path<String>) -> Response {
    if known(&id).is_none() {
        return unknown();
    }
    let mut moving = state.moving.lock().unwrap();
    let at_rest = *moving == 0;
    *moving = moving.saturating_sub(1);
    let journey = if id == samples::PLACED { samples::journey() } else { Journey::default() };
    Json(Journey { at_rest, ..journey }).into_response()
}

async fn resend(
    State(state): State<Arc<Known>>,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Response {
    if known(&id).is_none() {
        return unknown();
    }
    state.changes.lock().unwrap().push((format!("POST /activity/requests/{id}/resend"), body));
    Json(json!({"id": "again", "requestId": "01a0-again", "status": 409})).into_response()
}

async fn fault() -> Json<Value> {
    Json(json!({"route": null, "at": null}))
}

async fn set_fault(State(state): State<Arc<Known>>, Json(body): Json<Value>) -> Response {
    if body["at"]["table"] == "NoTable" {
        let error = json!({"error": "the template has no table NoTable"});
        return (StatusCode::BAD_REQUEST, Json(error)).into_response();
    }
    state.changes.lock().unwrap().push(("PUT /activity/next-fault".to_owned(), body.clone()));
    Json(body).into_response()
}

async fn clear_fault(State(state): State<Arc<Known>>) -> StatusCode {
    let change = ("DELETE /activity/next-fault".to_owned(), Value::Null);
    state.changes.lock().unwrap().push(change);
    StatusCode::NO_CONTENT
}

async fn queues() -> Json<Value> {
    Json(json!({"queues": [{"name": "EmailQueue", "visible": 1, "inFlight": 0}]}))
}

async fn messages(Path(queue): Path<String>, RawQuery(query): RawQuery) -> Response {
    if queue != "EmailQueue" {
        let error = json!({"error": format!("the template has no queue {queue}")});
        return (StatusCode::NOT_FOUND, Json(error)).into_response();
    }
    assert_eq!(query.as_deref(), Some("limit=10"));
    Json(json!({"messages": [{"messageId": "m1", "body": "x".repeat(50_000)}]})).into_response()
}
