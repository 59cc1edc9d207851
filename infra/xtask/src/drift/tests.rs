//! Tests with the project's template, and with copies that have one mistake each.

use std::collections::BTreeMap;

use sam_template::Template;
use tooling::{descriptions, workspace};

use super::between;

#[test]
fn the_template_matches_the_binaries_and_each_mistake_is_found() {
    let path = workspace().join("template.yaml");
    let source = fs_err::read_to_string(&path).unwrap();
    let template = Template::read(&path, &BTreeMap::new()).unwrap();
    let descriptions = descriptions::of(workspace(), &template.binaries()).unwrap();
    assert_eq!(between(&template, &descriptions), Vec::<String>::new());

    for (right, wrong, found) in MISTAKES {
        assert!(source.contains(right), "the template no longer has {right}");
        let mistaken = source.replacen(right, wrong, 1);
        let template = Template::parse(&mistaken, &BTreeMap::new()).unwrap();
        let complaints = between(&template, &descriptions);
        let said = complaints.iter().any(|complaint| complaint.contains(found));
        assert!(said, "{right} → {wrong}: expected \"{found}\", found {complaints:?}");
    }
}

/// The correct text, the mistake, and a part of the expected message.
const MISTAKES: [(&str, &str, &str); 30] = [
    ("Path: \"/users/{userId}\", Auth", "Path: \"/user/{userId}\", Auth", "GetUserFunction: route"),
    ("Method: POST, Path: /orders", "Method: PUT, Path: /orders", "CreateOrderFunction: method"),
    (
        "        ApiHead: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: HEAD, Path: /products, Auth: {Authorizer: NONE}}}\n",
        "",
        "ListProductsFunction: has 0 routes for HEAD",
    ),
    (
        "Method: HEAD, Path: /healthcheck",
        "Method: HEAD, Path: /health",
        "GetHealthFunction: route /health",
    ),
    (
        "Path: /orders, Auth: {Authorizer: TokenAuthorizer}",
        "Path: /orders, Auth: {Authorizer: NONE}",
        "CreateOrderFunction: has no authorizer",
    ),
    (
        "Path: /users, Auth: {Authorizer: NONE}",
        "Path: /users, Auth: {Authorizer: TokenAuthorizer}",
        "PostUserFunction: has authorizer",
    ),
    (
        "Action: [dynamodb:PutItem], Resource: !GetAtt OrdersTable.Arn",
        "Action: [dynamodb:GetItem], Resource: !GetAtt OrdersTable.Arn",
        "CreateOrderFunction: policy: dynamodb:PutItem on OrdersTable is missing",
    ),
    (
        "Action: [dynamodb:PutItem], Resource: !GetAtt OrdersTable.Arn",
        "Action: [dynamodb:PutItem, dynamodb:Scan], Resource: !GetAtt OrdersTable.Arn",
        "CreateOrderFunction: policy: dynamodb:Scan on OrdersTable is not used",
    ),
    (
        "Action: [dynamodb:PutItem], Resource: !GetAtt OrdersTable.Arn",
        "Action: [dynamodb:PutItem], Resource: !GetAtt SettingsTable.Arn",
        "CreateOrderFunction: policy: dynamodb:PutItem on OrdersTable is missing",
    ),
    (
        "${OrdersTable.Arn}/index/by_creation",
        "${OrdersTable.Arn}/index/by_deadline",
        "ListOrdersFunction: policy: dynamodb:Query on OrdersTable/index/by_creation is missing",
    ),
    (
        "${OrdersTable.Arn}/index/by_creation",
        "${OrdersTable.Arn}/index/*",
        "ListOrdersFunction: policy: dynamodb:Query on OrdersTable/index/* is not used",
    ),
    (
        "!Sub \"${OrdersTable.Arn}/index/by_creation\"",
        "!GetAtt OrdersTable.Arn",
        "ListOrdersFunction: policy: dynamodb:Query on OrdersTable is not used",
    ),
    (
        "IndexName: by_creation",
        "IndexName: by_birth",
        "ListProductsFunction: index: ProductsTable has no by_creation",
    ),
    (
        "{AttributeName: by_creation_sk, KeyType: RANGE}",
        "{AttributeName: pk, KeyType: RANGE}",
        "ListProductsFunction: index: ProductsTable has no by_creation",
    ),
    (
        "ORDERS_TABLE: !Ref OrdersTable",
        "ORDERS_TABLE: !Ref OutboxTable",
        "CreateOrderFunction: environment: ORDERS_TABLE is OutboxTable",
    ),
    (
        "          ORDERS_TABLE: !Ref OrdersTable\n",
        "",
        "CreateOrderFunction: environment: ORDERS_TABLE is missing",
    ),
    (
        "          PARTNER_URL: !Ref PartnerUrl\n",
        "",
        "ListPartnerProductsFunction: environment: PARTNER_URL is missing",
    ),
    (
        "          PARTNER_URL: !Ref PartnerUrl\n",
        "          PARTNER_URL: !Ref PartnerUrl\n          BANK_URL: !Ref PartnerUrl\n",
        "ListPartnerProductsFunction: environment: BANK_URL is not used",
    ),
    (
        "          PUBLIC_URL: !Ref PublicUrl\n",
        "",
        "PostShareLinkFunction: environment: PUBLIC_URL is missing",
    ),
    (
        "      FunctionResponseTypes: [ReportBatchItemFailures]\n      ScalingConfig",
        "      ScalingConfig",
        "SendEmailFunction: batch setting",
    ),
    (
        "RedrivePolicy: {deadLetterTargetArn: !GetAtt EmailsDeadLetterQueue.Arn, maxReceiveCount: 11}",
        "DelaySeconds: 0",
        "EmailsQueue: no dead-letter queue",
    ),
    (
        "maxReceiveCount: 11}",
        "maxReceiveCount: 5}",
        "SendEmailFunction: EmailsQueue has maxReceiveCount 5, but its retry back-off needs 11",
    ),
    (
        ", sqs:ChangeMessageVisibility], Resource: !GetAtt EmailsQueue.Arn",
        "], Resource: !GetAtt EmailsQueue.Arn",
        "SendEmailFunction: policy: sqs:ChangeMessageVisibility on EmailsQueue is missing",
    ),
    (
        "          EMAILS_QUEUE_URL: !Ref EmailsQueue\n          EMAILS_DEAD_LETTER",
        "          EMAILS_DEAD_LETTER",
        "SendEmailFunction: environment: EMAILS_QUEUE_URL is missing",
    ),
    (
        "${AWS::AccountId}:identity/*",
        "${AWS::AccountId}:identity/${MailFrom}",
        "SendEmailFunction: policy: ses:SendEmail on arn:aws:ses:eu-west-1:000000000000:identity/* is missing",
    ),
    (
        "                - !Sub \"arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:configuration-set/*\"\n",
        "",
        "SendEmailFunction: policy: ses:SendEmail on arn:aws:ses:eu-west-1:000000000000:configuration-set/* is missing",
    ),
    (
        "          MAIL_CONFIGURATION_SET: !Ref MailConfigurationSet\n",
        "",
        "SendEmailFunction: environment: MAIL_CONFIGURATION_SET is missing",
    ),
    ("VisibilityTimeout: 120", "VisibilityTimeout: 60", "is too short: 60 s, at least 120 s"),
    (
        "SecretId: !Ref SigningKeysSecret",
        "SecretId: !Ref CursorKeySecret",
        "RotateKeysFunction: rotates CursorKeySecret, but is made for SigningKeysSecret",
    ),
    (
        ", secretsmanager:UpdateSecretVersionStage]",
        "]",
        "RotateKeysFunction: policy: secretsmanager:UpdateSecretVersionStage on SigningKeysSecret is missing",
    ),
];
