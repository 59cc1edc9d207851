//! Reads the properties of a resource: merges the globals, evaluates expressions, and parses.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::{Path, Segment};

use super::error::TemplateError;
use super::ignored_properties;
use super::intrinsics::{IMPORTED, Scope, is_imported, sole_intrinsic};
use super::skipped::Skips;

/// The section of resources for which SAM has no globals.
pub(super) const NO_GLOBALS: &str = "";

/// Reads the properties of resources.
pub(super) struct Reader<'a> {
    pub(super) scope: &'a Scope<'a>,
    pub(super) globals: &'a Value,
    pub(super) skips: &'a Skips,
}

impl Reader<'_> {
    /// A resource's properties: globals merged in, expressions evaluated, properties for AWS only
    /// removed, then strictly parsed.
    ///
    /// # Errors
    /// All properties that are not supported.
    pub(super) fn properties<T: DeserializeOwned>(
        &self,
        id: &str,
        declaration: &Value,
        section: &str,
        only_on_aws: &[&str],
    ) -> Result<T, TemplateError> {
        let path = format!("/Resources/{id}/Properties");
        let mut errors = Vec::new();
        let mut evaluated = Map::new();
        for (name, value) in self.unevaluated(declaration, section) {
            if only_on_aws.contains(&name.as_str()) || is_included(&name, &value) {
                if let Some(consequence) = ignored_properties::consequence(&name)
                    && self.is_set(&name, &value)
                {
                    self.skips.add(name, id, consequence);
                }
                continue;
            }
            match self.scope.reduce(&value, &format!("{path}/{name}"), 0) {
                Ok(Some(value)) => {
                    evaluated.insert(name, value);
                }
                Ok(None) => {}
                Err(error) => errors.push(error),
            }
        }
        for value in evaluated.values() {
            self.note_unknown(id, value);
        }
        parse_knowing(&path, evaluated, errors, only_on_aws)
    }

    /// Adds a line for each kind of text of a resource that only AWS replaces.
    pub(super) fn note_unknown(&self, id: &str, value: &Value) {
        match value {
            Value::String(text) => {
                if is_imported(text) {
                    let why = "not known here; the names of their exports stand for them";
                    self.skips.add("the imported values", id, why);
                }
                if text.replace(IMPORTED, "").contains("{{resolve:") {
                    self.skips.add("the dynamic references", id, "passed on as text here");
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.note_unknown(id, item);
                }
            }
            Value::Object(object) => {
                for value in object.values() {
                    self.note_unknown(id, value);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Whether a property has a value: not `AWS::NoValue`, an empty list, nor the default.
    fn is_set(&self, name: &str, value: &Value) -> bool {
        match self.scope.reduce(value, "", 0) {
            Ok(None) => false,
            Ok(Some(Value::Array(items))) => !items.is_empty(),
            Ok(Some(Value::String(text))) => !ignored_properties::is_default(name, &text),
            _ => true,
        }
    }

    /// A resource's properties with the globals merged in, as the template writes them.
    pub(super) fn unevaluated(&self, declaration: &Value, section: &str) -> Map<String, Value> {
        let mut properties = applied_globals(&self.globals[section], declaration);
        merge(&mut properties, &declaration["Properties"]);
        match properties {
            Value::Object(properties) => properties,
            _ => Map::new(),
        }
    }
}

/// Whether a property is a document in a file, which only AWS includes.
fn is_included(property: &str, value: &Value) -> bool {
    property == "DefinitionBody" && value["Fn::Transform"]["Name"] == "AWS::Include"
}

/// Parses evaluated properties at a place of the template. `errors` are those of properties that
/// have no value.
///
/// # Errors
/// All properties that are not supported.
pub(super) fn parse<T: DeserializeOwned>(
    path: &str,
    properties: Map<String, Value>,
    errors: Vec<TemplateError>,
) -> Result<T, TemplateError> {
    parse_knowing(path, properties, errors, &[])
}

/// Like [`parse`]; the message of an unknown property also lists those for AWS only.
fn parse_knowing<T: DeserializeOwned>(
    path: &str,
    mut properties: Map<String, Value>,
    mut errors: Vec<TemplateError>,
    only_on_aws: &[&str],
) -> Result<T, TemplateError> {
    loop {
        let error = match serde_path_to_error::deserialize(Value::Object(properties.clone())) {
            Ok(parsed) => return TemplateError::of(errors).map_or(Ok(parsed), Err),
            Err(error) => error,
        };
        // Without the property that failed, the others are parsed, too.
        let failed = match error.path().iter().next() {
            Some(Segment::Map { key }) => properties.remove(key).is_some(),
            _ => false,
        };
        // A property may only be missing because it failed before.
        if failed || errors.is_empty() {
            let place = format!("{path}{}", pointer(error.path()));
            let mut what = error.inner().to_string();
            let is_property = error.path().iter().count() == 1;
            if is_property && what.starts_with("unknown field") && !only_on_aws.is_empty() {
                what = format!("{what}, or, for AWS only, `{}`", only_on_aws.join("`, `"));
            }
            errors.push(TemplateError::not_understood(&place, &what));
        }
        if !failed && let Some(error) = TemplateError::of(std::mem::take(&mut errors)) {
            return Err(error);
        }
    }
}

/// The JSON Pointer of a path of serde.
fn pointer(path: &Path) -> String {
    let segments = path.iter().filter_map(|segment| match segment {
        Segment::Map { key } => Some(format!("/{key}")),
        Segment::Seq { index } => Some(format!("/{index}")),
        Segment::Enum { .. } | Segment::Unknown => None,
    });
    segments.collect()
}

/// The properties in a section of `Globals` that a resource takes over: all except those in its
/// `IgnoreGlobals`, which is a list of their names, or `*`.
pub fn applied_globals(globals: &Value, resource: &Value) -> Value {
    let is_ignored = |name: &str| match &resource["IgnoreGlobals"] {
        Value::Array(names) => names.iter().any(|ignored| ignored == name),
        all => all == "*",
    };
    match globals {
        Value::Object(globals) => {
            let applied = globals.iter().filter(|(name, _)| !is_ignored(name));
            applied.map(|(name, value)| (name.clone(), value.clone())).collect()
        }
        other => other.clone(),
    }
}

/// A section of `Globals`, overridden by a resource's own properties, as SAM merges them: maps are
/// merged, lists joined, other values replaced. An expression is such a value.
pub fn merge_globals(globals: &Value, own: &Value) -> Value {
    let mut merged = globals.clone();
    merge(&mut merged, own);
    merged
}

fn merge(base: &mut Value, over: &Value) {
    let is_map = |map: &Map<String, Value>| sole_intrinsic(map).is_none();
    match (base, over) {
        (Value::Object(base), Value::Object(over)) if is_map(base) && is_map(over) => {
            for (name, value) in over {
                merge(base.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (Value::Array(base), Value::Array(over)) => base.extend(over.iter().cloned()),
        (_, Value::Null) => {}
        (base, over) => *base = over.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Sample {
        #[serde(rename = "Needed")]
        _needed: u32,
        #[serde(default, rename = "List")]
        _list: Vec<u32>,
    }

    fn errors(properties: Value) -> Vec<String> {
        let Value::Object(properties) = properties else { panic!("an object") };
        let error = parse::<Sample>("/P", properties, Vec::new()).unwrap_err();
        error.to_string().lines().map(str::to_owned).collect()
    }

    #[test]
    fn all_properties_that_fail_are_errors_with_their_pointers() {
        let found = errors(json!({"Neded": 1, "List": [1, "x"]}));
        assert_eq!(found.len(), 2, "{found:?}");
        for expected in ["/P/List/1: invalid type", "/P/Neded: unknown field"] {
            assert!(found.iter().any(|it| it.contains(expected)), "{found:?}");
        }
    }

    #[test]
    fn an_unknown_property_is_an_error_that_also_lists_those_for_aws_only() {
        let properties =
            Map::from_iter([("Needed".to_owned(), json!(1)), ("Nam".to_owned(), json!(1))]);
        let error = parse_knowing::<Sample>("/P", properties, Vec::new(), &["Name", "Tags"]);
        let error = error.unwrap_err().to_string();
        assert!(error.ends_with("`List`, or, for AWS only, `Name`, `Tags`"), "{error}");
    }

    #[test]
    fn maps_are_merged_and_lists_joined_but_an_expression_is_replaced() {
        let table = |name: &str| json!({"Ref": name});
        let of_b = json!({"Fn::GetAtt": ["B", "Arn"]});
        for (global, own, merged) in [
            (json!({"A": 1, "B": 1}), json!({"B": 2}), json!({"A": 1, "B": 2})),
            (json!(["a"]), json!(["b"]), json!(["a", "b"])),
            (json!({"T": table("A")}), json!({"T": of_b}), json!({"T": of_b})),
            (json!({"T": table("A")}), json!({"T": {"A": 1}}), json!({"T": {"A": 1}})),
            (json!({"T": {"A": 1}}), json!({"T": table("A")}), json!({"T": table("A")})),
            (json!({"A": 1}), Value::Null, json!({"A": 1})),
        ] {
            assert_eq!(merge_globals(&global, &own), merged);
        }
    }

    #[test]
    fn a_resource_has_no_globals_that_it_ignores() {
        let source = "Globals:
  Function: {Runtime: provided.al2023, Timeout: 9, MemorySize: 512}
Resources:
  Each: {Type: 'AWS::Serverless::Function'}
  Some: {Type: 'AWS::Serverless::Function', IgnoreGlobals: [Timeout, Layers]}
  None:
    Type: AWS::Serverless::Function
    IgnoreGlobals: '*'
    Properties: {Runtime: provided.al2}
";
        let template = crate::Template::parse(source, &std::collections::BTreeMap::new()).unwrap();

        let shown = |id: &str| {
            let function = &template.functions[id];
            (function.timeout.as_secs(), function.memory_mb)
        };
        assert_eq!([shown("Each"), shown("Some"), shown("None")], [(9, 512), (3, 512), (3, 128)]);
    }

    #[test]
    fn values_that_only_aws_replaces_have_a_line() {
        let source = "Parameters:
  Vpc: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /vpc}
  Key: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /key}
Resources:
  S:
    Type: AWS::SecretsManager::Secret
    Properties: {SecretString: !Sub 'a {{resolve:ssm:${Vpc}}}'}
  T: {Type: 'AWS::SecretsManager::Secret', Properties: {SecretString: plain}}
";
        let given = [("Key".to_owned(), "value".to_owned())].into();
        let template = crate::Template::parse(source, &given).unwrap();

        let lines: Vec<String> = template.skipped.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "AWS::SSM::Parameter::Value (Vpc): its default is a name; \
                 --parameter NAME=VALUE gives the value",
                "the dynamic references (S): passed on as text here",
            ]
        );
    }

    #[test]
    fn a_document_that_includes_a_file_is_left_out_with_a_line() {
        let source = "Resources:
  A:
    Type: AWS::Serverless::HttpApi
    Properties:
      DefinitionBody: !Transform {Name: AWS::Include, Parameters: {Location: openapi.yaml}}
  B:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      DefinitionBody:
        Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://bucket/openapi.yaml}}
";
        let template = crate::Template::parse(source, &std::collections::BTreeMap::new()).unwrap();

        let lines: Vec<String> = template.skipped.iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["DefinitionBody (A, B): has no effect here"]);
    }

    #[test]
    fn a_missing_property_is_an_error_at_its_resource() {
        let found = errors(json!({}));
        assert!(found[0].contains("/P: missing field `Needed`"), "{found:?}");
    }
}
