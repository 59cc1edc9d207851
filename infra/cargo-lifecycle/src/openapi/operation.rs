//! The `OpenAPI` operation of one endpoint.

use serde_json::{Value, json};
use tooling::Error;

use super::bodies;
use super::components::{Components, with_example};
use super::examples::Examples;
use super::plain::{self, Side};
use super::responses;
use super::values::{reference, text};
use super::words::Words;

/// The operation that a binary describes.
pub(super) fn of(
    binary: &str,
    description: &Value,
    words: &Words,
    examples: &Examples,
    components: &mut Components,
) -> Result<Value, Error> {
    let mut operation = json!({
        "operationId": binary,
        "tags": [words.tag],
        "summary": words.summary,
        "description": in_words(description, words),
        "parameters": parameters(description, examples, components)?,
        "responses": responses::of(binary, description, examples, components)?,
        "security": match text(&description["signIn"]).as_str() {
            "required" => json!([{ "bearer": [] }]),
            "optional" => json!([{ "bearer": [] }, {}]),
            _ => json!([]),
        },
    });
    let body = &description["input"]["body"];
    bodies::check(binary, description)?;
    if !body.is_null() {
        let media_type = description["input"]["bodyType"].as_str();
        // Like a parameter, the field of a form is never `null`.
        let side = if media_type.is_none() { Side::Body } else { Side::Parameter };
        let mut schema = body.clone();
        plain::name_root(&mut schema);
        let mut content = json!({ "schema": components.hoist(schema, side)? });
        if examples.has_event() && media_type.is_none() {
            content["example"] =
                examples.body().ok_or_else(|| format!("the event of {binary} has no body"))?;
        }
        operation["requestBody"] = json!({
            "required": true,
            "description": format!("At most {} bytes.", description["bodyBytesMax"]),
            "content": { (media_type.unwrap_or("application/json")): content },
        });
        if description["route"]["method"] == "PATCH" && media_type.is_none() {
            let contents = &mut operation["requestBody"]["content"];
            contents["application/merge-patch+json"] = contents["application/json"].clone();
        }
    }
    Ok(operation)
}

/// The `HEAD` operation of a `GET`: its responses have no body.
pub(super) fn head(binary: &str, get: &Value, components: &Components) -> Value {
    let mut head = get.clone();
    let (_, what) = binary.split_once('_').unwrap_or(("", binary));
    head["operationId"] = json!(format!("head_{what}"));
    head["summary"] = json!(format!("Only the headers: {}", text(&get["summary"])));
    for response in head["responses"].as_object_mut().into_iter().flatten().map(|(_, it)| it) {
        let whole = components.resolved(response);
        *response = json!({ "description": whole["description"], "headers": whole["headers"] });
        response["headers"]["content-length"] = reference("headers", "content-length");
    }
    head
}

/// The description: further remarks, the permitted roles, and the rate limits.
fn in_words(description: &Value, words: &Words) -> String {
    let roles = description["access"]["oneOf"].as_array().map(|roles| {
        let roles: Vec<_> = roles.iter().map(|role| text(role).to_uppercase()).collect();
        format!("For the roles {}.", roles.join(", "))
    });
    let limit = description["limit"].as_object().map(|limit| {
        match limit.get("costMax").and_then(Value::as_u64) {
            Some(cost @ 2..) => format!(
                "A request counts up to {cost}, of at most {} in {} s.",
                limit["quota"], limit["windowSeconds"]
            ),
            _ => format!("At most {} requests in {} s.", limit["quota"], limit["windowSeconds"]),
        }
    });
    let subject = description["subjectLimit"].as_object().map(|limit| {
        format!(
            "At most {} requests for one {} in {} s, from all callers together.",
            limit["quota"],
            text(&limit["subject"]),
            limit["windowSeconds"]
        )
    });
    let said = (!words.description.is_empty()).then(|| words.description.clone());
    said.into_iter().chain(roles).chain(limit).chain(subject).collect::<Vec<_>>().join("\n\n")
}

fn parameters(
    description: &Value,
    examples: &Examples,
    components: &mut Components,
) -> Result<Vec<Value>, Error> {
    let mut parameters = Vec::new();
    for (place, part) in
        [("path", "path"), ("query", "query"), ("header", "headers"), ("cookie", "cookies")]
    {
        let part = description["input"][part].clone();
        parameters.extend(parameters_of(place, part, examples, components)?);
    }
    let common = [
        ("RequestId", true),
        ("IdempotencyKeyAccepted", description["idempotency"] == "accepted"),
        ("IdempotencyKeyRequired", description["idempotency"] == "required"),
        ("IfMatch", description["conditions"] == "facts"),
        ("IfNoneMatchAny", description["conditions"] == "facts"),
        ("IfNoneMatchNew", description["conditions"] == "creation"),
        ("IfMatchShown", description["conditions"] == "reply"),
        ("IfNoneMatch", description["conditions"] == "reply"),
    ];
    let common = common.into_iter().filter(|(_, applies)| *applies);
    parameters.extend(common.map(|(name, _)| reference("parameters", name)));
    Ok(parameters)
}

fn parameters_of(
    place: &str,
    mut part: Value,
    examples: &Examples,
    components: &mut Components,
) -> Result<Vec<Value>, Error> {
    let required = part["required"].as_array().cloned().unwrap_or_default();
    if let Some(part) = part.as_object_mut() {
        part.remove("title");
    }
    let part = components.hoist(part, Side::Parameter)?;
    let properties = part["properties"].as_object().cloned().unwrap_or_default();
    let parameter = |(name, mut schema): (String, Value)| {
        let example = examples.parameter(place, &name, &schema);
        let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        let mut parameter = json!({
            "name": name, "in": place,
            "required": place == "path" || required.contains(&json!(name)),
            "schema": schema,
        });
        if let Some(description) = description {
            parameter["description"] = description;
        }
        with_example(parameter, example)
    };
    Ok(properties.into_iter().map(parameter).collect())
}
