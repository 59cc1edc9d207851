//! Items, keys and expressions of `DynamoDB` as people read them.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::activity::redaction::Redaction;
use crate::services::plain_value;

/// A key in `DynamoDB`'s JSON as text, by the names of its attributes: `pk = USER#1, sk = PROFILE`.
pub(crate) fn key_text<'a>(attributes: impl Iterator<Item = (&'a str, &'a Value)>) -> String {
    key_of_parts(attributes.map(|(name, value)| (name, Cow::Owned(plain_value(value)))).collect())
}

/// A key object in `DynamoDB`'s JSON as text.
pub(super) fn key_of(key: &Value) -> String {
    let members = key.as_object().into_iter().flatten();
    key_text(members.map(|(name, value)| (name.as_str(), value)))
}

/// A key in plain JSON as text.
pub(in crate::activity) fn key_of_plain(members: &Map<String, Value>) -> String {
    let members = members.iter();
    key_of_parts(members.map(|(name, value)| (name.as_str(), Cow::Borrowed(value))).collect())
}

fn key_of_parts(mut parts: Vec<(&str, Cow<'_, Value>)>) -> String {
    parts.sort_unstable_by_key(|(name, _)| *name);
    let part = |(name, value): (&str, Cow<'_, Value>)| match &*value {
        Value::String(text) => format!("{name} = {text}"),
        other => format!("{name} = {other}"),
    };
    parts.into_iter().map(part).collect::<Vec<_>>().join(", ")
}

/// An expression with its names and values put in: `version = 3`. A value of an attribute whose name
/// is secret is hidden.
pub(super) fn expression(text: &str, input: &Value, redaction: &Redaction) -> String {
    let mut shown = String::new();
    for token in tokens(text) {
        match token {
            Token::Name(name) => {
                shown.push_str(input["ExpressionAttributeNames"][name].as_str().unwrap_or(name));
            }
            Token::Value { name, of } => {
                let value = &input["ExpressionAttributeValues"][name];
                if value.is_null() {
                    shown.push_str(name);
                } else {
                    let of = attribute(of, input);
                    shown.push_str(&shown_value(of, value, redaction).to_string());
                }
            }
            Token::Other(text) => shown.push_str(text),
        }
    }
    redaction.text(&shown)
}

/// Hides the values of a call's expressions whose attributes have secret names.
pub(super) fn hide_values(input: &mut Value, redaction: &Redaction) {
    match input {
        Value::Array(members) => {
            for member in members {
                hide_values(member, redaction);
            }
        }
        Value::Object(members) => {
            for member in members.values_mut() {
                hide_values(member, redaction);
            }
            let secret = secret_values(input, redaction);
            let values = input.get_mut("ExpressionAttributeValues").and_then(Value::as_object_mut);
            if let Some(values) = values {
                for (name, hidden) in secret {
                    values.insert(name, hidden);
                }
            }
        }
        _ => {}
    }
}

fn secret_values(input: &Value, redaction: &Redaction) -> Vec<(String, Value)> {
    let mut secret = Vec::new();
    let Some(values) = input.get("ExpressionAttributeValues") else { return secret };
    for kind in
        ["ConditionExpression", "FilterExpression", "KeyConditionExpression", "UpdateExpression"]
    {
        let text = input.get(kind).and_then(Value::as_str).unwrap_or_default();
        for token in tokens(text) {
            if let Token::Value { name, of } = token
                && let Some(value) = values.get(name)
            {
                let of = attribute(of, input);
                let plain = plain_value(value);
                let shown = shown_value(of, value, redaction);
                if shown != plain {
                    secret.push((name.to_owned(), shown));
                }
            }
        }
    }
    secret
}

fn attribute<'a>(name: &'a str, input: &'a Value) -> &'a str {
    let names = input.get("ExpressionAttributeNames");
    names.and_then(|names| names.get(name)).and_then(Value::as_str).unwrap_or(name)
}

/// The value of an attribute, which may be secret.
fn shown_value(attribute: &str, value: &Value, redaction: &Redaction) -> Value {
    let mut item = Map::new();
    item.insert(attribute.to_owned(), plain_value(value));
    let mut shown = redaction.json(Value::Object(item));
    shown.as_object_mut().and_then(|item| item.remove(attribute)).unwrap_or(Value::Null)
}

enum Token<'a> {
    /// `#name`.
    Name(&'a str),
    /// `:value`, with the last name before it.
    Value { name: &'a str, of: &'a str },
    /// Anything else.
    Other(&'a str),
}

/// The words that are no attributes.
const KEYWORDS: [&str; 17] = [
    "SET",
    "REMOVE",
    "ADD",
    "DELETE",
    "AND",
    "OR",
    "NOT",
    "IN",
    "BETWEEN",
    "attribute_exists",
    "attribute_not_exists",
    "attribute_type",
    "begins_with",
    "contains",
    "if_not_exists",
    "list_append",
    "size",
];

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut last = "";
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let begins = matches!(first, '#' | ':') || is_word(first);
        let skip = first.len_utf8();
        let end = if begins {
            rest[skip..].find(|c| !is_word(c)).map_or(rest.len(), |end| skip + end)
        } else {
            skip
        };
        let (token, after) = rest.split_at(end);
        rest = after;
        tokens.push(match first {
            '#' => {
                last = token;
                Token::Name(token)
            }
            ':' => Token::Value { name: token, of: last },
            _ => {
                let is_number = token.starts_with(|c: char| c.is_ascii_digit());
                let is_keyword = KEYWORDS.iter().any(|it| it.eq_ignore_ascii_case(token));
                if begins && !is_number && !is_keyword {
                    last = token;
                }
                Token::Other(token)
            }
        });
    }
    tokens
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_expression_has_its_names_and_values() {
        let input = json!({
            "ExpressionAttributeNames": {"#v": "version"},
            "ExpressionAttributeValues": {":v": {"N": "3"}, ":s": {"S": "OPEN"}},
        });
        let shown = expression("#v = :v AND begins_with(state, :s)", &input, &Redaction::new());
        assert_eq!(shown, r#"version = 3 AND begins_with(state, "OPEN")"#);
    }

    #[test]
    fn the_values_of_secret_attributes_are_hidden() {
        let mut input = json!({
            "UpdateExpression": "SET #p = :p, version = :v",
            "ExpressionAttributeNames": {"#p": "password"},
            "ExpressionAttributeValues": {":p": {"S": "hunter2"}, ":v": {"N": "3"}},
        });
        let redaction = Redaction::new();
        let shown = expression(input["UpdateExpression"].as_str().unwrap(), &input, &redaction);
        assert_eq!(shown, "SET password = \"•••\", version = 3");
        hide_values(&mut input, &redaction);
        assert_eq!(input["ExpressionAttributeValues"][":p"], "•••");
        assert_eq!(input["ExpressionAttributeValues"][":v"], json!({"N": "3"}));
    }

    #[test]
    fn a_key_is_text_in_the_order_of_its_names() {
        let (sort, partition) = (json!({"N": "7"}), json!({"S": "USER#1"}));
        let key = key_text([("sk", &sort), ("pk", &partition)].into_iter());
        assert_eq!(key, "pk = USER#1, sk = 7");
        assert_eq!(key_of_plain(json!({"sk": 7, "pk": "USER#1"}).as_object().unwrap()), key);
    }
}
