//! Converts `DynamoDB`'s JSON to plain JSON.

use serde_json::{Map, Number, Value};

/// The largest integer up to which a reader with binary fractions, such as a browser, keeps all
/// digits.
const EXACT_MAX: u64 = 1 << 53;

/// Whether a number is one for the reader; another number stays a text.
type IsNumber = fn(&Number) -> bool;

/// An item without its type tags: `{"stock": {"N": "3"}}` becomes `{"stock": 3}`.
pub(crate) fn plain_item(item: &Value) -> Value {
    untagged_item(item, is_exact)
}

/// An attribute's value without its type tag.
pub(crate) fn plain_value(attribute: &Value) -> Value {
    untagged(attribute, is_exact)
}

/// Any JSON, for a browser: integers of 64 bits that it would cut are texts.
pub(crate) fn with_exact_numbers(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let exact = |(name, value)| (name, with_exact_numbers(value));
            members.into_iter().map(exact).collect::<Map<_, _>>().into()
        }
        Value::Array(values) => values.into_iter().map(with_exact_numbers).collect(),
        Value::Number(number) if !is_exact(&number) => number.to_string().into(),
        other => other,
    }
}

/// An item as [`plain_item`], for a reader that keeps all digits of integers.
pub(super) fn plain_item_with_integers(item: &Value) -> Value {
    untagged_item(item, |_| true)
}

fn untagged_item(item: &Value, is_number: IsNumber) -> Value {
    let attributes = item.as_object().into_iter().flatten();
    let plain = attributes.map(|(name, value)| (name.clone(), untagged(value, is_number)));
    plain.collect::<Map<_, _>>().into()
}

fn untagged(attribute: &Value, is_number: IsNumber) -> Value {
    let Some((tag, value)) = attribute.as_object().and_then(|tagged| tagged.iter().next()) else {
        return Value::Null;
    };
    let members = || value.as_array().into_iter().flatten();
    match tag.as_str() {
        "N" => number(value, is_number),
        "NS" => members().map(|value| number(value, is_number)).collect(),
        "L" => members().map(|value| untagged(value, is_number)).collect(),
        "M" => untagged_item(value, is_number),
        "NULL" => Value::Null,
        // Strings, booleans, base64 bytes, and sets of them stay unchanged.
        _ => value.clone(),
    }
}

/// A number that a reader of JSON may not represent exactly stays a string.
fn number(value: &Value, is_number: IsNumber) -> Value {
    let text = value.as_str().unwrap_or_default();
    match serde_json::from_str::<Number>(text) {
        Ok(number) if number.to_string() == text && is_number(&number) => Value::Number(number),
        _ => value.clone(),
    }
}

/// Whether a number is a fraction, or an integer up to [`EXACT_MAX`].
fn is_exact(number: &Number) -> bool {
    let size = number.as_i64().map(i64::unsigned_abs).or_else(|| number.as_u64());
    size.is_none_or(|size| size <= EXACT_MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn type_tags_are_removed_and_no_number_loses_digits() {
        let item = json!({
            "name": {"S": "Lamp"},
            "stock": {"N": "3"},
            "exact": {"N": "123456789012345678901234567890"},
            "large": {"NS": ["9007199254740992", "-9007199254740993", "18446744073709551615"]},
            "lines": {"L": [{"M": {"quantity": {"N": "1"}, "gift": {"BOOL": false}}}]},
            "note": {"NULL": true},
            "sizes": {"NS": ["1", "2"]},
        });

        let expected = json!({
            "name": "Lamp",
            "stock": 3,
            "exact": "123456789012345678901234567890",
            "large": [9_007_199_254_740_992_u64, "-9007199254740993", "18446744073709551615"],
            "lines": [{"quantity": 1, "gift": false}],
            "note": null,
            "sizes": [1, 2],
        });
        assert_eq!(plain_item(&item), expected);
        let large = [json!(1_u64 << 53), json!(-(1_i64 << 53) - 1), json!(u64::MAX)];
        assert_eq!(plain_item_with_integers(&item)["large"], json!(large));
    }

    #[test]
    fn integers_that_a_browser_would_cut_are_texts() {
        let value = json!({"a": [u64::MAX, 1_u64 << 53, 0.5], "b": {"c": i64::MIN, "d": null}});
        let expected = json!({
            "a": ["18446744073709551615", 9_007_199_254_740_992_u64, 0.5],
            "b": {"c": "-9223372036854775808", "d": null},
        });
        assert_eq!(with_exact_numbers(value), expected);
    }
}
