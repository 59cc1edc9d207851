//! Requests with the token of an account.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::{PASSWORD, TOKEN, running};

#[tokio::test]
async fn a_request_below_api_gets_the_token_of_its_account_by_one_sign_in() {
    let running = running().await;
    let call = async |account: &'static str| {
        let request = running.client.get(format!("{}/api/orders", running.url));
        let answer = request.header("x-console-account", account).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };

    let calls = futures::future::join_all((0..5).map(|_| call("ada"))).await;

    for (status, answer) in calls {
        assert_eq!((status, &answer["uri"]), (418, &json!("/orders")));
        assert_eq!(answer["headers"]["authorization"], format!("Bearer {TOKEN}"));
        assert_eq!(answer["headers"].get("x-console-account"), None);
    }
    assert_eq!(running.sign_ins.load(Ordering::SeqCst), 1);
    assert_eq!(call("bob").await.1["headers"]["authorization"], "Bearer token-of-bob");
    assert_eq!((call("zoe").await.0, call("eve").await.0), (404, 502));
    // The token is not valid on the platform's clock any more.
    running.control.stores.clock().set_offset(900).unwrap();
    call("ada").await;
    assert_eq!(running.sign_ins.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_refused_token_is_renewed_for_the_next_request() {
    let running = running().await;
    let call = async |path: &str| {
        let request = running.client.get(format!("{}/api{path}", running.url));
        request.header("x-console-account", "ada").send().await.unwrap().status()
    };
    assert_eq!(call("/unauthorized").await, 401);
    assert_eq!(call("/orders").await, 418);
    assert_eq!(running.sign_ins.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn the_accounts_are_listed_without_the_way_they_sign_in() {
    let running = running().await;
    let (status, accounts) = running.get("/activity/accounts").await;
    let expected = json!({"accounts": [
        {"name": "ada", "role": "MEMBER", "note": "the first"},
        {"name": "bob", "role": "ADMIN", "note": ""},
        {"name": "eve", "role": "NONE", "note": ""},
    ]});
    assert_eq!((status, accounts), (200, expected));
    let redaction = running.control.functions.activity().redaction();
    assert_eq!(redaction.text(&format!("{PASSWORD} token-of-bob")), "••• •••");
}
