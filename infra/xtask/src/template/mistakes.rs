//! Seeded mistakes in the templates, and the message by which each must be found.

use super::mistake::{Mistake, alarms, backup, edge, hook, main};

/// The mistakes, by topic.
pub(super) const MISTAKES: &[Mistake] = &[
    // Mistakes that SAM and cfn-lint find.
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
    alarms("ExtendedStatistic: p99", "ExtendedStatistics: p99", "alarms.yaml: cfn-lint E3002"),
    // Policies.
    main(
        "Action: [dynamodb:PutItem]",
        "Action: ['dynamodb:*']",
        "allows dynamodb:*: name each action",
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
        "which the template does not have",
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
        "may send mail by identity/${MailFrom}: SES may check another identity",
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
        "MailConfigurationSet: no rule forwards Email Bounced",
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
        "UsersTable: has no point-in-time recovery",
    ),
    main(
        "      DeletionProtectionEnabled: !Ref DeletionProtection\n",
        "",
        "UsersTable: is not protected from deletion",
    ),
    main(
        "DeletionPolicy: RetainExceptOnCreate",
        "DeletionPolicy: Delete",
        "UsersTable: is deleted with the stack",
    ),
    main(
        "SigningKeysSecret:\n    Type: AWS::SecretsManager::Secret\n    DeletionPolicy: RetainExceptOnCreate",
        "SigningKeysSecret:\n    Type: AWS::SecretsManager::Secret\n    DeletionPolicy: Delete",
        "SigningKeysSecret: is deleted with the stack",
    ),
    main(
        "DeletionPolicy: RetainExceptOnCreate",
        "DeletionPolicy: Retain",
        "UsersTable: is kept if the first deployment fails",
    ),
    main(
        "UpdateReplacePolicy: Retain",
        "UpdateReplacePolicy: Delete",
        "UsersTable: is deleted with the stack",
    ),
    main(
        "SecretId: !Ref SigningKeysSecret",
        "SecretId: !Ref CursorKeySecret",
        "SigningKeysSecret: has no rotation",
    ),
    main(
        "      SourceAccount: !Ref AWS::AccountId\n",
        "",
        "SigningKeysSecret: Secrets Manager of this account may not rotate it",
    ),
    main(", RetentionInDays: !Ref LogRetentionDays", "", "LogGroup: has no log retention"),
    main("LoggingConfig: {LogGroup: !Ref LogGroup, ", "LoggingConfig: {", "has no log group"),
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
        "EmailsQueue: its visibility timeout is below 120 s",
    ),
    main(
        "      BatchSize: 10\n",
        "      BatchSize: 10\n      MaximumBatchingWindowInSeconds: 5\n",
        "EmailsQueue: its visibility timeout is below 125 s",
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
        "has no on-failure destination",
    ),
    main(
        "      FunctionResponseTypes: [ReportBatchItemFailures]\n",
        "",
        "one failed record redelivers its batch",
    ),
    // The API.
    main(
        "Path: \"/users/{userId}\", Auth: {Authorizer: TokenAuthorizer}",
        "Path: \"/users/{userId}\", Auth: {Authorizer: NONE}",
        "get /users/{userId}: has no authorizer",
    ),
    main("Timeout: 10", "Timeout: 30", "its timeout exceeds the API's"),
    main(
        "      Timeout: 8\n",
        "",
        "authorizer TokenAuthorizer: the API does not wait until its timeout",
    ),
    main(
        "AuthorizerPayloadFormatVersion: \"2.0\"",
        "AuthorizerPayloadFormatVersion: \"1.0\"",
        "its events are not of version 2.0",
    ),
    main(
        "ReauthorizeEvery: 300",
        "ReauthorizeEvery: 3600",
        "its cache time differs from FINDING_KEPT_S of the lifecycle",
    ),
    main("Type: CommaDelimitedList", "Type: String", "its allowed origins are not a list"),
    main(
        "DetailedMetricsEnabled: false",
        "DetailedMetricsEnabled: true",
        "pays for detailed metrics that nothing uses",
    ),
    // Alarms.
    main(
        "FunctionName: !Sub \"${AWS::StackName}-get_user\"",
        "FunctionName: !Sub \"${AWS::StackName}-read_user\"",
        "read_user: no alarm on Errors",
    ),
    alarms(
        "mail_events, notifications, object_expiries, order_projections, outbox]",
        "mail_events, object_expiries, order_projections, outbox]",
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
        "functions use it (old: PostUserFunction",
    )
    .by("Issuer"),
    main(
        "  CargoXtaskStamp:\n    Type: String\n",
        "  CargoXtaskStamp:\n    Type: String\n    Default: 'no'\n",
        "CargoXtaskStamp has a default: an unstamped template could be deployed",
    ),
    // Deployments.
    main(
        "Hooks: {PreTraffic: !If [GuardsDeployments, !GetAtt Deployments.Outputs.Hook, !Ref AWS::NoValue]}",
        "Enabled: true",
        "a new version gets requests before the hook tests it",
    ),
    main(
        "!If [GuardsDeployments, !GetAtt Deployments.Outputs.Hook, !Ref AWS::NoValue]",
        "!GetAtt Deployments.Outputs.Hook",
        "no parameter disables the hook",
    ),
    main(
        "[!If [GuardsDeployments, !Sub \"${AWS::StackName}-get_user-5xx\", !Sub \"${AWS::StackName}-unguarded\"]]",
        "[!Sub \"${AWS::StackName}-get_user-5xx\"]",
        "GetUserFunctionDeploymentGroup: no parameter disables its alarm",
    ),
    main(
        "${AWS::StackName}-get_user-5xx",
        "${AWS::StackName}-api-5xx",
        "GetUserFunctionDeploymentGroup: api-5xx is not specific to this function",
    ),
    main(
        "${AWS::StackName}-emails-failing",
        "${AWS::StackName}-outbox-failing",
        "SendEmailFunctionDeploymentGroup: outbox-failing is not specific to this function",
    ),
    main(
        "      Type: AllAtOnce\n",
        "      Type: Canary10Percent5Minutes\n",
        "ExpireSagasFunctionAliaslive: has too few invocations for a gradual deployment",
    ),
    main(
        "    AutoPublishAlias: live\n    # A new",
        "    AutoPublishAlias: current\n    # A new",
        "functions are deployed at once",
    ),
    main(
        "FunctionArn: !Ref AuthorizerFunction.Alias",
        "FunctionArn: !GetAtt AuthorizerFunction.Arn",
        "invokes the newest version instead of the alias",
    ),
    alarms(
        "       get_user, post_session]",
        "       post_session]",
        "GetUserFunctionDeploymentGroup: get_user-5xx is not an alarm",
    ),
    hook("CodeDeployHook_${Service}", "${Service}-hook", "CodeDeploy may not invoke it"),
    hook("function:${Service}-*:*", "function:*", "is allowed lambda:InvokeFunction on"),
    // Schedules.
    main(
        "      EventInvokeConfig: {MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60}\n",
        "",
        "ExpireSagasFunction: failed runs are retried for hours",
    ),
    alarms(
        "          Threshold: 1\n          EvaluationPeriods: 5\n          DatapointsToAlarm: 2",
        "          Threshold: 3\n          EvaluationPeriods: 5\n          DatapointsToAlarm: 2",
        "ExpireSagasFunction: its errors never reach the alarm's threshold",
    ),
    // Names that must differ between two stacks of the same name.
    main(
        "!Sub [\"${AWS::StackName}-emails-${Creation}\", {Creation: !Select [0, !Split [\"-\", !Select [2, !Split [\"/\", !Ref AWS::StackId]]]]}]",
        "!Sub \"${AWS::StackName}-emails\"",
        "EmailsQueue: its name cannot be reused for a minute after deletion",
    ),
    main(
        "!Sub [\"/aws/lambda/${AWS::StackName}-${Creation}\", {Creation: !Select [0, !Split [\"-\", !Select [2, !Split [\"/\", !Ref AWS::StackId]]]]}]",
        "!Sub \"/aws/lambda/${AWS::StackName}\"",
        "LogGroup: its name is still in use for the next stack",
    ),
    main(
        "NotAction: [logs:CreateLogGroup, ",
        "NotAction: [",
        "PostUserFunction: may create log groups, which are never deleted",
    ),
    main(
        "Value: !Ref PartnerCredentialsSecret",
        "Value: !Ref SigningKeysSecret",
        "output PartnerCredentialsSecretArn: SigningKeysSecret is not filled by an operator",
    ),
    // The account.
    main("            - !GetAtt OrdersTable.Arn\n", "", "OrdersTable: AWS Backup does not copy it"),
    backup("-tables-${Creation}", "-tables", "Vault: its name is in use after deletion"),
    alarms(
        "MetricName: ConcurrentExecutions",
        "MetricName: Concurrency",
        "the account: no alarm on ConcurrentExecutions",
    ),
    alarms("[Read, Write]", "[Read]", "the account: no alarm on SELECT SUM(WriteThrottleEvents)"),
    // The edge in front of the API.
    main(
        "Assert: !Not [!Equals [!Ref TrustedHops, \"0\"]]",
        "Assert: !Not [!Equals [!Ref Edge, \"0\"]]",
        "Edge: can be deployed without TrustedHops",
    ),
    main(
        "RuleCondition: !Equals [!Ref DisableExecuteApiEndpoint,",
        "RuleCondition: !Equals [!Ref Edge,",
        "DisableExecuteApiEndpoint: can be deployed without DomainName",
    ),
    main(
        "RuleCondition: !Not [!Equals [!Ref BasePath,",
        "RuleCondition: !Not [!Equals [!Ref PublicUrl,",
        "BasePath: can be deployed without DomainName",
    ),
    main(
        "RuleCondition: !Not [!Equals [!Ref TrustedHops,",
        "RuleCondition: !Not [!Equals [!Ref TrustedHopsSecret,",
        "TrustedHops: can be deployed without TrustedHopsSecret",
    ),
    main(
        "      ApiMappingKey: !If [HasBasePath, !Ref BasePath, !Ref AWS::NoValue]\n",
        "",
        "DomainMapping: has no base path",
    ),
    main(
        "      DisableExecuteApiEndpoint: !If [HasOwnDomainAlone, true, false]\n",
        "",
        "Api: can be called without its domain",
    ),
    main(
        "      - HasOwnDomainAlone\n",
        "      - HasEdge\n",
        "output ApiUrl: is not the address of an API with its domain alone",
    ),
    main(
        "!If [HasBasePath, !Sub \"https://${DomainName}/${BasePath}\", !Sub \"https://${DomainName}\"]",
        "!Sub \"https://${DomainName}\"",
        "output ApiUrl: is not the address of an API with its domain alone",
    ),
    main(
        "OriginSecret: !Ref TrustedHopsSecret",
        "OriginSecret: !Ref Audience",
        "Distribution: the API cannot recognise its requests",
    ),
    edge("ErrorCode: 503, ErrorCachingMinTTL: 0", "ErrorCode: 503, ErrorCachingMinTTL: 10", "Distribution: caches errors"),
    edge("          - {ErrorCode: 404, ErrorCachingMinTTL: 0}\n", "", "Distribution: caches errors"),
    edge("Compress: false", "Compress: true", "Distribution: makes entity tags weak by compression"),
    edge("X-Origin-Verify", "X-Verify", "Distribution: the API cannot recognise its requests"),
    edge("Authorization, Origin]", "Origin]", "CachePolicy: shares responses that differ by Authorization"),
    edge("QueryStringBehavior: all", "QueryStringBehavior: none", "differ by the query"),
    edge("DefaultTTL: 0", "DefaultTTL: 60", "CachePolicy: caches responses without cache headers"),
    edge("ViewerProtocolPolicy: https-only", "ViewerProtocolPolicy: allow-all", "accepts tokens over plain HTTP"),
];
