//! Tests of authorizers.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use http::Request;
use sam_template::{ApiKind, Route};

use super::super::event::Target;
use super::*;
use crate::activity::Activity;
use crate::clock::Clock;
use crate::functions::scripted;

/// An authorizer by one header.
fn by_header(cache_ttl: Duration) -> sam_template::Authorizer {
    sam_template::Authorizer {
        function: "Check".to_owned(),
        format: AuthorizerFormat::Simple,
        identity_headers: vec!["authorization".to_owned()],
        identity_query_strings: Vec::new(),
        cache_ttl,
    }
}

/// The invocations of an authorizer by requests with one identity. It fails each time.
async fn invocations(
    settings: sam_template::Authorizer,
    requests: impl AsyncFnOnce(&Arc<Authorizer>, &Exchange<'_>),
) -> u64 {
    let clock = Clock::default();
    let config = scripted::config("Check", Duration::from_secs(3));
    let functions = scripted::warm(config, &clock, &Activity::new(&clock)).await;
    let before = functions.counts()["Check"].invocations;
    let authorizer = Authorizer::new("Token", settings, functions.clone(), Arc::default());
    let authorizer = Arc::new(authorizer);
    let request = Request::get("/a").header("authorization", "one").body(()).unwrap();
    let (parts, ()) = request.into_parts();
    let route = Route {
        method: "GET".to_owned(),
        path: "/a".to_owned(),
        function: "F".to_owned(),
        authorizer: Some("Token".to_owned()),
        timeout: None,
    };
    let exchange = Exchange {
        api: Target { id: "local", kind: &ApiKind::Http, stage: "$default" },
        parts: &parts,
        path: "/a",
        route: &route,
        parameters: &BTreeMap::new(),
        source_ip: Ipv4Addr::LOCALHOST.into(),
        request_id: "id",
        received: clock.now(),
    };
    requests(&authorizer, &exchange).await;
    functions.counts()["Check"].invocations - before
}

/// Two concurrent requests.
async fn two(authorizer: &Arc<Authorizer>, exchange: &Exchange<'_>) {
    tokio::join!(authorizer.authorize(exchange), authorizer.authorize(exchange)).0.unwrap_err();
}

#[tokio::test]
async fn only_with_a_caching_time_do_concurrent_requests_share_a_call() {
    assert_eq!(invocations(by_header(Duration::ZERO), two).await, 2);
    assert_eq!(invocations(by_header(Duration::from_mins(5)), two).await, 1);
}

/// The first client disconnects during the call, which then fails.
async fn abandoned_and_later(authorizer: &Arc<Authorizer>, exchange: &Exchange<'_>) {
    assert!(authorizer.authorize(exchange).now_or_never().is_none());
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    authorizer.authorize(exchange).await.unwrap_err();
}

#[tokio::test]
async fn a_call_whose_client_disconnects_is_over_for_later_requests() {
    let settings = by_header(Duration::from_mins(5));
    assert_eq!(invocations(settings, abandoned_and_later).await, 2);
}

/// One request, which is refused.
async fn one(authorizer: &Arc<Authorizer>, exchange: &Exchange<'_>) {
    authorizer.authorize(exchange).await.unwrap_err();
}

#[tokio::test]
async fn a_call_needs_the_query_parameters_of_the_identity_if_there_are_any() {
    let by_query = |names: Vec<String>| sam_template::Authorizer {
        format: AuthorizerFormat::Request,
        identity_headers: Vec::new(),
        identity_query_strings: names,
        ..by_header(Duration::ZERO)
    };
    assert_eq!(invocations(by_query(vec![]), one).await, 1);
    assert_eq!(invocations(by_query(vec!["auth".to_owned()]), one).await, 0);
}

#[test]
fn the_message_unauthorized_is_a_401_of_a_rest_api() {
    let error = |message: &str| {
        let error_type = "Error".to_owned();
        Err(InvokeError::FunctionError { error_type, message: message.to_owned() })
    };
    assert_eq!(read_policy(error("Unauthorized")), AuthorizerDecision::Unauthorized);
    assert_eq!(read_policy(error("unreachable")), AuthorizerDecision::Failed);
    assert_eq!(read_policy(Ok(Bytes::from_static(b"{}"))), AuthorizerDecision::Failed);
}

#[test]
fn an_authorizers_response_becomes_a_decision() {
    let error = |message: &str| {
        let error_type = "Error".to_owned();
        Err(InvokeError::FunctionError { error_type, message: message.to_owned() })
    };
    let json = |text: &'static str| Ok(Bytes::from_static(text.as_bytes()));
    let context = serde_json::json!({"sub": "u"});
    let cases = [
        (
            json(r#"{"isAuthorized":true,"context":{"sub":"u"}}"#),
            AuthorizerDecision::Allowed(context),
        ),
        (json(r#"{"isAuthorized":false}"#), AuthorizerDecision::Forbidden),
        (json("{}"), AuthorizerDecision::Failed),
        (error("Unauthorized"), AuthorizerDecision::Failed),
        (error("keys unreachable"), AuthorizerDecision::Failed),
        (Err(InvokeError::Throttled), AuthorizerDecision::Failed),
    ];

    for (result, expected) in cases {
        assert_eq!(read(result), expected);
    }
}

#[test]
fn a_missing_or_empty_identity_header_is_no_identity() {
    let names = ["authorization".to_owned()];
    let mut headers = HeaderMap::new();
    assert_eq!(in_headers(&names, &headers), None);
    headers.insert("authorization", http::HeaderValue::from_static(""));
    assert_eq!(in_headers(&names, &headers), None);
    headers.insert("authorization", http::HeaderValue::from_static("Bearer x"));
    assert_eq!(in_headers(&names, &headers), Some(vec!["Bearer x".to_owned()]));
}

#[test]
fn an_identity_has_all_values_with_invalid_bytes_replaced() {
    let names = ["authorization".to_owned()];
    let identified = |values: &[&'static [u8]]| {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = http::HeaderValue::from_bytes(value).unwrap();
            headers.append("authorization", value);
        }
        in_headers(&names, &headers).unwrap().remove(0)
    };
    assert_eq!(identified(&[b"Bearer x", b"Bearer y"]), "Bearer x,Bearer y");
    assert_eq!(identified(&[b"Bearer x", b"\xff"]), "Bearer x,\u{fffd}");
    assert_eq!(identified(&[b"\xff", b"Bearer x"]), "\u{fffd},Bearer x");
    assert_eq!(identified(&[b"Bearer x", b""]), "Bearer x,");
}

#[test]
fn a_missing_or_empty_query_parameter_is_no_identity_and_all_its_values_are_one() {
    let identified = |query: &str| {
        let request = Request::get(format!("/a?{query}")).body(()).unwrap();
        in_query(&["auth".to_owned()], &request.into_parts().0)
    };
    for missing in ["", "b=1", "Auth=1", "auth", "auth="] {
        assert_eq!(identified(missing), None, "{missing}");
    }
    assert_eq!(identified("b=1&auth=a%20b"), Some(vec![r#"["a b"]"#.to_owned()]));
    assert_ne!(identified("auth=a&auth=b"), identified("auth=a,b"));
}
