//! Tables of a template, and the references to them.

use serde_json::{Map, Value, json};
use tooling::Error;

use super::restored::Restored;

/// The type of a table.
pub(super) const TABLE: &str = "AWS::DynamoDB::Table";

/// The table of a template.
///
/// # Errors
///
/// If the template has no such table, or `CloudFormation` would delete the table with its items.
pub(super) fn kept<'a>(template: &'a Value, id: &str) -> Result<&'a Value, Error> {
    let table = &template["Resources"][id];
    if table["Type"] != TABLE {
        return Err(format!("the template has no table {id}").into());
    }
    match table["DeletionPolicy"].as_str() {
        Some("Retain" | "RetainExceptOnCreate") => Ok(table),
        _ => {
            Err(format!("{id} would be deleted with its items: its DeletionPolicy is Delete")
                .into())
        }
    }
}

/// Removes a table from a template, and replaces references to it by the restored one.
pub(super) fn detach(template: &mut Value, id: &str, restored: &Restored) -> Result<(), Error> {
    let resources = template["Resources"].as_object_mut();
    let taken = resources.and_then(|resources| resources.remove(id));
    if taken.is_none_or(|taken| taken["Type"] != TABLE) {
        return Err(format!("the template has no table {id}").into());
    }
    replace(template, id, restored);
    let rest = template.to_string();
    if rest.contains(&format!("\"{id}\""))
        || rest.contains(&format!("\"{id}."))
        || rest.contains(&format!("${{{id}"))
    {
        return Err(format!("a reference to {id} has no replacement").into());
    }
    Ok(())
}

/// Replaces references by names: `Ref`, `Fn::GetAtt`, `Fn::Sub`, `DependsOn`.
fn replace(value: &mut Value, id: &str, restored: &Restored) {
    let name = match value {
        Value::Object(object) => {
            if let Some(after) = object.get_mut("DependsOn") {
                if *after == id {
                    *after = json!([]);
                } else if let Value::Array(ids) = after {
                    ids.retain(|other| other != id);
                }
            }
            referred(object, id, restored)
        }
        _ => None,
    };
    match value {
        _ if name.is_some() => *value = json!(name),
        Value::Object(object) => {
            if let Some(sub) = object.get_mut("Fn::Sub") {
                let text = if sub.is_array() { &mut sub[0] } else { sub };
                if let Some(written) = text.as_str() {
                    *text = json!(substituted(written, id, restored));
                }
            }
            object.values_mut().for_each(|value| replace(value, id, restored));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| replace(value, id, restored)),
        _ => {}
    }
}

/// The value of an object that is a reference to the table.
fn referred(object: &Map<String, Value>, id: &str, restored: &Restored) -> Option<String> {
    if object.get("Ref").is_some_and(|other| other == id) {
        return Some(restored.name.clone());
    }
    let attribute = match object.get("Fn::GetAtt")? {
        Value::String(path) => path.strip_prefix(id)?.strip_prefix('.')?.to_owned(),
        path if path[0] == id => path[1].as_str()?.to_owned(),
        _ => return None,
    };
    restored.attribute(&attribute).map(str::to_owned)
}

fn substituted(text: &str, id: &str, restored: &Restored) -> String {
    let text = text.replace(&format!("${{{id}}}"), &restored.name);
    ["Arn", "StreamArn"].iter().fold(text, |text, attribute| match restored.attribute(attribute) {
        Some(value) => text.replace(&format!("${{{id}.{attribute}}}"), value),
        None => text,
    })
}

/// Adds a table to a deployed template for import. A failed import keeps the table.
pub(super) fn attach(deployed: &mut Value, id: &str, mut table: Value) -> Result<(), Error> {
    if table["Type"] != TABLE {
        return Err(format!("template.yaml has no table {id}").into());
    }
    let resources = deployed["Resources"].as_object_mut();
    let resources = resources.ok_or("the deployed template has no resources")?;
    if resources.contains_key(id) {
        return Err(format!("the stack has {id} already").into());
    }
    table["DeletionPolicy"] = json!("Retain");
    resources.insert(id.to_owned(), table);
    Ok(())
}
