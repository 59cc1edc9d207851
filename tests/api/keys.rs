//! Idempotency keys: a key stands for one request, and another key for another one.

use domain::people::AddressDraft;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, home, lamp, shared, unique, unique_email, user};

#[tokio::test]
async fn a_repeated_key_gives_the_first_answer_and_another_key_learns_that_it_is_taken() {
    let api = shared().await;
    let token = api.token("merchant").await;
    let address = AddressDraft { address_id: Some(Uuid::new_v4().into()), ..home() };
    for (path, body, taken) in [
        // An address that is not proven gives way to the next sign-up.
        ("/users", json!(user(&unique_email())), None),
        ("/addresses", json!(address), Some("ID_TAKEN")),
        ("/products", json!(lamp(1)), Some("NAME_TAKEN")),
    ] {
        let post = async |key: &str, body: &Value| -> Answer {
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
