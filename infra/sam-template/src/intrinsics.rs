//! Evaluates a template's intrinsic functions as far as their values are known before the start.
//!
//! Parameters, mappings, conditions and pseudo parameters are replaced by their values. References
//! to resources remain, in three forms that [`TemplateValue`](super::TemplateValue) reads: `Ref`,
//! `Fn::GetAtt`, and a `Fn::Join` with an empty separator of these and literals. References to
//! resources that are left out, and values of other stacks, are texts.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::attributes;
use super::error::TemplateError;
use super::expansion::Left;
use super::joined::Joined;
use super::names::{IMPLICIT_HTTP_API, IMPLICIT_REST_API};
use super::{left_out, names};

/// The values that a template's expressions are evaluated with.
pub(super) struct Scope<'a> {
    /// Parameters and pseudo parameters by name: strings, or lists of them; null for no value.
    pub(super) parameters: BTreeMap<String, Value>,
    /// The parameters with the name of a parameter of SSM instead of its value.
    pub(super) named_only: Vec<String>,
    /// The template's `Mappings`.
    pub(super) mappings: &'a Value,
    /// The template's `Conditions`, unevaluated.
    pub(super) conditions: &'a Value,
    /// The template's `Resources`; only their names and types are used here.
    pub(super) resources: &'a Map<String, Value>,
    /// The types of the resources that are left out, by logical id. A reference to one is replaced
    /// by a name or an ARN of the same form as on AWS.
    pub(super) left_out: BTreeMap<String, String>,
    /// The size that the evaluated values may still have.
    pub(super) left: Left,
}

/// The beginning of the text for a value of another stack. The name of its export and `}}` follow.
pub(super) const IMPORTED: &str = "{{resolve:import:";

/// The maximum depth of nested expressions; it also stops conditions that refer to themselves.
pub(super) const DEPTH_MAX: usize = 64;

impl Scope<'_> {
    /// The value with all known expressions evaluated. Properties with the value `AWS::NoValue` are
    /// removed.
    pub(super) fn evaluate(&self, value: &Value, path: &str) -> Result<Value, TemplateError> {
        Ok(self.reduce(value, path, 0)?.unwrap_or(Value::Null))
    }

    /// Like `evaluate`; `None` is `AWS::NoValue`.
    pub(super) fn reduce(
        &self,
        value: &Value,
        path: &str,
        depth: usize,
    ) -> Result<Option<Value>, TemplateError> {
        if depth > DEPTH_MAX {
            return Err(TemplateError::not_understood(path, "an expression nested too deeply"));
        }
        self.left.take(value.as_str().map_or(0, str::len), path)?;
        match value {
            Value::Array(items) => {
                let mut kept = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    kept.extend(self.reduce(item, &format!("{path}/{index}"), depth + 1)?);
                }
                Ok(Some(Value::Array(kept)))
            }
            Value::Object(object) => match sole_intrinsic(object) {
                Some((name, argument)) => self.apply(name, argument, path, depth + 1),
                None => self.reduce_properties(object, path, depth + 1).map(Some),
            },
            scalar => Ok(Some(scalar.clone())),
        }
    }

    fn reduce_properties(
        &self,
        object: &Map<String, Value>,
        path: &str,
        depth: usize,
    ) -> Result<Value, TemplateError> {
        let mut kept = Map::new();
        for (name, value) in object {
            if let Some(value) = self.reduce(value, &format!("{path}/{name}"), depth)? {
                kept.insert(name.clone(), value);
            }
        }
        Ok(Value::Object(kept))
    }

    fn apply(
        &self,
        name: &str,
        argument: &Value,
        path: &str,
        depth: usize,
    ) -> Result<Option<Value>, TemplateError> {
        match name {
            "Ref" => self.refer(argument, path),
            "Fn::GetAtt" => self.attribute(argument, path).map(Some),
            "Fn::Sub" => self.substitute(argument, path, depth).map(Some),
            "Fn::Join" => self.join(argument, path, depth).map(Some),
            "Fn::If" => self.choose(argument, path, depth),
            "Fn::FindInMap" => self.find_in_map(argument, path, depth).map(Some),
            "Fn::Select" => self.select(argument, path, depth).map(Some),
            "Fn::Split" => self.split(argument, path, depth).map(Some),
            "Fn::ImportValue" => self.import(argument, path, depth).map(Some),
            _ => Err(TemplateError::not_understood(path, &format!("the intrinsic {name}"))),
        }
    }

    fn refer(&self, argument: &Value, path: &str) -> Result<Option<Value>, TemplateError> {
        let name = argument
            .as_str()
            .ok_or_else(|| TemplateError::not_understood(path, "a Ref of something unnamed"))?;
        if name == "AWS::NoValue" {
            return Ok(None);
        }
        match self.parameters.get(name) {
            Some(Value::Null) => {
                let what = format!(
                    "{name}, which has no default, and no value is given; \
                     --parameter {name}=VALUE gives one"
                );
                return Err(TemplateError::not_understood(path, &what));
            }
            Some(value) => return self.left.copy(value, path).map(Some),
            None => {}
        }
        // SAM's alias or version of a function is the function here.
        let resource = name.strip_suffix(".Alias").or_else(|| name.strip_suffix(".Version"));
        let resource = resource.unwrap_or(name);
        if let Some(kind) = self.kind_left_out(resource) {
            return Ok(Some(json!(left_out::reference(kind, resource))));
        }
        self.resource(resource, path)?;
        Ok(Some(json!({"Ref": resource})))
    }

    fn attribute(&self, argument: &Value, path: &str) -> Result<Value, TemplateError> {
        match argument.as_array().map(Vec::as_slice) {
            Some([Value::String(resource), Value::String(attribute)]) if !attribute.is_empty() => {
                if let Some(kind) = self.kind_left_out(resource) {
                    return Ok(json!(left_out::attribute(kind, resource, attribute)));
                }
                if self.is_role_of_function(resource) {
                    return Ok(json!(left_out::attribute("AWS::IAM::Role", resource, attribute)));
                }
                self.resource(resource, path)?;
                attributes::check(self.resources, resource, attribute, path)?;
                Ok(json!({"Fn::GetAtt": [resource, attribute]}))
            }
            _ => Err(TemplateError::not_understood(path, "a GetAtt without `Resource.Attribute`")),
        }
    }

    /// The type of a resource that is left out, or of the function whose URL this is.
    fn kind_left_out(&self, name: &str) -> Option<&str> {
        let function = name.strip_suffix("Url").filter(|_| self.is_url_of_function(name));
        let kind = self.left_out.get(name).or_else(|| self.left_out.get(function?));
        kind.map(String::as_str)
    }

    fn resource(&self, name: &str, path: &str) -> Result<(), TemplateError> {
        let is_implicit = [IMPLICIT_HTTP_API, IMPLICIT_REST_API].contains(&name);
        if is_implicit || self.resources.contains_key(name) || self.is_url_of_function(name) {
            return Ok(());
        }
        Err(TemplateError::not_understood(
            path,
            &format!("{name}, which the template does not have"),
        ))
    }

    /// Whether this is the role that SAM adds to a function.
    fn is_role_of_function(&self, name: &str) -> bool {
        !self.resources.contains_key(name) && self.is_of_function(name, "Role")
    }

    /// Whether this is the function URL that SAM adds to a function.
    fn is_url_of_function(&self, name: &str) -> bool {
        !self.resources.contains_key(name) && self.is_of_function(name, "Url")
    }

    fn is_of_function(&self, name: &str, suffix: &str) -> bool {
        let function = name.strip_suffix(suffix).and_then(|function| self.resources.get(function));
        function.is_some_and(|it| it["Type"] == names::FUNCTION)
    }

    /// `Fn::Sub`: replaces `${Name}` and `${Resource.Attribute}`; `${!Literal}` becomes
    /// `${Literal}`.
    fn substitute(
        &self,
        argument: &Value,
        path: &str,
        depth: usize,
    ) -> Result<Value, TemplateError> {
        let (pattern, variables) = match argument {
            Value::String(pattern) => (pattern, None),
            Value::Array(arguments) => match arguments.as_slice() {
                [Value::String(pattern), Value::Object(variables)] => (pattern, Some(variables)),
                _ => {
                    return Err(TemplateError::not_understood(path, "the arguments of Fn::Sub"));
                }
            },
            _ => {
                return Err(TemplateError::not_understood(path, "the arguments of Fn::Sub"));
            }
        };
        let mut pieces = Vec::new();
        let mut rest = pattern.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            let (name, remaining) = after
                .split_once('}')
                .ok_or_else(|| TemplateError::not_understood(path, "a `${` that is not closed"))?;
            pieces.push(json!(before));
            pieces.push(match (name.strip_prefix('!'), variables.and_then(|all| all.get(name))) {
                (Some(literal), _) => json!(format!("${{{literal}}}")),
                (None, Some(variable)) => self.left.copy(variable, path)?,
                (None, None) => match name.split_once('.') {
                    Some((function, "Alias" | "Version")) if self.is_of_function(function, "") => {
                        json!({"Ref": name})
                    }
                    Some((resource, attribute)) => json!({"Fn::GetAtt": [resource, attribute]}),
                    None => json!({"Ref": name}),
                },
            });
            rest = remaining;
        }
        pieces.push(json!(rest));
        self.join(&json!(["", pieces]), path, depth)
    }

    /// `Fn::Join`. Adjacent literals are merged, so that a text without references becomes a plain
    /// string.
    fn join(&self, argument: &Value, path: &str, depth: usize) -> Result<Value, TemplateError> {
        let arguments = self.reduce(argument, path, depth)?;
        let Some([Value::String(delimiter), Value::Array(pieces)]) =
            arguments.as_ref().and_then(Value::as_array).map(Vec::as_slice)
        else {
            return Err(TemplateError::not_understood(path, "the arguments of Fn::Join"));
        };
        let mut joined = Joined::default();
        for (index, piece) in pieces.iter().enumerate() {
            if index > 0 {
                self.left.take(delimiter.len(), path)?;
                joined.push(&json!(delimiter));
            }
            joined.push(piece);
        }
        Ok(joined.into_value())
    }

    fn choose(
        &self,
        argument: &Value,
        path: &str,
        depth: usize,
    ) -> Result<Option<Value>, TemplateError> {
        match argument.as_array().map(Vec::as_slice) {
            Some([Value::String(condition), then, otherwise]) => {
                let chosen = if self.condition(condition, depth)? { then } else { otherwise };
                self.reduce(chosen, path, depth)
            }
            _ => Err(TemplateError::not_understood(path, "the arguments of Fn::If")),
        }
    }

    /// `Fn::Select`: an item of a list by its index.
    fn select(&self, argument: &Value, path: &str, depth: usize) -> Result<Value, TemplateError> {
        let arguments = self.reduce(argument, path, depth)?.unwrap_or_default();
        let index = match &arguments[0] {
            Value::String(index) => index.parse().ok(),
            other => other.as_u64(),
        };
        let item = index.and_then(|index| usize::try_from(index).ok());
        let item = item.and_then(|index| arguments[1].get(index));
        // A list of another stack is a single text here, which stands for each of its items.
        let list = arguments[1].as_array();
        let only = list.filter(|items| items.len() == 1).and_then(|items| items.first());
        let item = item.or(only.filter(|it| it.as_str().is_some_and(is_imported)));
        item.cloned().ok_or_else(|| TemplateError::not_understood(path, "the item of Fn::Select"))
    }

    /// `Fn::Split`: the parts of a string whose value is known, or of a stream's ARN by `/`. The
    /// label of a stream is not known here; `*` matches it in a policy. A value of another stack
    /// stays whole.
    fn split(&self, argument: &Value, path: &str, depth: usize) -> Result<Value, TemplateError> {
        let arguments = self.reduce(argument, path, depth)?.unwrap_or_default();
        match (arguments[0].as_str(), arguments[1].as_str()) {
            (Some(_), Some(text)) if is_imported(text) => Ok(json!([text])),
            (Some(delimiter), Some(text)) => Ok(text.split(delimiter).collect()),
            (Some("/"), None) if arguments[1]["Fn::GetAtt"][1] == "StreamArn" => {
                let table = json!({ "Ref": arguments[1]["Fn::GetAtt"][0] });
                Ok(json!([names::arn("dynamodb", "table"), table, "stream", "*"]))
            }
            _ => Err(TemplateError::not_understood(path, "the arguments of Fn::Split")),
        }
    }

    /// `Fn::ImportValue`: a text in place of a value of another stack.
    fn import(&self, argument: &Value, path: &str, depth: usize) -> Result<Value, TemplateError> {
        match self.reduce(argument, path, depth)? {
            Some(Value::String(export)) => Ok(json!(format!("{IMPORTED}{export}}}}}"))),
            _ => Err(TemplateError::not_understood(
                path,
                "an Fn::ImportValue of an export whose name is no text",
            )),
        }
    }

    fn find_in_map(
        &self,
        argument: &Value,
        path: &str,
        depth: usize,
    ) -> Result<Value, TemplateError> {
        let keys = self.reduce(argument, path, depth)?.unwrap_or_default();
        let mut found = self.mappings;
        for key in keys.as_array().into_iter().flatten() {
            found = key.as_str().and_then(|key| found.get(key)).ok_or_else(|| {
                TemplateError::not_understood(path, &format!("{key}, which is not in the mapping"))
            })?;
        }
        self.left.copy(found, path)
    }
}

/// Whether a text has a value of another stack.
pub(super) fn is_imported(text: &str) -> bool {
    text.contains(IMPORTED)
}

/// The intrinsic of an object with a single key, if it is one.
pub(super) fn sole_intrinsic(object: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, argument) = object.iter().next().filter(|_| object.len() == 1)?;
    let is_intrinsic = match name.as_str() {
        "Ref" => true,
        // Resources and policy statements have a property of this name among others.
        "Condition" => argument.is_string(),
        name => name.starts_with("Fn::"),
    };
    is_intrinsic.then_some((name.as_str(), argument))
}

#[cfg(test)]
mod tests;
