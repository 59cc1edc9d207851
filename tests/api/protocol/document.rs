//! Checks of the API description itself. Every test that gets a response checks it against the
//! description.

use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Value, json};

use crate::harness::{ApiResponse, DESCRIPTION, shared_platform};

#[test]
fn every_example_matches_its_schema() {
    let mut examples = 0;
    for operation in operations() {
        let bodies = operation.get("requestBody").into_iter();
        let responses = operation["responses"].as_object().unwrap().values().map(resolved);
        for content in bodies.chain(responses).filter_map(|part| part["content"].as_object()) {
            for media in content.values() {
                let several = media["examples"].as_object().into_iter().flatten();
                let several = several.map(|(_, example)| &example["value"]);
                for example in media.get("example").into_iter().chain(several) {
                    examples += 1;
                    let violation = DESCRIPTION.violation(&media["schema"], example);
                    assert_eq!(violation, None, "{}: {example}", operation["operationId"]);
                }
            }
        }
        for parameter in operation["parameters"].as_array().unwrap().iter().map(resolved) {
            if let Some(example) = parameter.get("example") {
                examples += 1;
                let violation = DESCRIPTION.violation(&parameter["schema"], example);
                assert_eq!(violation, None, "{parameter}");
            }
        }
    }
    assert!(examples > 300, "{examples}");
}

#[test]
fn every_operation_has_a_summary_and_an_example_of_its_success() {
    for operation in operations() {
        let name = &operation["operationId"];
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{name}");
        let responses = operation["responses"].as_object().unwrap();
        for (status, response) in responses {
            assert!(!resolved(response)["headers"].is_null(), "{name} {status}");
        }
        for status in ["400", "406", "413", "429", "500", "503", "504"] {
            assert!(responses.contains_key(status), "{name} {status}");
        }
        let success = responses.iter().find(|(status, _)| status.starts_with('2'));
        let content =
            &success.expect("every operation has a success").1["content"]["application/json"];
        assert!(content.is_null() || !content["example"].is_null(), "{name}");
    }
}

#[tokio::test]
async fn the_platform_serves_its_api_description_and_a_page_for_it() {
    let api = shared_platform().await;
    let Some(control) = api.control() else { return };
    let get = async |path: &str| control.call(Method::GET, path).send().await;
    let mut served = get("/openapi.json").await.json();
    assert!(served["servers"][0]["url"].as_str().unwrap().starts_with("http://127.0.0.1:"));
    served["servers"] = DESCRIPTION.document()["servers"].clone();
    assert_eq!(served, *DESCRIPTION.document());
    let page = get("/docs").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.header("content-security-policy").contains("default-src 'self'"));
    let script = get("/docs/page.js").await;
    let script = std::str::from_utf8(&script.body).unwrap();
    assert!(script.contains("fetch(\"openapi.json\")"), "{script}");
    let products = get("/api/products?limit=1").await;
    assert_eq!((products.status, &products.json()["limit"]), (200, &json!(1)));
}

#[test]
fn a_response_that_is_not_described_is_reported() {
    let answer = |status, media_type: &'static str, body: Value| {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static(media_type));
        ApiResponse::new(status, headers, body.to_string())
    };
    let error = |code| json!({ "error": { "code": code, "message": "No.", "traceId": "1" } });
    let json = "application/json";
    for (answer, found) in [
        (answer(404, json, error("NOT_FOUND")), ""),
        (answer(404, json, json!({ "message": "Not Found" })), ""),
        (answer(404, json, error("ORDER_GONE")), "is not valid"),
        (answer(404, json, json!({ "detail": "Not Found" })), "is not valid"),
        (answer(404, "text/html", error("NOT_FOUND")), "has no text/html"),
        (answer(418, json, error("NOT_FOUND")), "has no status 418"),
        (answer(304, json, error("NOT_FOUND")), "has no body"),
    ] {
        let complaint = DESCRIPTION.complaint(&Method::GET, "/orders/1", &answer);
        let complaint = complaint.unwrap_or_default();
        assert_eq!(complaint.is_empty(), found.is_empty(), "{complaint}");
        assert!(complaint.contains(found), "{complaint}");
    }
}

fn operations() -> impl Iterator<Item = &'static Value> {
    let paths = DESCRIPTION.document()["paths"].as_object().unwrap().values();
    paths.flat_map(|item| item.as_object().unwrap().values())
}

fn resolved(part: &Value) -> &Value {
    DESCRIPTION.resolved(part)
}
