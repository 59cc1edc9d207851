//! Compares a table that is kept from an earlier run with the template's.

use serde_json::{Map, Value, json};

/// Reads a part of a table's description.
type Part = fn(&Value) -> Value;

/// The first part in which a kept table differs from the one that would be created, by the
/// description of one and the `CreateTable` request of the other.
pub(super) fn difference(kept: &Value, wanted: &Value) -> Option<&'static str> {
    let parts: [(&str, Part); 5] = [
        ("a key", key),
        ("an attribute type", types),
        ("indexes", |table| indexes(&table["GlobalSecondaryIndexes"])),
        ("local indexes", |table| indexes(&table["LocalSecondaryIndexes"])),
        ("a stream", |table| table["StreamSpecification"]["StreamViewType"].clone()),
    ];
    parts.into_iter().find(|(_, part)| part(kept) != part(wanted)).map(|(name, _)| name)
}

/// The attributes of a key, by their role.
fn key(table: &Value) -> Value {
    by_name(&table["KeySchema"], "KeyType", |element| element["AttributeName"].clone())
}

fn types(table: &Value) -> Value {
    let definitions = &table["AttributeDefinitions"];
    by_name(definitions, "AttributeName", |attribute| attribute["AttributeType"].clone())
}

fn indexes(list: &Value) -> Value {
    by_name(list, "IndexName", |index| {
        let projection = &index["Projection"];
        let names = by_name(&projection["NonKeyAttributes"], "", |_| Value::Null);
        json!([key(index), projection["ProjectionType"], names])
    })
}

/// The values of a list by the names of its elements; an element that is a text is its own name.
fn by_name(list: &Value, name: &str, value: impl Fn(&Value) -> Value) -> Value {
    let elements = list.as_array().into_iter().flatten();
    let named = elements.filter_map(|element| {
        let name = element.as_str().or_else(|| element[name].as_str())?;
        Some((name.to_owned(), value(element)))
    });
    named.collect::<Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Value {
        json!({
            "TableName": "orders",
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "N"},
            ],
            "GlobalSecondaryIndexes": [{
                "IndexName": "by-sk",
                "KeySchema": [{"AttributeName": "sk", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["a", "b"]},
            }],
            "LocalSecondaryIndexes": [{
                "IndexName": "by-time",
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }],
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"},
        })
    }

    #[test]
    fn a_description_with_further_fields_in_another_order_is_the_same_table() {
        let mut kept = table();
        kept["ItemCount"] = json!(3);
        kept["KeySchema"].as_array_mut().unwrap().reverse();
        kept["AttributeDefinitions"].as_array_mut().unwrap().reverse();
        kept["GlobalSecondaryIndexes"][0]["IndexStatus"] = json!("ACTIVE");
        kept["GlobalSecondaryIndexes"][0]["Projection"]["NonKeyAttributes"] = json!(["b", "a"]);
        assert_eq!(difference(&kept, &table()), None);
    }

    #[test]
    fn each_part_that_differs_is_named() {
        let cases: [(&str, Value, &str); 6] = [
            ("/KeySchema/1/AttributeName", json!("other"), "a key"),
            ("/AttributeDefinitions/1/AttributeType", json!("S"), "an attribute type"),
            ("/GlobalSecondaryIndexes", Value::Null, "indexes"),
            ("/GlobalSecondaryIndexes/0/Projection/NonKeyAttributes", json!(["a"]), "indexes"),
            ("/LocalSecondaryIndexes", Value::Null, "local indexes"),
            ("/StreamSpecification", Value::Null, "a stream"),
        ];
        for (place, value, expected) in cases {
            let mut kept = table();
            *kept.pointer_mut(place).unwrap() = value;
            assert_eq!(difference(&kept, &table()), Some(expected), "{place}");
        }
    }
}
