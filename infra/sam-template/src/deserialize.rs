//! Deserializers of values that several kinds of resources have.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::value::{Part, TemplateValue};

/// A number, or an optional one. As in `CloudFormation`, it may be a text: `Fn::Sub` returns texts.
pub(super) fn number<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let scalar = value.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let number = scalar.filter(Value::is_number);
    serde_json::from_value(number.unwrap_or(value)).map_err(D::Error::custom)
}

/// A number that AWS accepts: from `LEAST` to `MOST`.
pub(super) fn number_within<'de, D, T, const LEAST: u64, const MOST: u64>(
    deserializer: D,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    let number = within::<D::Error>(number(deserializer)?, LEAST..=MOST)?;
    T::try_from(number).map_err(|_| D::Error::custom(format!("{number}, which is too large")))
}

fn within<E: Error>(number: u64, accepted: RangeInclusive<u64>) -> Result<u64, E> {
    if accepted.contains(&number) {
        return Ok(number);
    }
    let (least, most) = accepted.into_inner();
    Err(E::custom(format!("{number}, not from {least} to {most}")))
}

/// A flag, or an optional one. As in `CloudFormation`, it may be a text: no parameter is a flag.
pub(super) fn flag<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let flag = value.as_str().and_then(flag_of);
    serde_json::from_value(flag.map_or(value, Value::Bool)).map_err(D::Error::custom)
}

/// The flag that a word is in YAML 1.1, which SAM reads.
fn flag_of(word: &str) -> Option<bool> {
    match word {
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// A number of seconds.
pub(super) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Ok(Duration::from_secs(number(deserializer)?))
}

/// A number of seconds that AWS accepts: from `LEAST` to `MOST`.
pub(super) fn seconds_within<'de, D, const LEAST: u64, const MOST: u64>(
    deserializer: D,
) -> Result<Duration, D::Error>
where
    D: Deserializer<'de>,
{
    within(number(deserializer)?, LEAST..=MOST).map(Duration::from_secs)
}

/// An optional number of seconds that AWS accepts: from `LEAST` to `MOST`.
pub(super) fn optional_seconds_within<'de, D, const LEAST: u64, const MOST: u64>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error>
where
    D: Deserializer<'de>,
{
    let seconds: Option<u64> = number(deserializer)?;
    seconds.map(|it| within(it, LEAST..=MOST).map(Duration::from_secs)).transpose()
}

/// An optional number of milliseconds that AWS accepts: from `LEAST` to `MOST`.
pub(super) fn optional_millis_within<'de, D, const LEAST: u64, const MOST: u64>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error>
where
    D: Deserializer<'de>,
{
    let millis: Option<u64> = number(deserializer)?;
    millis.map(|it| within(it, LEAST..=MOST).map(Duration::from_millis)).transpose()
}

/// The logical id from a reference to one resource. A literal is kept in quotes, which no logical id
/// has, until [`super::targets`] finds its resource.
pub(super) fn resource<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = TemplateValue::deserialize(deserializer)?;
    match (text.logical_id(), text.parts()) {
        (Some(id), _) => Ok(id.to_owned()),
        (None, [Part::Literal(words)]) => Ok(format!("\"{words}\"")),
        (None, _) => Err(D::Error::custom(
            "expected a reference to one resource of this template, or its name or ARN",
        )),
    }
}

/// The words of a literal in place of a logical id.
pub(super) fn literal(target: &str) -> Option<&str> {
    target.strip_prefix('"')?.strip_suffix('"')
}

/// Like [`resource`], for an optional reference.
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

    #[test]
    fn the_flags_of_yaml_1_1_are_flags() {
        let is_fifo = |flag: &str| {
            let queue = format!("{{Type: 'AWS::SQS::Queue', Properties: {{FifoQueue: {flag}}}}}");
            let template = Template::parse(&format!("Resources: {{Q: {queue}}}"), &BTreeMap::new());
            template.map(|template| template.queues["Q"].fifo)
        };
        for (flags, expected) in [
            (["true", "True", "'TRUE'", "yes", "Yes", "YES", "on", "On", "ON"], true),
            (["false", "False", "'FALSE'", "no", "No", "NO", "off", "Off", "OFF"], false),
        ] {
            for flag in flags {
                assert_eq!(is_fifo(flag).unwrap(), expected, "{flag}");
            }
        }
        for wrong in ["y", "oN", "1", "''"] {
            let error = is_fifo(wrong).unwrap_err().to_string();
            assert!(error.contains("Q/Properties/FifoQueue: invalid type"), "{wrong}: {error}");
        }
    }

    /// The property of `R` before its value, the place of the value, and its limits.
    const LIMITS: [(&str, &str, &str, u64, u64); 16] = [
        (FUNCTION, "Timeout", "Timeout", 1, 900),
        (FUNCTION, "MemorySize", "MemorySize", 128, 32_768),
        (
            FUNCTION,
            "Events: {E: {Type: HttpApi, Properties: {Path: /, Method: get, TimeoutInMillis",
            "Events/E/Properties/TimeoutInMillis",
            50,
            30_000,
        ),
        (
            FUNCTION,
            "Events: {E: {Type: Api, Properties: {Path: /, Method: get, TimeoutInMillis",
            "Events/E/Properties/TimeoutInMillis",
            50,
            900_000,
        ),
        (
            "Serverless::HttpApi', Properties: {",
            "Auth: {Authorizers: {A: {FunctionArn: !GetAtt F.Arn, EnableSimpleResponses: true, \
             AuthorizerPayloadFormatVersion: 2.0, Identity: {Headers: [a], ReauthorizeEvery",
            "Auth/Authorizers/A/Identity/ReauthorizeEvery",
            0,
            3_600,
        ),
        (
            "Serverless::Api', Properties: {StageName: v1, ",
            "Auth: {Authorizers: {A: {FunctionArn: !GetAtt F.Arn, Identity: {ReauthorizeEvery",
            "Auth/Authorizers/A/Identity/ReauthorizeEvery",
            0,
            3_600,
        ),
        (
            "Serverless::HttpApi', Properties: {",
            "CorsConfiguration: {MaxAge",
            "CorsConfiguration/MaxAge",
            0,
            86_400,
        ),
        (
            FUNCTION,
            "FunctionUrlConfig: {AuthType: NONE, Cors: {MaxAge",
            "FunctionUrlConfig/Cors/MaxAge",
            0,
            86_400,
        ),
        ("Serverless::HttpApi', Properties: {", OPERATION, TIMEOUT_OF_OPERATION, 50, 30_000),
        (
            "Serverless::Api', Properties: {StageName: v1, ",
            OPERATION,
            TIMEOUT_OF_OPERATION,
            50,
            900_000,
        ),
        (QUEUE, "VisibilityTimeout", "VisibilityTimeout", 0, 43_200),
        (QUEUE, "DelaySeconds", "DelaySeconds", 0, 900),
        (QUEUE, "MessageRetentionPeriod", "MessageRetentionPeriod", 60, 1_209_600),
        (QUEUE, "ReceiveMessageWaitTimeSeconds", "ReceiveMessageWaitTimeSeconds", 0, 20),
        (QUEUE, "MaximumMessageSize", "MaximumMessageSize", 1_024, 1_048_576),
        (
            QUEUE,
            "RedrivePolicy: {deadLetterTargetArn: !GetAtt R.Arn, maxReceiveCount",
            "RedrivePolicy/maxReceiveCount",
            1,
            1_000,
        ),
    ];
    const FUNCTION: &str = "Serverless::Function', Properties: {Runtime: provided.al2023, ";
    const QUEUE: &str = "SQS::Queue', Properties: {";
    const OPERATION: &str = "DefinitionBody: {paths: {/a: {get: {x-amazon-apigateway-integration: \
                             {type: aws_proxy, uri: !GetAtt F.Arn, timeoutInMillis";
    const TIMEOUT_OF_OPERATION: &str =
        "DefinitionBody/paths/~1a/get/x-amazon-apigateway-integration/timeoutInMillis";

    #[test]
    fn a_number_that_aws_refuses_is_an_error_with_its_place_and_the_limits() {
        for (resource, property, place, least, most) in LIMITS {
            let error = |value: u64| {
                let open = format!("R: {{Type: 'AWS::{resource}{property}: {value}");
                let ends = "}".repeat(open.matches('{').count() - open.matches('}').count());
                let function = "F: {Type: 'AWS::Serverless::Function', Properties: {Runtime: \
                                provided.al2023}}";
                let source = format!("Resources:\n  {open}{ends}\n  {function}\n");
                Template::parse(&source, &BTreeMap::new()).err().map(|error| error.to_string())
            };
            assert_eq!([error(least), error(most)], [None::<String>, None], "{place}");
            for refused in [least.checked_sub(1), Some(most + 1)].into_iter().flatten() {
                let expected = format!(
                    "/Resources/R/Properties/{place}: {refused}, not from {least} to {most}"
                );
                let error = error(refused).unwrap();
                assert!(error.ends_with(&expected), "{error}");
            }
        }
    }
}
