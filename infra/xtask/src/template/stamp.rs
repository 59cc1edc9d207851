//! Stamping: preparing a template for deployment with one set of parameters.
//!
//! | change | reason |
//! |---|---|
//! | each function gets its [revision](super::revision) as a variable | another value of a parameter publishes a new version of the functions that use it |
//! | each parameter takes this one value | a deployment with other values fails, instead of reaching no version |
//! | the parameter [`GUARD`] is taken out | it has no value, so that a template that is not stamped cannot be deployed |

use std::collections::BTreeMap;

use sam_template::check_parameter;
use serde_json::{Map, Value, json};
use tooling::Error;

use super::revision::revisions;

/// The parameter without a value.
pub(super) const GUARD: &str = "CargoXtaskStamp";

/// The variable with a function's revision.
const REVISION: &str = "REVISION";

/// Stamps a template. `declared` has the parameters of `template.yaml`: in a template that was
/// stamped before, each allows only one value.
///
/// # Errors
///
/// If a parameter is not declared, has no value, or may not have this one. The error names it.
pub(super) fn stamp(
    template: &mut Value,
    declared: &Value,
    given: &BTreeMap<String, String>,
) -> Result<(), Error> {
    let none = Map::new();
    let declared = declared.as_object().unwrap_or(&none);
    if declared.get(GUARD).is_none_or(|guard| guard.get("Default").is_some()) {
        let why = "an unstamped template could be deployed";
        return Err(format!("{GUARD} has a default: {why}").into());
    }
    let values = values(declared, given)?;
    forget_revisions(template);
    for (id, revision) in revisions(template, &values) {
        let function = &mut template["Resources"][&id]["Properties"];
        function["Environment"]["Variables"][REVISION] = json!(revision);
    }
    let pinned = declared.iter().filter(|(name, _)| *name != GUARD).map(|(name, declaration)| {
        let given = given.contains_key(name);
        (name.clone(), pinned(declaration, &values[name], given))
    });
    template["Parameters"] = pinned.collect();
    Ok(())
}

/// Removes the revisions of an earlier stamp, so that they are not part of the next one.
fn forget_revisions(template: &mut Value) {
    let resources = template["Resources"].as_object_mut();
    for resource in resources.into_iter().flat_map(Map::values_mut) {
        let variables = resource.pointer_mut("/Properties/Environment/Variables");
        variables.and_then(Value::as_object_mut).and_then(|variables| variables.remove(REVISION));
    }
}

/// The value of one parameter: the given one, or else its default.
///
/// # Errors
///
/// As for [`stamp`].
pub(crate) fn value_of(
    name: &str,
    declared: &Value,
    given: &BTreeMap<String, String>,
) -> Result<String, Error> {
    let none = Map::new();
    let values = values(declared.as_object().unwrap_or(&none), given)?;
    Ok(values.get(name).ok_or_else(|| format!("{name} is not a parameter"))?.clone())
}

/// The value of every parameter: the given one, or else its default.
fn values(
    declared: &Map<String, Value>,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Error> {
    if let Some(unknown) = given.keys().find(|name| !declared.contains_key(*name)) {
        return Err(format!("a value for {unknown}, which is not a parameter").into());
    }
    let mut values = BTreeMap::new();
    for (name, declaration) in declared.iter().filter(|(name, _)| *name != GUARD) {
        let default = declaration.get("Default").map(text);
        let value = given.get(name).cloned().or(default);
        let value = value.ok_or_else(|| format!("no value for {name}"))?;
        check_parameter(declaration, &value).map_err(|why| format!("{name}: {why}"))?;
        values.insert(name.clone(), value);
    }
    Ok(values)
}

/// A parameter that allows only this value. A secret value is not written to the template and must
/// be given again.
fn pinned(declaration: &Value, value: &str, given: bool) -> Value {
    let mut pinned = declaration.clone();
    if declaration["NoEcho"] == true && given {
        pinned.as_object_mut().and_then(|declaration| declaration.remove("Default"));
        return pinned;
    }
    let allowed = if declaration["Type"] == "CommaDelimitedList" {
        value.split(',').map(str::trim).collect()
    } else {
        vec![value]
    };
    pinned["Default"] = json!(value);
    pinned["AllowedValues"] = json!(allowed);
    pinned
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template() -> Value {
        json!({
            "Parameters": {
                "CargoXtaskStamp": { "Type": "String" },
                "Level": { "Type": "String", "Default": "info", "AllowedValues": ["info", "debug"] },
                "Origins": { "Type": "CommaDelimitedList", "Default": "https://a.example" },
                "Issuers": { "Type": "String", "Default": "", "MaxLength": 4 },
                "Days": { "Type": "Number", "Default": 30, "MinValue": 1 },
                "Secret": { "Type": "String", "Default": "", "NoEcho": true },
            },
            "Resources": { "Work": { "Type": "AWS::Serverless::Function", "Properties": {
                "Environment": { "Variables": { "LEVEL": { "Ref": "Level" }, "SECRET": { "Ref": "Secret" } } },
            } } },
        })
    }

    fn stamped(given: &[(&str, &str)]) -> Result<Value, String> {
        let mut stamped = template();
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        stamp(&mut stamped, &template()["Parameters"], &given.collect())
            .map_err(|error| error.to_string())?;
        Ok(stamped)
    }

    #[test]
    fn a_stamped_parameter_allows_one_value_and_the_guard_is_gone() {
        let stamped =
            stamped(&[("Level", "debug"), ("Origins", "https://b.example, https://c.example")]);
        let parameters = stamped.unwrap()["Parameters"].clone();
        assert_eq!(parameters["Level"]["AllowedValues"], json!(["debug"]));
        assert_eq!(parameters["Level"]["Default"], "debug");
        let origins = json!(["https://b.example", "https://c.example"]);
        assert_eq!(parameters["Origins"]["AllowedValues"], origins);
        assert_eq!(parameters["Days"]["AllowedValues"], json!(["30"]));
        assert_eq!(parameters.get("CargoXtaskStamp"), None);
    }

    #[test]
    fn a_secret_value_revises_the_function_but_is_not_written() {
        let (plain, secret) = (stamped(&[]).unwrap(), stamped(&[("Secret", "s3cr3t")]).unwrap());
        let revision = "/Resources/Work/Properties/Environment/Variables/REVISION";
        assert_ne!(plain.pointer(revision), secret.pointer(revision));
        assert!(!secret.to_string().contains("s3cr3t"), "{secret}");
        assert_eq!(secret["Parameters"]["Secret"].get("Default"), None);
    }

    #[test]
    fn a_template_is_stamped_again_with_other_values() {
        let mut again = stamped(&[("Level", "debug")]).unwrap();
        stamp(&mut again, &template()["Parameters"], &BTreeMap::new()).unwrap();
        assert_eq!(again, stamped(&[]).unwrap());
    }

    #[test]
    fn an_invalid_value_or_a_template_without_the_guard_is_an_error() {
        let mut unguarded = template();
        unguarded["Parameters"]["CargoXtaskStamp"]["Default"] = json!("");
        let declared = unguarded["Parameters"].clone();
        assert!(stamp(&mut unguarded, &declared, &BTreeMap::new()).is_err());
        assert_eq!(
            stamped(&[("Levle", "x")]).unwrap_err(),
            "a value for Levle, which is not a parameter"
        );
        assert_eq!(
            stamped(&[("Level", "x")]).unwrap_err(),
            "Level: x, which is none of its values info, debug"
        );
        assert_eq!(
            stamped(&[("Days", "0")]).unwrap_err(),
            "Days: 0, which is less than its MinValue 1"
        );
        assert!(stamped(&[("Issuers", "[{é}")]).is_ok());
        assert_eq!(
            stamped(&[("Issuers", "[{é}]")]).unwrap_err(),
            "Issuers: 5 characters, more than its MaxLength 4"
        );
    }
}
