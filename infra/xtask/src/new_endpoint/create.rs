//! Writes the files of a new function.

use std::collections::BTreeMap;
use std::path::Path;

use sam_template::Template;
use tooling::process::succeeded;
use tooling::{Error, cargo};

use super::consumer::NewConsumer;
use super::endpoint::NewEndpoint;
use super::{examples, skeleton};
use crate::codegen;

/// Writes the file and the examples of an endpoint, and registers it with cargo. Returns the paths of
/// the written files.
///
/// # Errors
///
/// If the name or the route is invalid or exists, or if a file cannot be written.
pub(super) fn endpoint(workspace: &Path, endpoint: &NewEndpoint) -> Result<Vec<String>, Error> {
    endpoint.check()?;
    endpoint.refuse_known_route(&template_without(workspace, &endpoint.name)?)?;
    let event = examples::event(&example(workspace, "events", examples::ENDPOINT)?, endpoint)?;
    let recorded = example(workspace, "recorded", examples::ENDPOINT)?;
    let recorded = examples::recorded(&recorded, endpoint)?;
    let examples = [("events", event), ("recorded", recorded)];
    create(workspace, &endpoint.folder, &endpoint.name, &skeleton::filled(endpoint), &examples)
}

/// Writes the file and the event of a consumer, and registers it with cargo. Returns the paths of the
/// written files.
///
/// # Errors
///
/// If the name or the queue is invalid or exists, or if a file cannot be written.
pub(super) fn consumer(workspace: &Path, consumer: &NewConsumer) -> Result<Vec<String>, Error> {
    consumer.check()?;
    consumer.refuse_known_queue(&template_without(workspace, &consumer.name)?)?;
    let event = examples::message(&example(workspace, "events", examples::CONSUMER)?, consumer)?;
    let text = skeleton::consumer(consumer);
    create(workspace, &consumer.folder, &consumer.name, &text, &[("events", event)])
}

fn create(
    workspace: &Path,
    folder: &str,
    name: &str,
    text: &str,
    examples: &[(&str, String)],
) -> Result<Vec<String>, Error> {
    let folder = format!("functions/{folder}");
    if !workspace.join(&folder).is_dir() {
        return Err(format!("there is no folder {folder}").into());
    }
    let example =
        |(kind, example): &(&str, String)| (format!("tests/{kind}/{name}.json"), example.clone());
    let function = (format!("{folder}/{name}.rs"), text.to_owned());
    let files: Vec<(String, String)> =
        [function].into_iter().chain(examples.iter().map(example)).collect();
    if let Some((known, _)) = files.iter().find(|(path, _)| workspace.join(path).exists()) {
        return Err(format!("{known} already exists").into());
    }
    for (path, text) in &files {
        fs_err::write(workspace.join(path), text)?;
    }
    let registered = codegen::register(workspace)?.into_iter().map(str::to_owned);
    succeeded(cargo(workspace).args(["fmt", "--package", "functions"]))?;
    Ok(files.into_iter().map(|(path, _)| path).chain(registered).collect())
}

/// The template, which must not have a function of this name.
fn template_without(workspace: &Path, name: &str) -> Result<Template, Error> {
    let template = Template::read(&workspace.join("template.yaml"), &BTreeMap::new())?;
    if template.binaries().contains(name) {
        return Err(format!("there is already a function {name}").into());
    }
    Ok(template)
}

/// The text of an existing function's example.
fn example(workspace: &Path, kind: &str, function: &str) -> Result<String, Error> {
    let folder = workspace.join("tests").join(kind);
    Ok(fs_err::read_to_string(folder.join(format!("{function}.json")))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_existing_example_is_not_overwritten() {
        let workspace = std::env::temp_dir().join(format!("create-{}", std::process::id()));
        let event = workspace.join("tests/events/get_greeting.json");
        for folder in ["functions/people", "tests/events"] {
            fs_err::create_dir_all(workspace.join(folder)).unwrap();
        }
        fs_err::write(&event, "by hand").unwrap();
        let examples = [("events", "generated".to_owned())];
        let refused = create(&workspace, "people", "get_greeting", "", &examples).unwrap_err();
        assert!(refused.to_string().ends_with("get_greeting.json already exists"), "{refused}");
        assert_eq!(fs_err::read_to_string(event).unwrap(), "by hand");
        assert!(!workspace.join("functions/people/get_greeting.rs").exists());
        fs_err::remove_dir_all(workspace).unwrap();
    }
}
