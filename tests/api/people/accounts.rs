//! Accounts: the owner of an address, allowed passwords, and no lock-out by strangers.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use client::NewUser;
use domain::people::UserId;
use emulator::faults::{Faults, StoreFault};
use emulator::options::Options;
use lifecycle::clock;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::Instant;

use crate::harness::{
    Api, ApiResponse, Control, PASSWORD, Refused, eventually, fresh_platform, proof_in,
    shared_platform, unique, unique_email, user, when,
};

const ATTACKERS: &str = "password-of-the-attacker";

#[tokio::test]
async fn an_owners_later_sign_up_replaces_a_strangers_with_the_same_address() {
    let api = shared_platform().await;
    let Some(control) = api.control() else { return };
    let (store, email) = (api.client(), unique_email());
    let squatter = NewUser { password: ATTACKERS.to_owned(), ..user(&email) };
    let squatter = store.post_user(&squatter, None).await.unwrap().data.user_id;
    let first = proof_in(&control.mail(&email, "Verify").await);

    let owner = store.post_user(&user(&email), None).await.unwrap();
    assert_eq!(owner.status.as_u16(), 201);
    let owner = owner.data.user_id;

    store.put_verification(squatter, &first, ATTACKERS).await.refused(410, "VERIFICATION_SPENT");
    let second = async || control.mails(&email).await.into_iter().nth(1);
    let second = proof_in(&eventually("the owner's mail", second).await);
    let wrong = store.put_verification(owner, &second, ATTACKERS).await;
    assert_eq!(wrong.refused_fields(422, "PASSWORD_WRONG"), ["/password"]);
    store.put_verification(owner, &second, PASSWORD).await.unwrap();

    store.post_session(&email, ATTACKERS).await.refused(401, "CREDENTIALS_WRONG");
    store.post_session(&email, PASSWORD).await.unwrap();
    store.post_user(&user(&email), None).await.refused(409, "EMAIL_TAKEN");
}

#[tokio::test]
async fn the_mail_alone_does_not_activate_a_strangers_password() {
    let api = shared_platform().await;
    let Some(control) = api.control() else { return };
    let (store, email) = (api.client(), unique_email());
    let squatter = NewUser { password: ATTACKERS.to_owned(), ..user(&email) };
    let squatter = store.post_user(&squatter, None).await.unwrap().data.user_id;
    let token = proof_in(&control.mail(&email, "Verify").await);

    store.put_verification(squatter, &token, PASSWORD).await.refused(422, "PASSWORD_WRONG");
    store.post_session(&email, ATTACKERS).await.refused(403, "EMAIL_NOT_VERIFIED");

    // By a reset the owner takes the account over, with any earlier password.
    reset(&api, &control, &email, "another-long-password").await;
    store.post_session(&email, ATTACKERS).await.refused(401, "CREDENTIALS_WRONG");
    store.post_session(&email, "another-long-password").await.unwrap();
}

#[tokio::test]
async fn three_concurrent_sign_ups_of_one_address_leave_one_account() {
    let api = shared_platform().await;
    let Some(control) = api.control() else { return };
    let email = unique_email();
    let sign_ups = (0..3).map(|_| api.post("/users", &json!(user(&email))).send());
    let answers = futures::future::join_all(sign_ups).await;
    assert!(answers.iter().all(|answer| [201, 503].contains(&answer.status)), "{answers:?}");
    let users = control.table("UsersTable").await;
    let of_address = |item: &&Value| item["email"] == json!(email) && item["name"].is_string();
    assert_eq!(users.iter().filter(of_address).count(), 1);
}

#[tokio::test]
async fn a_spent_password_reset_is_410_and_a_weak_password_400() {
    let api = shared_platform().await;
    let Some(control) = api.control() else { return };
    let (email, user_id) = verified(&api, &control).await;
    let token = reset(&api, &control, &email, "another-long-password").await;

    let store = api.client();
    store.put_password(user_id, &token, PASSWORD).await.refused(410, "PASSWORD_RESET_SPENT");
    store.post_session(&email, PASSWORD).await.refused(401, "CREDENTIALS_WRONG");
    store.post_session(&email, "another-long-password").await.unwrap();
    for weak in ["short", "password1234"] {
        let refused = store.put_password(user_id, "token", weak).await;
        assert_eq!(refused.refused_fields(400, "INVALID_REQUEST"), ["/password"], "{weak}");
    }
}

#[tokio::test]
async fn a_password_reset_does_not_reveal_whether_an_account_exists() {
    let api = shared_platform().await;
    let Some(control) = api.control() else { return };
    let unknown = unique("eve");
    let mut told = Vec::new();
    for name in ["customer", unknown.as_str()] {
        let asking = json!({ "email": format!("{name}@example.com") });
        let answer = api.post("/password-resets", &asking).send().await;
        let names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
        let body = String::from_utf8(answer.body.to_vec()).unwrap().replace(name, "…");
        told.push((answer.status, names, body));
    }
    assert_eq!((told[0].0, &told[0]), (202, &told[1]));
    control.mail("customer@example.com", "Set a new password").await;
    assert_eq!(control.mails(&format!("{unknown}@example.com")).await, Vec::<Value>::new());
}

#[tokio::test]
async fn an_unverified_address_gets_five_mails_a_day_without_client_text() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let control = api.control().unwrap();
    let email = unique_email();
    let lure = NewUser { name: "You won! https://evil.example".to_owned(), ..user(&email) };
    for n in 1..=7 {
        api.client().post_user(&lure, None).await.unwrap();
        // A sign-up that replaces an earlier one invalidates its token, mailed or not.
        let mailed = async || when(control.mails(&email).await.len(), |seen| *seen == n.min(5));
        eventually("the mail", mailed).await;
    }
    api.client().post_verification_email(&email).await.unwrap();
    api.client().post_password_reset(&email).await.unwrap();
    api.client().post_user(&user("last@example.com"), None).await.unwrap();
    control.mail("last@example.com", "Verify").await;
    let mails = control.mails(&email).await;
    assert_eq!(mails.len(), 5);
    assert!(mails.iter().all(|mail| !mail.to_string().contains("evil")), "{mails:?}");
}

#[tokio::test]
async fn an_unverified_account_does_not_exist_after_its_expiry() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let control = api.control().unwrap();
    let email = unique_email();
    let user_id = api.client().post_user(&user(&email), None).await.unwrap().data.user_id;
    let token = proof_in(&control.mail(&email, "Verify").await);
    for pk in [user_id.to_string(), format!("email#{email}")] {
        let mut item = control.item("UsersTable", &pk).await;
        assert!(item["expiresAt"].is_number(), "{item}");
        item["expiresAt"] = json!(clock::now().as_seconds());
        api.put_item("UsersTable", item);
    }
    let proof = api.client().put_verification(user_id, &token, PASSWORD).await;
    proof.refused(410, "VERIFICATION_SPENT");
    api.client().post_session(&email, PASSWORD).await.refused(401, "CREDENTIALS_WRONG");
}

#[tokio::test]
async fn a_password_matches_in_every_spelling_of_its_accents() {
    let api = shared_platform().await;
    let Some(control) = api.control() else { return };
    let spellings = ["caf\u{E9}-de-la-place", "cafe\u{301}-de-la-place"];
    for chosen in spellings {
        let email = unique_email();
        let ada = NewUser { password: chosen.to_owned(), ..user(&email) };
        let user_id = api.client().post_user(&ada, None).await.unwrap().data.user_id;
        let token = proof_in(&control.mail(&email, "Verify").await);
        api.client().put_verification(user_id, &token, spellings[0]).await.unwrap();
        for entered in spellings {
            api.client().post_session(&email, entered).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_common_password_or_one_made_of_the_address_is_400() {
    let api = shared_platform().await;
    for password in [
        "            ",
        "\0\0\0\0\0\0\0\0\0\0\0\0",
        "password1234",
        "Password2026!",
        "123456789012",
        "abcabcabcabc",
        "ada.lovelace@example.com",
        "AdaLovelace1815",
    ] {
        let ada = NewUser {
            password: password.to_owned(),
            name: "Ada Lovelace".to_owned(),
            ..user("ada.lovelace@example.com")
        };
        let refused = api.client().post_user(&ada, None).await;
        assert_eq!(refused.refused_fields(400, "INVALID_REQUEST"), ["/password"], "{password:?}");
    }
}

#[tokio::test]
async fn a_guessing_stranger_does_not_lock_the_user_out() {
    let Some(api) = fresh_platform(Options { demo: true, ..Options::default() }).await else {
        return;
    };
    let stranger = api.with_source("127.0.0.2");
    let limited = async || {
        let answer = sign_in(&stranger, "gold@example.com", "a wrong password").await;
        when(answer, |answer| answer.status == 429)
    };
    eventually("the stranger to be limited", limited).await;
    sign_in(&api, "gold@example.com", PASSWORD).await.data(200);
}

#[tokio::test]
async fn an_account_under_guesses_stays_open_to_its_known_sources() {
    let Some(api) = fresh_platform(Options { demo: true, ..Options::default() }).await else {
        return;
    };
    let email = "gold@example.com";
    sign_in(&api, email, PASSWORD).await.data(200);
    // A hundred failures from other sources, in this hour and the next.
    let hour = clock::now().as_seconds() / 3600;
    let digest = Sha256::new().chain_update("sign-in").chain_update([0]).chain_update(email);
    let digest = BASE64_URL_SAFE_NO_PAD.encode(digest.finalize());
    for hour in [hour, hour + 1] {
        let pk = format!("sign-in#{digest}#{hour}");
        let item = json!({ "pk": pk, "total": 100, "expiresAt": (hour + 2) * 3600 });
        api.put_item("LimitsTable", item);
    }

    // All other sources share five attempts a minute. If a minute ends meanwhile, five more are
    // admitted.
    let mut tried = 0;
    for source in 2..14 {
        let stranger = api.with_source(&format!("127.0.0.{source}"));
        tried += usize::from(sign_in(&stranger, email, "a wrong password").await.status == 401);
    }
    assert!((5..=10).contains(&tried), "{tried} of twelve were admitted");
    sign_in(&api, email, PASSWORD).await.data(200);
}

#[tokio::test]
async fn guesses_are_limited_while_the_limits_table_fails() {
    let Some(api) = fresh_platform(Options { demo: true, ..Options::default() }).await else {
        return;
    };
    let control = api.control().unwrap();
    for fault in [StoreFault::fail(1.0), StoreFault::throttle(1.0)] {
        let email = unique_email();
        control.inject(&Faults::default().table("LimitsTable", fault)).await;
        let (mut tried, began) = (0_u8, Instant::now());
        for _ in 0..12 {
            let answer = sign_in(&api, &email, "a wrong password").await;
            assert!([401, 429].contains(&answer.status), "{answer:?}");
            tried += u8::from(answer.status == 401);
        }
        // Two a minute in each environment. A second one starts if a guess comes before the first
        // one asks for work again.
        let minutes = (began.elapsed().as_secs_f64() / 60.0).floor() + 2.0;
        let label = r#"function="PostSessionFunction""#;
        let environments = control.metric("lambda_cold_starts_total", &[label]).await;
        let most = 2.0 * minutes * environments;
        assert!((2.0..=most).contains(&tried.into()), "{tried} of twelve, at most {most}");
    }
}

#[tokio::test]
async fn an_unreadable_record_of_known_sources_does_not_prevent_sign_in() {
    let api = shared_platform().await;
    let Some(control) = api.control() else { return };
    let (email, _) = verified(&api, &control).await;
    let key = format!("sources#{email}");
    api.put_item("UsersTable", json!({ "pk": key, "sources": "garbage" }));
    for _ in 0..2 {
        assert_eq!(sign_in(&api, &email, PASSWORD).await.status, 200);
    }
    let written = control.item("UsersTable", &key).await;
    assert!(written["sources"].is_array() || written["sources"].is_object(), "{written}");
}

async fn sign_in(api: &Api, email: &str, password: &str) -> ApiResponse {
    api.post("/sessions", &json!({ "email": email, "password": password })).send().await
}

/// A user with a verified address.
async fn verified(api: &Api, control: &Control) -> (String, UserId) {
    let email = unique_email();
    let user_id = api.client().post_user(&user(&email), None).await.unwrap().data.user_id;
    let token = proof_in(&control.mail(&email, "Verify").await);
    api.client().put_verification(user_id, &token, PASSWORD).await.unwrap();
    (email, user_id)
}

/// Sets a new password with the mailed token, and returns the token.
async fn reset(api: &Api, control: &Control, email: &str, password: &str) -> String {
    api.client().post_password_reset(&email.to_uppercase()).await.unwrap();
    let mail = control.mail(email, "Set a new password").await;
    let token = proof_in(&mail);
    let text = mail["text"].as_str().unwrap();
    let user_id = text.split("/users/").nth(1).unwrap().split('/').next().unwrap();
    let user_id = UserId::try_from(user_id.to_owned()).unwrap();
    eventually("the commit of the mailed token", async || {
        api.client().put_password(user_id, &token, password).await.ok()
    })
    .await;
    token
}
