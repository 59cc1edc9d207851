//! Rotation of the keys that sign tokens, while users sign in and make requests.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use client::Error;
use domain::people::SessionView;
use emulator::faults::Faults;
use futures::future::join_all;
use tokio::time::{sleep, timeout};
use uuid::{Uuid, uuid};

use crate::harness::{Api, PASSWORD, eventually, fresh_platform, operate, unlimited};
use crate::protocol::events::template;

/// Users of the demo who sign in and make requests again and again, with their ids.
const PEOPLE: [(&str, Uuid); 3] = [
    ("customer", uuid!("00000000-0000-7000-8000-000000000001")),
    ("gold", uuid!("00000000-0000-7000-8000-000000000002")),
    ("merchant", uuid!("00000000-0000-7000-8000-000000000007")),
];

const SIGNING: &str = "SigningKeysSecret";
const VERIFICATION: &str = "VerificationKeysSecret";

#[tokio::test]
async fn two_rotations_in_a_row_fail_no_request() {
    let Some(api) = fresh_platform(unlimited()).await else { return };
    // Each call starts a process, which reads its keys again.
    api.control().unwrap().inject(&Faults::default().cold_starts()).await;

    let crowd = Crowd::default();
    let rotations = async {
        crowd.has_met_a_key(1).await;
        rotate_secret(&api).await;
        crowd.has_met_a_key(2).await;
        rotate_by_hand(&api).await;
        crowd.has_met_a_key(3).await;
        crowd.over.store(true, Relaxed);
    };
    let people = join_all(PEOPLE.map(|(who, id)| crowd.come_and_go(&api, who, id)));
    let (answers, ()) = tokio::join!(people, rotations);

    let answers: Vec<_> = answers.into_iter().flatten().collect();
    let failed: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    assert_eq!(failed.len(), 0, "{} of {}: {:?}", failed.len(), answers.len(), failed.first());
    let published = published(&api).await;
    assert_eq!(published.len(), 3, "the previous, the current and the next key");
    let met = crowd.keys.lock().unwrap();
    assert_eq!(met.iter().filter(|kid| published.contains(kid)).count(), 2, "the first is gone");
}

#[tokio::test]
async fn the_first_rotation_makes_the_keys() {
    let Some(api) = fresh_platform(unlimited()).await else { return };
    api.control().unwrap().inject(&Faults::default().cold_starts()).await;
    let sign_in = async || api.client().post_session("customer@example.com", PASSWORD).await;
    let (stores, template) = (api.inside().unwrap().platform().stores(), template());
    for secret in [SIGNING, VERIFICATION] {
        let created = template.secrets[secret].value.as_ref().unwrap().words();
        stores.put_secret(secret, &created).await.unwrap();
    }
    sign_in().await.expect_err("there are no keys");

    rotate_secret(&api).await;

    let session = sign_in().await.unwrap().data;
    let me = api.client().with_token(&session.access_token);
    me.get_user(PEOPLE[0].1.into()).await.unwrap();
    assert_eq!(published(&api).await.len(), 2, "the current key and the next");
}

#[tokio::test]
async fn a_rotation_too_soon_changes_nothing_and_logs_the_reason() {
    let Some(api) = fresh_platform(unlimited()).await else { return };
    rotate_secret(&api).await;
    let before = published(&api).await;

    rotate_secret(&api).await;

    let refused = async || {
        let logs = api.control().unwrap().logs().await;
        logs.into_iter().find(|line| line.to_string().contains("may live until"))
    };
    let refused = eventually("the refusal of the second rotation", refused).await.to_string();
    assert!(refused.contains("createSecret"), "{refused}");
    assert_eq!(published(&api).await, before);
}

/// Makes Secrets Manager rotate the keys step by step, and waits until it has succeeded or failed.
async fn rotate_secret(api: &Api) {
    let stores = api.inside().unwrap().platform().stores();
    let mut under_way = stores.rotations(SIGNING).unwrap();
    stores.rotate(SIGNING).await.unwrap();
    let ended = timeout(Duration::from_mins(1), under_way.wait_for(Option::is_none)).await;
    ended.expect("four steps take less than a minute").unwrap();
}

/// An operator rotates again, which is refused while tokens of the first key may be valid.
async fn rotate_by_hand(api: &Api) {
    let rotate = async |ended_after: &str| {
        operate(api, &["rotate-keys", "--ended-after", ended_after]).await
    };
    let refused = rotate("1000").await.unwrap_err();
    assert!(refused.contains("may live until"), "{refused}");
    sleep(Duration::from_secs(5)).await;
    let said = rotate("5").await.unwrap();
    assert_eq!(said.last().unwrap(), "it signs from now on");
}

/// Users who sign in and make requests until `over` is set.
#[derive(Default)]
struct Crowd {
    over: AtomicBool,
    /// The keys that signed their tokens.
    keys: Mutex<BTreeSet<String>>,
}

impl Crowd {
    async fn come_and_go(&self, api: &Api, who: &str, id: Uuid) -> Vec<Result<(), Error>> {
        let (store, email) = (api.client(), format!("{who}@example.com"));
        let mut answers = Vec::new();
        while !self.over.load(Relaxed) {
            let session = store.post_session(&email, PASSWORD).await.map(|session| session.data);
            if let Ok(SessionView { access_token, .. }) = &session {
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

/// The ids of the published keys.
async fn published(api: &Api) -> Vec<String> {
    let set = api.client().get_jwks().await.unwrap().data;
    let kids = set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap());
    kids.map(str::to_owned).collect()
}
