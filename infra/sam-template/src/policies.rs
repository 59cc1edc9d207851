//! The policies of a function: documents, managed policies, SAM's policy templates, and its role.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::TemplateError;
use super::granted::{self, Grant};
use super::model::{Effect, Statement};
use super::permissions;
use super::properties::PolicyProperties;
use super::reader::{Reader, parse};
use super::skipped::Skips;
use super::value::TemplateValue;

/// The prefix of the condition keys that the emulated services know. Others are left out.
const KNOWN_KEYS: &str = "ses:";

/// The policies of one function.
pub(super) struct Policies<'a> {
    pub(super) reader: &'a Reader<'a>,
    /// The function's logical id.
    pub(super) function: &'a str,
}

impl Policies<'_> {
    /// The statements of evaluated `Policies`: one policy, or a list of them.
    pub(super) fn statements(&self, policies: Value) -> Result<Vec<Statement>, TemplateError> {
        let path = format!("/Resources/{}/Properties/Policies", self.function);
        self.all(&path, policies)
    }

    /// The statements of a role, by the function's evaluated `Role`: a text, since roles are
    /// resources that are left out. A role outside of the template allows everything.
    pub(super) fn of_role(&self, role: &Value) -> Result<Vec<Statement>, TemplateError> {
        let scope = self.reader.scope;
        let id = role.as_str().and_then(|role| scope.left_out_in(role));
        let found = id.and_then(|id| Some((id, scope.resources.get(id)?)));
        let Some((id, declaration)) = found.filter(|(_, it)| it["Type"] == "AWS::IAM::Role") else {
            let why = "a role outside of the template; here it allows everything";
            self.reader.skips.add("Role", self.function, why);
            return Ok(vec![allowed("*", &TemplateValue::literal("*"))]);
        };
        let path = format!("/Resources/{id}/Properties");
        let properties = &declaration["Properties"];
        let evaluate = |name: &str| {
            let value = scope.evaluate(&properties[name], &format!("{path}/{name}"))?;
            self.reader.note_unknown(self.function, &value);
            Ok::<_, TemplateError>(value)
        };
        let managed =
            self.all(&format!("{path}/ManagedPolicyArns"), evaluate("ManagedPolicyArns")?)?;
        let mut statements = managed;
        let inline = evaluate("Policies")?;
        for (index, policy) in inline.as_array().into_iter().flatten().enumerate() {
            let path = format!("{path}/Policies/{index}/PolicyDocument");
            statements.extend(self.all(&path, policy["PolicyDocument"].clone())?);
        }
        Ok(statements)
    }

    fn all(&self, path: &str, policies: Value) -> Result<Vec<Statement>, TemplateError> {
        let Value::Array(policies) = policies else { return self.one(path, policies) };
        let mut statements = Vec::new();
        let mut errors = Vec::new();
        for (index, policy) in policies.into_iter().enumerate() {
            match self.one(&format!("{path}/{index}"), policy) {
                Ok(found) => statements.extend(found),
                Err(error) => errors.push(error),
            }
        }
        TemplateError::of(errors).map_or(Ok(statements), Err)
    }

    fn one(&self, path: &str, policy: Value) -> Result<Vec<Statement>, TemplateError> {
        let refused = || Err(TemplateError::not_understood(path, "a policy of an unknown form"));
        match policy {
            Value::Null => Ok(Vec::new()),
            Value::String(name) => Ok(self.managed(&name)),
            Value::Object(document) if document.contains_key("Statement") => {
                self.document(path, document)
            }
            Value::Object(template) => match template.iter().next() {
                Some((name, parameters)) if template.len() == 1 && name.contains("Policy") => {
                    self.template(&format!("{path}/{name}"), name, parameters)
                }
                _ => refused(),
            },
            _ => refused(),
        }
    }

    fn managed(&self, name: &str) -> Vec<Statement> {
        let Some(grant) = granted::managed(name) else {
            self.unknown(name);
            return Vec::new();
        };
        expanded(&grant)
    }

    fn template(
        &self,
        path: &str,
        name: &str,
        parameters: &Value,
    ) -> Result<Vec<Statement>, TemplateError> {
        let value = |parameter: &str| TemplateValue::deserialize(&parameters[parameter]).ok();
        let grants = granted::template(name, value).map_err(|missing| {
            TemplateError::not_understood(path, &format!("no value of {missing}"))
        })?;
        if grants.is_empty() {
            self.unknown(name);
        }
        Ok(grants.iter().flat_map(expanded).collect())
    }

    fn unknown(&self, policy: &str) {
        let why = "not known here; it grants nothing";
        self.reader.skips.add(format!("the policy {policy}"), self.function, why);
    }

    fn document(
        &self,
        path: &str,
        mut document: Map<String, Value>,
    ) -> Result<Vec<Statement>, TemplateError> {
        if let Some(statements) = document.get_mut("Statement") {
            if statements.is_object() {
                *statements = Value::Array(vec![statements.take()]);
            }
            if let Value::Array(statements) = statements {
                statements.retain_mut(|it| drop_conditions(self.reader.skips, self.function, it));
            }
        }
        let policy: PolicyProperties = parse(path, document, Vec::new())?;
        Ok(policy.statement.into_iter().flat_map(permissions::statements).collect())
    }
}

/// Removes the conditions that no emulated service can check. Returns whether the statement stays:
/// a `Deny` without its condition would deny too much.
fn drop_conditions(skips: &Skips, function: &str, statement: &mut Value) -> bool {
    let denies = statement["Effect"] == "Deny";
    let mut keeps = true;
    let Some(Value::Object(operators)) = statement.get_mut("Condition") else { return keeps };
    for (operator, keys) in &mut *operators {
        let Value::Object(keys) = keys else { continue };
        keys.retain(|key, _| {
            let known = key.starts_with(KNOWN_KEYS);
            if !known {
                let why = if denies { "its Deny has no effect here" } else { "not checked here" };
                skips.add(format!("the condition {operator} {key}"), function, why);
                keeps &= !denies;
            }
            known
        });
    }
    operators.retain(|_, keys| keys.as_object().is_none_or(|keys| !keys.is_empty()));
    keeps
}

fn expanded(grant: &Grant) -> Vec<Statement> {
    let on = |resource: &TemplateValue| {
        let statement = |action: &&str| allowed(action, resource);
        grant.actions.iter().map(statement).collect::<Vec<_>>()
    };
    grant.resources.iter().flat_map(on).collect()
}

/// A statement that allows an action.
pub(super) fn allowed(action: &str, resource: &TemplateValue) -> Statement {
    Statement {
        effect: Effect::Allow,
        action: action.to_owned(),
        resource: resource.clone(),
        conditions: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::{Permission, Template};

    fn template(properties: &str) -> Template {
        let source = format!(
            "Conditions: {{Always: !Equals [a, a]}}
Resources:
  Q: {{Type: 'AWS::SQS::Queue'}}
  T: {{Type: 'AWS::Serverless::SimpleTable'}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {{}}
      ManagedPolicyArns: ['arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole']
      Policies:
        - PolicyName: p
          PolicyDocument: {{Statement: {{Effect: Allow, Action: sqs:SendMessage, Resource: !GetAtt Q.Arn}}}}
  Named:
    Type: AWS::IAM::Role
    Properties:
      RoleName: worker
      Path: /svc/
      ManagedPolicyArns: ['arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess']
  F:
    Type: AWS::Serverless::Function
    Metadata: {{BuildProperties: {{Binary: f}}}}
    Properties: {{Runtime: provided.al2023, {properties}}}
"
        );
        Template::parse(&source, &BTreeMap::new()).unwrap()
    }

    fn granted(properties: &str) -> Vec<String> {
        let short = |it: &Permission| format!("{} {}", it.action, it.resource);
        template(properties).grants().iter().map(short).collect()
    }

    #[test]
    fn a_policy_template_grants_its_actions_on_the_resource_of_its_parameter() {
        let found = granted("Policies: [{SQSSendMessagePolicy: {QueueName: !GetAtt Q.QueueName}}]");
        assert_eq!(found, ["sqs:SendMessage* arn:aws:sqs:eu-west-1:000000000000:Q"]);
        let found = granted("Policies: [{DynamoDBReadPolicy: {TableName: !Ref T}}]");
        let table = "arn:aws:dynamodb:eu-west-1:000000000000:table/T";
        assert!(found.contains(&format!("dynamodb:Query {table}/index/*")), "{found:?}");
        assert!(found.contains(&format!("dynamodb:GetItem {table}")), "{found:?}");
    }

    #[test]
    fn a_managed_policy_grants_its_actions_and_an_unknown_one_is_reported() {
        assert_eq!(granted("Policies: AmazonDynamoDBFullAccess"), ["dynamodb:* *"]);
        let arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
        assert!(granted(&format!("Policies: ['{arn}']")).is_empty());

        let skipped = &template("Policies: [AmazonS3FullAccess]").skipped;
        let lines: Vec<String> = skipped.iter().map(ToString::to_string).collect();
        let line = "the policy AmazonS3FullAccess (F): not known here; it grants nothing";
        assert!(lines.iter().any(|found| found == line), "{lines:?}");
    }

    #[test]
    fn a_role_of_the_template_grants_its_policies_and_another_role_everything() {
        for role in [
            "!GetAtt Role.Arn",
            "!If [Always, !GetAtt Role.Arn, !Ref Nothing]",
            "!Sub '${Role.Arn}'",
            "!Sub 'arn:aws:iam::${AWS::AccountId}:role/${Role}'",
        ] {
            assert_eq!(
                granted(&format!("Role: {role}")),
                [
                    "sqs:DeleteMessage *",
                    "sqs:GetQueueAttributes *",
                    "sqs:ReceiveMessage *",
                    "sqs:SendMessage Q"
                ],
                "{role}"
            );
        }
        let named = "Role: !Sub 'arn:aws:iam::${AWS::AccountId}:role/svc/worker'";
        assert_eq!(granted(named), ["dynamodb:* *"]);
        for outside in [
            "'arn:aws:iam::1:role/x'",
            "'arn:aws:iam::1:role/svc/worker'",
            "'arn:aws:iam::000000000000:role/svc/worker/x'",
            "!ImportValue role",
        ] {
            assert_eq!(granted(&format!("Role: {outside}")), ["* *"], "{outside}");
        }
    }

    #[test]
    fn a_function_whose_role_has_no_value_has_its_own_policies() {
        let role = "Role: !If [Always, !Ref 'AWS::NoValue', !GetAtt Role.Arn]";
        let found = granted(&format!("{role}, Policies: AmazonDynamoDBFullAccess"));
        assert_eq!(found, ["dynamodb:* *"]);
    }

    #[test]
    fn a_condition_of_another_service_is_left_out_and_its_deny_too() {
        let statement = |effect: &str| {
            let condition = "{StringEquals: {'dynamodb:Select': COUNT}}";
            let statement = format!(
                "{{Effect: {effect}, Action: dynamodb:Scan, Resource: '*', Condition: {condition}}}"
            );
            format!("Policies: [{{Statement: {statement}}}]")
        };
        assert_eq!(granted(&statement("Allow")), ["dynamodb:Scan *"]);
        assert!(template(&statement("Deny")).functions["F"].policies.is_empty());
        let skipped = template(&statement("Deny")).skipped;
        let line = "the condition StringEquals dynamodb:Select (F): its Deny has no effect here";
        assert!(skipped.iter().any(|it| it.to_string() == line), "{skipped:?}");
    }
}
