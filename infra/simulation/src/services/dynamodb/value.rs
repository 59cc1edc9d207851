//! Attribute values and items, with their JSON and sizes.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value as Json, json};

use super::number::Number;
use crate::services::wire::AwsError;

/// The maximum size of an item, in bytes.
pub(super) const ITEM_BYTES_MAX: usize = 400 * 1024;
/// The maximum depth of lists and maps in each other.
const DEPTH_MAX: usize = 32;

/// The attributes of an item.
pub(crate) type Item = BTreeMap<String, Value>;

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    S(String),
    N(Number),
    B(Vec<u8>),
    Bool(bool),
    Null,
    L(Vec<Self>),
    M(Item),
    Ss(BTreeSet<String>),
    Ns(BTreeSet<Number>),
    Bs(BTreeSet<Vec<u8>>),
}

impl Value {
    /// A value of its JSON, so many lists and maps deep.
    fn of(json: &Json, depth: usize) -> Result<Self, AwsError> {
        if depth > DEPTH_MAX {
            return Err(AwsError::invalid(
                "Nesting Levels have exceeded supported limits: \
                 Attributes in the item have nested levels beyond supported limit",
            ));
        }
        let members = json.as_object().ok_or_else(|| wrong_form("an attribute value"))?;
        let mut members = members.iter();
        let (tag, value) = members.next().ok_or_else(|| {
            AwsError::invalid(
                "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
            )
        })?;
        if members.next().is_some() {
            return Err(AwsError::invalid(
                "Supplied AttributeValue has more than one datatypes set, \
                 must contain exactly one of the supported datatypes",
            ));
        }
        match tag.as_str() {
            "S" => Ok(Self::S(text(value)?.to_owned())),
            "N" => Ok(Self::N(Number::parse(text(value)?)?)),
            "B" => Ok(Self::B(bytes(value)?)),
            "BOOL" => value.as_bool().map(Self::Bool).ok_or_else(|| wrong_form("BOOL")),
            "NULL" if *value == Json::Bool(true) => Ok(Self::Null),
            "NULL" => Err(AwsError::invalid_value(
                "Null attribute value types must have the value of true",
            )),
            "L" => {
                let values = value.as_array().ok_or_else(|| wrong_form("L"))?;
                let values = values.iter().map(|value| Self::of(value, depth + 1));
                Ok(Self::L(values.collect::<Result<_, _>>()?))
            }
            "M" => Ok(Self::M(members_of(value, depth + 1)?)),
            "SS" => set(value, "An string set  may not be empty", |it| Ok(text(it)?.to_owned()))
                .map(Self::Ss),
            "NS" => set(value, "An number set  may not be empty", |it| Number::parse(text(it)?))
                .map(Self::Ns),
            "BS" => set(value, "Binary sets should not be empty", bytes).map(Self::Bs),
            _ => Err(AwsError::invalid(
                "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
            )),
        }
    }

    pub(super) fn to_json(&self) -> Json {
        match self {
            Self::S(text) => json!({ "S": text }),
            Self::N(number) => json!({ "N": number.to_string() }),
            Self::B(bytes) => json!({ "B": BASE64_STANDARD.encode(bytes) }),
            Self::Bool(is) => json!({ "BOOL": is }),
            Self::Null => json!({ "NULL": true }),
            Self::L(values) => {
                json!({ "L": values.iter().map(Self::to_json).collect::<Vec<_>>() })
            }
            Self::M(item) => json!({ "M": item_to_json(item) }),
            Self::Ss(texts) => json!({ "SS": texts }),
            Self::Ns(numbers) => {
                json!({ "NS": numbers.iter().map(Number::to_string).collect::<Vec<_>>() })
            }
            Self::Bs(all) => {
                json!({ "BS": all.iter().map(|it| BASE64_STANDARD.encode(it)).collect::<Vec<_>>() })
            }
        }
    }

    /// Plain JSON, without types. Bytes are Base64, and sets are lists.
    fn plain(&self) -> Json {
        match self {
            Self::S(text) => json!(text),
            Self::N(number) => plain_number(number),
            Self::B(bytes) => json!(BASE64_STANDARD.encode(bytes)),
            Self::Bool(is) => json!(is),
            Self::Null => Json::Null,
            Self::L(values) => values.iter().map(Self::plain).collect(),
            Self::M(item) => plain(item),
            Self::Ss(texts) => json!(texts),
            Self::Ns(numbers) => numbers.iter().map(plain_number).collect(),
            Self::Bs(all) => all.iter().map(|it| BASE64_STANDARD.encode(it)).collect(),
        }
    }

    /// The name of the type: `S`.
    pub(super) fn tag(&self) -> &'static str {
        match self {
            Self::S(_) => "S",
            Self::N(_) => "N",
            Self::B(_) => "B",
            Self::Bool(_) => "BOOL",
            Self::Null => "NULL",
            Self::L(_) => "L",
            Self::M(_) => "M",
            Self::Ss(_) => "SS",
            Self::Ns(_) => "NS",
            Self::Bs(_) => "BS",
        }
    }

    /// The size of the value in an item, in bytes.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::S(text) => text.len(),
            Self::N(number) => number.size(),
            Self::B(bytes) => bytes.len(),
            Self::Bool(_) | Self::Null => 1,
            Self::L(values) => 3 + values.iter().map(|value| 1 + value.bytes()).sum::<usize>(),
            Self::M(item) => 3 + item.len() + item_bytes(item),
            Self::Ss(texts) => texts.iter().map(String::len).sum(),
            Self::Ns(numbers) => numbers.iter().map(|number| number.size()).sum(),
            Self::Bs(all) => all.iter().map(Vec::len).sum(),
        }
    }

    /// The order of texts, numbers or bytes; other values, and values of two types, have none.
    pub(super) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::S(one), Self::S(two)) => Some(one.cmp(two)),
            (Self::N(one), Self::N(two)) => Some(one.cmp(two)),
            (Self::B(one), Self::B(two)) => Some(one.cmp(two)),
            _ => None,
        }
    }

    /// How deep lists and maps are in each other.
    pub(super) fn depth(&self) -> usize {
        match self {
            Self::L(values) => 1 + values.iter().map(Self::depth).max().unwrap_or(0),
            Self::M(item) => 1 + item.values().map(Self::depth).max().unwrap_or(0),
            _ => 0,
        }
    }
}

/// Whether lists and maps of an item are within the limit.
pub(super) fn is_too_deep(item: &Item) -> bool {
    item.values().any(|value| value.depth() > DEPTH_MAX)
}

/// An item of its JSON.
pub(crate) fn item_of(json: &Json) -> Result<Item, AwsError> {
    members_of(json, 0)
}

fn members_of(json: &Json, depth: usize) -> Result<Item, AwsError> {
    let members = json.as_object().ok_or_else(|| wrong_form("an item"))?;
    members.iter().map(|(name, value)| Ok((name.clone(), Value::of(value, depth)?))).collect()
}

/// The JSON of an item.
pub(crate) fn item_to_json(item: &Item) -> Json {
    let members = item.iter().map(|(name, value)| (name.clone(), value.to_json()));
    Json::Object(members.collect::<Map<_, _>>())
}

/// The plain JSON of an item, without types.
pub(crate) fn plain(item: &Item) -> Json {
    let members = item.iter().map(|(name, value)| (name.clone(), value.plain()));
    Json::Object(members.collect::<Map<_, _>>())
}

/// A number, with the precision of JSON numbers.
fn plain_number(number: &Number) -> Json {
    serde_json::from_str(&number.to_string()).unwrap_or_default()
}

/// The size of an item, in bytes: names and values.
pub(super) fn item_bytes(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value.bytes()).sum()
}

fn set<T: Ord>(
    json: &Json,
    if_empty: &str,
    element: impl Fn(&Json) -> Result<T, AwsError>,
) -> Result<BTreeSet<T>, AwsError> {
    let values = json.as_array().ok_or_else(|| wrong_form("a set"))?;
    if values.is_empty() {
        return Err(AwsError::invalid_value(if_empty));
    }
    let set: BTreeSet<T> = values.iter().map(element).collect::<Result<_, _>>()?;
    if set.len() < values.len() {
        return Err(AwsError::invalid_value("Input collection contains duplicates"));
    }
    Ok(set)
}

fn text(json: &Json) -> Result<&str, AwsError> {
    json.as_str().ok_or_else(|| wrong_form("a string"))
}

fn bytes(json: &Json) -> Result<Vec<u8>, AwsError> {
    BASE64_STANDARD.decode(text(json)?).map_err(|_| wrong_form("base64"))
}

fn wrong_form(expected: &str) -> AwsError {
    AwsError::new("SerializationException", format!("expected {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_keeps_its_type_and_content() {
        for json in [
            json!({ "S": "" }),
            json!({ "N": "12.5" }),
            json!({ "B": "AAEC" }),
            json!({ "BOOL": false }),
            json!({ "NULL": true }),
            json!({ "L": [{ "S": "a" }, { "M": { "b": { "N": "1" } } }] }),
            json!({ "SS": ["a", "b"] }),
            json!({ "NS": ["-1", "2", "10"] }),
            json!({ "BS": ["AA==", "AQ=="] }),
        ] {
            assert_eq!(Value::of(&json, 0).unwrap().to_json(), json);
        }
    }

    #[test]
    fn a_plain_item_has_no_types() {
        let item = json!({
            "pk": { "S": "a" }, "stock": { "N": "7" }, "on": { "BOOL": true }, "no": { "NULL": true },
            "names": { "SS": ["x", "y"] }, "numbers": { "NS": ["1"] }, "bytes": { "B": "AAEC" },
            "lines": { "L": [{ "M": { "quantity": { "N": "2" } } }] },
        });
        let expected = json!({
            "pk": "a", "stock": 7, "on": true, "no": null, "names": ["x", "y"], "numbers": [1],
            "bytes": "AAEC", "lines": [{ "quantity": 2 }],
        });
        assert_eq!(plain(&item_of(&item).unwrap()), expected);
    }

    #[test]
    fn an_invalid_value_is_an_error_with_its_reason() {
        for (json, reason) in [
            (json!({}), "is empty"),
            (json!({ "S": "a", "N": "1" }), "more than one datatypes"),
            (json!({ "SS": [] }), "An string set  may not be empty"),
            (json!({ "NS": ["1", "1.0"] }), "contains duplicates"),
            (json!({ "NULL": false }), "must have the value of true"),
            (json!({ "X": "a" }), "is empty"),
            (json!({ "S": 1 }), "expected a string"),
        ] {
            let error = Value::of(&json, 0).unwrap_err();
            assert!(error.message.contains(reason), "{json}: {error:?}");
        }
    }

    #[test]
    fn a_value_nested_deeper_than_32_levels_is_an_error() {
        let nested =
            |levels| (0..levels).fold(json!({ "S": "a" }), |json, _| json!({ "L": [json] }));
        assert!(Value::of(&nested(32), 0).is_ok());
        assert!(Value::of(&nested(33), 0).is_err());
    }

    #[test]
    fn the_size_of_an_item_counts_names_and_values() {
        let item = item_of(&json!({
            "pk": { "S": "abc" },
            "list": { "L": [{ "N": "12" }, { "BOOL": true }] },
            "map": { "M": { "k": { "S": "v" } } },
        }));
        assert_eq!(
            item_bytes(&item.unwrap()),
            (2 + 3) + (4 + 3 + (1 + 2) + (1 + 1)) + (3 + 3 + 1 + 1 + 1)
        );
    }
}
