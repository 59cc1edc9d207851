//! The other entries of an endpoint: in the template, the alarms, cargo's manifest, the unit tests,
//! and the test events.
//!
//! Each is copied from existing entries. The new endpoint gets copies of those of `get_user` in
//! `template.yaml` and `tests/events`, so they follow the current style.

use sam_template::Template;
use serde_json::{Map, Value, json};
use tooling::Error;
use tooling::context::Context;

use super::endpoint::{Method, NewEndpoint, same_route};
use crate::drift::logical_id;

/// The endpoint whose entries are copied: its caller is signed in, and it reads one record.
pub(super) const MODEL: &str = "get_user";
const MODEL_ROUTE: &str = r#"Method: GET, Path: "/users/{userId}""#;

/// The text before the list of all functions with the same alarms.
const ALL_FUNCTIONS: &str = "Fn::ForEach::Functions:";

/// A setting of the model that needs its traffic: a new endpoint has too few requests.
const JUDGED: &str = "      DeploymentPreference:";

/// Rejects a name or route that the template already has.
///
/// # Errors
///
/// If a function has it; the error names it.
pub(super) fn refuse_known(template: &Template, endpoint: &NewEndpoint) -> Result<(), Error> {
    if template.binaries().contains(&endpoint.name) {
        return Err(format!("there is already a function {}", endpoint.name).into());
    }
    let method = endpoint.method.in_capitals();
    for route in template.api.iter().flat_map(|api| &api.routes) {
        if route.method == method && same_route(&route.path, &endpoint.path) {
            return Err(
                format!("{method} {} already belongs to {}", route.path, route.function).into()
            );
        }
    }
    Ok(())
}

/// The template with a copy of each of the model's resources, each after the neighbour's.
///
/// # Errors
///
/// If the template has no model to copy.
pub(super) fn in_template(
    text: &str,
    endpoint: &NewEndpoint,
    neighbour: &str,
) -> Result<String, Error> {
    let (model, new) = (logical_id(MODEL, ""), endpoint.type_name());
    let route = format!("Method: {}, Path: \"{}\"", endpoint.method.in_capitals(), endpoint.path);
    let mut extended = text.to_owned();
    for (suffix, block) in resources_of(text, &model) {
        let lines = block.lines().filter(|line| !line.starts_with(JUDGED));
        let block = lines.collect::<Vec<_>>().join("\n");
        let copy =
            block.replace(&model, &new).replace(MODEL, &endpoint.name).replace(MODEL_ROUTE, &route);
        let neighbours = format!("\n  {}:\n", logical_id(neighbour, suffix));
        let models = format!("\n  {model}{suffix}:\n");
        let heading = if extended.contains(&neighbours) { neighbours } else { models };
        extended = behind(&extended, &heading, "\n\n", &format!("{copy}\n\n"))?;
    }
    if extended.contains(&format!("  {new}Function:\n")) && extended.contains(&route) {
        Ok(extended)
    } else {
        Err(format!("template.yaml has no {model}Function with {MODEL_ROUTE} to copy").into())
    }
}

/// The resources whose logical ids begin with this name: the rest of the id, and the text. An empty
/// line ends a resource.
fn resources_of<'a>(text: &'a str, name: &str) -> Vec<(&'a str, &'a str)> {
    let suffix_of = |block: &'a str| {
        block
            .lines()
            .find_map(|line| line.strip_prefix("  ")?.strip_prefix(name)?.strip_suffix(':'))
    };
    text.split("\n\n").filter_map(|block| Some((suffix_of(block)?, block))).collect()
}

/// The alarms, with the function added to their list: after its neighbour, or after the model if
/// the neighbour has other alarms.
///
/// # Errors
///
/// If the list has neither.
pub(super) fn in_alarms(
    text: &str,
    endpoint: &NewEndpoint,
    neighbour: &str,
) -> Result<String, Error> {
    let list = text.split_once(ALL_FUNCTIONS).and_then(|(before, behind)| {
        let (listed, after) = behind.split_once(']')?;
        Some((before, format!("{listed}]"), after))
    });
    let (before, listed, after) = list.ok_or("infra/alarms.yaml has no list of functions")?;
    for known in [neighbour, MODEL] {
        for end in [",", "]"] {
            let mark = format!("{known}{end}");
            let place = listed
                .match_indices(&mark)
                .find(|(place, _)| listed[..*place].ends_with([' ', '[']));
            if let Some((place, _)) = place {
                let (first, rest) = listed.split_at(place);
                let both = format!("{known}, {}{}", endpoint.name, &rest[known.len()..]);
                return Ok(format!("{before}{ALL_FUNCTIONS}{first}{both}{after}"));
            }
        }
    }
    Err(format!("infra/alarms.yaml does not list {neighbour}").into())
}

/// Cargo's manifest, with the binary added.
///
/// # Errors
///
/// If it lacks the neighbour's.
pub(super) fn in_manifest(
    text: &str,
    endpoint: &NewEndpoint,
    neighbour: &str,
) -> Result<String, Error> {
    let NewEndpoint { name, folder, .. } = endpoint;
    let binary =
        format!("\n[[bin]]\nname = \"{name}\"\npath = \"{folder}/{name}.rs\"\ntest = false\n");
    behind(text, &format!("name = \"{neighbour}\"\n"), "test = false\n", &binary)
}

/// The library, with the module added, so that its unit tests are linked.
///
/// # Errors
///
/// If it lacks the neighbour's.
pub(super) fn in_library(
    text: &str,
    endpoint: &NewEndpoint,
    neighbour: &str,
) -> Result<String, Error> {
    let NewEndpoint { name, folder, .. } = endpoint;
    let module = format!("#[path = \"{folder}/{name}.rs\"]\nmod {name};\n");
    behind(text, &format!("mod {neighbour};"), "\n", &module)
}

/// The text with an addition after the first `end` that follows `mark`.
fn behind(text: &str, mark: &str, end: &str, addition: &str) -> Result<String, Error> {
    let place = text.find(mark).and_then(|marked| {
        let inside = marked + mark.len();
        text[inside..].find(end).map(|ends| inside + ends + end.len())
    });
    let place = place.ok_or_else(|| format!("{:?} is missing", mark.trim()))?;
    let (before, after) = text.split_at(place);
    Ok(format!("{before}{addition}{after}"))
}

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

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = r#"
Resources:

  GetUserFunction:
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: get_user}}
      DeploymentPreference: {Type: !Ref DeploymentPreference}
        Api: {Properties: {Method: GET, Path: "/users/{userId}"}}

  GetOrderFunction:
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: get_order}}

  GetUserLogGroup:
    Properties: {LogGroupName: !Sub "/aws/lambda/${GetUserFunction}"}

Outputs:
"#;

    fn greeting() -> NewEndpoint {
        NewEndpoint {
            name: "put_greeting".to_owned(),
            method: Method::Put,
            path: "/greetings/{greetingId}".to_owned(),
            folder: "orders".to_owned(),
        }
    }

    #[test]
    fn the_models_resources_are_copied_after_the_neighbours() {
        let extended = in_template(TEMPLATE, &greeting(), "get_order").unwrap();
        let headings: Vec<_> = extended
            .lines()
            .filter(|line| {
                line.starts_with("  ") && line.ends_with(':') && !line.starts_with("   ")
            })
            .collect();
        let expected = ["GetUserFunction", "GetOrderFunction", "PutGreetingFunction"];
        assert_eq!(headings[..3], expected.map(|id| format!("  {id}:")));
        assert_eq!(headings[3..], ["  GetUserLogGroup:", "  PutGreetingLogGroup:"]);
        assert!(
            extended.contains(r#"{Method: PUT, Path: "/greetings/{greetingId}"}"#),
            "{extended}"
        );
        assert!(extended.contains("{Binary: put_greeting}"), "{extended}");
        assert_eq!(extended.matches("DeploymentPreference:").count(), 1, "{extended}");
        assert!(extended.contains("/aws/lambda/${PutGreetingFunction}"), "{extended}");
        assert!(extended.ends_with("\n\nOutputs:\n"), "{extended}");
    }

    #[test]
    fn the_function_is_added_to_the_list_of_alarms() {
        let alarms = |listed: &str| {
            format!(
                "Fn::ForEach::Judged: [get_user, get_order]\nFn::ForEach::Functions: {listed}\nFn::ForEach::Clocks: [tick]"
            )
        };
        for (neighbour, listed, both) in [
            (
                "get_order",
                "[get_user, get_order, get_orders]",
                "[get_user, get_order, put_greeting, get_orders]",
            ),
            ("get_order", "[get_user, get_order]", "[get_user, get_order, put_greeting]"),
            ("tick", "[get_user, get_order]", "[get_user, put_greeting, get_order]"),
        ] {
            let found = in_alarms(&alarms(listed), &greeting(), neighbour).unwrap();
            assert_eq!(found, alarms(both));
        }
        assert!(in_alarms(&alarms("[get_orders]"), &greeting(), "get_order").is_err());
    }

    #[test]
    fn a_template_without_the_model_is_an_error() {
        let without = TEMPLATE.replace("userId", "id");
        assert!(in_template(&without, &greeting(), "get_order").is_err());
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
}
