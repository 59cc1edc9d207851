//! Every route that requires a sign-in, called without claims. Each function must refuse in stage
//! 2, with the same response.
//!
//! The routes come from the template, so that a new one is included without being named here.

use demo::seed::{self, token_in_the_name_of};
use emulator::faults::{Faults, StoreFault};
use emulator::options::Options;
use sam_template::Route;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Api, ApiResponse, Call, fresh_platform, shared_platform, skip, someone};
use crate::protocol::events::{fixture, invoke, template};

/// Fewer routes would mean that the walk misses some.
const ROUTES_MIN: usize = 15;

/// The variable that names an outside issuer of the deployment whose keys are unavailable.
const SILENT_ISSUER: &str = "SILENT_ISSUER";

#[tokio::test]
async fn every_protected_route_is_the_gateways_401_without_a_token() {
    let api = shared_platform().await;
    for route in signed_in_routes() {
        ask(&api, &route, None).await.gateway(401, "Unauthorized");
    }
}

#[tokio::test]
async fn every_protected_route_is_the_functions_401_with_a_refused_token() {
    let api = shared_platform().await;
    for token in ["a.b.c".to_owned(), token_in_the_name_of("https://nobody.example.com")] {
        for route in signed_in_routes() {
            let answer = ask(&api, &route, Some(&token)).await;
            answer.error(401, "UNAUTHORIZED");
            let challenge = answer.header("www-authenticate");
            assert_eq!(challenge, "Bearer realm=\"api\", error=\"invalid_token\"", "{route:?}");
        }
    }
}

#[tokio::test]
async fn every_protected_route_is_503_while_an_issuers_keys_are_unavailable() {
    let Some((api, issuer)) = api_that_trusts_a_silent_issuer().await else { return };
    let token = token_in_the_name_of(&issuer);
    for route in signed_in_routes() {
        assert_is_unavailable(&ask(&api, &route, Some(&token)).await, &route);
    }
}

#[tokio::test]
async fn every_protected_route_is_503_while_our_own_keys_are_unavailable() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let faults = Faults::default().secret("VerificationKeysSecret", StoreFault::fail(1.0));
    api.control().unwrap().inject(&faults).await;
    let token = someone(api.inside().unwrap(), "ADMIN");
    for route in signed_in_routes() {
        assert_is_unavailable(&ask(&api, &route, Some(&token)).await, &route);
    }
}

#[tokio::test]
async fn every_protected_function_is_401_for_an_event_without_claims() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let template = template();
    for route in signed_in_routes() {
        let event = fixture(&template.functions[&route.function].binary);
        assert!(event["requestContext"]["authorizer"]["lambda"]["sub"].is_string(), "{route:?}");
        for authorizer in [
            None,
            Some(json!(null)),
            Some(json!({})),
            Some(json!({ "lambda": null })),
            Some(json!({ "lambda": {} })),
            Some(json!({ "lambda": "ada" })),
            Some(json!({ "lambda": { "verdict": "refused" } })),
            Some(json!({ "jwt": event["requestContext"]["authorizer"]["lambda"] })),
            Some(json!("ada")),
        ] {
            let mut event = event.clone();
            let context = event["requestContext"].as_object_mut().unwrap();
            match &authorizer {
                Some(authorizer) => context.insert("authorizer".to_owned(), authorizer.clone()),
                None => context.remove("authorizer"),
            };
            let answer = invoke(&api, &route.function, &event).await.unwrap();
            let place = format!("{route:?} {authorizer:?}: {answer}");
            assert_eq!(answer["statusCode"], 401, "{place}");
            let challenge = answer["headers"]["www-authenticate"].as_str().unwrap();
            assert!(challenge.starts_with("Bearer "), "{place}");
            let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
            assert_eq!(body["error"]["code"], "UNAUTHORIZED", "{place}");
        }
    }
}

fn signed_in_routes() -> Vec<Route> {
    let mut routes = template().apis.remove(0).routes;
    routes.retain(|route| route.authorizer.is_some());
    assert!(routes.len() >= ROUTES_MIN, "{routes:?}");
    routes
}

/// Calls a route with ids of resources that do not exist.
async fn ask(api: &Api, route: &Route, token: Option<&str>) -> ApiResponse {
    let nothing = Uuid::nil().to_string();
    let segments = route.path.split('/');
    let segments =
        segments.map(|segment| if segment.starts_with('{') { &nothing } else { segment });
    let path = segments.collect::<Vec<_>>().join("/");
    let call = api.call(route.method.parse().unwrap(), &path);
    token.into_iter().fold(call, Call::token).send().await
}

fn assert_is_unavailable(answer: &ApiResponse, route: &Route) {
    answer.error(503, "SERVICE_UNAVAILABLE");
    let retry_after: u32 = answer.header("retry-after").parse().unwrap();
    assert!((1..=300).contains(&retry_after), "{route:?}: {answer:?}");
}

/// The deployment, if it has such an issuer; otherwise a separate platform.
async fn api_that_trusts_a_silent_issuer() -> Option<(Api, String)> {
    if std::env::var_os("API_URL").is_some() {
        let Ok(issuer) = std::env::var(SILENT_ISSUER) else {
            skip("SILENT_ISSUER, an issuer with unavailable keys");
            return None;
        };
        return Some((shared_platform().await, issuer));
    }
    let parameters = vec![seed::trust_in_silent_issuer()];
    let api = fresh_platform(Options { parameters, ..Options::default() }).await?;
    Some((api, seed::SILENT_ISSUER.to_owned()))
}
