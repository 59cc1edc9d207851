//! The responses to valid and invalid requests.

use super::*;

#[tokio::test]
async fn a_valid_request_is_201_with_one_commit() {
    let recorder = Arc::new(Recorder::default());
    let answered = ask(&post_note(&recorder), &request("hello")).await;
    assert_eq!((answered.status, &answered.body["data"]["text"]), (201, &json!("hello")));
    let id = answered.body["data"]["id"].as_str().unwrap();
    assert_eq!(answered.headers["location"], format!("/notes/{id}"));
    assert_eq!(answered.headers["x-request-id"], "req-1");
    assert_eq!(answered.headers["cache-control"], "no-store");
    assert_eq!(answered.headers["x-content-type-options"], "nosniff");
    // The note, the shelf and the event in one commit, and nothing else before the response.
    assert_eq!(recorder.calls(), [Call::Commit(3)]);
    assert_eq!(recorder.items_of(OUTBOX).len(), 1);

    answered.deferred.perform().await;
    assert_eq!(recorder.calls()[1..], [Call::Send(1)]);
    assert_eq!(recorder.sent()[0].envelope.request_id, "req-1");
}

#[tokio::test]
async fn a_refused_caller_is_401_or_403_and_nothing_is_read_or_written() {
    let past = with(request("x"), "/requestContext/authorizer/lambda/exp", 1);
    let reader = with(request("x"), "/requestContext/authorizer/lambda/role", "READER");
    let nobody = with(request("x"), "/requestContext/authorizer", Value::Null);
    for (event, status, code) in
        [(past, 401, "UNAUTHORIZED"), (nobody, 401, "UNAUTHORIZED"), (reader, 403, "FORBIDDEN")]
    {
        let recorder = Arc::new(Recorder::default());
        let handler = post_note(&recorder);
        let answered = ask(&handler, &event).await;
        assert_eq!((answered.status, answered.code()), (status, code));
        assert_eq!(answered.body["error"]["traceId"], "req-1");
        assert_eq!(answered.headers.get("www-authenticate").is_some(), status == 401);
        assert_eq!(handler.endpoint.retrievals.load(Ordering::SeqCst), 0);
        assert_eq!(recorder.calls(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn each_failure_has_its_status_and_code_in_the_same_body_shape() {
    let base = || request("x");
    let cases = [
        (with(base(), "/rawPath", "/elsewhere"), 404, "NOT_FOUND"),
        (with(base(), "/requestContext/http/method", "PUT"), 405, "METHOD_NOT_ALLOWED"),
        (with(base(), "/headers/accept", "text/html"), 406, "NOT_ACCEPTABLE"),
        (with(base(), "/headers/content-type", "text/plain"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        (with(base(), "/body", "x".repeat(101)), 413, "PAYLOAD_TOO_LARGE"),
        (with(base(), "/body", "{"), 400, "INVALID_REQUEST"),
        (with(base(), "/body", Value::Null), 400, "INVALID_REQUEST"),
        (with(base(), "/headers/idempotency-key", "ä"), 400, "INVALID_REQUEST"),
        (request("absent"), 404, "NOT_FOUND"),
        (request("hidden"), 404, "NOT_FOUND"),
        (request("forbidden"), 403, "FORBIDDEN"),
        (request("undecided"), 409, "UNDECIDED"),
        (request("undeclared"), 500, "INTERNAL_ERROR"),
        (request("in parts"), 500, "INTERNAL_ERROR"),
        (request("broken"), 500, "INTERNAL_ERROR"),
        (request("panic"), 500, "INTERNAL_ERROR"),
        (request("hang"), 504, "TIMED_OUT"),
        (with(base(), "/isBase64Encoded", true), 400, "INVALID_REQUEST"),
        (with(base(), "/headers/x-a", "\n"), 400, "INVALID_REQUEST"),
    ];
    for (event, status, code) in cases {
        let recorder = Arc::new(Recorder::default());
        let answered = ask(&post_note(&recorder), &event).await;
        assert_eq!((answered.status, answered.code()), (status, code), "{event}");
        assert!(!answered.raw.contains("hunter2"), "{}", answered.raw);
        assert_eq!(recorder.items_of(OUTBOX).len(), 0, "{event}");
        let line: Value = serde_json::from_str(&answered.deferred.lines[0]).unwrap();
        assert_eq!(line["status"], status.to_string());
        assert_eq!(line.get("error").is_some(), status >= 500, "{line}");
    }
}

#[tokio::test]
async fn a_body_of_the_largest_size_is_read_and_one_byte_more_is_413() {
    for (bytes, status) in [(100, 201), (101, 413)] {
        let recorder = Arc::new(Recorder::default());
        let event = request(&"x".repeat(bytes - r#"{"text":""}"#.len()));
        assert_eq!(ask(&post_note(&recorder), &event).await.status, status, "{bytes}");
    }
}

#[tokio::test]
async fn all_field_errors_of_a_request_are_in_one_response() {
    let recorder = Arc::new(Recorder::default());
    let event = with(request("x"), "/body", r#"{"text":7,"more":1}"#);
    let event = with(event, "/headers/idempotency-key", "no spaces please");
    let answered = ask(&post_note(&recorder), &event).await;
    let details = answered.body["error"]["details"].as_array().unwrap();
    let fields: Vec<&str> = details.iter().map(|d| d["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["/more", "/text", "header.Idempotency-Key"]);
}

#[tokio::test]
async fn an_unsupported_body_is_415_with_the_supported_types_and_codings() {
    for (header, value, told, offered) in [
        ("content-type", "text/plain", "accept", "application/json"),
        ("content-type", "application/problem+json", "accept", "application/json"),
        ("content-type", "application/json; charset=latin1", "accept", "application/json"),
        ("content-encoding", "gzip", "accept-encoding", "identity"),
    ] {
        let recorder = Arc::new(Recorder::default());
        let event = with(request("x"), &format!("/headers/{header}"), value);
        let answered = ask(&post_note(&recorder), &event).await;
        assert_eq!((answered.status, answered.code()), (415, "UNSUPPORTED_MEDIA_TYPE"), "{value}");
        assert_eq!(answered.headers[told], offered, "{value}");
    }
}

#[tokio::test]
async fn no_response_to_an_invalid_request_exceeds_16_kib() {
    let long = "\u{1}~/\u{1f980}\"".repeat(20_000);
    let names = (0..5_000).map(|n| format!("{n}%01=1")).collect::<Vec<_>>().join("&");
    let asked = || get_request("x");
    let mut many = json!({ "noteId": long });
    for number in 0..5_000 {
        many[format!("{number}{}", &long[..1_000])] = "x".into();
    }
    let mut named = json!({});
    named[long.as_str()] = "a header".into();
    for event in [
        with(asked(), "/rawPath", format!("/{long}")),
        with(asked(), "/pathParameters", many),
        with(with(asked(), "/rawQueryString", names), "/headers/x-request-id", long.clone()),
        with(asked(), "/headers", named),
    ] {
        for accept in ["application/json", "application/problem+json", &long] {
            let recorder = Arc::new(Recorder::default());
            let event = with(event.clone(), "/headers/accept", accept);
            let answered = ask(&get_note(&recorder), &event).await;
            assert!([400, 404, 406].contains(&answered.status), "{}", answered.raw);
            assert!(answered.raw.len() <= 16 * 1024, "{} bytes", answered.raw.len());
        }
    }
}

#[tokio::test]
async fn problem_details_have_the_same_data_if_the_client_accepts_them() {
    let recorder = Arc::new(Recorder::default());
    let event = with(request(""), "/headers/accept", "application/problem+json");
    let answered = ask(&post_note(&recorder), &event).await;
    assert_eq!(answered.headers["content-type"], "application/problem+json");
    let expected = json!({
        "type": "about:blank", "title": "Bad Request", "status": 400,
        "detail": "The request is invalid.", "instance": "/notes", "code": "INVALID_REQUEST",
        "traceId": "req-1", "errors": [{ "field": "/text", "message": "must not be empty" }],
    });
    assert_eq!(answered.body, expected);
}

#[tokio::test]
async fn a_request_id_that_is_invalid_is_replaced() {
    for (sent, kept) in [("a", true), ("", false), ("a b", false), (&"x".repeat(129), false)] {
        let recorder = Arc::new(Recorder::default());
        let event = with(request("x"), "/headers/x-request-id", sent);
        let answered = ask(&post_note(&recorder), &event).await;
        assert_eq!(answered.headers["x-request-id"] == sent, kept, "{sent:?}");
    }
}

#[tokio::test]
async fn a_get_has_an_entity_tag_and_is_304_if_the_client_sends_it() {
    let recorder = Arc::new(Recorder::default());
    let handler = get_note(&recorder);
    let event = get_request(&store_note(&recorder));
    let first = ask(&handler, &event).await;
    assert_eq!(
        (first.status, &first.headers["cache-control"]),
        (200, &json!("public, max-age=60"))
    );
    let again = with(
        event,
        "/headers/if-none-match",
        format!("\"x\", W/{}", first.headers["etag"].as_str().unwrap()),
    );
    let again = ask(&handler, &again).await;
    assert_eq!((again.status, again.raw.as_str()), (304, ""));
    assert_eq!(again.headers["etag"], first.headers["etag"]);
    assert!(again.headers.get("content-type").is_none());
}

#[tokio::test]
async fn an_invalid_path_parameter_is_400_with_its_field() {
    let recorder = Arc::new(Recorder::default());
    let answered = ask(&get_note(&recorder), &get_request("1%20OR%201=1")).await;
    assert_eq!((answered.status, answered.code()), (400, "INVALID_REQUEST"));
    assert_eq!(answered.body["error"]["details"][0]["field"], "path.noteId");
}

#[tokio::test]
async fn only_configured_origins_may_read_responses() {
    let recorder = Arc::new(Recorder::default());
    for (origin, allowed) in [("https://shelf.example", true), ("https://evil.example", false)] {
        let event = with(request("x"), "/headers/origin", origin);
        let answered = ask(&post_note(&recorder), &event).await;
        let header = answered.headers.get("access-control-allow-origin");
        assert_eq!(header.is_some_and(|header| header == origin), allowed, "{origin}");
    }
}
