//! The authorizer's result for a token, and authentication in stage 2.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value, json};

use super::recorder::Recorder;
use super::{ask, post_note, request, with};
use crate::caller::{TokenError, TokenVerifier};
use crate::runtime::authorizer;
use crate::runtime::invocation::{Handler as _, Invocation, InvocationResult};
use crate::telemetry::{request_id, traceparent, tracestate};
use crate::{Claims, Deadline, ServiceError, Timestamp, clock};

/// A verifier whose result is determined by the token.
pub(super) struct Obedient;

#[async_trait]
impl TokenVerifier for Obedient {
    async fn verify(&self, token: &str, _: Timestamp) -> Result<Claims, TokenError> {
        let unavailable =
            ServiceError::Unavailable { retry_after_s: 7, source: "it is down".into() };
        match token {
            "good" => Ok(ada()),
            "told" => {
                let told = [request_id(), traceparent(), tracestate()].map(Value::from);
                Ok([("sub".to_owned(), Value::from(told.to_vec()))].into_iter().collect())
            }
            "slow" => Err(TokenError::ServiceError(ServiceError::TimedOut)),
            "down" => Err(TokenError::ServiceError(unavailable)),
            "broken" => Err(TokenError::ServiceError(ServiceError::internal("no key set"))),
            "panic" => panic!("the verifier panicked"),
            "hang" => {
                tokio::time::sleep(Duration::from_hours(1)).await;
                Ok(ada())
            }
            _ => Err(TokenError::Refused("not a token")),
        }
    }
}

fn ada() -> Claims {
    let claims = json!({ "sub": "ada", "role": "AUTHOR", "exp": 32_503_680_000_i64 });
    claims.as_object().unwrap().clone()
}

/// Returns the authorizer's response to an event.
async fn authorized(event: &str) -> Value {
    let handler = authorizer::Handler { verifier: Arc::new(Obedient), service: "notes".to_owned() };
    let invocation = Invocation {
        invocation_id: "invocation-1".to_owned(),
        event: Bytes::from(event.to_owned()),
        deadline: Deadline::after(Duration::from_secs(9)),
        x_ray: None,
        cold_start: false,
    };
    let Ok(InvocationResult::Json(answer)) = handler.handle(invocation).await.answer else {
        panic!("an authorizer never fails")
    };
    answer
}

#[tokio::test(start_paused = true)]
async fn the_authorizer_admits_every_request_with_its_verdict() {
    let unavailable = json!("unavailable");
    for (shown, verdict) in [
        (json!(["Bearer good"]), Value::Null),
        (json!(["bearer good"]), Value::Null),
        (json!("Bearer good"), Value::Null),
        (json!(["Bearer bad"]), json!("refused")),
        (json!(["Bearer"]), json!("refused")),
        (json!(["Basic good"]), json!("refused")),
        (json!(["Bearer good", "Bearer good"]), json!("refused")),
        (json!(["Bearer good,Bearer good"]), json!("refused")),
        (json!([]), json!("refused")),
        (json!([7]), json!("refused")),
        (json!(null), json!("refused")),
        (json!({}), json!("refused")),
        (json!(["Bearer down"]), unavailable.clone()),
        (json!(["Bearer slow"]), unavailable.clone()),
        (json!(["Bearer broken"]), unavailable.clone()),
        (json!(["Bearer panic"]), unavailable.clone()),
        (json!(["Bearer hang"]), unavailable.clone()),
    ] {
        let answer = authorized(&json!({ "identitySource": shown }).to_string()).await;
        assert_eq!(answer["isAuthorized"], true, "{shown}");
        assert_eq!(answer["context"]["verdict"], verdict, "{shown}");
        let claims = if verdict.is_null() { ada() } else { Claims::new() };
        assert_eq!(answer["context"].get("sub"), claims.get("sub"), "{shown}");
        assert_eq!(answer["context"].get("at").is_some(), verdict == unavailable, "{shown}");
    }
}

#[tokio::test]
async fn the_authorizer_runs_with_the_request_id_and_trace_of_the_request() {
    let told = async |headers: Value| {
        let event = json!({ "identitySource": ["Bearer told"], "headers": headers });
        authorized(&event.to_string()).await["context"]["sub"].clone()
    };
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("00-{trace}-b7ad6b7169203331-01");
    let headers =
        json!({ "X-Request-Id": "req-1", "traceparent": parent, "tracestate": "vendor=1" });
    let named = told(headers).await;
    assert_eq!((&named[0], &named[2]), (&json!("req-1"), &json!("vendor=1")));
    assert!(named[1].as_str().unwrap().contains(trace), "{named}");
    for headers in [json!({ "x-request-id": "a b" }), json!({}), json!(null), json!([])] {
        let made = told(headers.clone()).await;
        assert_eq!(made[0].as_str().map(str::len), Some(36), "{headers}: {made}");
    }
}

#[tokio::test]
async fn an_invalid_event_is_a_refusal_and_no_error() {
    for event in ["", "null", "{}", "[]", "7", "{", r#"{"type":"TOKEN"}"#] {
        let answer = authorized(event).await;
        let refused = json!({ "isAuthorized": true, "context": { "verdict": "refused" } });
        assert_eq!(answer, refused, "{event}");
    }
}

/// A request with this `requestContext.authorizer`. Only the authorizer knows whether its token is
/// valid.
fn shown(authorizer: impl Into<Value>) -> Value {
    let event = with(request("x"), "/requestContext/authorizer", authorizer);
    with(event, "/headers/authorization", "Bearer good")
}

#[tokio::test]
async fn an_unexpected_authorizer_context_is_401() {
    let claims = || Value::from(ada());
    let verdict = |verdict: Value| {
        let mut context = claims();
        context["verdict"] = verdict;
        json!({ "lambda": context })
    };
    for authorizer in [
        json!(null),
        json!({}),
        json!({ "lambda": null }),
        json!({ "lambda": {} }),
        json!({ "lambda": "ada" }),
        json!({ "lambda": [claims()] }),
        json!({ "jwt": { "claims": claims() } }),
        json!({ "jwt": 7, "iam": [] }),
        json!("ada"),
        json!([claims()]),
        json!(7),
        json!({ "lambda": { "verdict": "refused" } }),
        verdict(json!("refused")),
        verdict(json!("verified")),
        verdict(json!(null)),
        verdict(json!(7)),
        json!({ "lambda": { "sub": "ada", "role": "AUTHOR" } }),
        json!({ "lambda": { "sub": "ada", "role": "AUTHOR", "exp": "soon" } }),
        json!({ "lambda": { "sub": 7, "role": "AUTHOR", "exp": 32_503_680_000_i64 } }),
    ] {
        let recorder = Arc::new(Recorder::default());
        let answered = ask(&post_note(&recorder), &shown(authorizer.clone())).await;
        assert_eq!((answered.status, answered.code()), (401, "UNAUTHORIZED"), "{authorizer}");
        let challenge = &answered.headers["www-authenticate"];
        assert_eq!(challenge, "Bearer realm=\"api\", error=\"invalid_token\"", "{authorizer}");
        assert_eq!(recorder.calls(), [], "{authorizer}");
    }
}

#[tokio::test]
async fn refused_requests_count_for_their_source_and_for_no_other_caller() {
    let recorder = Arc::new(Recorder::default());
    let handler = post_note(&recorder);
    let refused = shown(json!({ "lambda": { "verdict": "refused" } }));
    for _ in 0..120 {
        let answered = ask(&handler, &refused).await;
        assert_eq!(answered.status, 401);
        assert!(answered.headers.get("ratelimit").is_some());
    }
    let answered = ask(&handler, &refused).await;
    assert_eq!((answered.status, answered.code()), (429, "RATE_LIMIT_EXCEEDED"));
    assert_eq!(
        ask(&handler, &request("x")).await.status,
        201,
        "a signed-in caller is counted separately"
    );
    let elsewhere = with(refused, "/requestContext/http/sourceIp", "192.0.2.2");
    assert_eq!(ask(&handler, &elsewhere).await.status, 401);
}

#[tokio::test]
async fn a_request_without_a_token_is_401_with_a_challenge_without_error() {
    for credentials in [None, Some("Basic YTpi"), Some("Bearer"), Some("Bearer ")] {
        let recorder = Arc::new(Recorder::default());
        let event = with(request("x"), "/requestContext/authorizer", Value::Null);
        let event = credentials
            .iter()
            .fold(event, |event, credentials| with(event, "/headers/authorization", *credentials));
        let answered = ask(&post_note(&recorder), &event).await;
        assert_eq!((answered.status, answered.code()), (401, "UNAUTHORIZED"), "{credentials:?}");
        assert_eq!(answered.headers["www-authenticate"], "Bearer realm=\"api\"", "{credentials:?}");
    }
}

#[tokio::test]
async fn an_unverified_token_is_503_with_retry_after_the_end_of_the_cache() {
    let seconds = clock::now().as_seconds();
    for (at, expected) in [(json!(seconds - 100), 195..=200), (json!(null), 300..=300)] {
        let recorder = Arc::new(Recorder::default());
        let mut context = Value::from(ada());
        context["verdict"] = json!("unavailable");
        context["at"] = at.clone();
        let answered = ask(&post_note(&recorder), &shown(json!({ "lambda": context }))).await;
        assert_eq!((answered.status, answered.code()), (503, "SERVICE_UNAVAILABLE"), "{at}");
        let retry_after = answered.headers["retry-after"].as_str().unwrap().parse::<u32>();
        assert!(expected.contains(&retry_after.unwrap()), "{at}: {}", answered.headers);
        assert_eq!(recorder.calls(), [], "{at}");
    }
}

#[tokio::test]
async fn claims_are_read_in_every_spelling_of_a_gateway() {
    for exp in [json!("32503680000"), json!(32_503_680_000.0), json!(32_503_680_000.5)] {
        let recorder = Arc::new(Recorder::default());
        let event = with(request("x"), "/requestContext/authorizer/lambda/exp", exp.clone());
        assert_eq!(ask(&post_note(&recorder), &event).await.status, 201, "{exp}");
    }
}

/// If signing in is optional, the endpoint itself verifies the token: [`super::notes::GetNote`].
mod optional {
    use super::*;
    use crate::runtime::tests::{get_note_verified_by, get_request, store_note};

    async fn read(event: Value) -> super::super::Answered {
        let recorder = Arc::new(Recorder::default());
        let handler = get_note_verified_by(&recorder, Arc::new(Obedient));
        store_note(&recorder);
        ask(&handler, &event).await
    }

    fn shown(credentials: &str) -> Value {
        let id = store_note(&Recorder::default());
        with(get_request(&id), "/headers/authorization", credentials)
    }

    #[tokio::test]
    async fn a_token_is_verified_and_a_bad_one_is_401() {
        for (credentials, status) in [
            ("Bearer good", 200),
            ("Bearer bad", 401),
            ("Bearer good,Bearer good", 401),
            ("Basic good", 401),
            ("Bearer", 401),
            ("", 401),
            ("Bearer gööd", 401),
        ] {
            let answered = read(shown(credentials)).await;
            assert_eq!(answered.status, status, "{credentials}");
            let challenged = answered.headers.get("www-authenticate").is_some();
            assert_eq!(challenged, status == 401, "{credentials}");
        }
    }

    #[tokio::test]
    async fn unavailable_keys_are_503_for_every_reason() {
        for (token, seconds) in [("down", "7"), ("slow", "1"), ("broken", "1")] {
            let answered = read(shown(&format!("Bearer {token}"))).await;
            assert_eq!((answered.status, answered.code()), (503, "SERVICE_UNAVAILABLE"), "{token}");
            assert_eq!(answered.headers["retry-after"], seconds, "{token}");
        }
    }

    #[tokio::test]
    async fn a_request_without_a_token_is_200_and_verifies_nothing() {
        let id = store_note(&Recorder::default());
        assert_eq!(read(get_request(&id)).await.status, 200);
    }

    #[tokio::test]
    async fn the_verdict_of_an_authorizer_precedes_the_endpoints_verifier() {
        for (context, status) in [
            (json!({ "verdict": "refused" }), 401),
            (json!({ "verdict": "unavailable" }), 503),
            (Value::from(ada()), 200),
        ] {
            let authorizer = json!({ "lambda": context });
            let event = with(shown("Bearer good"), "/requestContext/authorizer", authorizer);
            assert_eq!(read(event).await.status, status, "{context}");
        }
    }
}
