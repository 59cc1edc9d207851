//! The values of a template's parameters.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::error::TemplateError;
use super::names::{ACCOUNT_ID, REGION, STACK_NAME};

/// The value of every parameter: the given one, or else the known one, or else its default.
pub(super) fn values(
    document: &Value,
    overrides: &BTreeMap<String, String>,
    known: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Value>, TemplateError> {
    let no_parameters = Map::new();
    let declared = document["Parameters"].as_object().unwrap_or(&no_parameters);
    if let Some(unknown) = overrides.keys().find(|name| !declared.contains_key(*name)) {
        return Err(TemplateError::not_understood(
            &format!("/Parameters/{unknown}"),
            "a value is given for a parameter that the template does not have",
        ));
    }
    let mut values = pseudo_parameters();
    for (name, declaration) in declared {
        let given = overrides.get(name).or_else(|| known.get(name));
        let value = match (given, declaration.get("Default")) {
            (Some(given), _) => given.clone(),
            (None, Some(Value::String(default))) => default.clone(),
            (None, Some(default)) => default.to_string(),
            // It is an error only if something refers to it.
            (None, None) => {
                values.insert(name.clone(), Value::Null);
                continue;
            }
        };
        let value = match declaration["Type"].as_str() {
            Some("CommaDelimitedList") => list(&value),
            Some("Number") => number(name, &value)?,
            _ => json!(value),
        };
        values.insert(name.clone(), value);
    }
    Ok(values)
}

fn list(value: &str) -> Value {
    value.split(',').map(str::trim).filter(|item| !item.is_empty()).collect()
}

fn number(parameter: &str, value: &str) -> Result<Value, TemplateError> {
    serde_json::from_str(value).map(Value::Number).map_err(|_| {
        let path = format!("/Parameters/{parameter}");
        TemplateError::not_understood(&path, &format!("{value}, which is not a number"))
    })
}

fn pseudo_parameters() -> BTreeMap<String, Value> {
    [
        ("AWS::AccountId", ACCOUNT_ID),
        ("AWS::Partition", "aws"),
        ("AWS::Region", REGION),
        ("AWS::StackId", STACK_NAME),
        ("AWS::StackName", STACK_NAME),
        ("AWS::URLSuffix", "amazonaws.com"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), json!(value)))
    .collect()
}

#[cfg(test)]
mod tests {
    use crate::document;

    use super::*;

    #[test]
    fn a_given_value_precedes_a_known_one_and_that_the_default() {
        let source = "Parameters: {A: {Default: a}, B: {Default: b}, C: {Default: c}}\n";
        let document = document::parse(source).unwrap();
        let given = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
        };
        let known = given(&[("A", "known"), ("B", "known"), ("D", "known")]);

        let found = values(&document, &given(&[("A", "given")]), &known).unwrap();

        assert_eq!([&found["A"], &found["B"], &found["C"]], ["given", "known", "c"]);
        assert!(!found.contains_key("D"), "the template does not have it");
    }
}
