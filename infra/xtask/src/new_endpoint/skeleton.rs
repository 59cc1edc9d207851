//! The file of a function: stages that compile, and respond or consume.

use serde_json::{Map, json};

use super::consumer::NewConsumer;
use super::endpoint::{Method, NewEndpoint, snake_case};
use crate::codegen::names::logical_id;

const QUERY: &str = include_str!("skeletons/query.txt");
const COMMAND: &str = include_str!("skeletons/command.txt");
const CONSUMER: &str = include_str!("skeletons/consumer.txt");

/// An endpoint's text, not yet formatted.
pub(super) fn filled(endpoint: &NewEndpoint) -> String {
    let fields: Vec<String> = endpoint.parameters().map(snake_case).collect();
    let each = |form: fn(&String) -> String| fields.iter().map(form).collect::<String>();
    let declared = each(|field| format!("{field}: String,\n"));
    let sent: Map<_, _> =
        endpoint.parameters().map(|name| (name.to_owned(), name.into())).collect();
    let (input, asked, read, value, ignored, example) = if fields.is_empty() {
        ("()", "()", "()", "()", "()", json!(null))
    } else {
        ("Path<Parameters>", "Parameters", "Path(asked)", "asked", "_", sent.into())
    };
    let method = endpoint.method.in_capitals();
    let skeleton = if endpoint.method == Method::Get { QUERY } else { COMMAND };
    [
        ("{USE_PATH}\n", if fields.is_empty() { "" } else { "use lifecycle::input::Path;\n" }),
        ("{PARAMETERS}\n\n", &parameters(&declared)),
        ("{INPUT}", input),
        ("{READ}", read),
        ("{ASKED}", asked),
        ("{VALUE}", value),
        ("{IGNORED}", ignored),
        ("{FIELDS}\n", &declared),
        ("{COPIES}", &each(|field| format!("{field}: asked.{field}.clone(), "))),
        ("{EXAMPLES}", &each(|field| format!("{field}: String::new(), "))),
        ("{EXAMPLE}", &example.to_string()),
        ("{TYPE}", &endpoint.type_name()),
        ("{CONSTRUCTOR}", &method.to_lowercase()),
        ("{METHOD}", &method),
        ("{PATH}", &endpoint.path),
    ]
    .iter()
    .fold(skeleton.to_owned(), |text, (place, filled)| text.replace(place, filled))
}

/// A consumer's text, not yet formatted.
pub(super) fn consumer(consumer: &NewConsumer) -> String {
    CONSUMER
        .replace("{QUEUE}", &consumer.queue)
        .replace("{CONSTANT}", &consumer.queue.to_uppercase())
        .replace("{TYPE}", &logical_id(&consumer.name, ""))
}

/// The type of the path's parameters, if there are any.
fn parameters(declared: &str) -> String {
    if declared.is_empty() {
        return String::new();
    }
    format!(
        "#[derive(Debug, eserde::Deserialize, JsonSchema)]\n#[serde(rename_all = \"camelCase\")]\n\
         struct Parameters {{\n{declared}}}\n\n"
    )
}
