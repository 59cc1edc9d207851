//! Invocations whose work blocks its thread: the watchdog's response, log line and counts.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::{JoinHandle, spawn};

use async_trait::async_trait;
use tokio::time::Instant;

use super::*;
use crate::ports::Store;
use crate::runtime::invocation::Handled;
use crate::runtime::overrun::{Reconnect, end, failed};
use crate::runtime::watchdog::Watched;

/// A handler without a response for a blocked invocation.
struct Silent;

#[async_trait]
impl crate::runtime::invocation::Handler for Silent {
    async fn handle(&self, _: Invocation) -> Handled {
        unreachable!("the invocation is blocked")
    }
}

fn watched(event: &Value) -> Watched {
    let began = Instant::now().into_std();
    Watched {
        invocation_id: "invocation-1".to_owned(),
        event: Bytes::from(event.to_string()),
        x_ray: None,
        cold_start: true,
        began,
        due: began,
        ends: began + Duration::from_secs(10),
    }
}

/// A Runtime API that accepts one response. Returns its address, and the path and body of the
/// response.
fn runtime_api() -> (String, JoinHandle<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let posted = spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            let read = stream.read(&mut buffer).unwrap();
            request.extend_from_slice(&buffer[..read]);
            let text = String::from_utf8(request.clone()).unwrap();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            if let Ok(body) = serde_json::from_str(body) {
                stream.write_all(b"HTTP/1.1 202 Accepted\r\n\r\n").unwrap();
                let path = head.split(' ').nth(1).unwrap();
                return (path.rsplit_once("/invocation/").unwrap().1.to_owned(), body);
            }
        }
    });
    (address, posted)
}

#[test]
fn a_blocked_request_is_answered_by_504_and_counted() {
    let recorder = Arc::new(Recorder::default());
    let (address, posted) = runtime_api();
    let mut handler = post_note(&recorder);
    let settings = &mut Arc::get_mut(&mut handler.shared).unwrap().settings;
    settings.runtime_api = address;
    settings.rate_limit = Some(100);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(ask(&handler, &request("undecided")));
    assert!(!recorder.calls().iter().any(|call| matches!(call, Call::Count(..))));

    let store = Arc::clone(&recorder);
    let reconnect: Reconnect = Box::new(move || Ok(Arc::clone(&store) as Arc<dyn Store>));
    let shared = Arc::clone(&handler.shared);
    end(&watched(&request("hello")), &handler, &shared, Some(&reconnect));
    let (path, response) = posted.join().unwrap();
    assert_eq!((path.as_str(), &response["statusCode"]), ("invocation-1/response", &json!(504)));
    let body: Value = serde_json::from_str(response["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["error"]["code"], "TIMED_OUT");
    assert!(recorder.calls().iter().any(|call| matches!(call, Call::Count(..))));
}

#[test]
fn a_blocked_record_is_a_failed_invocation() {
    let recorder = Arc::new(Recorder::default());
    let (address, posted) = runtime_api();
    let mut shared = shared(&recorder);
    Arc::get_mut(&mut shared).unwrap().settings.runtime_api = address;
    let watched = watched(&json!({}));
    end(&watched, &Silent, &shared, None);
    let (path, error) = posted.join().unwrap();
    assert_eq!((path.as_str(), &error["errorType"]), ("invocation-1/error", &json!("TIMED_OUT")));
    assert!(recorder.calls().is_empty());

    let line: Value = serde_json::from_str(&failed(&shared, &watched, Duration::ZERO)).unwrap();
    assert_eq!((&line["level"], &line["type"]), (&json!("ERROR"), &json!("TIMED_OUT")));
    assert_eq!((&line["errors_total"], &line["function"]), (&json!(1), &json!("post_note")));
    assert_eq!(line["invocationId"], "invocation-1");
}

#[test]
fn only_the_response_to_head_has_no_body() {
    let recorder = Arc::new(Recorder::default());
    let handler = get_note(&recorder);
    for (method, has_body) in [("GET", true), ("HEAD", false)] {
        let event = with(get_request("1"), "/requestContext/http/method", method);
        let words = handler.overran(&watched(&event)).unwrap();
        let response = serde_json::to_value(words.answer).unwrap();
        assert_eq!(response["statusCode"], 504);
        let body = response["body"].as_str().unwrap_or_default();
        assert_eq!(!body.is_empty(), has_body, "{method}");
        let line: Value = serde_json::from_str(&words.line).unwrap();
        assert_eq!((&line["method"], &line["code"]), (&json!(method), &json!("TIMED_OUT")));
    }
}
