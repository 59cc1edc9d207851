//! The values of a template's parameters.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

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
        check_allowed(name, declaration, &value)?;
        let value = match declaration["Type"].as_str() {
            Some(kind) if is_list(kind) => list(&value),
            Some("Number") => {
                let number = number(name, &value)?;
                check_bounds(name, declaration, &number)?;
                number
            }
            _ => {
                check_length(name, declaration, &value)?;
                json!(value)
            }
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

fn number(parameter: &str, value: &str) -> Result<Value, TemplateError> {
    serde_json::from_str(value).map(Value::Number).map_err(|_| {
        let path = format!("/Parameters/{parameter}");
        TemplateError::not_understood(&path, &format!("{value}, which is not a number"))
    })
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

/// Checks a value against the parameter's `AllowedValues`. Each element of a list is checked.
fn check_allowed(name: &str, declaration: &Value, value: &str) -> Result<(), TemplateError> {
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
        Some(other) => Err(TemplateError::not_understood(
            &format!("/Parameters/{name}"),
            &format!("{other}, which is none of its values {}", allowed.join(", ")),
        )),
    }
}

/// Checks a number against the parameter's `MinValue` and `MaxValue`.
fn check_bounds(name: &str, declaration: &Value, number: &Value) -> Result<(), TemplateError> {
    let bound = |key: &str| Some((declaration[key].as_f64()?, number.as_f64()?));
    let complaint = |words: &str, key: &str| {
        let what = format!("{number}, which is {words} its {key} {}", declaration[key]);
        Err(TemplateError::not_understood(&format!("/Parameters/{name}"), &what))
    };
    if bound("MinValue").is_some_and(|(least, number)| number < least) {
        return complaint("less than", "MinValue");
    }
    if bound("MaxValue").is_some_and(|(most, number)| number > most) {
        return complaint("more than", "MaxValue");
    }
    Ok(())
}

/// Checks the characters of a text against the parameter's `MinLength` and `MaxLength`.
fn check_length(name: &str, declaration: &Value, value: &str) -> Result<(), TemplateError> {
    let length = value.chars().count();
    let bound = |key: &str| declaration[key].as_u64().and_then(|it| usize::try_from(it).ok());
    let complaint = |words: &str, key: &str| {
        let what = format!("{length} characters, {words} than its {key} {}", declaration[key]);
        Err(TemplateError::not_understood(&format!("/Parameters/{name}"), &what))
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
        check_allowed("Stage", declaration, value).err().map(|error| error.to_string())
    }

    #[test]
    fn a_value_that_is_not_allowed_is_an_error_with_the_allowed_ones() {
        let one_of = json!({ "Type": "String", "AllowedValues": ["dev", "prod", 1] });
        assert_eq!(complaint(&one_of, "prod"), None);
        assert_eq!(complaint(&one_of, "1"), None);
        let error = complaint(&one_of, "test").unwrap();
        assert!(error.contains("/Parameters/Stage: test, which is none"), "{error}");
        assert!(error.ends_with("dev, prod, 1"), "{error}");
        assert_eq!(complaint(&json!({ "Type": "String" }), "test"), None);
    }

    #[test]
    fn each_element_of_a_list_is_checked() {
        let some_of = json!({ "Type": "CommaDelimitedList", "AllowedValues": ["a", "b"] });
        assert_eq!(complaint(&some_of, "a, b"), None);
        let error = complaint(&some_of, "a, c").unwrap();
        assert!(error.contains(": c, which is none of its values a, b"), "{error}");
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
        let complaint = |value: i32| {
            let checked = check_bounds("Hops", &declaration, &json!(value));
            checked.err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert_eq!([complaint(0), complaint(5)], ["", ""]);
        let less = complaint(-1);
        assert!(
            less.ends_with("/Parameters/Hops: -1, which is less than its MinValue 0"),
            "{less}"
        );
        let more = complaint(6);
        assert!(more.ends_with("/Parameters/Hops: 6, which is more than its MaxValue 5"), "{more}");
        assert!(check_bounds("Any", &json!({ "Type": "Number" }), &json!(-1)).is_ok());
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
