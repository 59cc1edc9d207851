//! Converts YAML to `CloudFormation`'s JSON, with short forms expanded.

use saphyr::{LoadableYamlNode, Scalar, Tag, Yaml};
use serde_json::{Map, Number, Value, json};

use super::error::TemplateError;
use super::expansion;

/// Parses one YAML document. `!Ref X` becomes `{"Ref": "X"}`, and `!Name` in general becomes
/// `{"Fn::Name": …}`. `!GetAtt A.B` becomes `{"Fn::GetAtt": ["A", "B"]}`, and so does
/// `Fn::GetAtt: A.B`.
///
/// # Errors
/// [`TemplateError::Syntax`] if the text is not exactly one YAML document, and
/// [`TemplateError::NotUnderstood`] for YAML that JSON cannot express, or that is too large or too
/// deep.
pub(super) fn parse(source: &str) -> Result<Value, TemplateError> {
    expansion::check(source)?;
    let documents = Yaml::load_from_str(source)
        .map_err(|error| TemplateError::Syntax { reason: error.to_string() })?;
    match documents.as_slice() {
        [document] => convert(document, ""),
        _ => Err(TemplateError::Syntax {
            reason: format!("expected one document, found {}", documents.len()),
        }),
    }
}

fn convert(node: &Yaml<'_>, path: &str) -> Result<Value, TemplateError> {
    match node {
        Yaml::Value(scalar) => Ok(convert_scalar(scalar)),
        Yaml::Sequence(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| convert(item, &format!("{path}/{index}")))
            .collect(),
        Yaml::Mapping(entries) => {
            let mut object = Map::new();
            for (key, value) in entries {
                let key = key_of(key, path)?;
                let value = convert(value, &format!("{path}/{key}"))?;
                let value = if key == "Fn::GetAtt" { attribute(value) } else { value };
                object.insert(key, value);
            }
            Ok(Value::Object(object))
        }
        Yaml::Tagged(tag, inner) => Ok(long_form(tag, convert(inner, path)?)),
        Yaml::Alias(_) | Yaml::BadValue | Yaml::Representation(..) => {
            Err(TemplateError::not_understood(path, "an alias or a malformed value"))
        }
    }
}

fn convert_scalar(scalar: &Scalar<'_>) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(flag) => json!(flag),
        Scalar::Integer(number) => json!(number),
        Scalar::FloatingPoint(number) => {
            Number::from_f64(number.into_inner()).map_or(Value::Null, Value::Number)
        }
        Scalar::String(words) => json!(words),
    }
}

fn key_of(key: &Yaml<'_>, path: &str) -> Result<String, TemplateError> {
    match key {
        Yaml::Value(Scalar::String(words)) => Ok(words.to_string()),
        Yaml::Value(Scalar::Integer(number)) => Ok(number.to_string()),
        _ => Err(TemplateError::not_understood(path, "a key that is not a string")),
    }
}

fn long_form(tag: &Tag, argument: Value) -> Value {
    match (tag.suffix.as_str(), argument) {
        (name @ ("Ref" | "Condition"), argument) => json!({ name: argument }),
        ("GetAtt", argument) => json!({ "Fn::GetAtt": attribute(argument) }),
        (name, argument) => json!({ format!("Fn::{name}"): argument }),
    }
}

/// The argument of `Fn::GetAtt` as a list. In YAML it may be a text.
fn attribute(argument: Value) -> Value {
    match argument {
        Value::String(path) => {
            let (resource, attribute) = path.split_once('.').unwrap_or((&path, ""));
            json!([resource, attribute])
        }
        list => list,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_become_long_forms() {
        let value = parse(
            "a: !Ref Table\nb: !GetAtt Table.StreamArn\nc: !Sub '${Table}/x'\nd: !If [Prod, 1, '2']\n",
        )
        .unwrap();

        assert_eq!(
            value,
            json!({
                "a": {"Ref": "Table"},
                "b": {"Fn::GetAtt": ["Table", "StreamArn"]},
                "c": {"Fn::Sub": "${Table}/x"},
                "d": {"Fn::If": ["Prod", 1, "2"]},
            })
        );
    }

    #[test]
    fn an_attribute_may_be_a_text_or_a_list_in_both_forms() {
        for attribute in [
            "!GetAtt Table.StreamArn",
            "!GetAtt [Table, StreamArn]",
            "{'Fn::GetAtt': Table.StreamArn}",
            "{'Fn::GetAtt': [Table, StreamArn]}",
        ] {
            let expected = json!({ "a": { "Fn::GetAtt": ["Table", "StreamArn"] } });
            assert_eq!(parse(&format!("a: {attribute}\n")).unwrap(), expected, "{attribute}");
        }
    }

    #[test]
    fn a_repeated_key_is_an_error() {
        let error = parse("a: 1\na: 2\n").unwrap_err();

        assert!(error.to_string().contains("duplicated key"), "{error}");
    }
}
