//! Mistakes that somebody might make in the templates, and by which words each is found.

use crate::descriptions::Error;

use super::expansion::Job;

/// A mistake in one of the templates.
pub(super) struct Mistake {
    file: &'static str,
    /// What is there; its first occurrence is replaced.
    right: &'static str,
    /// What is there by mistake.
    wrong: &'static str,
    /// What has to be said about it.
    said: &'static str,
    /// The parameter whose other value shows it.
    pub(super) parameter: Option<&'static str>,
    /// Whether the template is stamped, as what is deployed is.
    stamped: bool,
}

impl Mistake {
    /// The templates with the mistake in them. Linting takes long, so that it is only done where it
    /// has to find something.
    ///
    /// # Errors
    /// Where the templates no longer have what the mistake is made of.
    pub(super) fn made_in(&self, ours: &Job) -> Result<Job, Error> {
        let mut files = ours.files.clone();
        let text = files.get_mut(self.file).ok_or("a mistake in a template that is not ours")?;
        if !text.contains(self.right) {
            return Err(format!("{} no longer has {}", self.file, self.right).into());
        }
        *text = text.replacen(self.right, self.wrong, 1);
        let parameters = ours.parameters.clone();
        let lint = self.said.contains("cfn-lint");
        Ok(Job { files, parameters, lint, stamped: self.stamped && !lint })
    }

    /// That it was not found among these complaints, if it was not.
    pub(super) fn missed(&self, complaints: &[String]) -> Option<String> {
        let found = complaints.iter().any(|complaint| complaint.contains(self.said));
        let Self { right, wrong, said, .. } = self;
        (!found).then(|| format!("{right} → {wrong}: expected \"{said}\", found {complaints:?}"))
    }
}

const fn main(right: &'static str, wrong: &'static str, said: &'static str) -> Mistake {
    Mistake { file: "template.yaml", right, wrong, said, parameter: None, stamped: true }
}

const fn alarms(right: &'static str, wrong: &'static str, said: &'static str) -> Mistake {
    Mistake { file: "infra/alarms.yaml", right, wrong, said, parameter: None, stamped: true }
}

impl Mistake {
    /// A mistake that shows by another value of a parameter.
    const fn by(self, parameter: &'static str) -> Self {
        Self { parameter: Some(parameter), ..self }
    }

    /// The template as it is before it is stamped.
    const fn unstamped(self) -> Self {
        Self { stamped: false, ..self }
    }
}

const fn hook(right: &'static str, wrong: &'static str, said: &'static str) -> Mistake {
    Mistake { file: "infra/deployments.yaml", right, wrong, said, parameter: None, stamped: true }
}

const fn edge(right: &'static str, wrong: &'static str, said: &'static str) -> Mistake {
    Mistake { file: "infra/edge.yaml", right, wrong, said, parameter: None, stamped: true }
}

/// The mistakes, by what they are about.
pub(super) const MISTAKES: &[Mistake] = &[
    // What SAM and cfn-lint find.
    main(
        "Type: HttpApi, Properties: {ApiId: !Ref Api,",
        "Type: HttpApi, Properties: {ApiId: !Ref Apis,",
        "template.yaml: Resource with id [PostUserFunction] is invalid",
    ),
    main("AWS::SQS::Queue", "AWS::SQS::Queues", "cfn-lint E3006"),
    main("VisibilityTimeout: 120", "VisibilityTimeout: 120000", "cfn-lint E3034"),
    main(
        "EMAILS_QUEUE_URL: !Ref EmailsQueue",
        "EMAILS_QUEUE_URL: !Ref EmailQueue",
        "cfn-lint E1020",
    ),
    main("BillingMode: PAY_PER_REQUEST", "BillingMode: PAY_PER_USE", "cfn-lint E3030"),
    main("KeySchema: [{AttributeName: pk,", "KeySchema: [{AttributeName: id,", "cfn-lint E3039"),
    alarms("ExtendedStatistic: p99", "ExtendedStatistics: p99", "cfn-lint E3002"),
    // Policies.
    main(
        "Action: [dynamodb:PutItem]",
        "Action: ['dynamodb:*']",
        "allows dynamodb:*: name each verb",
    ),
    main(
        "Resource: !GetAtt UsersTable.Arn",
        "Resource: '*'",
        "is allowed for *: name the resource",
    ),
    main("/index/by_creation\"", "/index/*\"", "/index/*: name the resource"),
    main(
        "Resource: !Ref SigningKeysSecret",
        "Resource: !Sub 'arn:aws:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:signing'",
        "not ours",
    ),
    main(
        "      Policies:\n        - Statement:",
        "      Policies:\n        - AmazonDynamoDBFullAccess\n        - Statement:",
        "AmazonDynamoDBFullAccess",
    ),
    main(
        "      FunctionName: !Sub \"${AWS::StackName}-send_email\"\n",
        "      FunctionName: !Sub \"${AWS::StackName}-send_email\"\n      Events: {Emails: {Type: SQS, Properties: {Queue: !GetAtt EmailsQueue.Arn}}}\n",
        "AWSLambdaSQSQueueExecutionRole",
    ),
    // Mail.
    main(
        "${AWS::AccountId}:identity/*",
        "${AWS::AccountId}:identity/${MailFrom}",
        "may send mail by identity/${MailFrom}: SES may have verified another identity",
    ),
    main(
        "                - !Sub \"arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:configuration-set/*\"\n",
        "",
        "may not send mail by configuration-set/*",
    ),
    main(
        "              Condition: {StringEquals: {\"ses:FromAddress\": !Ref MailFrom}}\n",
        "",
        "may send mail from any address of an identity",
    ),
    main(
        "          MAIL_CONFIGURATION_SET: !Ref MailConfigurationSet\n",
        "",
        "SendEmailFunction: sends mail without a configuration set",
    ),
    main(
        "MatchingEventTypes: [bounce, complaint]",
        "MatchingEventTypes: [bounce]",
        "MailConfigurationSet: does not publish complaint",
    ),
    main(
        "detail-type: [Email Bounced,",
        "detail-type: [",
        "MailConfigurationSet: no rule passes Email Bounced on",
    ),
    main(
        "Principal: {Service: events.amazonaws.com}",
        "Principal: {Service: ses.amazonaws.com}",
        "MailEventsQueue: does not let MailEventsRule send to it",
    ),
    // Data.
    main("SSESpecification: {SSEEnabled: true}", "Tags: []", "UsersTable: is not encrypted"),
    main(
        "PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}",
        "PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: false}",
        "UsersTable: cannot be recovered",
    ),
    main(
        "      DeletionProtectionEnabled: !Ref DeletionProtection\n",
        "",
        "UsersTable: is not protected from deletion",
    ),
    main(
        "DeletionPolicy: RetainExceptOnCreate",
        "DeletionPolicy: Delete",
        "UsersTable: does not outlive the stack",
    ),
    main(
        "SigningKeysSecret:\n    Type: AWS::SecretsManager::Secret\n    DeletionPolicy: RetainExceptOnCreate",
        "SigningKeysSecret:\n    Type: AWS::SecretsManager::Secret\n    DeletionPolicy: Delete",
        "SigningKeysSecret: does not outlive the stack",
    ),
    main(
        "DeletionPolicy: RetainExceptOnCreate",
        "DeletionPolicy: Retain",
        "UsersTable: is left behind where the first deployment fails",
    ),
    main(
        "UpdateReplacePolicy: Retain",
        "UpdateReplacePolicy: Delete",
        "UsersTable: does not outlive the stack",
    ),
    main(
        "SecretId: !Ref SigningKeysSecret",
        "SecretId: !Ref CursorKeySecret",
        "SigningKeysSecret: is never rotated",
    ),
    main(
        "      SourceAccount: !Ref AWS::AccountId\n",
        "",
        "SigningKeysSecret: Secrets Manager of this account may not rotate it",
    ),
    main(", RetentionInDays: !Ref LogRetentionDays", "", "LogGroup: its logs never end"),
    main("LoggingConfig: {LogGroup: !Ref LogGroup, ", "LoggingConfig: {", "logs into no group"),
    main("LogFormat: JSON", "LogFormat: Text", "does not log JSON"),
    // Queues and streams.
    main(
        "SqsManagedSseEnabled: true",
        "SqsManagedSseEnabled: false",
        "EmailsQueue: is not encrypted",
    ),
    main(
        "VisibilityTimeout: 120",
        "VisibilityTimeout: 119",
        "EmailsQueue: hides messages for less than 120 s",
    ),
    main(
        "      BatchSize: 10\n",
        "      BatchSize: 10\n      MaximumBatchingWindowInSeconds: 5\n",
        "EmailsQueue: hides messages for less than 125 s",
    ),
    main(
        "      RedrivePolicy: {deadLetterTargetArn: !GetAtt EmailsDeadLetterQueue.Arn, maxReceiveCount: 11}\n",
        "",
        "EmailsQueue: has no dead-letter queue",
    ),
    main(
        "MessageRetentionPeriod: 1209600",
        "MessageRetentionPeriod: 345600",
        "EmailsDeadLetterQueue: keeps dead letters for less than 14 days",
    ),
    main(
        "      DestinationConfig: {OnFailure: {Destination: !GetAtt OutboxDeadLetterQueue.Arn}}\n",
        "",
        "forgets batches given up",
    ),
    main(
        "      FunctionResponseTypes: [ReportBatchItemFailures]\n",
        "",
        "one failed record brings back its batch",
    ),
    // The API.
    main(
        "Path: \"/users/{userId}\", Auth: {Authorizer: TokenAuthorizer}",
        "Path: \"/users/{userId}\", Auth: {Authorizer: NONE}",
        "get /users/{userId}: lets anybody in",
    ),
    main("Timeout: 10", "Timeout: 30", "may take longer than the API waits"),
    main(
        "AuthorizerPayloadFormatVersion: \"2.0\"",
        "AuthorizerPayloadFormatVersion: \"1.0\"",
        "its events are not of version 2.0",
    ),
    main(
        "ReauthorizeEvery: 300",
        "ReauthorizeEvery: 3600",
        "what it found is not kept for as long as functions tell their clients",
    ),
    main("Type: CommaDelimitedList", "Type: String", "its origins are no list"),
    main(
        "DetailedMetricsEnabled: false",
        "DetailedMetricsEnabled: true",
        "pays for metrics that nothing reads",
    ),
    // Alarms.
    main(
        "FunctionName: !Sub \"${AWS::StackName}-get_user\"",
        "FunctionName: !Sub \"${AWS::StackName}-read_user\"",
        "read_user: no alarm on Errors",
    ),
    alarms(
        "[emails, mail_events, notifications, customer_approvals, order_projections, customer_saga, callbacks,",
        "[emails, mail_events, customer_approvals, order_projections, customer_saga, callbacks,",
        "notifications-dead-letters: no alarm on ApproximateNumberOfMessagesVisible",
    ),
    alarms(
        "MetricName: Reputation.BounceRate",
        "MetricName: Reputation.Bounces",
        "the mail: no alarm on Mail Reputation.BounceRate",
    ),
    alarms("MetricName: IteratorAge", "MetricName: Age", "relay_outbox: no alarm on IteratorAge"),
    alarms("${Runbook}#throttles", "${Runbook}#throttled", "the runbook has no section throttled"),
    // Versions.
    main(
        "ISSUER: !Ref Issuer",
        "ISSUER: !Ref Issuer",
        "Issuer: another value publishes 0 versions",
    )
    .by("Issuer")
    .unstamped(),
    main(
        "      FunctionName: !Sub \"${AWS::StackName}-post_user\"\n",
        "      FunctionName: !Sub \"${AWS::StackName}-post_user\"\n      AutoPublishCodeSha256: '0123456789'\n",
        "Issuer: another value publishes 42 versions, and 43 functions use it (old: PostUserFunction",
    )
    .by("Issuer"),
    main(
        "  CargoXtaskStamp:\n    Type: String\n",
        "  CargoXtaskStamp:\n    Type: String\n    Default: 'no'\n",
        "CargoXtaskStamp has a default: a template that is not stamped could be deployed",
    ),
    // Deployments.
    main(
        "Hooks: {PreTraffic: !If [GuardsDeployments, !GetAtt Deployments.Outputs.Hook, !Ref AWS::NoValue]}",
        "Enabled: true",
        "a new version gets requests before it has answered",
    ),
    main(
        "!If [GuardsDeployments, !GetAtt Deployments.Outputs.Hook, !Ref AWS::NoValue]",
        "!GetAtt Deployments.Outputs.Hook",
        "no parameter takes the hook out",
    ),
    main(
        "[!If [GuardsDeployments, !Sub \"${AWS::StackName}-get_user-5xx\", !Sub \"${AWS::StackName}-unguarded\"]]",
        "[!Sub \"${AWS::StackName}-get_user-5xx\"]",
        "GetUserFunctionDeploymentGroup: no parameter takes its alarm out",
    ),
    main(
        "${AWS::StackName}-get_user-5xx",
        "${AWS::StackName}-api-5xx",
        "GetUserFunctionDeploymentGroup: api-5xx is about more than this function",
    ),
    main(
        "${AWS::StackName}-emails-failing",
        "${AWS::StackName}-outbox-failing",
        "SendEmailFunctionDeploymentGroup: outbox-failing is about more than this function",
    ),
    main(
        "      Type: AllAtOnce\n",
        "      Type: Canary10Percent5Minutes\n",
        "ExpireSagasFunctionAliaslive: has too few invocations to be judged by",
    ),
    main(
        "    AutoPublishAlias: live\n    # A new",
        "    AutoPublishAlias: current\n    # A new",
        "functions are deployed at once",
    ),
    main(
        "FunctionArn: !Ref AuthorizerFunction.Alias",
        "FunctionArn: !GetAtt AuthorizerFunction.Arn",
        "invokes the newest version, whatever is live",
    ),
    alarms(
        "[get_product, list_products, get_user,",
        "[get_product, list_products,",
        "GetUserFunctionDeploymentGroup: get_user-5xx is no alarm",
    ),
    hook("CodeDeployHook_${Service}", "${Service}-hook", "CodeDeploy may not invoke it"),
    hook("function:${Service}-*:*", "function:*", "is allowed lambda:InvokeFunction on"),
    // Schedules.
    main(
        "      EventInvokeConfig: {MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60}\n",
        "",
        "ExpireSagasFunction: runs that fail are repeated for hours",
    ),
    alarms(
        "          Threshold: 1\n          EvaluationPeriods: 5\n          DatapointsToAlarm: 2",
        "          Threshold: 3\n          EvaluationPeriods: 5\n          DatapointsToAlarm: 2",
        "ExpireSagasFunction: its errors never reach the alarm's threshold",
    ),
    // Names that a stack of the same name finds taken.
    main(
        "!Sub [\"${AWS::StackName}-emails-${Creation}\", {Creation: !Select [0, !Split [\"-\", !Select [2, !Split [\"/\", !Ref AWS::StackId]]]]}]",
        "!Sub \"${AWS::StackName}-emails\"",
        "EmailsQueue: its name is refused for a minute after it was deleted",
    ),
    main(
        "!Sub [\"/aws/lambda/${AWS::StackName}-${Creation}\", {Creation: !Select [0, !Split [\"-\", !Select [2, !Split [\"/\", !Ref AWS::StackId]]]]}]",
        "!Sub \"/aws/lambda/${AWS::StackName}\"",
        "LogGroup: the next stack finds its name taken",
    ),
    main(
        "NotAction: [logs:CreateLogGroup, ",
        "NotAction: [",
        "PostUserFunction: may create groups of logs that nobody deletes",
    ),
    main(
        "Value: !Ref PartnerCredentialsSecret",
        "Value: !Ref SigningKeysSecret",
        "output PartnerCredentialsSecretArn: SigningKeysSecret fills itself",
    ),
    // The account.
    main("            - !GetAtt OrdersTable.Arn\n", "", "OrdersTable: AWS Backup makes no copies of it"),
    alarms(
        "MetricName: ConcurrentExecutions",
        "MetricName: Concurrency",
        "the account: no alarm on ConcurrentExecutions",
    ),
    alarms("[Read, Write]", "[Read]", "the account: no alarm on SELECT SUM(WriteThrottleEvents)"),
    // What stands in front.
    main(
        "Assert: !Not [!Equals [!Ref TrustedHops, \"0\"]]",
        "Assert: !Not [!Equals [!Ref Edge, \"0\"]]",
        "Edge: is deployed without TrustedHops",
    ),
    main(
        "RuleCondition: !Equals [!Ref DisableExecuteApiEndpoint,",
        "RuleCondition: !Equals [!Ref Edge,",
        "DisableExecuteApiEndpoint: is deployed without DomainName",
    ),
    main(
        "      ApiMappingKey: !If [HasBasePath, !Ref BasePath, !Ref AWS::NoValue]\n",
        "",
        "DomainMapping: has no base path",
    ),
    main(
        "      DisableExecuteApiEndpoint: !If [HasOwnDomainAlone, true, false]\n",
        "",
        "Api: can be reached past its domain",
    ),
    main(
        "OriginSecret: !Ref TrustedHopsSecret",
        "OriginSecret: !Ref Audience",
        "Distribution: the API cannot tell its requests from others",
    ),
    edge("X-Origin-Verify", "X-Verify", "Distribution: the API cannot tell its requests from others"),
    edge("Authorization, Origin]", "Origin]", "CachePolicy: shares answers that differ by Authorization"),
    edge("QueryStringBehavior: all", "QueryStringBehavior: none", "differ by the query"),
    edge("DefaultTTL: 0", "DefaultTTL: 60", "CachePolicy: keeps what does not say so"),
    edge("ViewerProtocolPolicy: https-only", "ViewerProtocolPolicy: allow-all", "takes tokens in the clear"),
];
