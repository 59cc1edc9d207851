//! Sign-in, and its repetition.

use std::time::Duration;

use client::Settings;
use domain::people::UserId;
use serde_json::json;
use uuid::Uuid;

use crate::server::{Server, Told};

#[tokio::test]
async fn concurrent_requests_with_a_refused_token_share_one_sign_in() {
    let error = json!({ "code": "UNAUTHORIZED", "message": "No.", "traceId": "1" });
    let unauthorized: Told = (401, vec![], json!({ "error": error }));
    let told = vec![user(), unauthorized.clone(), unauthorized.clone(), unauthorized, user()];
    let (server, client) = Server::telling(told).await;
    let ada = client.signing_in("ada@example.com", "correct-horse-battery");
    ada.get_user(id()).await.unwrap();
    let (a, b, c) = tokio::join!(ada.get_user(id()), ada.get_user(id()), ada.get_user(id()));
    for user in [a, b, c] {
        assert_eq!(user.unwrap().data.name.as_str(), "Ada");
    }
    let asked = server.asked();
    let sessions = asked.iter().filter(|asked| asked.path == "/sessions");
    assert_eq!(sessions.count(), 2, "one at the start, one for all three requests");
    let tokens: Vec<_> = asked
        .iter()
        .filter(|asked| asked.path != "/sessions")
        .map(|asked| asked.header("authorization"))
        .collect();
    assert!(tokens[..4].iter().all(|token| *token == tokens[0]), "{tokens:?}");
    assert!(tokens[4..].iter().all(|token| *token != tokens[0]), "{tokens:?}");
}

#[tokio::test]
async fn a_call_waits_for_the_sign_in_of_another_only_until_its_deadline() {
    let (_server, client) = Server::telling(vec![user()]).await;
    let ada = client.signing_in("ada@example.com", "correct-horse-battery");
    // The server takes longer for a sign-in.
    let deadline = Duration::from_millis(10);
    let hurried = ada.with_settings(Settings { deadline, ..Settings::default() });
    let (first, second) = tokio::join!(ada.get_user(id()), hurried.get_user(id()));
    first.unwrap();
    let error = second.unwrap_err().to_string();
    assert_eq!(error, "no response: another call's sign-in took too long");
}

#[tokio::test]
async fn a_second_401_is_the_result() {
    let (server, client) = Server::telling(vec![(401, vec![], json!({ "message": "No" }))]).await;
    let ada = client.signing_in("ada@example.com", "correct-horse-battery");
    assert_eq!(ada.get_user(id()).await.unwrap_err().refusal().unwrap().status, 401);
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test]
async fn a_client_with_only_a_token_does_not_sign_in_again() {
    let (server, client) = Server::telling(vec![(401, vec![], json!({ "message": "No" }))]).await;
    assert!(client.with_token("t").get_user(id()).await.is_err());
    assert_eq!(server.asked().len(), 1);
    assert_eq!(server.asked()[0].header("authorization"), "Bearer t");
}

fn user() -> Told {
    let user = json!({ "data": {
        "userId": Uuid::nil(), "email": "ada@example.com", "name": "Ada", "emailVerified": true,
        "roles": ["CUSTOMER"], "tier": "STANDARD", "createdAt": "2026-01-31T23:59:59.000Z",
    }});
    (200, vec![], user)
}

fn id() -> UserId {
    Uuid::nil().into()
}
