//! Reads references and composed strings in a template.

use serde_json::Value;

/// The logical id of the one resource that `Ref` or `Fn::GetAtt` names.
pub(super) fn referred(value: &Value) -> Option<&str> {
    let name = value.get("Ref").or_else(|| value.pointer("/Fn::GetAtt/0"))?;
    name.as_str()
}

/// The suffix that makes a name unique to one creation of the stack.
const CREATION: &str = "-${Creation}";

/// A name without the stack's name and the creation suffix. It is `emails` for `!Sub
/// "${AWS::StackName}-emails"`, or for `!Sub "${Service}-emails"` in a nested stack.
pub(super) fn own_name(value: &Value) -> Option<&str> {
    let words = substituted(value)?;
    let name = words.strip_prefix("${AWS::StackName}-");
    let name = name.or_else(|| words.strip_prefix("${Service}-"))?;
    Some(name.strip_suffix(CREATION).unwrap_or(name))
}

/// Whether a name is unique to one creation of the stack.
pub(super) fn is_of_creation(value: &Value) -> bool {
    let from_id = value
        .pointer("/Fn::Sub/1/Creation")
        .is_some_and(|it| it.to_string().contains("AWS::StackId"));
    from_id && substituted(value).is_some_and(|words| words.ends_with(CREATION))
}

fn substituted(value: &Value) -> Option<&str> {
    let words = value.get("Fn::Sub")?;
    words.as_str().or_else(|| words.get(0)?.as_str())
}

/// A value as text, with references as `${Name}` or `${Name.Attribute}`.
pub(super) fn spelled(value: &Value) -> String {
    match value {
        Value::String(words) => words.clone(),
        Value::Object(object) => match object.iter().next() {
            Some((name, Value::String(target))) if name == "Ref" => format!("${{{target}}}"),
            Some((name, Value::String(words))) if name == "Fn::Sub" => words.clone(),
            Some((name, Value::Array(steps))) if name == "Fn::GetAtt" => {
                let steps: Vec<String> = steps.iter().map(spelled).collect();
                format!("${{{}}}", steps.join("."))
            }
            _ => value.to_string(),
        },
        other => other.to_string(),
    }
}

/// In IAM and elsewhere, a list of one may be written without brackets.
pub(super) fn each(value: &Value) -> impl Iterator<Item = &Value> {
    let many = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    many.iter().filter(|one| !one.is_null())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_and_composed_names_are_read() {
        assert_eq!(referred(&json!({"Ref": "A"})), Some("A"));
        assert_eq!(referred(&json!({"Fn::GetAtt": ["A", "Arn"]})), Some("A"));
        assert_eq!(own_name(&json!({"Fn::Sub": "${AWS::StackName}-a-b"})), Some("a-b"));
        assert_eq!(own_name(&json!({"Fn::Sub": "${Service}-a"})), Some("a"));
        assert_eq!(own_name(&json!("a")), None);
        let queue = json!({"Fn::Sub": ["${AWS::StackName}-a-${Creation}", {"Creation": {"Ref": "AWS::StackId"}}]});
        assert_eq!(own_name(&queue), Some("a"));
        assert!(is_of_creation(&queue));
        assert!(!is_of_creation(&json!({"Fn::Sub": "${AWS::StackName}-a-${Creation}"})));
        let cases = [
            (json!({"Fn::GetAtt": ["A", "Arn"]}), "${A.Arn}"),
            (json!({"Fn::Sub": "${A.Arn}/index/*"}), "${A.Arn}/index/*"),
            (json!({"Ref": "A"}), "${A}"),
            (json!("*"), "*"),
        ];
        for (value, words) in cases {
            assert_eq!(spelled(&value), words);
        }
        assert_eq!(each(&json!("a")).count(), 1);
        assert_eq!(each(&json!(["a", "b"])).count(), 2);
        assert_eq!(each(&Value::Null).count(), 0);
    }
}
