//! Revisions of functions: one hash of all that a version consists of, except the code.
//!
//! SAM derives a version's name from the code, and from the text of `Environment` and `MemorySize`.
//! That text contains a parameter's name, not its value. So another parameter value, or another
//! `Timeout`, would change the function without publishing a version.

use std::collections::{BTreeMap, BTreeSet};

use sam_template::{applied_globals, merge_globals};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// Properties of a function that are not part of a version.
const NOT_OF_A_VERSION: [&str; 11] = [
    "AutoPublishAlias",
    "CodeUri",
    "DeploymentPreference",
    "EventInvokeConfig",
    "Events",
    "FunctionName",
    "Policies",
    "ProvisionedConcurrencyConfig",
    "ReservedConcurrentExecutions",
    "Role",
    "Tags",
];

/// Properties whose change makes `CloudFormation` replace a resource, under another name.
const REPLACING: [&str; 6] =
    ["FifoQueue", "KeySchema", "LogGroupName", "Name", "QueueName", "TableName"];

/// The length of a revision in hexadecimal digits.
const DIGITS: usize = 16;

/// The revision of each function by its logical id, for these parameter values.
pub(super) fn revisions(
    template: &Value,
    parameters: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let none = Map::new();
    let resources = template["Resources"].as_object().unwrap_or(&none);
    let functions = resources.iter().filter(|(_, it)| it["Type"] == "AWS::Serverless::Function");
    functions.map(|(id, function)| (id.clone(), revision(template, function, parameters))).collect()
}

fn revision(template: &Value, function: &Value, parameters: &BTreeMap<String, String>) -> String {
    let globals = applied_globals(&template["Globals"]["Function"], function);
    let mut properties = merge_globals(&globals, &function["Properties"]);
    if let Value::Object(properties) = &mut properties {
        properties.retain(|name, _| !NOT_OF_A_VERSION.contains(&name.as_str()));
    }
    let mut names = references(&properties, &template["Conditions"]);
    let mut identities = BTreeMap::new();
    for name in names.clone() {
        if let Some(resource) = template["Resources"].get(&name) {
            let identity = identity(resource);
            names.extend(references(&identity, &template["Conditions"]));
            identities.insert(name, identity);
        }
    }
    let values = parameters.iter().filter(|(name, _)| names.contains(*name));
    let values: BTreeMap<_, _> = values.collect();
    let made_of = json!({
        "properties": properties,
        "conditions": template["Conditions"].as_object().map(|all| {
            all.iter().filter(|(name, _)| names.contains(*name)).collect::<BTreeMap<_, _>>()
        }),
        "resources": identities,
        "parameters": values,
    });
    let hash = Sha256::digest(made_of.to_string());
    let digits = hash.iter().map(|byte| format!("{byte:02x}"));
    digits.collect::<String>()[..DIGITS].to_owned()
}

/// The type of a resource, and its replacing properties.
fn identity(resource: &Value) -> Value {
    let properties = resource["Properties"].as_object().into_iter().flatten();
    let decisive = properties.filter(|(name, _)| REPLACING.contains(&name.as_str()));
    let decisive: BTreeMap<_, _> = decisive.collect();
    json!({ "Type": resource["Type"], "Properties": decisive })
}

/// The names of all parameters, resources and conditions that a value refers to, also through its
/// conditions.
pub(super) fn references(value: &Value, conditions: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    gather(value, conditions, &mut found);
    found
}

fn gather(value: &Value, conditions: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| gather(item, conditions, found)),
        Value::Object(object) => {
            for (name, argument) in object {
                match (name.as_str(), argument) {
                    ("Ref" | "Fn::GetAtt", Value::String(target)) => add(target, found),
                    ("Fn::GetAtt", Value::Array(steps)) => {
                        steps
                            .first()
                            .and_then(Value::as_str)
                            .into_iter()
                            .for_each(|it| add(it, found));
                    }
                    ("Fn::Sub", Value::String(words)) => substituted(words, found),
                    ("Fn::Sub", Value::Array(parts)) => {
                        parts
                            .first()
                            .and_then(Value::as_str)
                            .into_iter()
                            .for_each(|it| substituted(it, found));
                        parts.iter().skip(1).for_each(|part| gather(part, conditions, found));
                    }
                    ("Fn::If", Value::Array(parts)) => {
                        if let Some(condition) = parts.first().and_then(Value::as_str) {
                            decided(condition, conditions, found);
                        }
                        parts.iter().skip(1).for_each(|part| gather(part, conditions, found));
                    }
                    ("Condition", Value::String(condition)) => {
                        decided(condition, conditions, found);
                    }
                    _ => gather(argument, conditions, found),
                }
            }
        }
        _ => {}
    }
}

/// Adds the target of a reference `Name` or `Name.Attribute`.
fn add(target: &str, found: &mut BTreeSet<String>) {
    let name = target.split('.').next().unwrap_or_default();
    found.insert(name.to_owned());
}

fn substituted(words: &str, found: &mut BTreeSet<String>) {
    let variables = words.split("${").skip(1).filter_map(|rest| rest.split('}').next());
    variables.filter(|name| !name.starts_with('!')).for_each(|name| add(name, found));
}

fn decided(condition: &str, conditions: &Value, found: &mut BTreeSet<String>) {
    if found.insert(condition.to_owned()) {
        gather(&conditions[condition], conditions, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A template with three functions: one without globals, and one with more references.
    fn template() -> Value {
        json!({
            "Conditions": {
                "IsWatched": { "Fn::Not": [{ "Condition": "IsBlind" }] },
                "IsBlind": { "Fn::Equals": [{ "Ref": "Collector" }, ""] },
            },
            "Globals": { "Function": {
                "Timeout": 10,
                "Layers": [{ "Fn::If": ["IsWatched", { "Ref": "Layer" }, { "Ref": "AWS::NoValue" }] }],
                "LoggingConfig": { "LogGroup": { "Ref": "Logs" } },
                "Environment": { "Variables": { "LEVEL": { "Ref": "Level" } } },
            } },
            "Resources": {
                "Logs": { "Type": "AWS::Logs::LogGroup", "Properties": { "LogGroupName": { "Fn::Sub": "/x/${Suffix}" }, "RetentionInDays": { "Ref": "Days" } } },
                "Table": { "Type": "AWS::DynamoDB::Table", "Properties": { "KeySchema": [], "BillingMode": "PROVISIONED" } },
                "Free": { "Type": "AWS::Serverless::Function", "IgnoreGlobals": "*" },
                "Plain": { "Type": "AWS::Serverless::Function", "Properties": { "Policies": { "Ref": "Sender" } } },
                "Reader": { "Type": "AWS::Serverless::Function", "Properties": {
                    "Timeout": 20,
                    "Environment": { "Variables": { "TABLE": { "Ref": "Table" }, "URL": { "Fn::Sub": "${Base}/x" } } },
                } },
            },
        })
    }

    /// The functions whose revision changes with the template or a parameter value.
    fn changed(change: impl FnOnce(&mut Value, &mut BTreeMap<String, String>)) -> Vec<String> {
        let names = ["Base", "Collector", "Days", "Layer", "Level", "Sender", "Suffix"];
        let mut values = names.map(|name| (name.to_owned(), "1".to_owned())).into();
        let mut template = template();
        let before = revisions(&template, &values);
        change(&mut template, &mut values);
        let after = revisions(&template, &values);
        before.into_iter().filter(|(id, it)| after[id] != *it).map(|(id, _)| id).collect()
    }

    #[test]
    fn a_parameter_value_revises_only_the_functions_that_use_it() {
        for (parameter, expected) in [
            ("Level", vec!["Plain", "Reader"]),
            ("Layer", vec!["Plain", "Reader"]),
            ("Collector", vec!["Plain", "Reader"]),
            ("Suffix", vec!["Plain", "Reader"]),
            ("Base", vec!["Reader"]),
            ("Days", vec![]),
            ("Sender", vec![]),
        ] {
            let found = changed(|_, values| {
                values.insert(parameter.to_owned(), "2".to_owned());
            });
            assert_eq!(found, expected, "{parameter}");
        }
    }

    #[test]
    fn an_edit_of_a_versions_parts_or_references_revises_the_function() {
        for (place, value, expected) in [
            ("/Globals/Function/Timeout", json!(11), vec!["Plain"]),
            ("/Globals/Function/LoggingConfig", json!({}), vec!["Plain", "Reader"]),
            ("/Conditions/IsBlind/Fn::Equals/1", json!("no"), vec!["Plain", "Reader"]),
            ("/Resources/Table/Properties/KeySchema", json!(["pk"]), vec!["Reader"]),
            ("/Resources/Table/Properties/BillingMode", json!("PAY_PER_REQUEST"), vec![]),
            ("/Resources/Plain/Properties/Policies", json!([]), vec![]),
        ] {
            let found = changed(|template, _| *template.pointer_mut(place).unwrap() = value);
            assert_eq!(found, expected, "{place}");
        }
    }
}
