//! The values of a template's parameters.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value, json};

use super::error::TemplateError;
use super::names::{ACCOUNT_ID, REGION, STACK_NAME, arn};

/// The last part of the stack's id.
const STACK_UUID: &str = "00000000-0000-4000-8000-000000000000";

/// The value of every parameter: the given one, or else the known one, or else its default.
pub(super) fn values(
    document: &Value,
    overrides: &BTreeMap<String, String>,
    known: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Value>, TemplateError> {
    let no_parameters = Map::new();
    let declared = document["Parameters"].as_object().unwrap_or(&no_parameters);
    if let Some(name) = overrides.keys().find(|name| !declared.contains_key(*name)) {
        return Err(TemplateError::not_understood(
            &format!("/Parameters/{name}"),
            &unknown(declared),
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
        check_parameter(declaration, &value).map_err(|complaint| {
            TemplateError::not_understood(&format!("/Parameters/{name}"), &complaint)
        })?;
        let value = match declaration["Type"].as_str() {
            Some(kind) if is_list(kind) => list(&value),
            Some("Number") => json!(number(&value)),
            _ => json!(value),
        };
        values.insert(name.clone(), value);
    }
    Ok(values)
}

/// The parameters whose values are in SSM, and for which none is given: they have their default, which
/// is a name.
pub(super) fn named_only(
    document: &Value,
    overrides: &BTreeMap<String, String>,
    known: &BTreeMap<String, String>,
) -> Vec<String> {
    let declared = document["Parameters"].as_object().into_iter().flatten();
    let named = declared.filter(|(name, declaration)| {
        let kind = declaration["Type"].as_str().unwrap_or_default();
        let is_given = overrides.contains_key(*name) || known.contains_key(*name);
        let has_default = declaration.get("Default").is_some();
        kind.starts_with("AWS::SSM::Parameter::Value<") && has_default && !is_given
    });
    named.map(|(name, _)| name.clone()).collect()
}

/// Whether a parameter of this type is a list: of itself, or by its value in SSM.
fn is_list(kind: &str) -> bool {
    let named = kind.strip_prefix("AWS::SSM::Parameter::Value<");
    let kind = named.and_then(|kind| kind.strip_suffix('>')).unwrap_or(kind);
    kind == "CommaDelimitedList" || kind.starts_with("List<")
}

fn list(value: &str) -> Value {
    value.split(',').map(str::trim).filter(|item| !item.is_empty()).collect()
}

fn number(value: &str) -> Option<Number> {
    serde_json::from_str(value).ok()
}

fn pseudo_parameters() -> BTreeMap<String, Value> {
    let stack_id = arn("cloudformation", &format!("stack/{STACK_NAME}/{STACK_UUID}"));
    [
        ("AWS::AccountId", ACCOUNT_ID),
        ("AWS::Partition", "aws"),
        ("AWS::Region", REGION),
        ("AWS::StackId", stack_id.as_str()),
        ("AWS::StackName", STACK_NAME),
        ("AWS::URLSuffix", "amazonaws.com"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), json!(value)))
    .collect()
}

/// The complaint about a value for an unknown parameter, with the parameters that there are.
fn unknown(declared: &Map<String, Value>) -> String {
    let known = declared.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let known = if known.is_empty() { "none".to_owned() } else { known };
    format!("a value is given for a parameter that the template does not have; it has {known}")
}

/// Checks a value against the declaration of its parameter: `AllowedValues` (for each element of a
/// list), the number and the bounds of a `Number`, and the characters of any other text.
/// `AllowedPattern` is not checked.
///
/// # Errors
/// The complaint, without the parameter's name.
pub fn check_parameter(declaration: &Value, value: &str) -> Result<(), String> {
    check_allowed(declaration, value)?;
    match declaration["Type"].as_str() {
        Some(kind) if is_list(kind) => Ok(()),
        Some("Number") => check_bounds(declaration, value),
        _ => check_length(declaration, value),
    }
}

fn check_allowed(declaration: &Value, value: &str) -> Result<(), String> {
    let Some(allowed) = declaration["AllowedValues"].as_array() else { return Ok(()) };
    let allowed: Vec<String> = allowed
        .iter()
        .map(|one| one.as_str().map_or_else(|| one.to_string(), ToOwned::to_owned))
        .collect();
    let is_list = declaration["Type"].as_str().is_some_and(is_list);
    let elements: Vec<&str> =
        if is_list { value.split(',').map(str::trim).collect() } else { vec![value] };
    match elements.into_iter().find(|element| !allowed.iter().any(|one| one == element)) {
        None => Ok(()),
        Some(other) => Err(format!("{other}, which is none of its values {}", allowed.join(", "))),
    }
}

fn check_bounds(declaration: &Value, value: &str) -> Result<(), String> {
    let number = number(value).ok_or_else(|| format!("{value}, which is not a number"))?;
    let bound = |key: &str| Some((declaration[key].as_f64()?, number.as_f64()?));
    let complaint = |words: &str, key: &str| {
        Err(format!("{number}, which is {words} its {key} {}", declaration[key]))
    };
    if bound("MinValue").is_some_and(|(least, number)| number < least) {
        return complaint("less than", "MinValue");
    }
    if bound("MaxValue").is_some_and(|(most, number)| number > most) {
        return complaint("more than", "MaxValue");
    }
    Ok(())
}

fn check_length(declaration: &Value, value: &str) -> Result<(), String> {
    let length = value.chars().count();
    let bound = |key: &str| declaration[key].as_u64().and_then(|it| usize::try_from(it).ok());
    let complaint = |words: &str, key: &str| {
        Err(format!("{length} characters, {words} than its {key} {}", declaration[key]))
    };
    if bound("MinLength").is_some_and(|least| length < least) {
        return complaint("less", "MinLength");
    }
    if bound("MaxLength").is_some_and(|most| length > most) {
        return complaint("more", "MaxLength");
    }
    Ok(())
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

    fn complaint(declaration: &Value, value: &str) -> Option<String> {
        check_parameter(declaration, value).err()
    }

    #[test]
    fn a_value_that_is_not_allowed_is_an_error_with_the_allowed_ones() {
        let one_of = json!({ "Type": "String", "AllowedValues": ["dev", "prod", 1] });
        assert_eq!(complaint(&one_of, "prod"), None);
        assert_eq!(complaint(&one_of, "1"), None);
        let expected = "test, which is none of its values dev, prod, 1";
        assert_eq!(complaint(&one_of, "test").as_deref(), Some(expected));
        assert_eq!(complaint(&json!({ "Type": "String" }), "test"), None);
    }

    #[test]
    fn each_element_of_a_list_is_checked() {
        let some_of = json!({ "Type": "CommaDelimitedList", "AllowedValues": ["a", "b"] });
        assert_eq!(complaint(&some_of, "a, b"), None);
        let expected = "c, which is none of its values a, b";
        assert_eq!(complaint(&some_of, "a, c").as_deref(), Some(expected));
    }

    #[test]
    fn a_parameter_of_a_list_type_is_a_list() {
        let value = |kind: &str| {
            let document = json!({"Parameters": {"P": {"Type": kind, "Default": "a, b"}}});
            values(&document, &BTreeMap::new(), &BTreeMap::new()).unwrap().remove("P").unwrap()
        };
        for kind in [
            "CommaDelimitedList",
            "List<String>",
            "List<AWS::EC2::Subnet::Id>",
            "AWS::SSM::Parameter::Value<List<String>>",
            "AWS::SSM::Parameter::Value<CommaDelimitedList>",
        ] {
            assert_eq!(value(kind), json!(["a", "b"]), "{kind}");
        }
        assert_eq!(value("AWS::SSM::Parameter::Value<String>"), "a, b");
        let some_of = json!({ "Type": "List<String>", "AllowedValues": ["a", "b"] });
        assert_eq!(complaint(&some_of, "a, b"), None);
    }

    #[test]
    fn the_id_of_the_stack_is_an_arn_with_the_stack_and_a_uuid() {
        let found = values(&Value::Null, &BTreeMap::new(), &BTreeMap::new()).unwrap();
        let stack = "arn:aws:cloudformation:eu-west-1:000000000000:stack/local/";
        assert_eq!(found["AWS::StackId"], format!("{stack}{STACK_UUID}"));
    }

    #[test]
    fn a_number_out_of_its_bounds_is_an_error_with_the_bound() {
        let declaration = json!({ "Type": "Number", "MinValue": 0, "MaxValue": 5 });
        let of = |value| complaint(&declaration, value);
        assert_eq!([of("0"), of("5")], [None, None]);
        assert_eq!(of("-1").unwrap(), "-1, which is less than its MinValue 0");
        assert_eq!(of("6").unwrap(), "6, which is more than its MaxValue 5");
        assert_eq!(complaint(&json!({ "Type": "Number" }), "-1"), None);
    }

    #[test]
    fn a_text_that_is_too_short_or_too_long_is_an_error_with_the_bound() {
        let declaration = json!({ "Type": "String", "MinLength": 1, "MaxLength": 3 });
        let declared = json!({ "Parameters": { "Issuers": declaration } });
        let complaint = |value: &str| {
            let given = BTreeMap::from([("Issuers".to_owned(), value.to_owned())]);
            let checked = values(&declared, &given, &BTreeMap::new());
            checked.err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert_eq!([complaint("a"), complaint("äöü")], ["", ""]);
        for (value, expected) in [
            ("", "/Parameters/Issuers: 0 characters, less than its MinLength 1"),
            ("abcd", "/Parameters/Issuers: 4 characters, more than its MaxLength 3"),
        ] {
            let complaint = complaint(value);
            assert!(complaint.ends_with(expected), "{complaint}");
        }
    }

    #[test]
    fn a_number_parameter_that_is_not_a_number_is_an_error() {
        let document = json!({"Parameters": {"Rate": {"Type": "Number", "Default": 5}}});
        let given = BTreeMap::from([("Rate".to_owned(), "many".to_owned())]);

        let error = values(&document, &given, &BTreeMap::new()).unwrap_err().to_string();

        assert!(error.contains("/Parameters/Rate: many, which is not a number"), "{error}");
    }

    #[test]
    fn the_complaint_about_an_unknown_parameter_lists_the_known_ones() {
        let declared = json!({ "A": {}, "B": {} });
        assert!(unknown(declared.as_object().unwrap()).ends_with("it has A, B"));
        assert!(unknown(&Map::new()).ends_with("it has none"));
    }
}
