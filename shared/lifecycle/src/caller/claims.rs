//! Token claims, and functions that read their values.
//!
//! The verifier reads claims from a token and passes them on. A function gets them back through API
//! Gateway, which may change their spelling. Both use these functions, so that they agree.

use serde_json::Value;

use crate::Timestamp;

/// The claims of a token, in the form in which the authorizer passes them on.
pub type Claims = serde_json::Map<String, Value>;

/// The last second of the year 9999. A later expiry is an error of the issuer.
const SECONDS_MAX: f64 = 253_402_300_799.0;

/// Returns a `NumericDate` (RFC 7519, section 2): a JSON number of seconds since 1970, which may
/// have a fraction. It is exact to the millisecond.
///
/// `None` for everything else: text, negative numbers, and dates beyond the year 9999.
///
/// ```
/// use lifecycle::claims::numeric_date;
/// let date = numeric_date(&serde_json::json!(1900.25)).unwrap();
/// assert_eq!(date.as_millis(), 1_900_250);
/// assert_eq!(numeric_date(&serde_json::json!("1900")), None);
/// ```
pub fn numeric_date(value: &Value) -> Option<Timestamp> {
    let seconds = value.as_number()?.as_f64()?;
    let millis = (0.0..=SECONDS_MAX).contains(&seconds).then(|| (seconds * 1000.0).round())?;
    #[expect(clippy::cast_possible_truncation, reason = "whole, and far below 2^53")]
    Some(Timestamp::from_millis(millis as i64))
}

/// Returns a `NumericDate` of claims that API Gateway passed on: it may write numbers as text.
///
/// `None` for a value that is not a date, as in [`numeric_date`].
pub fn date_passed_on(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => numeric_date(&serde_json::from_str(text).ok()?),
        number => numeric_date(number),
    }
}

/// Returns names, such as `roles`: a list, or one text of names separated by spaces. Elements of a
/// list that are not text are skipped. An absent claim is an empty list.
///
/// `None` for a claim of another type.
pub fn names(claim: Option<&Value>) -> Option<Vec<String>> {
    match claim {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::Array(names)) => Some(texts(names)),
        Some(Value::String(text)) => Some(match serde_json::from_str(text) {
            // A list that a gateway has turned into a text.
            Ok(Value::Array(names)) => texts(&names),
            _ => text.split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        }),
        Some(_) => None,
    }
}

/// Returns names of claims that API Gateway's own authorizers passed on: they write the list
/// `["A", "B"]` as `[A B]`.
///
/// `None` for a claim of another type, as in [`names`].
///
/// ```
/// use lifecycle::claims::names_passed_on;
/// let groups = serde_json::json!("[admins readers]");
/// assert_eq!(names_passed_on(Some(&groups)).unwrap(), ["admins", "readers"]);
/// ```
pub fn names_passed_on(claim: Option<&Value>) -> Option<Vec<String>> {
    let list = claim.and_then(Value::as_str).and_then(|text| text.strip_prefix('['));
    match list.and_then(|list| list.strip_suffix(']')) {
        Some(list) if !list.starts_with('"') => names(Some(&list.into())),
        _ => names(claim),
    }
}

/// Returns a flag: a boolean or its text, as some issuers and gateways write it. An absent claim is
/// false, and so is any other text.
///
/// `None` for a claim of another type.
pub fn flag(claim: Option<&Value>) -> Option<bool> {
    match claim {
        None | Some(Value::Null) => Some(false),
        Some(Value::Bool(flag)) => Some(*flag),
        Some(Value::String(text)) => Some(text.eq_ignore_ascii_case("true")),
        Some(_) => None,
    }
}

fn texts(values: &[Value]) -> Vec<String> {
    values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn millis(date: Option<Timestamp>) -> Option<i64> {
        date.map(Timestamp::as_millis)
    }

    #[test]
    fn a_numeric_date_is_a_number_in_any_spelling() {
        for (spelling, expected) in [
            ("0", Some(0)),
            ("1900", Some(1_900_000)),
            ("1900.0", Some(1_900_000)),
            ("1.9e3", Some(1_900_000)),
            ("1.9e9", Some(1_900_000_000_000)),
            ("1900.5", Some(1_900_500)),
            ("1900.001", Some(1_900_001)),
            ("4102444800.0", Some(4_102_444_800_000)),
            ("253402207200", Some(253_402_207_200_000)),
            // The last hours of the year 9999 are beyond the range of a timestamp: its maximum is
            // used.
            ("253402300799", Some(253_402_207_200_999)),
            ("253402300800", None),
            ("1e300", None),
            ("18446744073709551615", None),
            ("-1", None),
            ("-0.5", None),
            ("true", None),
            ("null", None),
            ("[1900]", None),
            ("{}", None),
        ] {
            let value: Value = serde_json::from_str(spelling).unwrap();
            assert_eq!(millis(numeric_date(&value)), expected, "{spelling}");
            assert_eq!(millis(date_passed_on(&value)), expected, "{spelling}");
            let text = json!(spelling);
            assert_eq!(millis(date_passed_on(&text)), expected, "{spelling} as text");
            assert_eq!(numeric_date(&text), None, "{spelling} as text in a token");
        }
        for text in ["", "inf", "NaN", "0x10", "1_900", "1900 s", "\"1900\"", "1e400"] {
            assert_eq!(date_passed_on(&json!(text)), None, "{text:?}");
        }
    }

    #[test]
    fn names_are_a_list_or_a_text_separated_by_spaces_only() {
        for (claim, expected) in [
            (json!(["A", "B"]), Some(vec!["A", "B"])),
            (json!(["A", 7, null, "B"]), Some(vec!["A", "B"])),
            (json!(["A B", "A,B"]), Some(vec!["A B", "A,B"])),
            (json!("A B"), Some(vec!["A", "B"])),
            (json!("A  B "), Some(vec!["A", "B"])),
            (json!("A,B"), Some(vec!["A,B"])),
            (json!("A\nB"), Some(vec!["A\nB"])),
            (json!(r#"["A","B"]"#), Some(vec!["A", "B"])),
            (json!("[A B]"), Some(vec!["[A", "B]"])),
            (json!(""), Some(vec![])),
            (json!(null), Some(vec![])),
            (json!(7), None),
            (json!({ "A": true }), None),
            (json!(true), None),
        ] {
            let expected = expected.map(|names| names.into_iter().map(str::to_owned).collect());
            assert_eq!(names(Some(&claim)), expected, "{claim}");
        }
        assert_eq!(names(None), Some(vec![]));
    }

    #[test]
    fn names_passed_on_by_a_gateway_may_be_a_list_in_brackets() {
        for (claim, expected) in [
            (json!("[A B]"), &["A", "B"][..]),
            (json!("[A]"), &["A"]),
            (json!("[]"), &[]),
            (json!("A B"), &["A", "B"]),
            (json!(["A", "B"]), &["A", "B"]),
            (json!(r#"["A","B"]"#), &["A", "B"]),
            (json!("[A"), &["[A"]),
        ] {
            assert_eq!(names_passed_on(Some(&claim)).unwrap(), expected, "{claim}");
        }
        assert_eq!(names_passed_on(Some(&json!(7))), None);
        assert_eq!(names_passed_on(None), Some(vec![]));
    }

    #[test]
    fn a_flag_is_a_boolean_or_its_text_and_false_by_default() {
        for (claim, expected) in [
            (json!(true), Some(true)),
            (json!("true"), Some(true)),
            (json!("True"), Some(true)),
            (json!(false), Some(false)),
            (json!("false"), Some(false)),
            (json!("yes"), Some(false)),
            (json!(""), Some(false)),
            (json!(null), Some(false)),
            (json!(1), None),
            (json!([true]), None),
        ] {
            assert_eq!(flag(Some(&claim)), expected, "{claim}");
        }
        assert_eq!(flag(None), Some(false));
    }
}
