//! Checks the values that are given for a template's parameters.

use serde_json::{Map, Value};

use super::error::TemplateError;

/// The complaint about a value for an unknown parameter, with the parameters that there are.
pub(super) fn unknown(declared: &Map<String, Value>) -> String {
    let known = declared.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let known = if known.is_empty() { "none".to_owned() } else { known };
    format!("a value is given for a parameter that the template does not have; it has {known}")
}

/// Checks a value against the parameter's `AllowedValues`. Each element of a list is checked.
pub(super) fn check_allowed(
    name: &str,
    declaration: &Value,
    value: &str,
) -> Result<(), TemplateError> {
    let Some(allowed) = declaration["AllowedValues"].as_array() else { return Ok(()) };
    let allowed: Vec<String> = allowed
        .iter()
        .map(|one| one.as_str().map_or_else(|| one.to_string(), ToOwned::to_owned))
        .collect();
    let is_list = declaration["Type"] == "CommaDelimitedList";
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
    fn the_complaint_about_an_unknown_parameter_lists_the_known_ones() {
        let declared = json!({ "A": {}, "B": {} });
        assert!(unknown(declared.as_object().unwrap()).ends_with("it has A, B"));
        assert!(unknown(&Map::new()).ends_with("it has none"));
    }
}
