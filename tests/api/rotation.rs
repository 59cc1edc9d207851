//! Rotation of the keys that tokens are signed with, while people sign in and go on.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use client::{Error, Session};
use futures::future::join_all;
use serde_json::json;
use tokio::time::{sleep, timeout};
use uuid::{Uuid, uuid};

use crate::harness::{Api, PASSWORD, operate, own, unlimited};

/// Who signs in and goes on, again and again: people of the demo, and their ids.
const PEOPLE: [(&str, Uuid); 3] = [
    ("customer", uuid!("00000000-0000-7000-8000-000000000001")),
    ("gold", uuid!("00000000-0000-7000-8000-000000000002")),
    ("merchant", uuid!("00000000-0000-7000-8000-000000000007")),
];

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
    let failed: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    assert_eq!(failed.len(), 0, "{} of {}: {:?}", failed.len(), answers.len(), failed.first());
    let published = api.store().get_jwks().await.unwrap().data;
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
    async fn come_and_go(&self, api: &Api, who: &str, id: Uuid) -> Vec<Result<(), Error>> {
        let (store, email) = (api.store(), format!("{who}@example.com"));
        let mut answers = Vec::new();
        while !self.over.load(Relaxed) {
            let session = store.post_session(&email, PASSWORD).await.map(|session| session.data);
            if let Ok(Session { access_token, .. }) = &session {
                let header = jsonwebtoken::decode_header(access_token).unwrap();
                self.keys.lock().unwrap().extend(header.kid);
                let me = store.with_token(access_token);
                answers.push(me.get_user(id.into()).await.map(drop));
                answers.push(me.get_user(id.into()).await.map(drop));
            }
            answers.push(session.map(drop));
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
