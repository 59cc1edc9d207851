//! Verification of an address: the mail, its repetition, and no hint of existing accounts.

use client::NewUser;
use domain::people::UserId;
use emulator::faults::{Faults, StoreFault};
use emulator::options::Options;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::harness::{
    ApiResponse, Control, PASSWORD, Refused, eventually, fresh_platform, proof_in, shared_platform,
    text, unique, unique_email, user, when,
};

#[tokio::test]
async fn a_repeated_verification_mail_invalidates_the_earlier_token() {
    let api = shared_platform().await;
    let Some(control) = api.control() else { return };
    let (store, email) = (api.client(), unique_email());
    let ada = store.post_user(&user(&email), None).await.unwrap().data.user_id;
    let first = proof_in(&control.mail(&email, "Verify").await);

    store.post_verification_email(&email.to_uppercase()).await.unwrap();

    let again = async || control.mails(&email).await.into_iter().nth(1);
    let second = proof_in(&eventually("a second mail", again).await);
    let replaced = async || {
        let kept = control.item("UsersTable", ada).await;
        when(kept, |kept| kept["version"] == 2)
    };
    eventually("the commit of the mailed token", replaced).await;
    store.put_verification(ada, &first, PASSWORD).await.refused(410, "VERIFICATION_SPENT");
    store.put_verification(ada, &second, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn of_several_sign_ups_at_once_the_last_one_gets_its_mail() {
    let api = shared_platform().await;
    let Some(control) = api.control() else { return };
    let store = api.client();
    let email = unique_email();
    let ada = user(&email);
    // Each may get its mail before the next one replaces it, and an address gets five mails a day.
    let signed_up = join_all((0..5).map(|_| store.post_user(&ada, None))).await;
    let ids: Vec<_> = signed_up.into_iter().map(|answer| answer.unwrap().data.user_id).collect();
    let mailed = async || {
        let mails = control.mails(&email).await;
        let stored = control.table("UsersTable").await;
        let is_left = |id: &&UserId| stored.iter().any(|user| user["userId"] == json!(id));
        let left: Vec<UserId> = ids.iter().filter(is_left).copied().collect();
        let [id] = left[..] else { panic!("not one account is left: {left:?}") };
        let is_its = |mail: &Value| text(&mail["text"]).contains(&id.to_string());
        Some((id, proof_in(&mails.into_iter().find(is_its)?)))
    };
    let (id, token) = eventually("the mail of the account that is left", mailed).await;
    store.put_verification(id, &token, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn requests_that_cause_no_mail_use_up_no_mails() {
    let api = shared_platform().await;
    let Some(control) = api.control() else { return };
    let store = api.client();
    let taken = store.post_user(&user(&unique_email()), None).await.unwrap().data.user_id;
    let email = unique_email();
    for _ in 0..5 {
        store.post_verification_email(&email).await.unwrap();
        let with_taken_id = NewUser { user_id: Some(taken), ..user(&email) };
        store.post_user(&with_taken_id, None).await.refused(409, "ID_TAKEN");
    }
    let key = Some("one-sign-up");
    for _ in 0..5 {
        store.post_user(&user(&email), key).await.unwrap();
    }
    control.mail(&email, "Verify").await;
    store.post_password_reset(&email).await.unwrap();
    control.mail(&email, "Set a new password").await;
}

#[tokio::test]
async fn a_verification_mail_request_does_not_reveal_existing_accounts() {
    let api = shared_platform().await;
    let Some(control) = api.control() else { return };
    let (unverified, unknown) = (unique("ada"), unique("eve"));
    let address = |name: &str| format!("{name}@example.com");
    api.client().post_user(&user(&address(&unverified)), None).await.unwrap();

    let mut told = Vec::new();
    for name in [unverified.as_str(), "customer", unknown.as_str()] {
        let asking = json!({ "email": address(name) });
        let answer = api.post("/verification-emails", &asking).send().await;
        let record = record_of(&control, &answer).await;
        let names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
        let body = String::from_utf8(answer.body.to_vec()).unwrap().replace(name, "…");
        told.push((answer.status, names, body, record));
    }

    assert_eq!(told[0].0, 202);
    assert!(told.iter().all(|one| *one == told[0]), "{told:#?}");
    assert_eq!(control.mails(&address(&unknown)).await, Vec::<Value>::new());
    let asked = |mail: &Value| mail["subject"].as_str().unwrap().starts_with("Verify");
    assert!(!control.mails(&address("customer")).await.iter().any(asked), "nothing to verify");
}

#[tokio::test]
async fn a_verification_mail_request_is_202_when_the_queue_fails() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let control = api.control().unwrap();
    control.inject(&Faults::default().queue("EmailsQueue", StoreFault::fail(1.0))).await;
    api.client().post_verification_email("ada@example.com").await.unwrap();
}

/// The level and outcome in the log of the record that a request has caused.
async fn record_of(control: &Control, answer: &ApiResponse) -> (Value, Value) {
    let of_record = |line: &Value| line["message"] == "record";
    let find = async || {
        let lines = control.logs_of(answer.header("x-request-id")).await;
        let others =
            lines.iter().filter(|line| line["level"] == "WARN" || line["level"] == "ERROR");
        assert_eq!(others.count(), 0, "{lines:#?}");
        lines.into_iter().find(of_record)
    };
    let line = eventually("the record to be consumed", find).await;
    (line["level"].clone(), line["outcome"].clone())
}
