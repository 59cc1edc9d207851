//! `AWS::SecretsManager::RotationSchedule`: secrets that a function rotates.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::deserialize::{number_within, resource};
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
#[serde(try_from = "RotationRulesProperties")]
struct RotationRules {
    expression: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RotationRulesProperties {
    schedule_expression: Option<String>,
    automatically_after_days: Option<Days>,
    /// The window within which AWS begins a rotation. Here it begins when it is due.
    #[serde(rename = "Duration")]
    _duration: Option<IgnoredAny>,
}

/// A number of days that AWS accepts.
#[derive(Deserialize)]
struct Days(#[serde(deserialize_with = "number_within::<_, _, 1, 1_000>")] u32);

impl TryFrom<RotationRulesProperties> for RotationRules {
    type Error = &'static str;

    fn try_from(rules: RotationRulesProperties) -> Result<Self, Self::Error> {
        let expression = match (rules.schedule_expression, rules.automatically_after_days) {
            (Some(expression), None) => expression,
            (None, Some(Days(1))) => "rate(1 day)".to_owned(),
            (None, Some(Days(days))) => format!("rate({days} days)"),
            (None, None) => {
                return Err("no schedule; set ScheduleExpression or AutomaticallyAfterDays");
            }
            (Some(_), Some(_)) => {
                return Err("ScheduleExpression and AutomaticallyAfterDays; set only one of them");
            }
        };
        Ok(Self { expression })
    }
}

impl RotationSchedule {
    pub(super) fn into_source(self, name: &str) -> EventSource {
        let trigger = Trigger::Rotation(RotationTrigger {
            secret: self.secret,
            expression: self.rotation_rules.expression,
        });
        EventSource { function: self.function, name: name.to_owned(), trigger }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::{Template, Trigger};

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

    /// The rule of the rotation in `SOURCE`.
    const RULE: &str = "ScheduleExpression: rate(30 days)";

    #[test]
    fn a_number_of_days_is_a_rate_and_a_window_has_no_effect() {
        let expression = |rule: &str| {
            let source = SOURCE.replace(RULE, rule);
            let template = Template::parse(&source, &BTreeMap::new()).unwrap();
            match &template.event_sources[0].trigger {
                Trigger::Rotation(rotation) => rotation.expression.clone(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(expression("AutomaticallyAfterDays: 30"), "rate(30 days)");
        assert_eq!(expression("AutomaticallyAfterDays: '1'"), "rate(1 day)");
        assert_eq!(expression("ScheduleExpression: rate(4 hours), Duration: 3h"), "rate(4 hours)");
    }

    #[test]
    fn an_unsupported_rotation_is_an_error_with_its_path() {
        Template::parse(SOURCE, &BTreeMap::new()).unwrap();

        let cases = [
            (
                "{Schedule",
                "{AutomaticallyAfterDays: 3, Schedule",
                "RotationRules: ScheduleExpression and AutomaticallyAfterDays; set only one",
            ),
            (RULE, "Duration: 3h", "RotationRules: no schedule; set ScheduleExpression or"),
            (
                RULE,
                "AutomaticallyAfterDays: 1001",
                "RotationRules/AutomaticallyAfterDays: 1001, not from 1 to 1000",
            ),
            (RULE, "AutomaticallyAfterHours: 3", "unknown field `AutomaticallyAfterHours`"),
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
