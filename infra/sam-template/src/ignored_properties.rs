//! Properties that matter only on AWS and are left out here. Anything listed neither here nor among
//! the properties of a resource is an error.

/// Properties of a function.
pub(super) const FUNCTION: &[&str] = &[
    "Architectures",
    "AssumeRolePolicyDocument",
    "AutoPublishAlias",
    "AutoPublishAliasAllProperties",
    "AutoPublishCodeSha256",
    "CodeSigningConfigArn",
    "DeadLetterQueue",
    "DeploymentPreference",
    "Description",
    "EphemeralStorage",
    "EventInvokeConfig",
    "FileSystemConfigs",
    "FunctionName",
    "Handler",
    // The two are only for functions of container images, which are an error by their type.
    "ImageConfig",
    "ImageUri",
    "KmsKeyArn",
    "Layers",
    "LoggingConfig",
    "PermissionsBoundary",
    "PropagateTags",
    "ProvisionedConcurrencyConfig",
    "RecursiveLoop",
    "RolePath",
    "RuntimeManagementConfig",
    "SnapStart",
    "Tags",
    "Tracing",
    "VersionDescription",
    "VpcConfig",
];

/// Properties of an HTTP API.
pub(super) const HTTP_API: &[&str] = &[
    "AccessLogSettings",
    "DefinitionUri",
    "Description",
    "DisableExecuteApiEndpoint",
    "Domain",
    "FailOnWarnings",
    "Name",
    "PropagateTags",
    "RouteSettings",
    "StageVariables",
    "Tags",
];

/// Properties of a REST API.
pub(super) const REST_API: &[&str] = &[
    "AccessLogSetting",
    "AlwaysDeploy",
    "ApiKeySourceType",
    "CacheClusterEnabled",
    "CacheClusterSize",
    "CanarySetting",
    "DefinitionUri",
    "Description",
    "DisableExecuteApiEndpoint",
    "Domain",
    "EndpointConfiguration",
    "FailOnWarnings",
    "GatewayResponses",
    "MergeDefinitions",
    "MethodSettings",
    "MinimumCompressionSize",
    "Mode",
    "Models",
    "Name",
    "OpenApiVersion",
    "Policy",
    "PropagateTags",
    "SecurityPolicy",
    "Tags",
    "TracingEnabled",
    "Variables",
];

/// Properties of a table.
pub(super) const TABLE: &[&str] = &[
    "BillingMode",
    "ContributorInsightsSpecification",
    "DeletionProtectionEnabled",
    "KinesisStreamSpecification",
    "OnDemandThroughput",
    "PointInTimeRecoverySpecification",
    "ProvisionedThroughput",
    "ResourcePolicy",
    "SSESpecification",
    "TableClass",
    "TableName",
    "Tags",
    "WarmThroughput",
];

/// Properties of a queue.
pub(super) const QUEUE: &[&str] = &[
    "DeduplicationScope",
    "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "MaximumMessageSize",
    "QueueName",
    "RedriveAllowPolicy",
    "SqsManagedSseEnabled",
    "Tags",
];

/// Properties of a secret.
pub(super) const SECRET: &[&str] = &["Description", "KmsKeyId", "Name", "ReplicaRegions", "Tags"];

/// Properties of a mapping of a queue or a stream.
pub(super) const MAPPING: &[&str] =
    &["KmsKeyArn", "MetricsConfig", "ProvisionedPollerConfig", "Tags", "TumblingWindowInSeconds"];

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

/// The consequences of a property that is left out, if a function or its client can notice them.
pub(super) fn consequence(property: &str) -> Option<&'static str> {
    Some(match property {
        "CanarySetting" | "DefinitionUri" | "MethodSettings" | "Models" | "Policy"
        | "RouteSettings" | "StageVariables" | "Variables" => "has no effect here",
        "DeadLetterQueue" | "EventInvokeConfig" => "functions are invoked synchronously here",
        "EphemeralStorage" | "FileSystemConfigs" => "functions use this machine's file system",
        "Domain" => "the API has no own domain here",
        "GatewayResponses" => "errors of the gateway have their usual bodies here",
        "Layers" => "not loaded; a binary that needs one, such as a web adapter, does not run",
        "ProvisionedConcurrencyConfig" => "environments start on demand here",
        "TumblingWindowInSeconds" => "batches have no windows here",
        "VpcConfig" => "functions use this machine's network",
        _ => return None,
    })
}
