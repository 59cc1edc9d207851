//! Checks that another parameter value publishes new versions of exactly the functions that use it.
//! SAM expands the template with both values, and the versions' names are compared.

use std::collections::{BTreeMap, BTreeSet};

use sam_template::parse_json;
use serde_json::{Map, Value};
use tooling::Error;

use super::expansion::{Expansion, FILES, Job};
use super::revision::references;
use super::stamp::GUARD;

/// Properties of an expanded function that are not part of a version.
const NOT_OF_A_VERSION: [&str; 5] =
    ["Code", "FunctionName", "ReservedConcurrentExecutions", "Role", "Tags"];

/// One job for each parameter, with another value for it.
///
/// # Errors
///
/// If the first template is not a YAML document.
pub(super) fn changes(ours: &Job) -> Result<BTreeMap<String, Job>, Error> {
    let declared = parse_json(&ours.files[FILES[0]])?["Parameters"].clone();
    let declared = declared.as_object().into_iter().flatten().filter(|(name, _)| *name != GUARD);
    Ok(declared.map(|(name, it)| (name.clone(), changed(ours, name, it))).collect())
}

/// The job with another value of this parameter.
fn changed(ours: &Job, parameter: &str, declaration: &Value) -> Job {
    let default = &declaration["Default"];
    let default = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
    let before = ours.parameters.get(parameter).unwrap_or(&default);
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let allowed = declaration["AllowedValues"].as_array().into_iter().flatten().map(text);
    let allowed: Vec<String> = allowed.collect();
    let after = match allowed.iter().find(|value| *value != before) {
        Some(other) => other.clone(),
        None => {
            before.parse::<i64>().map_or_else(|_| format!("{before}x"), |it| (it + 1).to_string())
        }
    };
    let mut job = ours.clone();
    job.files.retain(|path, _| *path == FILES[0]);
    job.parameters.insert(parameter.to_owned(), after);
    job
}

/// The job with another value for the named parameter.
///
/// # Errors
///
/// As for [`changes`], or if there is no such parameter.
pub(super) fn change(ours: &Job, parameter: &str) -> Result<Job, Error> {
    let job = changes(ours)?.remove(parameter);
    job.ok_or_else(|| format!("{parameter} is not a parameter").into())
}

/// The problem with the versions that another parameter value publishes, if any.
pub(super) fn complaints(parameter: &str, before: &Expansion, after: &Expansion) -> Option<String> {
    let (Some(before), Some(after)) = (main(before), main(after)) else { return None };
    let (published, using) = (published(before, after), using(parameter, before, after));
    if published == using {
        return None;
    }
    let list = |some: BTreeSet<&String>| some.into_iter().cloned().collect::<Vec<_>>().join(", ");
    let missing = list(using.difference(&published).collect());
    let spare = list(published.difference(&using).collect());
    let count = published.len();
    Some(format!(
        "{parameter}: another value publishes {count} versions, and {} functions use it (old: {missing}; needlessly new: {spare})",
        using.len()
    ))
}

/// The number of functions that get a new version with another parameter value.
pub(super) fn count(before: &Expansion, after: &Expansion) -> usize {
    main(before).zip(main(after)).map_or(0, |(before, after)| published(before, after).len())
}

fn main(expansion: &Expansion) -> Option<&Value> {
    expansion.expanded.get(FILES[0])
}

/// The functions whose version has a new name.
fn published(before: &Value, after: &Value) -> BTreeSet<String> {
    let (before, after) = (versions(before), versions(after));
    after
        .into_iter()
        .filter(|(id, versions)| before.get(id) != Some(versions))
        .map(|(id, _)| id)
        .collect()
}

/// The names of versions, by the function's logical id.
fn versions(template: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, version) in of_type(template, "AWS::Lambda::Version") {
        if let Some(function) =
            version.pointer("/Properties/FunctionName/Ref").and_then(Value::as_str)
        {
            versions.entry(function.to_owned()).or_default().insert(name.clone());
        }
    }
    versions
}

/// The functions that refer to a parameter, or have its value inserted by SAM.
fn using(parameter: &str, before: &Value, after: &Value) -> BTreeSet<String> {
    let functions = of_type(before, "AWS::Lambda::Function");
    let using = functions.filter(|(id, function)| {
        let (old, new) = (of_a_version(function), of_a_version(&after["Resources"][id.as_str()]));
        references(&old, &before["Conditions"]).contains(parameter) || old != new
    });
    using.map(|(id, _)| id.clone()).collect()
}

/// The properties of a function that are part of a version, without its revision.
fn of_a_version(function: &Value) -> Value {
    let mut properties = function["Properties"].clone();
    if let Value::Object(properties) = &mut properties {
        properties.retain(|name, _| !NOT_OF_A_VERSION.contains(&name.as_str()));
    }
    let variables = properties.pointer_mut("/Environment/Variables").and_then(Value::as_object_mut);
    variables.and_then(|variables: &mut Map<_, _>| variables.remove("REVISION"));
    properties
}

fn of_type<'a>(
    template: &'a Value,
    kind: &'a str,
) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let resources = template["Resources"].as_object().into_iter().flatten();
    resources.filter(move |(_, resource)| resource["Type"] == kind)
}
