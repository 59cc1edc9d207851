//! Rate limits: the number of admitted requests, and the response to further ones.

use emulator::faults::{Faults, StoreFault};
use emulator::options::Options;
use futures::future::join_all;
use lifecycle::clock;
use sam_template::Template;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use uuid::Uuid;

use crate::harness::{
    ApiResponse, PASSWORD, Refused, eventually, fresh_platform, shared_platform, unique,
    unique_email, user, when,
};

#[tokio::test]
async fn sign_ups_are_limited_exactly_per_address() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let ask = async || api.post("/users", &json!({})).send().await;
    let answers = until_limited(70, ask).await;

    let (last, admitted) = answers.split_last().unwrap();
    // Windows begin with the minute, so one may end during the test.
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
async fn the_exact_limit_of_sign_ups_is_a_separate_parameter() {
    let parameters = [("RateLimit", "1000000"), ("ExactRateLimit", "3")];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let options = Options { parameters: parameters.into(), ..Options::default() };
    let Some(api) = fresh_platform(options).await else { return };
    let ask = async || api.post("/users", &json!({})).send().await;
    let answers = until_limited(10, ask).await;
    let (last, admitted) = answers.split_last().unwrap();
    assert!((3..=6).contains(&admitted.len()), "{} admitted", admitted.len());
    refused(last);
}

#[tokio::test]
async fn the_rate_limit_is_a_parameter_of_the_deployment() {
    let five = ("RateLimit".to_owned(), "5".to_owned());
    let options = Options { parameters: vec![five], ..Options::default() };
    let Some(api) = fresh_platform(options).await else { return };
    let answers = until_limited(15, async || api.get("/healthcheck").send().await).await;

    let (last, admitted) = answers.split_last().unwrap();
    assert!((5..=10).contains(&admitted.len()), "{} admitted", admitted.len());
    assert_eq!(admitted[0].header("ratelimit-policy"), r#""default";q=5;w=60"#);
    refused(last);
}

#[tokio::test]
async fn after_five_wrong_passwords_a_minute_a_sign_in_is_429() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let (ada, eve) = (unique_email(), "eve@example.com");
    api.client().post_user(&user(&ada), None).await.unwrap();
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
    assert_eq!(last.header("ratelimit"), "", "the route's limit is another one");
    guess(eve).await.error(401, "CREDENTIALS_WRONG");
}

#[tokio::test]
async fn of_20_concurrent_guesses_5_are_admitted() {
    let api = shared_platform().await;
    let minute = || clock::now().as_seconds() / 60;
    let credentials = json!({ "email": unique_email(), "password": "?" });
    let begun = minute();
    let guesses = (0..20).map(|_| api.post("/sessions", &credentials).send());
    let answers = join_all(guesses).await;

    let tried = answers.iter().filter(|answer| answer.status == 401).count();
    // If a minute ends meanwhile, five more are admitted.
    let minutes = usize::try_from(minute() - begun + 1).unwrap();
    assert!((5..=5 * minutes).contains(&tried), "{tried} admitted");
    for limited in answers.iter().filter(|answer| answer.status != 401) {
        refused(limited);
    }
}

#[tokio::test]
async fn sign_ins_with_the_right_password_are_not_limited_like_guesses() {
    let api = shared_platform().await;
    for _ in 0..7 {
        api.client().post_session("gold@example.com", PASSWORD).await.unwrap();
    }
}

#[tokio::test]
async fn five_mails_a_minute_are_admitted_for_an_address_in_any_case() {
    let api = shared_platform().await;
    let (ada, eve) = (unique("ada"), unique("eve"));
    api.client().post_user(&user(&format!("{ada}@example.com")), None).await.unwrap();
    for name in [ada, eve] {
        let emails = [format!("{name}@example.com"), format!("{name}@EXAMPLE.com")];
        let mut asked = emails.iter().cycle();
        let ask = async || {
            let email = asked.next().unwrap();
            api.post("/verification-emails", &json!({ "email": email })).send().await
        };
        let answers = until_limited(12, ask).await;
        let (last, admitted) = answers.split_last().unwrap();
        assert!((5..=10).contains(&admitted.len()), "{} admitted", admitted.len());
        assert!(admitted.iter().all(|answer| answer.status == 202), "{admitted:?}");
        refused(last);
    }
}

#[tokio::test]
async fn requests_are_counted_in_memory_while_the_limits_table_fails() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let control = api.control().unwrap();
    control.inject(&Faults::default().table("LimitsTable", StoreFault::fail(1.0))).await;
    let wrong = api.client().post_session("ada@example.com", "wrong").await;
    wrong.refused(401, "CREDENTIALS_WRONG");
    // Once for the limit of the source address, and once for that of the e-mail address.
    let counted = async || {
        let labels = [r#"type="RATE_LIMITER_UNAVAILABLE""#];
        when(control.metric("errors_total", &labels).await, |seen| *seen >= 2.0)
    };
    eventually("both to be counted", counted).await;
}

#[tokio::test]
async fn every_endpoint_shares_its_request_counts() {
    // With a limit of 60 a minute, the count is worth sharing after each request.
    let parameters = vec![("RateLimit".to_owned(), "60".to_owned())];
    let Some(api) = fresh_platform(Options { parameters, ..Options::default() }).await else {
        return;
    };
    let (inside, control) = (api.inside().unwrap(), api.control().unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let routes = Template::read(&path, &BTreeMap::new()).unwrap().apis.remove(0).routes;
    // HEAD counts as GET.
    for route in routes.into_iter().filter(|route| route.method != "HEAD") {
        let before = control.table("LimitsTable").await.len();
        let roles = ["CUSTOMER", "WRITER", "EDITOR", "MERCHANT", "ADMIN"];
        let token = inside.token(&Uuid::new_v4().to_string(), &roles);
        let method = route.method.parse().unwrap();
        let call = api.call(method, &route.path.replace(['{', '}'], "")).json(&json!({}));
        let call = if route.authorizer.is_some() { call.token(&token) } else { call };
        call.send().await;
        eventually(&format!("{} to share its count", route.function), async || {
            when(control.table("LimitsTable").await.len(), |seen| *seen > before)
        })
        .await;
    }
}

/// Repeats a request until the response is 429. Returns all responses.
async fn until_limited(
    times_max: usize,
    mut ask: impl AsyncFnMut() -> ApiResponse,
) -> Vec<ApiResponse> {
    let mut answers = Vec::new();
    while answers.len() < times_max {
        answers.push(ask().await);
        if answers.last().is_some_and(|answer| answer.status == 429) {
            return answers;
        }
    }
    panic!("not limited after {times_max} requests");
}

fn refused(answer: &ApiResponse) {
    answer.error(429, "RATE_LIMIT_EXCEEDED");
    let retry_after: u32 = answer.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&retry_after), "{answer:?}");
}
