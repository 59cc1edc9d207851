//! Idempotency keys: each key stands for one request.

use domain::people::AddressDraft;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{ApiResponse, home, lamp, shared_platform, unique, unique_email, user};

#[tokio::test]
async fn a_repeated_key_replays_and_another_key_makes_a_new_request() {
    let api = shared_platform().await;
    let token = api.token("merchant").await;
    let address = AddressDraft { address_id: Some(Uuid::new_v4().into()), ..home() };
    for (path, body, taken) in [
        // The next sign-up replaces an unverified account.
        ("/users", json!(user(&unique_email())), None),
        ("/addresses", json!(address), Some("ID_TAKEN")),
        ("/products", json!(lamp(1)), Some("NAME_TAKEN")),
    ] {
        let post = async |key: &str, body: &Value| -> ApiResponse {
            api.post(path, body).token(&token).key(key).send().await
        };
        let (key, another) = (unique("key"), unique("key"));
        let first = post(&key, &body).await;
        first.data(201);
        let again = post(&key, &body).await;
        assert_eq!((again.status, &again.body), (201, &first.body), "{path}");
        assert_eq!(again.header("idempotency-replayed"), "true", "{path}");
        let other = post(&another, &body).await;
        match taken {
            Some(code) => drop(other.error(409, code)),
            None => assert_ne!(other.data(201), first.data(201), "{path}: another account"),
        }
    }
}
