//! The examples of a function: its event, and the response of an endpoint.
//!
//! They are copied from those of an existing function, so they follow the current style.

use serde_json::{Map, Value, json};
use tooling::Error;
use tooling::context::Context;

use super::consumer::NewConsumer;
use super::endpoint::{Method, NewEndpoint};
use crate::codegen::names::logical_id;

/// A user's id, as tests write it.
const USER_ID: &str = "00000000-0000-7000-8000-000000000001";

/// The model's test event, as API Gateway would send it to the endpoint: each path parameter's
/// value is its name.
///
/// # Errors
///
/// If the model's event is not JSON.
pub(super) fn event(model: &str, endpoint: &NewEndpoint) -> Result<String, Error> {
    let mut event: Value = serde_json::from_str(model).context(|| "the model's test event")?;
    let (route_key, path) = (endpoint.route_key(), endpoint.example_path());
    let parameters: Map<_, _> =
        endpoint.parameters().map(|name| (name.to_owned(), name.into())).collect();
    event["routeKey"] = json!(route_key);
    event["rawPath"] = json!(path);
    event["requestContext"]["routeKey"] = json!(route_key);
    event["requestContext"]["http"]["method"] = json!(endpoint.method.in_capitals());
    event["requestContext"]["http"]["path"] = json!(path);
    event["pathParameters"] = json!(parameters);
    Ok(format!("{event:#}\n"))
}

/// The recorded response of the endpoint, by its shape; the headers are those of the model.
///
/// # Errors
///
/// If the model's recording is not JSON.
pub(super) fn recorded(model: &str, endpoint: &NewEndpoint) -> Result<String, Error> {
    let mut recorded: Value =
        serde_json::from_str(model).context(|| "the model's recorded response")?;
    let fields = endpoint.parameters().chain(["askedBy"]);
    let fields: Map<_, _> = fields.map(|name| (name.to_owned(), "string".into())).collect();
    recorded["body"] = json!({ "data": fields });
    // Only responses to reads have an entity tag by default.
    if let (false, Some(headers)) =
        (endpoint.method == Method::Get, recorded["headers"].as_object_mut())
    {
        headers.remove("etag");
    }
    Ok(format!("{recorded:#}\n"))
}

/// The model's test event, as Lambda would send a message of the consumer's queue.
///
/// # Errors
///
/// If the model's event is not a message with an envelope.
pub(super) fn message(model: &str, consumer: &NewConsumer) -> Result<String, Error> {
    let mut event: Value = serde_json::from_str(model).context(|| "the model's test event")?;
    let record = &mut event["Records"][0];
    let body = record["body"].as_str().ok_or("the model's message has no body")?;
    let mut envelope: Value = serde_json::from_str(body).context(|| "the model's message")?;
    envelope["eventType"] = json!(logical_id(&consumer.queue, ""));
    envelope["aggregateId"] = json!(USER_ID);
    envelope["data"] = json!({ "userId": USER_ID });
    record["body"] = json!(envelope.to_string());
    let queue = logical_id(&consumer.queue, "Queue");
    record["eventSourceARN"] = json!(format!("arn:aws:sqs:eu-west-1:123456789012:{queue}"));
    if let Some(record) = record.as_object_mut() {
        record.remove("md5OfBody");
    }
    Ok(format!("{event:#}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greeting() -> NewEndpoint {
        NewEndpoint {
            name: "put_greeting".to_owned(),
            method: Method::Put,
            path: "/greetings/{greetingId}".to_owned(),
            folder: None,
        }
    }

    #[test]
    fn the_recorded_response_is_the_endpoints() {
        let model = r#"{"body":{},"headers":{"etag":"string"},"status":"200"}"#;
        let recorded: Value = serde_json::from_str(&recorded(model, &greeting()).unwrap()).unwrap();
        let data = json!({ "askedBy": "string", "greetingId": "string" });
        assert_eq!(recorded, json!({ "body": { "data": data }, "headers": {}, "status": "200" }));
    }

    #[test]
    fn an_event_has_the_endpoints_route() {
        let model = r#"{"requestContext":{"http":{},"authorizer":{"lambda":{}}}}"#;
        let event: Value = serde_json::from_str(&event(model, &greeting()).unwrap()).unwrap();
        assert_eq!(event["routeKey"], "PUT /greetings/{greetingId}");
        assert_eq!(event["rawPath"], "/greetings/greetingId");
        assert_eq!(event["pathParameters"]["greetingId"], "greetingId");
        assert!(event["requestContext"].get("authorizer").is_some());
    }

    #[test]
    fn a_message_has_the_consumers_queue_and_an_envelope() {
        let model = r#"{"Records":[{"body":"{\"version\":1,\"data\":{}}","md5OfBody":"0"}]}"#;
        let (name, queue) = ("count_greetings".to_owned(), "greetings".to_owned());
        let consumer = NewConsumer { name, queue, folder: None };
        let event: Value = serde_json::from_str(&message(model, &consumer).unwrap()).unwrap();
        let record = &event["Records"][0];
        assert!(record["eventSourceARN"].as_str().unwrap().ends_with(":GreetingsQueue"));
        assert!(record.get("md5OfBody").is_none());
        let body: Value = serde_json::from_str(record["body"].as_str().unwrap()).unwrap();
        assert_eq!((&body["version"], &body["data"]["userId"]), (&json!(1), &json!(USER_ID)));
    }
}
