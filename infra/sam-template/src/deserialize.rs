//! Deserializers of values that several kinds of resources have.

use std::time::Duration;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::value::TemplateValue;

/// A number, or an optional one. As in `CloudFormation`, it may be a text: `Fn::Sub` returns texts.
pub(super) fn number<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<T, D::Error> {
    coerced(deserializer)
}

/// A flag, or an optional one. As in `CloudFormation`, it may be a text: no parameter is a flag.
pub(super) fn flag<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<T, D::Error> {
    coerced(deserializer)
}

/// A value whose text counts as the number or the flag that it has.
fn coerced<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let scalar = value.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let scalar = scalar.filter(|it| it.is_number() || it.is_boolean());
    serde_json::from_value(scalar.unwrap_or(value)).map_err(D::Error::custom)
}

/// A number of seconds.
pub(super) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Ok(Duration::from_secs(number(deserializer)?))
}

/// An optional number of seconds.
pub(super) fn optional_seconds<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    let seconds: Option<u64> = number(deserializer)?;
    Ok(seconds.map(Duration::from_secs))
}

/// An optional number of milliseconds.
pub(super) fn optional_millis<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    let millis: Option<u64> = number(deserializer)?;
    Ok(millis.map(Duration::from_millis))
}

/// The logical id from a reference to one resource.
pub(super) fn resource<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = TemplateValue::deserialize(deserializer)?;
    text.logical_id()
        .map(ToOwned::to_owned)
        .ok_or_else(|| D::Error::custom("expected a reference to a resource of this template"))
}

/// The logical id from an optional reference to one resource.
pub(super) fn optional_resource<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    resource(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::Template;

    use super::*;

    #[test]
    fn numbers_and_flags_may_be_texts() {
        let source = "Parameters:
  Fifo: {Type: String, Default: true}
  Delay: {Type: Number, Default: 5}
Resources:
  Q:
    Type: AWS::SQS::Queue
    Properties: {FifoQueue: !Ref Fifo, DelaySeconds: !Sub '${Delay}', MaximumMessageSize: '2048'}
";
        let template = Template::parse(source, &BTreeMap::new()).unwrap();
        let queue = &template.queues["Q"];
        assert!(queue.fifo);
        assert_eq!((queue.delay, queue.message_bytes_max), (Duration::from_secs(5), 2_048));
        for wrong in ["many", "'true'", "'null'", "''"] {
            let source = source.replace("!Sub '${Delay}'", wrong);
            let error = Template::parse(&source, &BTreeMap::new()).unwrap_err().to_string();
            assert!(error.contains("Q/Properties/DelaySeconds: invalid type"), "{wrong}: {error}");
        }
    }
}
