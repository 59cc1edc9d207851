//! Connections, retries and faults, against stub servers.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use lifecycle::effects::Mail;
use lifecycle::idempotency::IDEMPOTENCY_KEYS;
use lifecycle::ports::{Adapter, Mailer, Store, Telemetry};
use lifecycle::record::{Key, TableName};
use lifecycle::resource::{Action, Resource};
use lifecycle::testing::permit;
use lifecycle::{Anyone, Moment, ServiceError, Timestamp, Upstream};
use tokio::net::TcpListener;

use super::reads::Limits;
use super::stores::{EMAILS, PRODUCTS, connect, environment, slow_stub, stub};
use crate::{Aws, KEYS_MAX};

const EVERYTHING: [Resource; 3] =
    [Resource::Table(PRODUCTS, &[]), Resource::Queue(EMAILS), Resource::Mail];

fn connected_to(url: &str) -> Aws {
    let mut environment: HashMap<_, _> = environment();
    for name in [
        "PRODUCTS_TABLE",
        "EMAILS_QUEUE_URL",
        "MAIL_FROM",
        "MAIL_CONFIGURATION_SET",
        "AWS_ENDPOINT_URL",
    ] {
        environment.insert(name, url.to_owned());
    }
    connect(&EVERYTHING, environment)
}

#[tokio::test]
async fn a_connection_opened_during_init_serves_the_first_request() {
    let (url, counts) = stub(200, "{}").await;
    let mut environment = environment();
    environment.extend([("PRODUCTS_TABLE", "p".to_owned()), ("AWS_ENDPOINT_URL", url)]);
    let aws = connect(&EVERYTHING[..1], environment);
    aws.warm().await;
    assert_eq!(counts.connections.load(SeqCst), 1);
    assert_eq!(aws.read(PRODUCTS, &Key::new("a")).await.unwrap(), None);
    assert_eq!((counts.connections.load(SeqCst), counts.requests.load(SeqCst)), (1, 2));
}

#[tokio::test]
async fn a_client_of_the_sdk_configuration_has_its_services_address_and_shares_connections() {
    let (url, counts) = stub(200, "{}").await;
    let mut environment = environment();
    environment.extend([
        ("PRODUCTS_TABLE", "p".to_owned()),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9".to_owned()),
        ("AWS_ENDPOINT_URL_DYNAMODB", url),
    ]);
    let aws = connect(&EVERYTHING[..1], environment);
    assert_eq!(aws.read(PRODUCTS, &Key::new("a")).await.unwrap(), None);
    let client = aws_sdk_dynamodb::Client::new(&aws.sdk_config());
    client.list_tables().send().await.unwrap();
    assert!(aws.retry_partition().is_none(), "outside of simulations the SDK's quota applies");
    assert_eq!((counts.connections.load(SeqCst), counts.requests.load(SeqCst)), (1, 2));
}

#[test]
fn a_declared_variable_is_returned() {
    let uses = [Resource::Variable { name: "UPLOADS_BUCKET", refers_to: "UploadsBucket" }];
    let mut environment = environment();
    environment.insert("UPLOADS_BUCKET", "stack-uploads".to_owned());
    assert_eq!(connect(&uses, environment).variable("UPLOADS_BUCKET"), "stack-uploads");
}

#[tokio::test]
async fn init_opens_one_connection_for_each_concurrent_read() {
    const USERS: TableName = TableName::new("users");
    let (url, counts) = stub(200, "{}").await;
    let mut environment = environment();
    environment.extend([("AWS_ENDPOINT_URL", url), ("LEDGER_TABLE", "l".to_owned())]);
    environment.extend([("PRODUCTS_TABLE", "p".to_owned()), ("USERS_TABLE", "u".to_owned())]);
    let uses = [
        Resource::Table(PRODUCTS, &[Action::Query]),
        Resource::Table(USERS, &[Action::GetItem, Action::PutItem]),
        Resource::Table(IDEMPOTENCY_KEYS, &[Action::GetItem]),
    ];
    let aws = connect(&uses, environment);
    aws.warm().await;
    assert_eq!(counts.connections.load(SeqCst), 2);
    let (product, user) = (Key::new("p"), Key::new("u"));
    let (product, user) = tokio::join!(aws.read(PRODUCTS, &product), aws.read(USERS, &user));
    assert!(product.is_ok() && user.is_ok());
    assert_eq!((counts.connections.load(SeqCst), counts.requests.load(SeqCst)), (2, 4));
}

#[tokio::test]
async fn batch_reads_and_settings_need_one_connection() {
    const USERS: TableName = TableName::new("users");
    let (url, counts) = stub(200, "{}").await;
    let mut environment = environment();
    environment.extend([("AWS_ENDPOINT_URL", url), ("SETTINGS_TABLE", "s".to_owned())]);
    environment.extend([("PRODUCTS_TABLE", "p".to_owned()), ("USERS_TABLE", "u".to_owned())]);
    let uses = [
        Resource::Table(PRODUCTS, &[Action::BatchGetItem]),
        Resource::Table(USERS, &[Action::BatchGetItem, Action::PutItem]),
        Resource::Table(TableName::new("settings"), &[Action::GetItem]),
    ];
    let aws = connect(&uses, environment);
    let settings = Arc::new(aws.clone());
    aws.prepare_read(TableName::new("settings"), &settings, |settings| async move {
        settings.read(TableName::new("settings"), &Key::new("rules")).await.unwrap();
    });
    aws.warm().await;
    assert_eq!((counts.connections.load(SeqCst), counts.requests.load(SeqCst)), (1, 1));
    aws.read(PRODUCTS, &Key::new("p")).await.unwrap();
    assert_eq!((counts.connections.load(SeqCst), counts.requests.load(SeqCst)), (1, 2));
}

#[tokio::test]
async fn many_records_are_read_by_four_calls_at_a_time() {
    let (url, counts) = slow_stub(Duration::from_millis(200), 200, "{}").await;
    let permit = permit(Anyone, Moment::new(Timestamp::from_millis(0), [0; 32]));
    let keys: Vec<Key> = (0..5 * KEYS_MAX).map(Key::new).collect();
    let table = connected_to(&url).table::<Limits>();
    assert_eq!(table.get_many_readable(&permit, &keys).await.unwrap(), []);
    assert_eq!((counts.connections.load(SeqCst), counts.requests.load(SeqCst)), (4, 5));
}

#[tokio::test]
async fn a_secret_is_fetched_while_the_function_starts() {
    let (url, counts) = stub(200, r#"{"SecretString":"hello"}"#).await;
    let mut environment = environment();
    environment.extend([("GREETING_SECRET_ID", "g".to_owned()), ("AWS_ENDPOINT_URL", url)]);
    let aws = connect(&[Resource::Secret("greeting")], environment);
    let secret = aws.secret("greeting", |text| Ok(text.len()));
    aws.warm().await;
    assert_eq!(counts.requests.load(SeqCst), 1);
    assert_eq!(*secret.read().await.unwrap(), 5);
    assert_eq!(counts.requests.load(SeqCst), 1);
}

#[tokio::test]
async fn a_function_that_is_built_and_never_starts_is_freed() {
    const PARTNER: Upstream = Upstream::new("partner");
    let mut environment = environment();
    environment
        .extend([("GREETING_SECRET_ID", "g".to_owned()), ("PRODUCTS_TABLE", "p".to_owned())]);
    environment.insert("PARTNER_URL", "https://partner.example".to_owned());
    let uses = [
        Resource::Secret("greeting"),
        Resource::Table(PRODUCTS, &[Action::GetItem]),
        Resource::Upstream(PARTNER),
    ];
    let aws = connect(&uses, environment);
    let secret = aws.secret("greeting", |text| Ok(text.len()));
    let built = (secret, aws.setting::<Limits>(), aws.upstream(PARTNER));
    let is_freed = aws.is_freed();
    drop((aws, built));
    assert!(is_freed());
}

#[tokio::test]
async fn a_refused_connection_does_not_fail_the_start() {
    let aws = connected_to(&nowhere().await);
    aws.warm().await;
}

#[tokio::test]
async fn a_throttle_is_tried_three_times_and_then_unavailable() {
    let throttled = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException"}"#;
    let (url, counts) = stub(400, throttled).await;
    let read = connected_to(&url).read(PRODUCTS, &Key::new("a")).await;
    assert!(matches!(read, Err(ServiceError::Unavailable { retry_after_s: 1, .. })), "{read:?}");
    assert_eq!(counts.requests.load(SeqCst), 3);
}

#[tokio::test]
async fn a_missing_permission_is_tried_once_and_is_internal() {
    let denied = r#"{"__type":"com.amazonaws.dynamodb.v20120810#AccessDeniedException"}"#;
    let (url, counts) = stub(400, denied).await;
    let read = connected_to(&url).read(PRODUCTS, &Key::new("a")).await;
    assert!(matches!(read, Err(ServiceError::Internal(_))), "{read:?}");
    assert_eq!(counts.requests.load(SeqCst), 1);
}

#[tokio::test]
async fn a_store_that_refuses_connections_is_unavailable() {
    let read = connected_to(&nowhere().await).read(PRODUCTS, &Key::new("a")).await;
    assert!(matches!(read, Err(ServiceError::Unavailable { .. })), "{read:?}");
}

#[tokio::test]
async fn a_mail_is_sent_by_one_request() {
    let (url, counts) = stub(200, r#"{"MessageId":"1"}"#).await;
    connected_to(&url).mail(&mail()).await.unwrap();
    assert_eq!(counts.requests.load(SeqCst), 1);
}

#[tokio::test]
async fn a_connection_opened_during_init_serves_the_first_mail() {
    let (url, counts) = stub(200, r#"{"MessageId":"1"}"#).await;
    let mut environment = environment();
    for name in ["MAIL_FROM", "MAIL_CONFIGURATION_SET", "AWS_ENDPOINT_URL"] {
        environment.insert(name, url.clone());
    }
    let aws = connect(&[Resource::Mail], environment);
    aws.warm().await;
    aws.mail(&mail()).await.unwrap();
    assert_eq!((counts.connections.load(SeqCst), counts.requests.load(SeqCst)), (1, 2));
}

#[tokio::test]
async fn a_slow_mail_service_gets_one_long_attempt() {
    // Longer than an attempt at a table may take.
    let delay = Duration::from_millis(2_500);
    let (url, counts) = slow_stub(delay, 200, r#"{"MessageId":"1"}"#).await;
    connected_to(&url).mail(&mail()).await.unwrap();
    assert_eq!(counts.requests.load(SeqCst), 1);
}

#[tokio::test]
async fn a_failing_mail_service_gets_one_attempt_and_is_unavailable() {
    for (status, body) in [(500, "{}"), (429, r#"{"__type":"TooManyRequestsException"}"#)] {
        let (url, counts) = stub(status, body).await;
        let sent = connected_to(&url).mail(&mail()).await;
        assert!(matches!(sent, Err(ServiceError::Unavailable { .. })), "{status}: {sent:?}");
        assert_eq!(counts.requests.load(SeqCst), 1, "{status}");
    }
}

#[tokio::test]
async fn the_error_of_a_refused_mail_has_no_address() {
    let body = r#"{"__type":"MessageRejected","message":"Email address is not verified. The following identities failed the check in region EU-WEST-1: ada@example.com"}"#;
    let (url, _) = stub(400, body).await;
    let refused = connected_to(&url).mail(&mail()).await;
    assert!(matches!(refused, Err(ServiceError::Internal(_))), "{refused:?}");
    let logged = format!("{refused:?}");
    for part in ["SendEmail on mail failed", "MessageRejected", "EU-WEST-1: (address)"] {
        assert!(logged.contains(part), "{logged}");
    }
    assert!(!logged.contains('@'), "{logged}");
}

fn mail() -> Mail {
    Mail {
        id: "1".to_owned(),
        to: "ada@example.com".to_owned(),
        subject: "Hello".to_owned(),
        text: "Hello Ada".to_owned(),
    }
}

#[tokio::test]
async fn telemetry_that_a_collector_rejects_is_an_upstream_fault() {
    let (good, counts) = stub(200, "{}").await;
    let (bad, _) = stub(400, "{}").await;
    let aws = connected_to(&good);
    let headers = [("x-api-key".to_owned(), "key".to_owned())];
    aws.export(&format!("{good}/v1/traces"), &headers, b"{}".to_vec()).await.unwrap();
    assert_eq!(counts.requests.load(SeqCst), 1);
    let refused = aws.export(&format!("{bad}/v1/traces"), &headers, b"{}".to_vec()).await;
    assert!(matches!(refused, Err(ServiceError::Upstream(_))), "{refused:?}");
}

/// An address where no server listens.
async fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
