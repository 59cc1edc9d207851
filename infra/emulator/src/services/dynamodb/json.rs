//! Converts `DynamoDB`'s JSON to plain JSON.

use serde_json::{Map, Value};

/// An item without its type tags: `{"stock": {"N": "3"}}` becomes `{"stock": 3}`.
pub(crate) fn plain_item(item: &Value) -> Value {
    let attributes = item.as_object().into_iter().flatten();
    attributes.map(|(name, value)| (name.clone(), plain_value(value))).collect::<Map<_, _>>().into()
}

/// An attribute's value without its type tag.
pub(crate) fn plain_value(attribute: &Value) -> Value {
    let Some((tag, value)) = attribute.as_object().and_then(|tagged| tagged.iter().next()) else {
        return Value::Null;
    };
    match tag.as_str() {
        "N" => number(value),
        "NS" => value.as_array().into_iter().flatten().map(number).collect(),
        "L" => value.as_array().into_iter().flatten().map(plain_value).collect(),
        "M" => plain_item(value),
        "NULL" => Value::Null,
        // Strings, booleans, base64 bytes, and sets of them stay unchanged.
        _ => value.clone(),
    }
}

/// A number that JSON cannot represent exactly stays a string.
fn number(value: &Value) -> Value {
    let text = value.as_str().unwrap_or_default();
    match serde_json::from_str::<serde_json::Number>(text) {
        Ok(number) if number.to_string() == text => Value::Number(number),
        _ => value.clone(),
    }
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
            "lines": {"L": [{"M": {"quantity": {"N": "1"}, "gift": {"BOOL": false}}}]},
            "note": {"NULL": true},
            "sizes": {"NS": ["1", "2"]},
        });

        let expected = json!({
            "name": "Lamp",
            "stock": 3,
            "exact": "123456789012345678901234567890",
            "lines": [{"quantity": 1, "gift": false}],
            "note": null,
            "sizes": [1, 2],
        });
        assert_eq!(plain_item(&item), expected);
    }
}
