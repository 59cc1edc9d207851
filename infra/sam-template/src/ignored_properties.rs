//! Properties that are left out here. One whose absence a function or its client can notice is
//! reported with its [`consequence`]. The others matter only on AWS, and are ignored silently.
//! Anything listed neither here nor among the properties of a resource is an error.

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
        // A `DefinitionBody` is left out only if it includes a file.
        "CanarySetting" | "DefinitionBody" | "DefinitionUri" | "MethodSettings" | "Models"
        | "Policy" | "RouteSettings" | "StageVariables" | "Variables" => "has no effect here",
        "DeduplicationScope" => "messages are deduplicated by queue here",
        "FifoThroughputLimit" => "queues have no throughput limit here",
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

/// Whether a value of such a property is AWS's default.
pub(super) fn is_default(property: &str, value: &str) -> bool {
    matches!(
        (property, value),
        ("DeduplicationScope", "queue") | ("FifoThroughputLimit", "perQueue")
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::Template;

    #[test]
    fn a_queue_has_its_message_size_and_a_line_for_other_scopes() {
        let template = |properties: &str| {
            let source = format!(
                "Resources: {{Q: {{Type: 'AWS::SQS::Queue', Properties: {{{properties}}}}}}}\n"
            );
            Template::parse(&source, &BTreeMap::new()).unwrap()
        };
        let size = |properties: &str| template(properties).queues["Q"].message_bytes_max;
        assert_eq!([size(""), size("MaximumMessageSize: 2048")], [1_048_576, 2_048]);

        let default = "FifoQueue: true, DeduplicationScope: queue, FifoThroughputLimit: perQueue";
        assert!(template(default).skipped.is_empty());
        let other = template(
            "FifoQueue: true, DeduplicationScope: messageGroup, \
             FifoThroughputLimit: perMessageGroupId",
        );
        let lines: Vec<String> = other.skipped.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "DeduplicationScope (Q): messages are deduplicated by queue here",
                "FifoThroughputLimit (Q): queues have no throughput limit here",
            ]
        );
    }
}
