//! The permissions that known managed policies and SAM's policy templates grant.
//!
//! Only actions of the emulated services matter: here no other service checks a policy.

use super::names::{ACCOUNT_ID, REGION};
use super::value::TemplateValue;

/// Actions on resources.
pub(super) struct Grant {
    pub(super) actions: &'static [&'static str],
    pub(super) resources: Vec<TemplateValue>,
}

/// The actions of Lambda's poller of a queue.
pub(super) const QUEUE_POLLER: &str = "AWSLambdaSQSQueueExecutionRole";
/// The actions of Lambda's reader of a stream.
pub(super) const STREAM_READER: &str = "AWSLambdaDynamoDBExecutionRole";

/// Managed policies by name, with their actions on all resources.
const MANAGED: &[(&str, &[&str])] = &[
    ("AWSLambdaBasicExecutionRole", &[]),
    ("AWSLambdaBasicDurableExecutionRolePolicy", &[]),
    ("AWSLambdaENIManagementAccess", &[]),
    ("AWSLambdaVPCAccessExecutionRole", &[]),
    ("AWSXRayDaemonWriteAccess", &[]),
    ("AWSXrayWriteOnlyAccess", &[]),
    ("CloudWatchLambdaApplicationSignalsExecutionRolePolicy", &[]),
    ("CloudWatchLambdaInsightsExecutionRolePolicy", &[]),
    ("CloudWatchLogsFullAccess", &[]),
    (QUEUE_POLLER, &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]),
    (
        STREAM_READER,
        &[
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
        ],
    ),
    ("AdministratorAccess", &["*"]),
    ("PowerUserAccess", &["*"]),
    ("AmazonDynamoDBFullAccess", &["dynamodb:*"]),
    ("AmazonDynamoDBFullAccess_v2", &["dynamodb:*"]),
    (
        "AmazonDynamoDBReadOnlyAccess",
        &[
            "dynamodb:BatchGetItem",
            "dynamodb:Describe*",
            "dynamodb:List*",
            "dynamodb:GetItem",
            "dynamodb:Query",
            "dynamodb:Scan",
            "dynamodb:PartiQLSelect",
        ],
    ),
    ("AmazonSESFullAccess", &["ses:*"]),
    ("AmazonSQSFullAccess", &["sqs:*"]),
    (
        "AmazonSQSReadOnlyAccess",
        &[
            "sqs:GetQueueAttributes",
            "sqs:GetQueueUrl",
            "sqs:ListDeadLetterSourceQueues",
            "sqs:ListQueues",
        ],
    ),
    ("SecretsManagerReadWrite", &["secretsmanager:*"]),
];

/// The resources of a policy template, by its parameter's value.
#[derive(Clone, Copy)]
enum On {
    /// A table, by `TableName`.
    Table,
    /// A table and its indexes, by `TableName`.
    TableAndIndexes,
    /// The streams of a table, by `TableName`.
    Streams,
    /// A queue, by `QueueName`.
    Queue,
    /// A secret, by `SecretArn`.
    Secret,
    /// All secrets.
    Secrets,
    /// An identity, by `IdentityName`.
    Identity,
    /// Everything.
    All,
}

/// SAM's policy templates for the emulated services.
const TEMPLATES: &[(&str, On, &[&str])] = &[
    (
        "DynamoDBCrudPolicy",
        On::TableAndIndexes,
        &[
            "dynamodb:BatchGetItem",
            "dynamodb:BatchWriteItem",
            "dynamodb:ConditionCheckItem",
            "dynamodb:DeleteItem",
            "dynamodb:DescribeTable",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:Scan",
            "dynamodb:UpdateItem",
        ],
    ),
    (
        "DynamoDBReadPolicy",
        On::TableAndIndexes,
        &[
            "dynamodb:BatchGetItem",
            "dynamodb:DescribeTable",
            "dynamodb:GetItem",
            "dynamodb:Query",
            "dynamodb:Scan",
        ],
    ),
    (
        "DynamoDBWritePolicy",
        On::TableAndIndexes,
        &["dynamodb:BatchWriteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
    ),
    ("DynamoDBReconfigurePolicy", On::Table, &["dynamodb:UpdateTable"]),
    (
        "DynamoDBStreamReadPolicy",
        On::Streams,
        &[
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
        ],
    ),
    (
        "SQSPollerPolicy",
        On::Queue,
        &[
            "sqs:ChangeMessageVisibility",
            "sqs:ChangeMessageVisibilityBatch",
            "sqs:DeleteMessage",
            "sqs:DeleteMessageBatch",
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
        ],
    ),
    ("SQSSendMessagePolicy", On::Queue, &["sqs:SendMessage*"]),
    ("AWSSecretsManagerGetSecretValuePolicy", On::Secret, &["secretsmanager:GetSecretValue"]),
    (
        "AWSSecretsManagerRotationPolicy",
        On::Secrets,
        &[
            "secretsmanager:DescribeSecret",
            "secretsmanager:GetSecretValue",
            "secretsmanager:PutSecretValue",
            "secretsmanager:UpdateSecretVersionStage",
        ],
    ),
    ("AWSSecretsManagerRotationPolicy", On::All, &["secretsmanager:GetRandomPassword"]),
    (
        "SESCrudPolicy",
        On::Identity,
        &[
            "ses:GetIdentityVerificationAttributes",
            "ses:SendEmail",
            "ses:SendRawEmail",
            "ses:VerifyEmailIdentity",
        ],
    ),
];

/// The grant of a managed policy, by its name or ARN. `None` if it is not known.
pub(super) fn managed(name: &str) -> Option<Grant> {
    let name = name.rsplit('/').next().unwrap_or(name);
    let (_, actions) = MANAGED.iter().find(|(known, _)| *known == name)?;
    Some(Grant { actions, resources: vec![TemplateValue::literal("*")] })
}

/// The grants of a policy template with the values of its parameters; none if it is not known.
/// `value` looks up a parameter.
///
/// # Errors
/// The name of a parameter that is missing.
pub(super) fn template(
    name: &str,
    value: impl Fn(&str) -> Option<TemplateValue>,
) -> Result<Vec<Grant>, &'static str> {
    let known = TEMPLATES.iter().filter(|(known, ..)| *known == name);
    let grant = |(_, on, actions): &(&str, On, &'static [&'static str])| {
        Ok(Grant { actions, resources: on.resources(&value)? })
    };
    known.map(grant).collect()
}

impl On {
    fn resources(
        self,
        value: impl Fn(&str) -> Option<TemplateValue>,
    ) -> Result<Vec<TemplateValue>, &'static str> {
        let arn = |kind: &str, parameter: &'static str, after: &str| {
            let (service, prefix) = kind.split_once(':').unwrap_or((kind, ""));
            let before = format!("arn:aws:{service}:{REGION}:{ACCOUNT_ID}:{prefix}");
            value(parameter).map(|value| value.within(&before, after)).ok_or(parameter)
        };
        Ok(match self {
            Self::Table => vec![arn("dynamodb:table/", "TableName", "")?],
            Self::TableAndIndexes => vec![
                arn("dynamodb:table/", "TableName", "")?,
                arn("dynamodb:table/", "TableName", "/index/*")?,
            ],
            Self::Streams => vec![arn("dynamodb:table/", "TableName", "/stream/*")?],
            Self::Queue => vec![arn("sqs", "QueueName", "")?],
            Self::Identity => vec![arn("ses:identity/", "IdentityName", "")?],
            Self::Secret => vec![value("SecretArn").ok_or("SecretArn")?],
            Self::Secrets => vec![TemplateValue::literal(format!(
                "arn:aws:secretsmanager:{REGION}:{ACCOUNT_ID}:secret:*"
            ))],
            Self::All => vec![TemplateValue::literal("*")],
        })
    }
}
