//! Checks a response against the API's description.

use serde_json::{Value, json};

/// The problems of a function's response, by the function's description and the expected error
/// status, if any.
pub(super) fn complaints(description: &Value, refused: Option<u16>, answer: &Value) -> Vec<String> {
    let expected = refused.map_or(description["status"].clone(), Value::from);
    if answer["statusCode"] != expected {
        return vec![format!("responds with {}, not {expected}: {answer}", answer["statusCode"])];
    }
    let envelope = json!({ "required": ["code", "message", "traceId"] });
    let error = json!({ "required": ["error"], "properties": { "error": envelope } });
    let schema = if refused.is_some() { &error } else { &description["output"] };
    let body = answer["body"].as_str().and_then(|body| serde_json::from_str(body).ok());
    let mut complaints = Vec::new();
    if answer["headers"]["x-request-id"].is_null() {
        complaints.push("has no request id".to_owned());
    }
    match body {
        Some(body) => missing("", schema, schema, &body, &mut complaints),
        None if schema.is_null() => {}
        None => complaints.push(format!("its body is not JSON: {answer}")),
    }
    complaints
}

/// Adds the required members that the value lacks, by JSON Pointer.
fn missing(at: &str, schema: &Value, root: &Value, value: &Value, complaints: &mut Vec<String>) {
    let reference = schema["$ref"].as_str().and_then(|to| to.strip_prefix('#'));
    if let Some(definition) = reference.and_then(|pointer| root.pointer(pointer)) {
        return missing(at, definition, root, value, complaints);
    }
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    for name in required.filter(|name| value.get(name).is_none()) {
        complaints.push(format!("has no {at}/{name}"));
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = value.get(name) {
            missing(&format!("{at}/{name}"), property, root, value, complaints);
        }
    }
    if let Some(items) = value.as_array() {
        for (number, item) in items.iter().enumerate() {
            missing(&format!("{at}/{number}"), &schema["items"], root, item, complaints);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &Value) -> Value {
        json!({ "statusCode": status, "headers": { "x-request-id": "1" }, "body": body.to_string() })
    }

    #[test]
    fn a_wrong_status_and_each_missing_field_are_reported() {
        let description = json!({ "status": 200, "output": {
            "required": ["data"],
            "properties": { "data": { "type": "array", "items": { "$ref": "#/$defs/Item" } } },
            "$defs": { "Item": { "required": ["id", "name"] } },
        }});
        let item = json!({ "id": 1, "name": "a" });
        for (status, body, count) in [
            (200, json!({ "data": [item] }), 0),
            (200, json!({ "data": [item, { "id": 2 }, {}] }), 3),
            (200, json!({}), 1),
            (404, json!({}), 1),
        ] {
            let found = complaints(&description, None, &answer(status, &body));
            assert_eq!(found.len(), count, "{body}: {found:?}");
        }
        let error = json!({ "error": { "code": "NOT_FOUND", "message": "no", "traceId": "1" } });
        assert!(complaints(&description, Some(404), &answer(404, &error)).is_empty());
        assert!(!complaints(&description, Some(404), &answer(404, &json!({}))).is_empty());
    }
}
