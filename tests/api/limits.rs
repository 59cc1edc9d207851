//! Rate limits: as many requests as the deployment allows, and what those beyond are told.

use local::options::Options;
use serde_json::json;

use crate::harness::{Answer, own, unique, user};

#[tokio::test]
async fn sign_ups_are_limited_exactly_per_address() {
    let Some(api) = own(Options::default()).await else { return };
    let ask = async || api.post("/users", &json!({})).send().await;
    let answers = until_limited(70, ask).await;

    let (last, admitted) = answers.split_last().unwrap();
    // Windows begin with the minute, so that one may end while this counts.
    assert!((30..=60).contains(&admitted.len()), "{} admitted", admitted.len());
    for answer in admitted {
        answer.error(400, "INVALID_REQUEST");
        assert_eq!(answer.header("ratelimit-policy"), r#""default";q=30;w=60"#);
    }
    refused(last);
    assert!(last.header("ratelimit").starts_with(r#""default";r=0;t="#), "{last:?}");
    api.get("/healthcheck").send().await.assert_is_a_functions();
}

#[tokio::test]
async fn the_limit_is_a_setting_of_the_deployment() {
    let five = ("RateLimit".to_owned(), "5".to_owned());
    let options = Options { parameters: vec![five], ..Options::default() };
    let Some(api) = own(options).await else { return };
    let answers = until_limited(15, async || api.get("/healthcheck").send().await).await;

    let (last, admitted) = answers.split_last().unwrap();
    assert!((5..=10).contains(&admitted.len()), "{} admitted", admitted.len());
    assert_eq!(admitted[0].header("ratelimit-policy"), r#""default";q=5;w=60"#);
    refused(last);
}

#[tokio::test]
async fn a_password_may_be_guessed_five_times_a_minute() {
    let Some(api) = own(Options::default()).await else { return };
    let (ada, eve) = (format!("{}@example.com", unique("ada")), "eve@example.com");
    api.post("/users", &user(&ada)).send().await.data(201);
    let guess = async |email: &str| {
        let credentials = json!({ "email": email, "password": "wrong" });
        api.post("/sessions", &credentials).send().await
    };
    let answers = until_limited(12, async || guess(&ada).await).await;

    let (last, admitted) = answers.split_last().unwrap();
    assert!((5..=10).contains(&admitted.len()), "{} admitted", admitted.len());
    for answer in admitted {
        answer.error(401, "CREDENTIALS_WRONG");
    }
    refused(last);
    guess(eve).await.error(401, "CREDENTIALS_WRONG");
}

/// Asks until the answer is 429, which is the last one.
async fn until_limited(times_max: usize, ask: impl AsyncFn() -> Answer) -> Vec<Answer> {
    let mut answers = Vec::new();
    while answers.len() < times_max {
        answers.push(ask().await);
        if answers.last().is_some_and(|answer| answer.status == 429) {
            return answers;
        }
    }
    panic!("not limited after {times_max} requests");
}

fn refused(answer: &Answer) {
    answer.error(429, "RATE_LIMIT_EXCEEDED");
    let retry_after: u32 = answer.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&retry_after), "{answer:?}");
}
