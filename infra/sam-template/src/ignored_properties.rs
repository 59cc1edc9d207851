//! Resources and properties that matter only on AWS and are ignored here. Anything listed neither
//! here nor in [`super::properties`] is an error.

/// Types of resources.
pub(super) const RESOURCES: &[&str] = &[
    "AWS::ApiGatewayV2::ApiMapping",
    "AWS::ApiGatewayV2::DomainName",
    "AWS::CloudFormation::Stack",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::IAM::ManagedPolicy",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::Logs::MetricFilter",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
];

/// Properties of a function.
pub(super) const FUNCTION: &[&str] = &[
    "Architectures",
    "AutoPublishAlias",
    "CodeUri",
    "DeploymentPreference",
    "Description",
    "EventInvokeConfig",
    "FunctionName",
    "Handler",
    "Layers",
    "LoggingConfig",
    "PermissionsBoundary",
    "Tags",
    "Tracing",
];

/// Properties of an HTTP API.
pub(super) const HTTP_API: &[&str] = &[
    "AccessLogSettings",
    "Description",
    "DisableExecuteApiEndpoint",
    "FailOnWarnings",
    "Name",
    "RouteSettings",
    "Tags",
];

/// Properties of a table.
pub(super) const TABLE: &[&str] = &[
    "BillingMode",
    "DeletionProtectionEnabled",
    "OnDemandThroughput",
    "PointInTimeRecoverySpecification",
    "SSESpecification",
    "TableName",
    "Tags",
];

/// Properties of a queue.
pub(super) const QUEUE: &[&str] = &[
    "DeduplicationScope",
    "FifoThroughputLimit",
    "KmsMasterKeyId",
    "MaximumMessageSize",
    "QueueName",
    "RedriveAllowPolicy",
    "SqsManagedSseEnabled",
    "Tags",
];

/// Properties of a secret.
pub(super) const SECRET: &[&str] = &["Description", "KmsKeyId", "Name", "Tags"];

/// Properties of a configuration set.
pub(super) const CONFIGURATION_SET: &[&str] = &[
    "DeliveryOptions",
    "Name",
    "ReputationOptions",
    "SendingOptions",
    "SuppressionOptions",
    "Tags",
];

/// Properties of a rule.
pub(super) const RULE: &[&str] = &["Description", "Name"];

/// Properties of a rotation. Here secrets have values from the start.
pub(super) const ROTATION: &[&str] = &["RotateImmediatelyOnUpdate"];
