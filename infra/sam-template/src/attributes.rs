//! The attributes that `Fn::GetAtt` returns of the resources that a service has most.

use serde_json::{Map, Value};

use super::error::TemplateError;

/// The attributes of a type of resource; `None` for other types.
fn of(kind: &str) -> Option<&'static [&'static str]> {
    match kind {
        "AWS::DynamoDB::Table" => Some(&["Arn", "StreamArn"]),
        "AWS::Lambda::Function" | "AWS::Serverless::Function" => Some(&[
            "Arn",
            "SnapStartResponse",
            "SnapStartResponse.ApplyOn",
            "SnapStartResponse.OptimizationStatus",
        ]),
        "AWS::SNS::Topic" => Some(&["TopicArn", "TopicName"]),
        "AWS::SQS::Queue" => Some(&["Arn", "QueueName", "QueueUrl"]),
        _ => None,
    }
}

/// Refuses an attribute that a resource of its type does not have.
pub(super) fn check(
    resources: &Map<String, Value>,
    resource: &str,
    attribute: &str,
    path: &str,
) -> Result<(), TemplateError> {
    let kind = resources.get(resource).and_then(|it| it["Type"].as_str()).unwrap_or_default();
    match of(kind) {
        Some(known) if !known.contains(&attribute) => {
            let known = known.join(", ");
            let what = format!("the attribute {attribute} of {resource}; {kind} has {known}");
            Err(TemplateError::not_understood(path, &what))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_unknown_attribute_is_an_error_that_names_the_known_ones() {
        let declared = json!({
            "Jobs": { "Type": "AWS::SQS::Queue" },
            "Files": { "Type": "AWS::S3::Bucket" },
        });
        let declared = declared.as_object().unwrap();
        let checked = |resource: &str, attribute: &str| check(declared, resource, attribute, "/P");
        assert!(checked("Jobs", "Arn").is_ok() && checked("Jobs", "QueueUrl").is_ok());
        assert!(checked("Files", "WebsiteURL").is_ok() && checked("None", "Arn").is_ok());
        let error = checked("Jobs", "Arm").unwrap_err().to_string();
        let expected = "the attribute Arm of Jobs; AWS::SQS::Queue has Arn, QueueName, QueueUrl";
        assert!(error.ends_with(expected) && error.contains("at /P"), "{error}");
    }
}
