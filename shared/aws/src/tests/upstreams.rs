//! The client of third-party services, against servers in this process.

use std::convert::Infallible;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use lifecycle::resource::Resource;
use lifecycle::{Deadline, ServiceError, Upstream};
use serde_json::json;

use super::stores::{connect, environment, serve, stub};
use crate::upstream::{BODY_BYTES_MAX, Client, Request, UpstreamError};

const PARTNER: Upstream = Upstream::new("partner");

fn client_of(url: &str) -> Client {
    let mut environment = environment();
    environment.insert("PARTNER_URL", format!("{url}/"));
    connect(&[Resource::Upstream(PARTNER)], environment).upstream(PARTNER)
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(5))
}

#[tokio::test]
async fn a_request_arrives_with_path_query_headers_and_body() {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = Arc::clone(&seen);
    let service = service_fn(move |request: http::Request<Incoming>| {
        let header = |name| request.headers().get(name).map_or("", |value| value.to_str().unwrap());
        let line = [
            request.method().as_str(),
            &request.uri().to_string(),
            header("authorization"),
            header("content-type"),
            header("content-length"),
        ];
        noted.lock().unwrap().push(line.join(" "));
        async { Ok::<_, Infallible>(Response::new(r#"{"ok":true}"#.to_owned())) }
    });
    let client = client_of(&serve(service, Arc::default()).await);
    for request in [
        Request::get("/v2/list").query("page", 1).query("category", "a&b"),
        Request::post_form("/oauth/token", &[("scope", "a b")]),
        Request::post_json("/notes", &json!({ "n": 1 })).bearer("t"),
    ] {
        let answer = client.send_before(soon(), &request).await.unwrap().success().unwrap();
        assert_eq!(answer.json::<serde_json::Value>().unwrap(), json!({ "ok": true }));
    }
    let expected = [
        "GET /v2/list?page=1&category=a%26b   ",
        "POST /oauth/token  application/x-www-form-urlencoded 9",
        "POST /notes Bearer t application/json 7",
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[tokio::test]
async fn only_repeatable_requests_with_429_or_5xx_are_sent_three_times() {
    let post = || Request::new(Method::POST, "/");
    for (status, request, sent) in [
        (503, Request::get("/"), 3),
        (429, Request::new(Method::PUT, "/"), 3),
        (500, post(), 1),
        (500, post().repeatable(), 3),
        (404, Request::get("/"), 1),
    ] {
        let (url, counts) = stub(status, "{}").await;
        let answer = client_of(&url).send_before(soon(), &request).await.unwrap();
        assert_eq!(answer.status, status, "the last response is returned");
        assert_eq!(counts.requests.load(SeqCst), sent, "{request:?} {status}");
    }
}

#[tokio::test]
async fn nothing_is_sent_when_no_time_is_left() {
    let (url, counts) = stub(503, "{}").await;
    let barely = Deadline::after(Duration::from_millis(501));
    tokio::time::sleep(Duration::from_millis(2)).await;
    let sent = client_of(&url).send_before(barely, &Request::get("/")).await;
    assert!(matches!(sent, Err(UpstreamError::TimedOut { .. })), "{sent:?}");
    assert_eq!(counts.requests.load(SeqCst), 0);
}

#[tokio::test]
async fn a_refused_connection_is_a_connection_error() {
    let sent = client_of("http://127.0.0.1:1").send_before(soon(), &Request::get("/")).await;
    let error = sent.unwrap_err();
    assert!(matches!(error, UpstreamError::Connection { .. }), "{error:?}");
    assert!(matches!(ServiceError::from(error), ServiceError::Upstream(_)));
}

#[tokio::test]
async fn a_slow_connection_is_tried_three_times_and_is_a_connection_error() {
    // Two connections that are not accepted fill the queue; the system does not answer a third one.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let connect = || tokio::net::TcpStream::connect(address);
    let _queued = (connect().await.unwrap(), connect().await.unwrap());
    let started = tokio::time::Instant::now();
    let url = format!("http://{address}");
    let error = client_of(&url).send_before(soon(), &Request::get("/")).await.unwrap_err();
    assert!(matches!(error, UpstreamError::Connection { .. }), "{error:?}");
    assert!(matches!(ServiceError::from(error), ServiceError::Upstream(_)));
    let took = started.elapsed().as_millis();
    assert!((3_000..3_900).contains(&took), "each of three tries takes a second: {took} ms");
}

#[tokio::test]
async fn a_response_that_takes_too_long_is_not_retried() {
    let service = service_fn(move |_: http::Request<Incoming>| async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok::<_, Infallible>(Response::new(String::new()))
    });
    let client = client_of(&serve(service, Arc::default()).await);
    let started = tokio::time::Instant::now();
    let impatient = client.with_timeout(Duration::from_millis(50));
    let error = impatient.send_before(soon(), &Request::get("/")).await.unwrap_err();
    assert!(matches!(error, UpstreamError::TimedOut { .. }), "{error:?}");
    assert!(started.elapsed() < Duration::from_millis(900), "{:?}", started.elapsed());
    assert!(matches!(ServiceError::from(error), ServiceError::TimedOut));
}

#[tokio::test]
async fn a_response_over_the_limit_is_not_read_to_its_end() {
    let service = service_fn(move |_: http::Request<Incoming>| async {
        Ok::<_, Infallible>(Response::new("x".repeat(BODY_BYTES_MAX + 1)))
    });
    let client = client_of(&serve(service, Arc::default()).await);
    let error = client.send_before(soon(), &Request::get("/")).await.unwrap_err();
    assert!(matches!(error, UpstreamError::TooLarge { .. }), "{error:?}");
}

#[tokio::test]
async fn secrets_appear_in_no_debug_or_error_text() {
    let (url, _) = stub(200, r#"{"access_token":"hush"}"#).await;
    let request = Request::post_form("/oauth/token", &[("client_secret", "hush")]).bearer("hush");
    let answer = client_of(&url).send_before(soon(), &request).await.unwrap();
    let unreadable = answer.json::<Vec<u32>>().unwrap_err();
    let shown = format!("{request:?} {answer:?} {unreadable:?} {unreadable}");
    assert!(!shown.contains("hush"), "{shown}");
}
