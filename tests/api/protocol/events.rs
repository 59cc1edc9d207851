//! The events under `tests/events`, as AWS sends them: each function handles its own.

use std::collections::BTreeMap;
use std::path::Path;

use emulator::options::Options;
use sam_template::{Route, Template};
use serde_json::{Value, json};

use crate::harness::{Api, eventually, fresh_platform, in_background, when};

#[tokio::test]
async fn every_endpoint_answers_its_api_gateway_event() {
    let Some(api) = fresh_platform(Options { demo: true, ..Options::default() }).await else {
        return;
    };
    for (function, event, status) in endpoints() {
        let (function, event) = (function.as_str(), event.as_str());
        let answer = invoke(&api, function, &fixture(event)).await.unwrap();
        assert_eq!(answer["statusCode"], status, "{event}: {answer}");
        assert_eq!(answer["isBase64Encoded"], false);
        serde_json::from_str::<Value>(answer["body"].as_str().unwrap()).unwrap();
        let mut unreadable = fixture(event);
        unreadable["isBase64Encoded"] = true.into();
        unreadable["body"] = "%".into();
        let unreadable = invoke(&api, function, &unreadable).await.unwrap();
        assert_eq!(unreadable["statusCode"], 400, "{event}: {unreadable}");
        let body: Value = serde_json::from_str(unreadable["body"].as_str().unwrap()).unwrap();
        assert_eq!(body["error"]["code"], "INVALID_REQUEST");
        assert_eq!(body["error"]["traceId"], unreadable["headers"]["x-request-id"]);
        let unknown = invoke(&api, function, &json!({ "Records": [] })).await.unwrap_err();
        assert!(unknown.contains("members: Records"), "{event}: {unknown}");
    }
}

#[test]
fn every_function_has_an_event() {
    for binary in template().binaries() {
        assert!(fixture(&binary).is_object(), "{binary}");
    }
}

#[test]
fn every_route_has_an_event_with_its_route_and_authorizer() {
    let template = template();
    for route in &template.root_api().unwrap().routes {
        let function = &template.functions[&route.function];
        let event = fixture(&function.binary);
        assert_eq!(event["version"], "2.0", "{}", function.binary);
        // The function for GET answers HEAD, too.
        let method = if route.method == "HEAD" { "GET" } else { &route.method };
        assert_eq!(event["routeKey"], format!("{method} {}", route.path));
        let signed_in = event["requestContext"].get("authorizer").is_some();
        assert_eq!(signed_in, route.authorizer.is_some(), "{}", function.binary);
    }
}

#[tokio::test]
async fn the_authorizer_passes_on_the_caller_or_a_refusal() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let mut event = fixture("authorizer");
    let refused = json!({ "isAuthorized": true, "context": { "verdict": "refused" } });
    for unknown in [&event, &json!({}), &json!("no event"), &Value::Null] {
        let verdict = invoke(&api, "AuthorizerFunction", unknown).await.unwrap();
        assert_eq!(verdict, refused, "{unknown}");
    }

    let user = "00000000-0000-7000-8000-000000000001";
    let token = api.inside().unwrap().token(user, &["CUSTOMER", "ADMIN"]);
    event["identitySource"] = json!([format!("Bearer {token}")]);
    let verdict = invoke(&api, "AuthorizerFunction", &event).await.unwrap();
    assert_eq!(verdict["isAuthorized"], true);
    assert_eq!(verdict["context"]["sub"], user);
    assert_eq!(verdict["context"]["roles"], json!(["CUSTOMER", "ADMIN"]));
    for claim in ["tier", "emailVerified", "exp"] {
        assert!(verdict["context"].get(claim).is_some(), "{claim}: {verdict}");
    }
}

#[tokio::test]
async fn the_rotation_accepts_only_events_of_its_secret() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let mut event = fixture("rotate_keys");
    let refused = invoke(&api, "RotateKeysFunction", &event).await.unwrap_err();
    assert!(refused.contains("is another secret than the one that is rotated"), "{refused}");

    let environment = api.inside().unwrap().platform().stores().operator_environment();
    event["SecretId"] = json!(environment["SIGNING_KEYS_SECRET_ID"]);
    for step in ["createSecret", "setSecret", "testSecret", "finishSecret"] {
        event["Step"] = json!(step);
        assert_eq!(invoke(&api, "RotateKeysFunction", &event).await, Ok(Value::Null), "{step}");
        assert_eq!(invoke(&api, "RotateKeysFunction", &event).await, Ok(Value::Null), "{step}");
    }
}

#[tokio::test]
async fn consumers_process_the_events_of_their_sources_without_failures() {
    let Some(api) = fresh_platform(Options { demo: true, ..Options::default() }).await else {
        return;
    };
    let control = api.control().unwrap();
    let none = json!({ "batchItemFailures": [] });
    let mailed = invoke(&api, "SendEmailFunction", &fixture("send_email")).await;
    assert_eq!(mailed.unwrap(), none);
    assert_eq!(control.mails("customer@example.com").await.len(), 1);

    let relayed = invoke(&api, "RelayOutboxFunction", &fixture("relay_outbox")).await;
    assert_eq!(relayed.unwrap(), none);
    let held = async || {
        let credits = control.table("CreditsTable").await;
        when(credits, |credits| credits.iter().any(|item| item["status"] == "HELD"))
    };
    let held = eventually("the event to be relayed and decided on", held).await;
    let again = invoke(&api, "ApproveCustomerFunction", &fixture("approve_customer")).await;
    assert_eq!(again.unwrap(), none);
    assert_eq!(control.table("CreditsTable").await, held, "the order that was relayed");

    // As a row of the version that published the decision by the outbox.
    let mut earlier = fixture("relay_outbox");
    earlier["Records"][0]["dynamodb"]["NewImage"]["eventType"]["S"] = json!("CustomerDecided");
    assert_eq!(invoke(&api, "RelayOutboxFunction", &earlier).await.unwrap(), none);

    for (function, event) in [
        ("MarkUndeliverableFunction", "mark_undeliverable"),
        ("SettleOrderFunction", "settle_order"),
        ("ExpireSagasFunction", "expire_sagas"),
        ("NotifyFunction", "notify"),
        ("SweepCommunicationsFunction", "sweep_communications"),
        ("SweepOutboxFunction", "sweep_outbox"),
        ("ProcessCallbackFunction", "process_callback"),
        ("ExpireObjectFunction", "expire_object"),
    ] {
        assert_eq!(invoke(&api, function, &fixture(event)).await.unwrap(), none, "{event}");
    }

    // An order that is not visible yet is retried.
    let event = fixture("project_orders");
    let early = invoke(&api, "ProjectOrdersFunction", &event).await.unwrap();
    let again = json!([{ "itemIdentifier": event["Records"][0]["messageId"] }]);
    assert_eq!(early, json!({ "batchItemFailures": again }));
}

/// The function of each route, its event, and the expected status: the success in the API
/// description, except for the few events that are refused.
fn endpoints() -> Vec<(String, String, Value)> {
    let refusals = fixture("refusals");
    let described: Value =
        serde_json::from_str(include_str!("../../../infra/openapi.json")).unwrap();
    let template = template();
    let endpoint = |route: &Route| {
        let event = template.functions[&route.function].binary.clone();
        let method = route.method.to_lowercase();
        let responses = described["paths"][&route.path][method]["responses"].as_object().unwrap();
        let success = responses.keys().find(|status| status.starts_with('2')).unwrap();
        let refused = refusals.get(&event).cloned();
        let status = refused.unwrap_or_else(|| success.parse::<u16>().unwrap().into());
        (route.function.clone(), event, status)
    };
    template.root_api().unwrap().routes.iter().map(endpoint).collect()
}

pub(crate) fn template() -> Template {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    Template::read(&path, &BTreeMap::new()).unwrap()
}

pub(crate) fn fixture(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("events/{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("no {}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// Invokes a function directly, as `sam local invoke` does. An error is the one that Lambda
/// reports.
pub(crate) async fn invoke(api: &Api, function: &str, event: &Value) -> Result<Value, String> {
    let functions = api.inside().unwrap().platform().functions().clone();
    let (function, event) = (function.to_owned(), event.to_string().into());
    let invoked = in_background(async move { functions.invoke(&function, event).await }).await;
    let answer = invoked.map_err(|error| error.to_string())?;
    Ok(serde_json::from_slice(&answer).unwrap())
}
