//! A server that records requests and returns the responses that a test sets.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::response::Response;
use client::{Client, Settings};
use http::{HeaderMap, Method};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A received request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A response: status, headers and body.
pub(crate) type Told = (u16, Vec<(&'static str, &'static str)>, Value);

#[derive(Clone, Default)]
pub(crate) struct Server {
    asked: Arc<Mutex<Vec<Asked>>>,
    told: Arc<Mutex<VecDeque<Told>>>,
}

impl Server {
    /// Starts a server with these responses, of which the last one repeats, and a client of it.
    pub(crate) async fn telling(told: Vec<Told>) -> (Self, Client) {
        let server = Self { told: Arc::new(Mutex::new(told.into())), ..Self::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let settings = Settings { backoff: Duration::from_millis(1), ..Settings::default() };
        (server, Client::new(&url, settings).unwrap())
    }

    /// The requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(State(server): State<Server>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap().to_vec();
    let path = head.uri.path().to_owned();
    let session = path == "/sessions";
    let asked = Asked { method: head.method, path, headers: head.headers, body };
    let count = {
        let mut all = server.asked.lock().unwrap();
        all.push(asked);
        all.len()
    };
    let (status, headers, body) = if session {
        // Long enough for the other requests to arrive.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let token = format!("token-{count}");
        (
            200,
            vec![],
            json!({ "data": { "accessToken": token, "tokenType": "Bearer", "expiresIn": 900 } }),
        )
    } else {
        let mut told = server.told.lock().unwrap();
        if told.len() > 1 { told.pop_front() } else { told.front().cloned() }.unwrap()
    };
    let answer = Response::builder().status(status).header("x-request-id", "r-1");
    let answer = headers.iter().fold(answer, |answer, (name, value)| answer.header(*name, *value));
    // A text is no JSON: the page of a proxy.
    let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
    answer.body(body.into()).unwrap()
}
