//! `AWS::SecretsManager::RotationSchedule`: secrets that a function rotates.

use serde::Deserialize;

use super::deserialize::resource;
use super::model::{EventSource, RotationTrigger, Trigger};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct RotationSchedule {
    #[serde(rename = "SecretId", deserialize_with = "resource")]
    secret: String,
    #[serde(rename = "RotationLambdaARN", deserialize_with = "resource")]
    function: String,
    rotation_rules: RotationRules,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RotationRules {
    schedule_expression: String,
}

impl RotationSchedule {
    pub(super) fn into_source(self, name: &str) -> EventSource {
        let trigger = Trigger::Rotation(RotationTrigger {
            secret: self.secret,
            expression: self.rotation_rules.schedule_expression,
        });
        EventSource { function: self.function, name: name.to_owned(), trigger }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::Template;

    const SOURCE: &str = "Resources:
  Keys: {Type: 'AWS::SecretsManager::Secret'}
  Work:
    Type: AWS::Serverless::Function
    Metadata: {BuildProperties: {Binary: work}}
    Properties: {Runtime: provided.al2023}
  Rotation:
    Type: AWS::SecretsManager::RotationSchedule
    Properties:
      SecretId: !Ref Keys
      RotationLambdaARN: !GetAtt Work.Arn
      RotationRules: {ScheduleExpression: rate(30 days)}
";

    #[test]
    fn an_unsupported_rotation_is_an_error_with_its_path() {
        Template::parse(SOURCE, &BTreeMap::new()).unwrap();

        let cases = [
            ("{Schedule", "{AutomaticallyAfterDays: 3, Schedule", "unknown field `Automatically"),
            ("Ref Keys", "Ref Work", "Work, which is not a secret of this template"),
            ("Att Work", "Att Keys", "Keys, which is not a function of this template"),
        ];
        for (there, instead, expected) in cases {
            let source = SOURCE.replace(there, instead);
            let message = Template::parse(&source, &BTreeMap::new()).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn a_secret_has_one_rotation() {
        let (_, rotation) = SOURCE.split_once("  Rotation:").unwrap();
        let twice = format!("{SOURCE}  Another:{rotation}");

        let message = Template::parse(&twice, &BTreeMap::new()).unwrap_err().to_string();

        assert!(message.contains("a secret with another rotation"), "{message}");
    }
}
