//! Mail and its events: configuration sets of SES, their event destinations, and rules of
//! `EventBridge` that send events to queues.

use std::collections::BTreeSet;

use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::deserialize::{flag, resource};
use super::filter::Pattern;
use super::model::{EventDestination, EventRule, MailEventType};
use super::value::{Reference, TemplateValue, Unresolved};

/// The only bus that SES publishes to.
const DEFAULT_BUS: &str = ":event-bus/default";

/// `AWS::SES::ConfigurationSet`: its properties matter only for real mail.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigurationSetProperties {}

/// `AWS::SES::ConfigurationSetEventDestination`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct EventDestinationProperties {
    #[serde(deserialize_with = "resource")]
    configuration_set_name: String,
    event_destination: Destination,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Destination {
    #[serde(rename = "Name")]
    _name: Option<IgnoredAny>,
    #[serde(deserialize_with = "flag")]
    enabled: bool,
    matching_event_types: BTreeSet<MailEventType>,
    #[serde(rename = "EventBridgeDestination")]
    _event_bridge_destination: EventBridgeDestination,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct EventBridgeDestination {
    #[serde(rename = "EventBusArn", deserialize_with = "default_bus")]
    _event_bus_arn: (),
}

/// `AWS::Events::Rule` of the default bus with queues as targets.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct RuleProperties {
    #[serde(deserialize_with = "pattern")]
    event_pattern: Value,
    targets: Vec<TargetProperties>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TargetProperties {
    #[serde(rename = "Id")]
    _id: String,
    #[serde(deserialize_with = "resource")]
    arn: String,
    /// Here an event reaches its queue directly.
    #[serde(rename = "DeadLetterConfig")]
    _dead_letter_config: Option<IgnoredAny>,
    #[serde(rename = "RetryPolicy")]
    _retry_policy: Option<IgnoredAny>,
}

impl EventDestinationProperties {
    pub(super) fn into_destination(self) -> EventDestination {
        let Destination { enabled, matching_event_types, .. } = self.event_destination;
        let event_types = if enabled { matching_event_types } else { BTreeSet::new() };
        EventDestination { configuration_set: self.configuration_set_name, event_types }
    }
}

impl EventRule {
    /// The pattern with its references resolved by `look_up`.
    ///
    /// # Errors
    /// The first reference for which `look_up` has no value.
    ///
    /// # Panics
    /// Never: the pattern was parsed before, with placeholders for the references.
    pub fn pattern_with(
        &self,
        look_up: impl Fn(&Reference) -> Option<String>,
    ) -> Result<Pattern, Unresolved> {
        let pattern = resolved(&self.pattern, &|text: &TemplateValue| text.resolve(&look_up))?;
        Ok(Pattern::of(pattern).expect("the pattern was checked when the template was read"))
    }
}

impl RuleProperties {
    pub(super) fn into_rule(self, logical_id: &str) -> EventRule {
        let queues = self.targets.into_iter().map(|target| target.arn);
        EventRule {
            logical_id: logical_id.to_owned(),
            pattern: self.event_pattern,
            queues: queues.collect(),
        }
    }
}

fn default_bus<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    let bus = TemplateValue::deserialize(deserializer)?;
    if bus.words().ends_with(DEFAULT_BUS) {
        return Ok(());
    }
    Err(D::Error::custom("SES publishes only to the default event bus"))
}

/// A pattern with unresolved references. It is checked with placeholders in their place.
fn pattern<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    let pattern = Value::deserialize(deserializer)?;
    let words = resolved(&pattern, &|text: &TemplateValue| Ok::<_, D::Error>(text.words()))?;
    Pattern::of(words).map_err(D::Error::custom)?;
    Ok(pattern)
}

/// A value with each reference replaced by the result of `words`.
///
/// # Errors
/// The first error of `words`.
fn resolved<E>(
    value: &Value,
    words: &impl Fn(&TemplateValue) -> Result<String, E>,
) -> Result<Value, E> {
    match value {
        Value::Array(items) => items.iter().map(|item| resolved(item, words)).collect(),
        Value::Object(object) => match TemplateValue::deserialize(value) {
            Ok(text) => words(&text).map(Value::String),
            Err(_) => object
                .iter()
                .map(|(name, value)| Ok((name.clone(), resolved(value, words)?)))
                .collect(),
        },
        scalar => Ok(scalar.clone()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::Template;

    const SOURCE: &str = "Resources:
  Mails: {Type: 'AWS::SES::ConfigurationSet', Properties: {Name: mails}}
  MailDestination:
    Type: AWS::SES::ConfigurationSetEventDestination
    Properties:
      ConfigurationSetName: !Ref Mails
      EventDestination:
        Name: events
        Enabled: true
        MatchingEventTypes: [bounce, complaint]
        EventBridgeDestination: {EventBusArn: !Sub 'arn:aws:events:${AWS::Region}:${AWS::AccountId}:event-bus/default'}
  MailQueue: {Type: 'AWS::SQS::Queue'}
  Bounced:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [aws.ses], detail: {mail: {tags: {'ses:configuration-set': [!Ref Mails]}}}}
      Targets: [{Id: queue, Arn: !GetAtt MailQueue.Arn}]
";

    #[test]
    fn mail_events_are_read_with_their_rule_and_its_queue() {
        let template = Template::parse(SOURCE, &BTreeMap::new()).unwrap();

        assert_eq!(template.configuration_sets["Mails"], "mails");
        assert_eq!(template.event_destinations[0].configuration_set, "Mails");
        assert_eq!(template.event_destinations[0].event_types.len(), 2);
        assert_eq!(template.event_rules[0].queues, ["MailQueue"]);
    }

    #[test]
    fn an_unsupported_event_destination_or_rule_is_an_error_with_path() {
        for (right, wrong, said) in [
            ("[bounce,", "[bounced,", "EventDestination/MatchingEventTypes"),
            ("event-bus/default", "event-bus/mine", "only to the default event bus"),
            (
                "ConfigurationSetName: !Ref Mails",
                "ConfigurationSetName: !Ref MailQueue",
                "not a configuration set",
            ),
            ("[aws.ses]", "[{prefix: aws}]", "Bounced/Properties/EventPattern"),
            ("!GetAtt MailQueue.Arn", "!Ref Mails", "Mails, which is not a queue"),
            (
                "EventPattern:",
                "ScheduleExpression: rate(1 minute)\n      EventPattern:",
                "unknown field",
            ),
        ] {
            let source = SOURCE.replacen(right, wrong, 1);
            let message = Template::parse(&source, &BTreeMap::new()).unwrap_err().to_string();
            assert!(message.contains(said), "{wrong}: {message}");
        }
    }
}
