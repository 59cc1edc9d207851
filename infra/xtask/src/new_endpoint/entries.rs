//! What else has to know of an endpoint: the template, the alarms, cargo, the unit tests, the ready
//! events.
//!
//! Each is made after its neighbour: what `template.yaml` and `tests/events` have for `get_user`,
//! they get for the new endpoint, so that it is in the style of the day.

use local::template::Template;
use serde_json::{Map, Value, json};

use super::endpoint::{Method, NewEndpoint, same_route};
use crate::context::Context;
use crate::descriptions::Error;
use crate::drift::logical_id;

/// The endpoint that others are made after: signed in, and reading one record.
pub(super) const MODEL: &str = "get_user";
const MODEL_ROUTE: &str = r#"Method: GET, Path: "/users/{userId}""#;

/// What the list of all functions with the same alarms comes behind.
const ALL_FUNCTIONS: &str = "Fn::ForEach::Functions:";

/// What the model has for its traffic's sake: a new endpoint has too little to be judged by.
const JUDGED: &str = "      DeploymentPreference:";

/// Complains of a template that has the endpoint's name or route already.
///
/// # Errors
///
/// Says which function has it.
pub(super) fn refuse_known(template: &Template, endpoint: &NewEndpoint) -> Result<(), Error> {
    if template.binaries().contains(&endpoint.name) {
        return Err(format!("there is a function {} already", endpoint.name).into());
    }
    let method = endpoint.method.in_capitals();
    for route in template.api.iter().flat_map(|api| &api.routes) {
        if route.method == method && same_route(&route.path, &endpoint.path) {
            return Err(format!("{method} {} is {}'s already", route.path, route.function).into());
        }
    }
    Ok(())
}

/// The template with a copy of every resource that bears the model's name, each behind its
/// neighbour's.
///
/// # Errors
///
/// Where the template has no model to copy.
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

/// The resources whose logical ids begin with this name: what follows it there, and the text. An
/// empty line ends a resource.
fn resources_of<'a>(text: &'a str, name: &str) -> Vec<(&'a str, &'a str)> {
    let suffix_of = |block: &'a str| {
        block
            .lines()
            .find_map(|line| line.strip_prefix("  ")?.strip_prefix(name)?.strip_suffix(':'))
    };
    text.split("\n\n").filter_map(|block| Some((suffix_of(block)?, block))).collect()
}

/// The alarms, with the function among those that they are about: behind its neighbour, or behind the
/// model where the neighbour has alarms of its own.
///
/// # Errors
///
/// Where neither is among them.
pub(super) fn in_alarms(
    text: &str,
    endpoint: &NewEndpoint,
    neighbour: &str,
) -> Result<String, Error> {
    let list = text.split_once(ALL_FUNCTIONS).and_then(|(before, behind)| {
        let (listed, after) = behind.split_once(']')?;
        Some((before, format!("{listed}]"), after))
    });
    let (before, listed, after) = list.ok_or("the alarms have no list of functions")?;
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
    Err(format!("the alarms do not know {neighbour}").into())
}

/// Cargo's manifest with the binary.
///
/// # Errors
///
/// Where it lacks the neighbour's.
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

/// The library with the module, so that its unit tests are linked.
///
/// # Errors
///
/// Where it lacks the neighbour's.
pub(super) fn in_library(
    text: &str,
    endpoint: &NewEndpoint,
    neighbour: &str,
) -> Result<String, Error> {
    let NewEndpoint { name, folder, .. } = endpoint;
    let module = format!("#[path = \"{folder}/{name}.rs\"]\nmod {name};\n");
    behind(text, &format!("mod {neighbour};"), "\n", &module)
}

/// The text with an addition behind the first end that follows a mark.
fn behind(text: &str, mark: &str, end: &str, addition: &str) -> Result<String, Error> {
    let place = text.find(mark).and_then(|marked| {
        let inside = marked + mark.len();
        text[inside..].find(end).map(|ends| inside + ends + end.len())
    });
    let place = place.ok_or_else(|| format!("{:?} is not where it should be", mark.trim()))?;
    let (before, after) = text.split_at(place);
    Ok(format!("{before}{addition}{after}"))
}

/// The model's ready event, as API Gateway would send it for the endpoint: every parameter of the
/// path is its own name.
///
/// # Errors
///
/// Where the model's is no JSON.
pub(super) fn event(model: &str, endpoint: &NewEndpoint) -> Result<String, Error> {
    let mut event: Value = serde_json::from_str(model).context(|| "the model's ready event")?;
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

/// What the endpoint answers, recorded by its shape; the headers are those of the model's answer.
///
/// # Errors
///
/// Where the model's is no JSON.
pub(super) fn recorded(model: &str, endpoint: &NewEndpoint) -> Result<String, Error> {
    let mut recorded: Value =
        serde_json::from_str(model).context(|| "the model's recorded answer")?;
    let fields = endpoint.parameters().chain(["askedBy"]);
    let fields: Map<_, _> = fields.map(|name| (name.to_owned(), "string".into())).collect();
    recorded["body"] = json!({ "data": fields });
    // Only what is read has an entity tag without being asked for one.
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
    fn what_the_model_has_the_endpoint_gets_behind_its_neighbour() {
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
    fn the_alarms_of_all_functions_are_about_it_too() {
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
    fn a_template_without_the_model_is_refused() {
        let without = TEMPLATE.replace("userId", "id");
        assert!(in_template(&without, &greeting(), "get_order").is_err());
    }

    #[test]
    fn what_is_recorded_is_what_is_answered() {
        let model = r#"{"body":{},"headers":{"etag":"string"},"status":"200"}"#;
        let recorded: Value = serde_json::from_str(&recorded(model, &greeting()).unwrap()).unwrap();
        let data = json!({ "askedBy": "string", "greetingId": "string" });
        assert_eq!(recorded, json!({ "body": { "data": data }, "headers": {}, "status": "200" }));
    }

    #[test]
    fn an_event_knows_its_route() {
        let model = r#"{"requestContext":{"http":{},"authorizer":{"lambda":{}}}}"#;
        let event: Value = serde_json::from_str(&event(model, &greeting()).unwrap()).unwrap();
        assert_eq!(event["routeKey"], "PUT /greetings/{greetingId}");
        assert_eq!(event["rawPath"], "/greetings/greetingId");
        assert_eq!(event["pathParameters"]["greetingId"], "greetingId");
        assert!(event["requestContext"].get("authorizer").is_some());
    }
}
