//! Resources with the names that the template gives them, as code with these names calls them.

use super::*;

const TEMPLATE: &str = "
Resources:
  Work:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: worker
      Runtime: provided.al2023
      Policies:
        - Statement:
            - {Effect: Allow, Action: dynamodb:PutItem, Resource: !Sub 'arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/orders'}
            - {Effect: Allow, Action: ['sqs:GetQueueUrl', 'sqs:SendMessage'], Resource: 'arn:aws:sqs:*:*:jobs.fifo'}
            - {Effect: Allow, Action: secretsmanager:GetSecretValue, Resource: !Ref Key}
  Orders:
    Type: AWS::Serverless::SimpleTable
    Properties: {TableName: orders}
  Others:
    Type: AWS::Serverless::SimpleTable
    Properties: {TableName: others}
  Jobs:
    Type: AWS::SQS::Queue
    Properties:
      FifoQueue: true
      QueueName: jobs.fifo
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Failed.Arn, maxReceiveCount: 1}
  Failed:
    Type: AWS::SQS::Queue
    Properties: {FifoQueue: true, QueueName: failed.fifo}
  Key:
    Type: AWS::SecretsManager::Secret
    Properties: {Name: shop/key, SecretString: s3cr3t}
";

#[tokio::test]
async fn resources_are_called_by_the_names_that_the_template_gives() {
    let template = Template::parse(TEMPLATE, &BTreeMap::new()).unwrap();
    let stores = Stores::start(&template, None).await.unwrap();
    let clients = Clients::of(&stores, "Work");
    let put = |table: &str| clients.tables.put_item().table_name(table).item("id", s("a")).send();
    put("orders").await.unwrap();
    assert_eq!(stores.scan("Orders").unwrap().0.len(), 1);
    let denied = format!("{:?}", put("others").await.unwrap_err());
    assert!(denied.contains("AccessDeniedException"), "{denied}");

    let url = clients.queues.get_queue_url().queue_name("jobs.fifo").send().await.unwrap();
    let url = url.queue_url().unwrap();
    assert_eq!(url, stores.names().queue("Jobs").unwrap().url);
    let send = clients.queues.send_message().queue_url(url).message_body("{}");
    send.message_group_id("a").message_deduplication_id("1").send().await.unwrap();
    let operator = Clients::with_key(&stores, "operator").queues;
    let receive =
        |url: &str| operator.receive_message().queue_url(url).visibility_timeout(0).send();
    for _ in 0..2 {
        receive(url).await.unwrap();
    }
    let failed = &stores.names().queue("Failed").unwrap().url;
    assert!(failed.ends_with("/failed.fifo"), "{failed}");
    assert_eq!(receive(failed).await.unwrap().messages().len(), 1);

    let secret = clients.secrets.get_secret_value().secret_id("shop/key").send().await.unwrap();
    assert_eq!(secret.secret_string(), Some("s3cr3t"));
    stores.put_secret("Key", "0ther").await.unwrap();
    let secret = clients.secrets.get_secret_value().secret_id("shop/key").send().await.unwrap();
    assert_eq!(secret.secret_string(), Some("0ther"));
}
