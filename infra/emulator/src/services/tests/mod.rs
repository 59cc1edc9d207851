mod activity;
mod fifo;
mod given_names;
mod kept;
mod mail;
mod meter;
mod next_fault;
mod queues;
mod redrive;
mod rotations;
mod tables;

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use aws_smithy_http_client::Builder as HttpClientBuilder;
use sam_template::Template;
use serde_json::{Value, json};

use super::*;

/// A template with one resource of each kind and two functions, one of them without permissions.
pub(super) fn template() -> Template {
    Template::parse(include_str!("template.yaml"), &BTreeMap::new()).unwrap()
}

/// The AWS SDK's clients, signing as a function's process or with an unknown key.
struct Clients {
    tables: aws_sdk_dynamodb::Client,
    queues: aws_sdk_sqs::Client,
    secrets: aws_sdk_secretsmanager::Client,
    mail: aws_sdk_sesv2::Client,
}

macro_rules! client {
    ($sdk:ident, $stores:expr, $key:expr) => {
        $sdk::Client::from_conf(
            $sdk::Config::builder()
                .behavior_version($sdk::config::BehaviorVersion::latest())
                .region($sdk::config::Region::new(sam_template::REGION))
                .endpoint_url($stores.endpoint())
                .http_client(HttpClientBuilder::new().build_http())
                .retry_config($sdk::config::retry::RetryConfig::disabled())
                .credentials_provider($sdk::config::Credentials::new(
                    $key,
                    "secret",
                    Some("environment-1".to_owned()),
                    None,
                    "test",
                ))
                .build(),
        )
    };
}

impl Clients {
    fn of(stores: &Stores, function: &str) -> Self {
        Self::with_key(stores, &access_key(function))
    }

    fn with_key(stores: &Stores, key: &str) -> Self {
        Self {
            tables: client!(aws_sdk_dynamodb, stores, key),
            queues: client!(aws_sdk_sqs, stores, key),
            secrets: client!(aws_sdk_secretsmanager, stores, key),
            mail: client!(aws_sdk_sesv2, stores, key),
        }
    }
}

#[derive(Default)]
struct Recorder {
    notes: Mutex<Vec<String>>,
    killed: Mutex<Vec<String>>,
}

impl Environments for Recorder {
    fn note(&self, environment: &str, what: &str) {
        self.notes.lock().unwrap().push(format!("{environment}: {what}"));
    }

    fn kill(&self, environment: &str) {
        self.killed.lock().unwrap().push(environment.to_owned());
    }
}

async fn stores() -> Stores {
    Stores::start(&template(), None).await.unwrap()
}

/// Moves the clock by this many seconds, as `PUT /clock` does.
async fn pass(stores: &Stores, seconds: u32) {
    stores.clock().set_offset(stores.clock().offset_s() + seconds).unwrap();
    stores.follow_clock().await;
}

fn faults(stores: &Stores, faults: serde_json::Value) {
    stores.faults().set(serde_json::from_value(faults).unwrap());
}

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

async fn put_user(clients: &Clients, id: &str) -> Result<(), aws_sdk_dynamodb::Error> {
    let put = clients.tables.put_item().table_name("local-UsersTable").item("pk", s(id));
    Ok(put.send().await.map(drop)?)
}

#[tokio::test]
async fn all_four_services_are_at_one_endpoint() {
    let stores = stores().await;
    let clients = Clients::of(&stores, "GetUserFunction");

    put_user(&clients, "user-1").await.unwrap();
    let query = clients.tables.query().table_name("local-OrdersTable").index_name("by-user");
    let query =
        query.key_condition_expression("userId = :u").expression_attribute_values(":u", s("u"));
    assert_eq!(query.send().await.unwrap().count, 0);

    let url = &stores.names().queue("EmailsQueue").unwrap().url;
    let sent = clients.queues.send_message().queue_url(url).message_body("hello").send().await;
    assert!(sent.unwrap().message_id.is_some());

    stores.put_secret("SigningKeysSecret", "keys").await.unwrap();
    let arn = &stores.names().secret("SigningKeysSecret").unwrap().arn;
    let secret = clients.secrets.get_secret_value().secret_id(arn).send().await.unwrap();
    assert_eq!(secret.secret_string.as_deref(), Some("keys"));

    let text = |text: &str| Content::builder().data(text).build().unwrap();
    let message = Message::builder()
        .subject(text("Welcome"))
        .body(Body::builder().text(text("Hello!")).build())
        .build();
    let mail = clients.mail.send_email().from_email_address("shop@example.com");
    let mail = mail.destination(Destination::builder().to_addresses("a@example.com").build());
    mail.content(EmailContent::builder().simple(message).build()).send().await.unwrap();
    let mails = stores.mailbox().mails(Some("a@example.com"));
    assert_eq!(mails.len(), 1);
    assert_eq!((mails[0].subject.as_str(), mails[0].text.as_deref()), ("Welcome", Some("Hello!")));
}

#[tokio::test]
async fn a_function_may_only_do_what_its_policy_allows() {
    let stores = stores().await;
    let clients = Clients::of(&stores, "IdleFunction");

    let error = put_user(&clients, "user-1").await.unwrap_err();
    let text = format!("{error:?}");
    assert!(text.contains("AccessDeniedException"), "{text}");
    assert!(text.contains("is not authorized to perform: dynamodb:PutItem"), "{text}");

    let url = &stores.names().queue("EmailsQueue").unwrap().url;
    let refused = clients.queues.send_message().queue_url(url).message_body("hello").send().await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 403);

    put_user(&Clients::with_key(&stores, "operator"), "user-1").await.unwrap();
}

#[tokio::test]
async fn permission_for_an_index_is_none_for_its_table() {
    let stores = stores().await;
    let clients = Clients::of(&stores, "GetUserFunction");

    let query = clients.tables.query().table_name("local-OrdersTable");
    let query =
        query.key_condition_expression("pk = :p").expression_attribute_values(":p", s("order-1"));
    let denied = format!("{:?}", query.send().await.unwrap_err());

    assert!(denied.contains("perform: dynamodb:Query on resource"), "{denied}");
}

#[tokio::test]
async fn calls_are_recorded_with_their_environment() {
    let stores = stores().await;
    let recorder = Arc::new(Recorder::default());
    let environments: Arc<dyn Environments> = recorder.clone();
    stores.attach(Arc::downgrade(&environments));

    put_user(&Clients::of(&stores, "GetUserFunction"), "user-1").await.unwrap();

    let expected = [
        "environment-1: dynamodb PutItem UsersTable called",
        "environment-1: dynamodb PutItem UsersTable answered 200",
    ];
    assert_eq!(*recorder.notes.lock().unwrap(), expected);
    let (kind, count) = stores.calls().remove(0);
    assert_eq!((kind.function.as_str(), kind.resource.as_str()), ("GetUserFunction", "UsersTable"));
    assert_eq!(count, 1);
}

#[tokio::test]
async fn injected_faults_have_the_services_error_codes() {
    let stores = stores().await;
    let clients = Clients::of(&stores, "GetUserFunction");

    faults(&stores, json!({"tables": {"*": {"throttle": 1}}, "queues": {"*": {"throttle": 1}}}));
    let error = put_user(&clients, "user-1").await.unwrap_err();
    assert!(matches!(error, aws_sdk_dynamodb::Error::ThrottlingException(_)), "{error:?}");
    let url = &stores.names().queue("EmailsQueue").unwrap().url;
    let error = clients.queues.send_message().queue_url(url).message_body("x").send().await;
    let error = error.unwrap_err().into_service_error();
    assert!(error.is_request_throttled(), "{error:?}");

    faults(&stores, json!({"tables": {"UsersTable": {"conflict": 1}}}));
    let put = Put::builder().table_name("local-UsersTable").item("pk", s("user-1")).build();
    let write = TransactWriteItem::builder().put(put.unwrap()).build();
    let error = clients.tables.transact_write_items().transact_items(write).send().await;
    let error = error.unwrap_err().into_service_error();
    let aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(cancelled) = error
    else {
        panic!("{error:?}");
    };
    assert_eq!(cancelled.cancellation_reasons()[0].code(), Some("TransactionConflict"));

    faults(&stores, json!({"tables": {"UsersTable": {"fail": 1}}}));
    let error = put_user(&clients, "user-1").await.unwrap_err();
    assert!(matches!(error, aws_sdk_dynamodb::Error::InternalServerError(_)), "{error:?}");

    faults(&stores, json!({"tables": {"UsersTable": {"delayMs": 200}}}));
    let before = Instant::now();
    put_user(&clients, "user-1").await.unwrap();
    assert!(before.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn a_process_killed_before_commit_writes_nothing_after_it_all() {
    let stores = stores().await;
    let recorder = Arc::new(Recorder::default());
    let environments: Arc<dyn Environments> = recorder.clone();
    stores.attach(Arc::downgrade(&environments));
    let clients = Clients::of(&stores, "GetUserFunction");

    for (moment, written) in [("beforeCommit", 0), ("afterCommit", 1)] {
        faults(&stores, json!({"kill": {"GetUserFunction": {moment: 1}}}));
        put_user(&clients, "user-1").await.unwrap_err();
        assert_eq!(stores.scan("UsersTable").unwrap().0.len(), written, "{moment}");
    }
    assert_eq!(*recorder.killed.lock().unwrap(), ["environment-1", "environment-1"]);
}

#[tokio::test]
async fn a_write_is_dropped_from_a_transaction_by_any_key_of_its_table() {
    const KEY: &str = "AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]";
    // `name` is reserved in expressions.
    let source = include_str!("template.yaml").replace(KEY, &KEY.replace("pk", "name"));
    let template = Template::parse(&source, &BTreeMap::new()).unwrap();
    let stores = Stores::start(&template, None).await.unwrap();
    faults(&stores, json!({"torn": ["UsersTable"]}));
    let put = |table: &str, key: &str| {
        let put = Put::builder().table_name(table).item(key, s("1")).build().unwrap();
        TransactWriteItem::builder().put(put).build()
    };
    let clients = Clients::of(&stores, "OrderFunction");
    let write = clients.tables.transact_write_items();
    let write = write.transact_items(put("local-UsersTable", "name"));

    write.transact_items(put("local-OrdersTable", "pk")).send().await.unwrap();

    let count = |table: &str| stores.scan(table).unwrap().0.len();
    assert_eq!((count("UsersTable"), count("OrdersTable")), (0, 1));
}

#[tokio::test]
async fn tables_in_a_directory_are_kept_after_the_stores_end() {
    let directory = std::env::temp_dir().join(format!("local-stores-{}", uuid::Uuid::new_v4()));
    for expected in [1, 2] {
        let stores = Stores::start(&template(), Some(&directory)).await.unwrap();
        stores.put_item("UsersTable", &json!({"pk": {"S": format!("user-{expected}")}})).unwrap();
        assert_eq!(stores.scan("UsersTable").unwrap().0.len(), expected);
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&directory), 0o700);
        for file in std::fs::read_dir(&directory).unwrap() {
            let file = file.unwrap().path();
            assert_eq!(mode(&file), 0o600, "{}", file.display());
            // An earlier version created the file with these permissions.
            std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        }
        std::fs::set_permissions(&directory, Permissions::from_mode(0o755)).unwrap();
    }
    std::fs::remove_dir_all(directory).unwrap();
}

#[tokio::test]
async fn secrets_in_a_directory_are_kept_after_the_stores_end() {
    let directory = std::env::temp_dir().join(format!("local-stores-{}", uuid::Uuid::new_v4()));
    let stores = Stores::start(&template(), Some(&directory)).await.unwrap();
    assert!(!stores.is_secret_kept("SigningKeysSecret"));
    stores.put_secret("SigningKeysSecret", "first").await.unwrap();
    stores.put_secret("SigningKeysSecret", "second").await.unwrap();
    drop(stores);

    let stores = Stores::start(&template(), Some(&directory)).await.unwrap();
    assert!(stores.is_secret_kept("SigningKeysSecret"));
    let clients = Clients::of(&stores, "GetUserFunction");
    let get = clients.secrets.get_secret_value().secret_id("local-SigningKeysSecret");
    assert_eq!(get.send().await.unwrap().secret_string(), Some("second"));
    std::fs::remove_dir_all(directory).unwrap();
}

#[tokio::test]
async fn a_directory_in_use_or_with_another_table_is_an_error() {
    let directory = std::env::temp_dir().join(format!("local-stores-{}", uuid::Uuid::new_v4()));
    let stores = Stores::start(&template(), Some(&directory)).await.unwrap();
    let error = Stores::start(&template(), Some(&directory)).await.err().unwrap().to_string();
    assert!(error.starts_with("another platform keeps its tables in /"), "{error}");
    drop(stores);

    let users = "  UsersTable:\n    Type: AWS::DynamoDB::Table\n    Properties:\n      \
                 BillingMode: PAY_PER_REQUEST\n";
    let streamed = format!("{users}      StreamSpecification: {{StreamViewType: NEW_IMAGE}}\n");
    let source = include_str!("template.yaml").replace(users, &streamed);
    let changed = Template::parse(&source, &BTreeMap::new()).unwrap();
    let error = Stores::start(&changed, Some(&directory)).await.err().unwrap().to_string();
    assert!(error.starts_with("the table UsersTable was kept with a stream other than"), "{error}");
    std::fs::remove_dir_all(directory).unwrap();
}

#[tokio::test]
async fn a_table_that_dynamodb_refuses_is_an_error_with_its_name() {
    let source = "Resources:
  NotesTable:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions:
        - {AttributeName: pk, AttributeType: S}
        - {AttributeName: unused, AttributeType: S}
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
";
    let template = Template::parse(source, &BTreeMap::new()).unwrap();
    let error = Stores::start(&template, None).await.err().unwrap().to_string();
    assert!(error.starts_with("the table NotesTable cannot be set up: "), "{error}");
}

#[tokio::test]
async fn an_unsigned_call_or_one_from_a_page_is_403_without_effect() {
    const SIGNED: (&str, &str) = ("authorization", "AWS4-HMAC-SHA256 Credential=OPERATOR/x, S=0");
    let stores = stores().await;
    let mail = json!({
        "FromEmailAddress": "store@example.com",
        "Destination": {"ToAddresses": ["ada@example.com"]},
        "Content": {"Simple": {"Subject": {"Data": "Hello"}, "Body": {}}},
    });
    let secret = json!({"SecretId": "local-SigningKeySecret"});
    let call = async |path: &str, target: &str, headers: &[(&str, &str)], body: &Value| {
        let request = reqwest::Client::new().post(format!("{}{path}", stores.endpoint()));
        let request = request.header("x-amz-target", target).body(body.to_string());
        let request = headers.iter().fold(request, |it, (name, value)| it.header(*name, *value));
        request.send().await.unwrap().status().as_u16()
    };
    let send = "/v2/email/outbound-emails";
    for headers in [
        &[][..],
        &[("authorization", "Bearer x")],
        &[SIGNED, SIGNED],
        &[SIGNED, ("host", "attacker.example")],
        &[SIGNED, ("origin", "https://attacker.example")],
        &[SIGNED, ("sec-fetch-site", "cross-site")],
    ] {
        assert_eq!(call(send, "", headers, &mail).await, 403, "{headers:?}");
        let target = "secretsmanager.GetSecretValue";
        assert_eq!(call("/", target, headers, &secret).await, 403, "{headers:?}");
        let target = "DynamoDB_20120810.ListTables";
        assert_eq!(call("/", target, headers, &json!({})).await, 403, "{headers:?}");
        let target = "AmazonSQS.ListQueues";
        assert_eq!(call("/", target, headers, &json!({})).await, 403, "{headers:?}");
    }
    assert!(stores.mailbox().mails(None).is_empty());
    // Containers call by this machine's address in their network.
    assert_eq!(call(send, "", &[SIGNED, ("host", "172.17.0.1:4000")], &mail).await, 200);
    assert_eq!(stores.mailbox().mails(None).len(), 1);
}
