//! Resources that the platform leaves out, and the values of references to them.

use super::names::{ACCOUNT_ID, FUNCTION, REGION, arn, function_arn, physical};

/// The reason for types that matter only on AWS.
const ONLY_ON_AWS: &str = "matters only on AWS";
/// The reason for types of services that functions call.
const NOT_EMULATED: &str = "the service is not emulated; calls to it fail";
/// The reason for policies and roles.
const POLICY: &str = "only the policies of a function, and of the role that it names, count here";
/// The reason for connectors, which grant permissions on AWS.
pub(super) const CONNECTOR: &str = "it grants nothing here; use policies";
/// The reason for event sources that the template disables.
pub(super) const DISABLED: &str = "disabled";
/// The reason for nested stacks.
const NESTED: &str = "the resources of its template do not run here";
/// The reason for resources that `--ignore` names.
pub(super) const BY_OPTION: &str = "left out by --ignore";

/// The types of resources that are left out, with the reason.
const TYPES: &[(&str, &str)] = &[
    ("AWS::ApiGateway::Account", ONLY_ON_AWS),
    ("AWS::ApiGateway::BasePathMapping", ONLY_ON_AWS),
    ("AWS::ApiGateway::DomainName", ONLY_ON_AWS),
    ("AWS::ApiGateway::GatewayResponse", "errors of the gateway have their usual bodies here"),
    ("AWS::ApiGatewayV2::ApiMapping", ONLY_ON_AWS),
    ("AWS::ApiGatewayV2::DomainName", ONLY_ON_AWS),
    ("AWS::ApplicationAutoScaling::ScalableTarget", ONLY_ON_AWS),
    ("AWS::ApplicationAutoScaling::ScalingPolicy", ONLY_ON_AWS),
    ("AWS::ApplicationInsights::Application", ONLY_ON_AWS),
    ("AWS::CertificateManager::Certificate", ONLY_ON_AWS),
    ("AWS::CloudFormation::Stack", NESTED),
    ("AWS::CloudFront::Distribution", ONLY_ON_AWS),
    ("AWS::CloudWatch::Alarm", ONLY_ON_AWS),
    ("AWS::CloudWatch::CompositeAlarm", ONLY_ON_AWS),
    ("AWS::CloudWatch::Dashboard", ONLY_ON_AWS),
    ("AWS::Cognito::UserPool", NOT_EMULATED),
    ("AWS::Cognito::UserPoolClient", NOT_EMULATED),
    ("AWS::Cognito::UserPoolDomain", NOT_EMULATED),
    ("AWS::EC2::SecurityGroup", ONLY_ON_AWS),
    ("AWS::Events::EventBus", NOT_EMULATED),
    ("AWS::Events::EventBusPolicy", ONLY_ON_AWS),
    ("AWS::IAM::ManagedPolicy", POLICY),
    ("AWS::IAM::Policy", POLICY),
    ("AWS::IAM::Role", POLICY),
    ("AWS::KMS::Alias", NOT_EMULATED),
    ("AWS::KMS::Key", NOT_EMULATED),
    ("AWS::Kinesis::Stream", NOT_EMULATED),
    ("AWS::Lambda::EventInvokeConfig", "functions are invoked synchronously here"),
    ("AWS::Lambda::LayerVersion", "layers are not loaded"),
    ("AWS::Lambda::Permission", ONLY_ON_AWS),
    ("AWS::Logs::LogGroup", ONLY_ON_AWS),
    ("AWS::Logs::MetricFilter", ONLY_ON_AWS),
    ("AWS::Logs::SubscriptionFilter", ONLY_ON_AWS),
    ("AWS::ResourceGroups::Group", ONLY_ON_AWS),
    ("AWS::Route53::RecordSet", ONLY_ON_AWS),
    ("AWS::S3::Bucket", NOT_EMULATED),
    ("AWS::S3::BucketPolicy", ONLY_ON_AWS),
    ("AWS::SNS::Subscription", NOT_EMULATED),
    ("AWS::SNS::Topic", NOT_EMULATED),
    ("AWS::SNS::TopicPolicy", ONLY_ON_AWS),
    ("AWS::SQS::QueuePolicy", ONLY_ON_AWS),
    ("AWS::SSM::Parameter", NOT_EMULATED),
    ("AWS::Serverless::Application", NESTED),
    ("AWS::Serverless::Connector", CONNECTOR),
    ("AWS::Serverless::LayerVersion", "layers are not loaded"),
    ("AWS::Serverless::StateMachine", NOT_EMULATED),
    ("AWS::StepFunctions::StateMachine", NOT_EMULATED),
    ("AWS::WAFv2::WebACL", ONLY_ON_AWS),
    ("AWS::WAFv2::WebACLAssociation", ONLY_ON_AWS),
];

/// The reason for which resources of a type are left out; `None` if they are not.
pub(super) fn reason(kind: &str) -> Option<&'static str> {
    TYPES.iter().find(|(known, _)| *known == kind).map(|(_, reason)| *reason)
}

/// The value of `!Ref` of a resource that is left out: its ARN if it is a topic or a state machine,
/// otherwise its name.
pub(super) fn reference(kind: &str, id: &str) -> String {
    let is_arn = kind == "AWS::SNS::Topic" || kind.ends_with("::StateMachine");
    if is_arn { arn_of(kind, id) } else { name_of(kind, id) }
}

/// The value of `!GetAtt` of a resource that is left out: its ARN, or its name.
pub(super) fn attribute(kind: &str, id: &str, attribute: &str) -> String {
    if attribute.ends_with("Arn") { arn_of(kind, id) } else { name_of(kind, id) }
}

fn name_of(kind: &str, id: &str) -> String {
    match kind {
        "AWS::S3::Bucket" => physical(id).to_lowercase(),
        _ => physical(id),
    }
}

fn arn_of(kind: &str, id: &str) -> String {
    arn_named(kind, &physical(id))
}

/// The property with the name of a resource of a type that events and other resources refer to.
pub(super) fn name_property(kind: &str) -> Option<&'static str> {
    match kind {
        FUNCTION => Some("FunctionName"),
        "AWS::DynamoDB::Table" | "AWS::Serverless::SimpleTable" => Some("TableName"),
        "AWS::IAM::Role" => Some("RoleName"),
        "AWS::Kinesis::Stream" | "AWS::SES::ConfigurationSet" | "AWS::SecretsManager::Secret" => {
            Some("Name")
        }
        "AWS::SNS::Topic" => Some("TopicName"),
        "AWS::SQS::Queue" => Some("QueueName"),
        _ => None,
    }
}

/// The ARN of a resource of a type, by its name.
pub(super) fn arn_named(kind: &str, name: &str) -> String {
    match kind {
        "AWS::Events::EventBus" => arn("events", &format!("event-bus/{name}")),
        "AWS::Kinesis::Stream" => arn("kinesis", &format!("stream/{name}")),
        "AWS::DynamoDB::Table" | "AWS::Serverless::SimpleTable" => {
            arn("dynamodb", &format!("table/{name}"))
        }
        "AWS::Lambda::Function" | FUNCTION => function_arn(name),
        "AWS::SecretsManager::Secret" => arn("secretsmanager", &format!("secret:{name}")),
        "AWS::IAM::Role" => format!("arn:aws:iam::{ACCOUNT_ID}:role/{name}"),
        "AWS::S3::Bucket" => format!("arn:aws:s3:::{}", name.to_lowercase()),
        "AWS::SES::ConfigurationSet" => arn("ses", &format!("configuration-set/{name}")),
        "AWS::Serverless::StateMachine" | "AWS::StepFunctions::StateMachine" => {
            arn("states", &format!("stateMachine:{name}"))
        }
        _ => {
            let service = kind.split("::").nth(1).unwrap_or_default().to_lowercase();
            format!("arn:aws:{service}:{REGION}:{ACCOUNT_ID}:{name}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nested_stack_of_either_service_is_left_out() {
        for kind in ["AWS::CloudFormation::Stack", "AWS::Serverless::Application"] {
            assert_eq!(reason(kind), Some(NESTED));
            assert_eq!(attribute(kind, "Nested", "Outputs.Name"), "local-Nested");
        }
    }

    #[test]
    fn a_reference_to_a_resource_left_out_has_the_form_of_its_service() {
        let topic = "arn:aws:sns:eu-west-1:000000000000:local-News";
        assert_eq!(reference("AWS::SNS::Topic", "News"), topic);
        assert_eq!(attribute("AWS::SNS::Topic", "News", "TopicName"), "local-News");
        let machine = "arn:aws:states:eu-west-1:000000000000:stateMachine:local-Steps";
        assert_eq!(reference("AWS::Serverless::StateMachine", "Steps"), machine);
        assert_eq!(attribute("AWS::StepFunctions::StateMachine", "Steps", "Arn"), machine);
        assert_eq!(attribute("AWS::Serverless::StateMachine", "Steps", "Name"), "local-Steps");
        assert_eq!(reference("AWS::Events::EventBus", "Bus"), "local-Bus");
        assert_eq!(reference("AWS::S3::Bucket", "Files"), "local-files");
        let bus = "arn:aws:events:eu-west-1:000000000000:event-bus/local-Bus";
        assert_eq!(attribute("AWS::Events::EventBus", "Bus", "Arn"), bus);
        let work = "arn:aws:lambda:eu-west-1:000000000000:function:local-Work";
        assert_eq!(attribute("AWS::Serverless::Function", "Work", "Arn"), work);
        let table = "arn:aws:dynamodb:eu-west-1:000000000000:table/local-T";
        assert_eq!(attribute("AWS::DynamoDB::Table", "T", "Arn"), table);
        assert_eq!(attribute("AWS::Events::EventBus", "Bus", "Name"), "local-Bus");
    }
}
