//! Requests that are sent again or copied.

use serde_json::{Value, json};

use super::{TOKEN, running, seen};

#[tokio::test]
async fn a_request_is_sent_again_with_its_secret_values() {
    let running = running().await;
    running.record("id-1", "again");

    let (status, sent) = running.post("/activity/requests/id-1/resend", json!({})).await;

    assert_eq!(
        (status, &sent["status"], &sent["id"]),
        (200, &json!(418), &json!("new-id")),
        "{sent}"
    );
    assert_eq!(sent["requestId"], "new-request");
    let again = seen("again");
    assert_eq!(
        (&again["method"], &again["uri"]),
        (&json!("POST"), &json!("/orders?token=hush-hush&dry=1"))
    );
    assert_eq!(again["body"], r#"{"password":"hush-hush","quantity":2}"#);
    let headers = &again["headers"];
    assert_eq!(headers["authorization"], "Bearer token-of-the-original");
    assert_eq!(
        (&headers["idempotency-key"], &headers["x-console-client"]),
        (&json!("key-1"), &json!("console"))
    );
    assert_eq!(headers["host"], running.control.api_url.trim_start_matches("http://"));
    assert_eq!(headers["content-length"], "37");
}

#[tokio::test]
async fn an_edited_request_keeps_hidden_values_and_gets_key_account_and_client() {
    let running = running().await;
    running.record("id-1", "first");
    let changes = json!({
        "idempotencyKey": "new", "account": "ada", "client": "page-7",
        "body": "{\"password\":\"•••\",\"quantity\":3}",
        "path": "/orders?token=•••",
        "headers": [["content-type", "application/json"], ["x-seen", "edited"]],
    });

    let (status, sent) = running.post("/activity/requests/id-1/resend", changes).await;

    assert_eq!(status, 200, "{sent}");
    let edited = seen("edited");
    assert_eq!(edited["uri"], "/orders?token=hush-hush");
    let body: Value = serde_json::from_str(edited["body"].as_str().unwrap()).unwrap();
    assert_eq!(body, json!({"password": "hush-hush", "quantity": 3}));
    let headers = &edited["headers"];
    assert_eq!(headers["authorization"], format!("Bearer {TOKEN}"));
    assert_eq!(headers["x-console-client"], "page-7");
    assert_ne!(headers["idempotency-key"], "key-1");
    assert!(headers["idempotency-key"].as_str().is_some_and(|key| key.len() == 36), "{headers}");

    let changes = json!({
        "idempotencyKey": "none", "headers": [["idempotency-key", "k"], ["x-seen", "keyless"]],
    });
    running.post("/activity/requests/id-1/resend", changes).await;
    assert_eq!(seen("keyless")["headers"].get("idempotency-key"), None);
}

#[tokio::test]
async fn changes_that_cannot_be_made_are_refused_with_the_reason() {
    let running = running().await;
    running.record("id-1", "-");
    for (changes, status, reason) in [
        (json!({"idempotencyKey": "old"}), 400, "at idempotencyKey: unknown variant"),
        (json!({"colour": "red"}), 400, "unknown field `colour`"),
        (json!({"path": "orders"}), 400, "path: it begins with a slash"),
        (json!({"path": "/a b"}), 400, "path: "),
        (json!({"headers": [["a b", "c"]]}), 400, "headers: a b"),
        (json!({"body": "{\"secret\":\"•••\"}"}), 400, "body: /secret: the hidden value"),
        (json!({"client": "a\nb"}), 400, "client is invalid"),
        (json!({"account": "zoe"}), 404, "there is no such account"),
        (json!({"account": "eve"}), 502, "eve cannot sign in: POST /refused returned 401"),
    ] {
        let (got, answer) = running.post("/activity/requests/id-1/resend", changes.clone()).await;
        assert_eq!(got, status, "{changes}: {answer}");
        assert!(answer["error"].as_str().unwrap().contains(reason), "{changes}: {answer}");
    }
    let (status, _) = running.post("/activity/requests/none/resend", json!({})).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_request_is_copied_as_a_command_and_a_test_without_secrets() {
    let running = running().await;
    running.record("id-1", "-");
    let curl = running.text("/activity/requests/id-1/curl").await;
    assert!(curl.starts_with("curl -X POST"), "{curl}");
    assert!(curl.contains("/orders?token='\"${TOKEN:?}\"'&dry=1'"), "{curl}");
    assert!(curl.contains("-H 'authorization: Bearer '\"${TOKEN_2:?}\""), "{curl}");
    let test = running.text("/activity/requests/id-1/test").await;
    assert!(test.contains("async fn post_orders_is_409()"), "{test}");
    assert!(test.contains("\"password\": password,"), "{test}");
    for text in [curl, test] {
        assert!(!text.contains("hush") && !text.contains("token-of"), "{text}");
    }
}
