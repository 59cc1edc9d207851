//! The addresses of the console, with an API that echoes requests.

mod accounts;
mod again;
mod watching;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use bytes::Bytes;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::accounts::Accounts;
use crate::account::{Account, SignIn};
use crate::activity::Begun;
use crate::control::{self, Control};

const PASSWORD: &str = "correct-horse-battery";
const TOKEN: &str = "token-of-ada-1";

struct Running {
    url: String,
    control: Control,
    client: reqwest::Client,
    /// The number of sign-ins so far.
    sign_ins: Arc<AtomicUsize>,
}

/// A control address in front of an API that returns the parts of each request. Its `POST /sessions`
/// returns tokens.
async fn running() -> Running {
    let sign_ins = Arc::new(AtomicUsize::new(0));
    let api_url = api(&sign_ins).await;
    let template = include_str!("../../services/tests/template.yaml");
    let mut control = control::tests::control(template, &api_url).await;
    let credentials = json!({"email": "ada@example.com", "password": PASSWORD});
    let accounts = vec![
        Account::new("ada", "MEMBER", SignIn::post("/sessions", credentials, "/data/token", 900))
            .note("the first"),
        Account::new("bob", "ADMIN", SignIn::Token("token-of-bob".to_owned())),
        Account::new("eve", "NONE", SignIn::post("/refused", json!({}), "/data/token", 900)),
    ];
    let (clock, redaction) = (control.stores.clock(), control.functions.activity().redaction());
    let accounts = Accounts::new(accounts, api_url, clock, redaction);
    control.accounts = Arc::new(accounts);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(control::serve(listener, control.clone(), std::future::pending()));
    Running { url, control, client: reqwest::Client::new(), sign_ins }
}

async fn api(sign_ins: &Arc<AtomicUsize>) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let sign_ins = Arc::clone(sign_ins);
    let session = post(move |body: Bytes| async move {
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["password"], PASSWORD);
        sign_ins.fetch_add(1, Ordering::SeqCst);
        axum::Json(json!({"data": {"token": TOKEN}}))
    });
    let echo = Router::new()
        .route("/sessions", session)
        .route("/refused", post(async || StatusCode::UNAUTHORIZED))
        .fallback(async |request: Request<Body>| {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let headers: BTreeMap<_, _> = parts
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect();
            let shown = json!({
                "method": parts.method.as_str(), "uri": parts.uri.to_string(), "headers": headers,
                "body": String::from_utf8_lossy(&body),
            });
            let status = match parts.uri.path() {
                "/unauthorized" => StatusCode::UNAUTHORIZED,
                _ => StatusCode::IM_A_TEAPOT,
            };
            // The response of a resend has only its ids: the test reads the request here.
            let shown = shown.to_string();
            let seen = parts.headers.get("x-seen").is_some();
            let ids = [("apigw-requestid", "new-id"), ("x-request-id", "new-request")];
            if seen {
                SEEN.lock().unwrap().push(shown.clone());
            }
            (status, ids, shown)
        });
    tokio::spawn(async { axum::serve(listener, echo).await });
    url
}

/// The requests that the echoing API got with the header `x-seen`.
static SEEN: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());

/// The request whose header `x-seen` has this value.
fn seen(mark: &str) -> Value {
    let all = SEEN.lock().unwrap();
    let mut all = all.iter().map(|text| serde_json::from_str::<Value>(text).unwrap());
    all.find(|request| request["headers"]["x-seen"] == mark).unwrap()
}

impl Running {
    async fn get(&self, path: &str) -> (u16, Value) {
        let answer = self.client.get(format!("{}{path}", self.url)).send().await.unwrap();
        let status = answer.status().as_u16();
        assert_eq!(answer.headers()["cache-control"], "no-store", "{path}");
        (status, answer.json().await.unwrap())
    }

    async fn text(&self, path: &str) -> String {
        let answer = self.client.get(format!("{}{path}", self.url)).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/plain; charset=utf-8", "{path}");
        answer.text().await.unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let answer =
            self.client.post(format!("{}{path}", self.url)).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Records a request with secrets, and the response 409.
    fn record(&self, id: &str, mark: &str) {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("host", "127.0.0.1:3000"),
            ("authorization", "Bearer token-of-the-original"),
            ("content-type", "application/json"),
            ("content-length", "99"),
            ("idempotency-key", "key-1"),
            ("x-seen", mark),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        let begun = Begun {
            id,
            api: "Api",
            method: "POST",
            target: "/orders?token=hush-hush&dry=1",
            headers: &headers,
        };
        let activity = self.control.functions.activity();
        activity.request_begins(&begun);
        activity.request_routed(id, "POST /orders", "PostOrderFunction");
        let body = Bytes::from_static(br#"{"password":"hush-hush","quantity":2}"#);
        activity.request_has_body(id, &body);
        let mut headers = HeaderMap::new();
        headers.insert("x-request-id", format!("request-{id}").parse().unwrap());
        let body =
            Bytes::from_static(br#"{"error":{"code":"OUT_OF_STOCK","message":"none left"}}"#);
        activity.request_answered(id, 409, &headers, &body, true);
    }
}
