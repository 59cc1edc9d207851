//! The physical names of resources: the template's, or else `local-` and the logical id.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde_json::Value;

use super::error::TemplateError;
use super::intrinsics::{Scope, sole_intrinsic};
use super::model::Template;
use super::names::physical;
use super::reader::{NO_GLOBALS, Reader};

/// The property with the name of a kind of resource, and the names that AWS accepts.
pub(super) struct Naming {
    property: &'static str,
    length: RangeInclusive<usize>,
    /// The characters besides `A` to `Z`, `a` to `z` and `0` to `9`.
    others: &'static str,
}

pub(super) const FUNCTION: Naming =
    Naming { property: "FunctionName", length: 1..=64, others: "-_" };
pub(super) const TABLE: Naming = Naming { property: "TableName", length: 3..=255, others: "-_." };
pub(super) const QUEUE: Naming = Naming { property: "QueueName", length: 1..=80, others: "-_" };
pub(super) const SECRET: Naming = Naming { property: "Name", length: 1..=512, others: "-_/+=.@" };
pub(super) const CONFIGURATION_SET: Naming =
    Naming { property: "Name", length: 1..=64, others: "-_" };

/// The consequence of a name whose value is not known here.
const UNKNOWN: &str = "is known only on AWS, so the name is made of the logical id";

impl Naming {
    /// The physical name of a resource.
    ///
    /// # Errors
    /// If AWS does not accept the name in the template.
    pub(super) fn name(
        &self,
        reader: &Reader<'_>,
        id: &str,
        declaration: &Value,
    ) -> Result<String, TemplateError> {
        self.name_with(reader, id, declaration, "")
    }

    /// The physical name of a resource whose names end like this.
    ///
    /// # Errors
    /// As [`Naming::name`].
    pub(super) fn name_with(
        &self,
        reader: &Reader<'_>,
        id: &str,
        declaration: &Value,
        ending: &str,
    ) -> Result<String, TemplateError> {
        let given = reader.unevaluated(declaration, NO_GLOBALS).remove(self.property);
        let path = format!("/Resources/{id}/Properties/{}", self.property);
        let reduced = given.as_ref().map(|given| reader.scope.reduce(given, &path, 0));
        let reduced = reduced.transpose()?.flatten();
        let is_known = given.is_none_or(|given| !is_named_only(reader.scope, &given));
        let name = match reduced {
            None => None,
            Some(Value::String(name)) if is_known && !name.contains("{{resolve:") => Some(name),
            Some(scalar @ (Value::Number(_) | Value::Bool(_))) if is_known => {
                Some(scalar.to_string())
            }
            Some(_) => {
                reader.skips.add(self.property, id, UNKNOWN);
                None
            }
        };
        if let Some(name) = name {
            let complaint = self.complaint(&name, ending);
            let error = complaint.map(|it| TemplateError::not_understood(&path, &it));
            return error.map_or(Ok(name), Err);
        }
        Ok(format!("{}{ending}", physical(id)))
    }

    fn complaint(&self, name: &str, ending: &str) -> Option<String> {
        let Some(stem) = name.strip_suffix(ending) else {
            return Some(format!("{name}, which does not end in {ending}"));
        };
        let (least, most) = (self.length.start(), self.length.end());
        let length = name.chars().count();
        if !self.length.contains(&length) {
            return Some(format!("a name of {length} characters; it may have {least} to {most}"));
        }
        let is_allowed = |it: &char| it.is_ascii_alphanumeric() || self.others.contains(*it);
        let other = stem.chars().find(|it| !is_allowed(it))?;
        Some(format!("{name}, with {other:?}; A-Z, a-z, 0-9 and {} are allowed", self.others))
    }
}

/// Whether an expression has a parameter whose value is in SSM and not given. Only the chosen branch
/// of an `Fn::If` counts.
fn is_named_only(scope: &Scope<'_>, expression: &Value) -> bool {
    let is_named = |name: &str| scope.named_only.iter().any(|it| it == name);
    let object = match expression {
        Value::Array(items) => return items.iter().any(|it| is_named_only(scope, it)),
        Value::Object(object) => object,
        _ => return false,
    };
    match (sole_intrinsic(object), expression["Fn::If"].as_array().map(Vec::as_slice)) {
        (Some(("Ref", name)), _) => name.as_str().is_some_and(is_named),
        (Some(("Fn::Sub", Value::String(pattern))), _) => placeholders(pattern).any(is_named),
        (Some(("Fn::Sub", arguments)), _) => {
            let pattern = arguments[0].as_str().unwrap_or_default();
            placeholders(pattern).any(|name| match arguments[1].get(name) {
                Some(variable) => is_named_only(scope, variable),
                None => is_named(name),
            })
        }
        (Some(_), Some([Value::String(condition), then, otherwise])) => {
            let holds = scope.holds(condition).unwrap_or_default();
            is_named_only(scope, if holds { then } else { otherwise })
        }
        _ => object.values().any(|it| is_named_only(scope, it)),
    }
}

/// The names in `${…}` of a pattern of `Fn::Sub`.
fn placeholders(pattern: &str) -> impl Iterator<Item = &str> {
    let after = pattern.split("${").skip(1);
    after.filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
}

/// The errors of names that two resources of a kind have.
pub(super) fn errors(template: &Template) -> Vec<TemplateError> {
    let Template { functions, tables, queues, secrets, configuration_sets, .. } = template;
    let functions = functions.iter().map(|(id, it)| (id, &it.name));
    let tables = tables.iter().map(|(id, it)| (id, &it.name));
    let queues = queues.iter().map(|(id, it)| (id, &it.name));
    let secrets = secrets.iter().map(|(id, it)| (id, &it.name));
    let mut errors = FUNCTION.shared(functions);
    errors.extend(TABLE.shared(tables));
    errors.extend(QUEUE.shared(queues));
    errors.extend(SECRET.shared(secrets));
    errors.extend(CONFIGURATION_SET.shared(configuration_sets.iter()));
    errors
}

impl Naming {
    fn shared<'a>(
        &self,
        names: impl Iterator<Item = (&'a String, &'a String)>,
    ) -> Vec<TemplateError> {
        let mut known = BTreeMap::new();
        let shared = names.filter_map(|(id, name)| {
            let first = *known.entry(name).or_insert(id);
            let what = format!("{name}, which is also the name of {first}");
            (first != id).then(|| TemplateError::in_resource(id, self.property, &what))
        });
        shared.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: &str = "
  Work:
    Type: AWS::Serverless::Function
    Properties: {Runtime: provided.al2023, FunctionName: !Sub 'work-${Stage}'}
  Q: {Type: AWS::SQS::Queue, Properties: {QueueName: jobs.fifo, FifoQueue: true}}
  R: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}
  S: {Type: AWS::SecretsManager::Secret, Properties: {Name: /shop/key}}
  C: {Type: AWS::SES::ConfigurationSet, Properties: {Name: mails}}
";

    fn template(table: &str) -> Result<Template, String> {
        let table = format!("{{Type: AWS::Serverless::SimpleTable, Properties: {{{table}}}}}");
        let source = format!(
            "Parameters: {{Stage: {{Default: dev}}, Other: {{Type: String}}}}\n\
             Resources:\n  T: {table}\n  U: {{Type: AWS::Serverless::SimpleTable}}{REST}"
        );
        Template::parse(&source, &BTreeMap::new()).map_err(|error| error.to_string())
    }

    #[test]
    fn names_of_the_template_precede_those_of_logical_ids() {
        let template = template("TableName: !Sub '${AWS::StackName}.orders'").unwrap();
        assert_eq!(template.tables["T"].name, "local.orders");
        assert_eq!(template.tables["U"].name, "local-U");
        assert_eq!(template.functions["Work"].name, "work-dev");
        assert_eq!(template.queues["Q"].name, "jobs.fifo");
        assert_eq!(template.queues["R"].name, "local-R.fifo");
        assert_eq!(template.secrets["S"].name, "/shop/key");
        assert_eq!(template.configuration_sets["C"], "mails");
        assert!(template.skipped.is_empty(), "{:?}", template.skipped);
        assert_eq!(self::template("TableName: 12345").unwrap().tables["T"].name, "12345");
    }

    #[test]
    fn a_name_that_is_known_only_on_aws_is_left_out_with_a_line() {
        for unknown in ["!Sub '${Q}-x'", "'{{resolve:ssm:/name}}'"] {
            let template = template(&format!("TableName: {unknown}")).unwrap();
            assert_eq!(template.tables["T"].name, "local-T", "{unknown}");
            let line = template.skipped[0].to_string();
            assert_eq!(line, format!("TableName (T): {UNKNOWN}"), "{unknown}");
        }
    }

    #[test]
    fn a_name_of_a_parameter_in_ssm_is_left_out_unless_its_value_is_given() {
        let found = |name: &str, given: &BTreeMap<String, String>| {
            let source = format!(
                "Parameters:
  Env: {{Type: 'AWS::SSM::Parameter::Value<String>', Default: /shop/env}}
Conditions: {{Never: !Equals [a, b]}}
Resources:
  Q: {{Type: AWS::SQS::Queue, Properties: {{QueueName: {name}}}}}
"
            );
            let template = Template::parse(&source, given).unwrap();
            let is_left_out = template.skipped.iter().any(|it| it.why == UNKNOWN);
            (template.queues["Q"].name.clone(), is_left_out)
        };
        let none = BTreeMap::new();
        for unknown in [
            "!Ref Env",
            "!Sub '${Env}-worker'",
            "!Sub ['${It}-worker', {It: !Ref Env}]",
            "!Join ['-', [worker, !Ref Env]]",
            "!If [Never, worker, !Ref Env]",
        ] {
            assert_eq!(found(unknown, &none), ("local-Q".to_owned(), true), "{unknown}");
        }
        for known in ["!Sub ['${Env}-worker', {Env: prod}]", "!If [Never, !Ref Env, prod-worker]"] {
            assert_eq!(found(known, &none), ("prod-worker".to_owned(), false), "{known}");
        }
        let given = BTreeMap::from([("Env".to_owned(), "prod".to_owned())]);
        let expected = ("prod-worker".to_owned(), false);
        assert_eq!(found("!Sub '${Env}-worker'", &given), expected);
    }

    #[test]
    fn a_name_that_aws_does_not_accept_is_an_error_with_its_place() {
        for (name, expected) in [
            ("or", "a name of 2 characters; it may have 3 to 255"),
            ("or/ders", "or/ders, with '/'; A-Z, a-z, 0-9 and -_. are allowed"),
            ("örders", "örders, with 'ö'; A-Z, a-z, 0-9 and -_. are allowed"),
            ("local-U", "local-U, which is also the name of T"),
            ("!Ref Other", "--parameter Other=VALUE gives one"),
            ("!Sub '${Stgae}-orders'", "Stgae, which the template does not have"),
        ] {
            let error = template(&format!("TableName: {name}")).unwrap_err();
            assert!(error.contains("/Properties/TableName"), "{error}");
            assert!(error.ends_with(expected), "{error}");
        }
        let complaint = |name: &str, ending: &str| QUEUE.complaint(name, ending);
        assert_eq!(complaint("jobs.fifo", ".fifo"), None);
        assert_eq!(complaint("jobs", ".fifo").unwrap(), "jobs, which does not end in .fifo");
        let expected = "jobs.fifo, with '.'; A-Z, a-z, 0-9 and -_ are allowed";
        assert_eq!(complaint("jobs.fifo", "").unwrap(), expected);
    }
}
