//! Rotation of the keys that tokens are signed with, while people sign in and go on.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::harness::{Answer, Api, PASSWORD, operate, own, unlimited};

/// Who signs in and goes on, again and again: people of the demo, and their ids' last digits.
const PEOPLE: [(&str, u8); 3] = [("customer", 1), ("gold", 2), ("merchant", 7)];

/// What the waits are shortened to, in seconds: here nobody holds a key for longer than a request.
const WAITS: [&str; 4] = ["--known-after", "3", "--ended-after", "20"];

#[tokio::test]
async fn two_rotations_in_a_row_fail_nobody() {
    let Some(api) = own(unlimited()).await else { return };
    // Each call starts a process, which reads its keys anew.
    api.control().unwrap().faults(&json!({ "coldStarts": true })).await;

    let crowd = Crowd::default();
    let rotations = async {
        crowd.has_met_a_key(1).await;
        rotate_interrupted(&api).await;
        crowd.has_met_a_key(2).await;
        rotate_again(&api).await;
        crowd.has_met_a_key(3).await;
        crowd.over.store(true, Relaxed);
    };
    let people = join_all(PEOPLE.map(|(who, id)| crowd.come_and_go(&api, who, id)));
    let (answers, ()) = tokio::join!(people, rotations);

    let answers: Vec<_> = answers.into_iter().flatten().collect();
    let failed: Vec<_> = answers.iter().filter(|answer| answer.status != 200).collect();
    assert_eq!(failed.len(), 0, "{} of {}: {:?}", failed.len(), answers.len(), failed.first());
    let published = api.get("/.well-known/jwks.json").send().await.json();
    let published = published["keys"].as_array().unwrap();
    assert_eq!(published.len(), 2, "the first key is gone");
    assert!(published.iter().all(|key| key.get("publishedAt").is_none()), "{published:?}");
}

/// A rotation that is interrupted while it waits goes on there.
async fn rotate_interrupted(api: &Api) {
    let patient = ["rotate-keys", "--known-after", "1000"];
    timeout(Duration::from_secs(2), operate(api, &patient)).await.expect_err("it waits");
    let said = operate(api, &[&["rotate-keys"], &WAITS[..]].concat()).await.unwrap();
    assert!(!said.iter().any(|line| line.contains("is made") || line.contains("is published")));
    assert!(said.iter().any(|line| line.contains("signs from now on")), "{said:?}");
}

/// The next rotation is refused while tokens of the first key may live, and drops it then.
async fn rotate_again(api: &Api) {
    let rotate = async || operate(api, &[&["rotate-keys"], &WAITS[..]].concat()).await;
    let refused = rotate().await.unwrap_err();
    assert!(refused.contains("may live until"), "{refused}");
    sleep(Duration::from_secs(20)).await;
    let said = rotate().await.unwrap();
    assert!(said[0].contains("is dropped"), "{said:?}");
}

/// People who sign in and go on until it is over.
#[derive(Default)]
struct Crowd {
    over: AtomicBool,
    /// The keys that their tokens were signed with.
    keys: Mutex<BTreeSet<String>>,
}

impl Crowd {
    async fn come_and_go(&self, api: &Api, who: &str, id: u8) -> Vec<Answer> {
        let me = format!("/users/00000000-0000-7000-8000-{id:012}");
        let credentials = json!({ "email": format!("{who}@example.com"), "password": PASSWORD });
        let mut answers = Vec::new();
        while !self.over.load(Relaxed) {
            let session = api.post("/sessions", &credentials).send().await;
            if session.status == 200 {
                let token = session.data(200)["accessToken"].as_str().unwrap().to_owned();
                let header = jsonwebtoken::decode_header(&token).unwrap();
                self.keys.lock().unwrap().extend(header.kid);
                answers.push(api.get(&me).token(&token).send().await);
                answers.push(api.get(&me).token(&token).send().await);
            }
            answers.push(session);
        }
        answers
    }

    async fn has_met_a_key(&self, number: usize) {
        let met = async {
            while self.keys.lock().unwrap().len() < number {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(Duration::from_mins(1), met).await.expect("tokens are signed with the newest key");
    }
}
