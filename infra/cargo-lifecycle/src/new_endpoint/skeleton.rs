//! The file of a function: stages that compile, and respond or consume.

use serde_json::{Map, json};
use tooling::Error;

use super::consumer::NewConsumer;
use super::endpoint::{Method, NewEndpoint, snake_case};
use crate::codegen::names::logical_id;
use crate::service::Service;

/// The skeletons of services without their own: name and text.
const QUERY: (&str, &str) = ("query.txt", include_str!("skeletons/query.txt"));
const COMMAND: (&str, &str) = ("command.txt", include_str!("skeletons/command.txt"));
const CONSUMER: (&str, &str) = ("consumer.txt", include_str!("skeletons/consumer.txt"));

/// The service's own skeleton, or else the default one.
fn of(service: &Service, (name, default): (&str, &str)) -> Result<String, Error> {
    match &service.settings().new.skeletons {
        Some(folder) => {
            let text = fs_err::read_to_string(service.path(folder).join(name))?;
            // The places of several lines end with `\n`.
            Ok(text.replace("\r\n", "\n"))
        }
        None => Ok(default.to_owned()),
    }
}

/// An endpoint's text, not yet formatted.
///
/// # Errors
///
/// If the service's skeleton cannot be read.
pub(super) fn filled(service: &Service, endpoint: &NewEndpoint) -> Result<String, Error> {
    let fields: Vec<String> = endpoint.parameters().map(snake_case).collect();
    let each = |form: fn(&String) -> String| fields.iter().map(form).collect::<String>();
    let declared = each(|field| format!("{field}: String,\n"));
    let sent: Map<_, _> =
        endpoint.parameters().map(|name| (name.to_owned(), name.into())).collect();
    let (input, asked, value, ignored, example) = match &fields[..] {
        [] => ("()", "()", "()", "()", json!(null)),
        [_] => ("Path<String>", "String", "asked", "_", json!("example")),
        _ => ("Path<Parameters>", "Parameters", "asked", "_", sent.into()),
    };
    let copies = match &fields[..] {
        [field] => format!("{field}: asked.clone(), "),
        _ => each(|field| format!("{field}: asked.{field}.clone(), ")),
    };
    let parameters = if fields.len() > 1 { parameters(&declared) } else { String::new() };
    let method = endpoint.method.in_capitals();
    let skeleton = if endpoint.method == Method::Get { QUERY } else { COMMAND };
    let places = [
        ("{PARAMETERS}\n\n", parameters.as_str()),
        ("{INPUT}", input),
        ("{ASKED}", asked),
        ("{VALUE}", value),
        ("{IGNORED}", ignored),
        ("{FIELDS}\n", &declared),
        ("{COPIES}", &copies),
        ("{EXAMPLES}", &each(|field| format!("{field}: String::new(), "))),
        ("{EXAMPLE}", &example.to_string()),
        ("{TYPE}", &endpoint.type_name()),
        ("{CONSTRUCTOR}", &method.to_lowercase()),
        ("{METHOD}", &method),
        ("{PATH}", &endpoint.path),
    ];
    let fill = |text: String, (place, filled): &(&str, &str)| text.replace(place, filled);
    Ok(places.iter().fold(of(service, skeleton)?, fill))
}

/// A consumer's text, not yet formatted.
///
/// # Errors
///
/// If the service's skeleton cannot be read.
pub(super) fn consumer(service: &Service, consumer: &NewConsumer) -> Result<String, Error> {
    Ok(of(service, CONSUMER)?
        .replace("{QUEUE}", &consumer.queue)
        .replace("{CONSTANT}", &consumer.queue.to_uppercase())
        .replace("{TYPE}", &logical_id(&consumer.name, "")))
}

/// The type of several parameters in the path.
fn parameters(declared: &str) -> String {
    format!(
        "#[derive(Debug, eserde::Deserialize, JsonSchema)]\n#[serde(rename_all = \"camelCase\")]\n\
         struct Parameters {{\n{declared}}}\n\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Library;

    #[test]
    fn a_skeleton_with_carriage_returns_is_filled() {
        let library = Library::new("returns");
        let endpoint = NewEndpoint {
            name: "get_loan".to_owned(),
            method: Method::Get,
            path: "/books/{bookId}/loans/{loanId}".to_owned(),
            folder: None,
        };
        let expected = filled(&library.service(), &endpoint).unwrap();
        library.set("[package.metadata.lifecycle.new]\nskeletons = \"skeletons\"");
        library.write("skeletons/query.txt", &QUERY.1.replace('\n', "\r\n"));
        assert_eq!(filled(&library.service(), &endpoint).unwrap(), expected);
        assert!(expected.contains("struct Parameters {"), "{expected}");
    }

    #[test]
    fn the_readme_names_each_dependency_of_a_new_function() {
        let manifest = include_str!("../new_service/files/functions.toml");
        let manifest: toml::Table = toml::from_str(manifest).unwrap();
        let written = [QUERY.1, COMMAND.1, CONSUMER.1, parameters("").as_str()].concat();
        let readme = crate::service::repository().join("README.md");
        let readme = fs_err::read_to_string(readme).unwrap();
        let known = manifest["dependencies"].as_table().unwrap().keys();
        let used: Vec<&String> = known.filter(|it| written.contains(&format!("{it}::"))).collect();
        assert!(used.len() > 2, "{used:?}");
        for name in used {
            assert!(readme.contains(&format!("\n{name} = ")), "{name}");
        }
    }
}
