//! Stores in this process, and the environment that points to them.

use std::collections::HashMap;
use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
    KeyType::{self, Hash, Range},
    Projection, ProjectionType, ScalarAttributeType,
};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::TokioIo;
use lifecycle::effects::QueueName;
use lifecycle::record::TableName;
use lifecycle::resource::Resource;
use rustack_secretsmanager_core::config::SecretsManagerConfig;
use rustack_secretsmanager_core::handler::RustackSecretsManagerHandler;
use rustack_secretsmanager_core::provider::RustackSecretsManager;
use rustack_secretsmanager_http::service::{SecretsManagerHttpConfig, SecretsManagerHttpService};
use rustack_sqs_core::config::SqsConfig;
use rustack_sqs_core::handler::RustackSqsHandler;
use rustack_sqs_core::provider::RustackSqs;
use rustack_sqs_http::service::{SqsHttpConfig, SqsHttpService};
use tokio::net::TcpListener;

use crate::Aws;
use crate::auth::api_keys::API_KEYS;
use crate::upstream::{CIRCUITS, TOKENS};

pub(crate) const PRODUCTS: TableName = TableName::new("products");
pub(crate) const OUTBOX: TableName = TableName::new("outbox").sorted();
pub(crate) const VISITS: TableName =
    TableName::new("visits").partition_key_named("customer").sort_key_named("at");
pub(crate) const EMAILS: QueueName = QueueName::new("emails");
pub(crate) const APPROVALS: QueueName = QueueName::new("approvals");

/// Stores that end with the test's runtime, and an `Aws` that uses them.
pub(crate) struct Stores {
    pub(crate) aws: Aws,
    queues: HashMap<&'static str, String>,
}

impl Stores {
    /// Tables `products` (by `pk`, with an index), `circuits`, `limits`, `tokens` and `api_keys` (by
    /// `pk`), `outbox` (by `pk` and `sk`) and `visits` (by `customer` and `at`); queues `emails` with
    /// its dead-letter queue and the FIFO queue `approvals`; the secret `greeting`.
    pub(crate) async fn start() -> Self {
        let mut environment = environment();
        environment.extend([
            ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb().await),
            ("AWS_ENDPOINT_URL_SQS", sqs().await),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets_manager().await),
        ]);
        let bare = connect(&[], environment.clone());
        let by_creation = [("by_creation_pk", Hash), ("by_creation_sk", Range)];
        for (variable, key, index) in [
            ("PRODUCTS_TABLE", &[("pk", Hash)][..], &by_creation[..]),
            ("CIRCUITS_TABLE", &[("pk", Hash)], &[]),
            ("LIMITS_TABLE", &[("pk", Hash)], &[]),
            ("OUTBOX_TABLE", &[("pk", Hash), ("sk", Range)], &[]),
            ("TOKENS_TABLE", &[("pk", Hash)], &[]),
            ("API_KEYS_TABLE", &[("pk", Hash)], &[]),
            ("VISITS_TABLE", &[("customer", Hash), ("at", Range)], &[]),
        ] {
            create_table(&bare, variable, key, index).await;
            environment.insert(variable, variable.to_owned());
        }
        let mut queues = HashMap::new();
        for (variable, name) in [
            ("EMAILS_QUEUE_URL", "emails"),
            ("EMAILS_DEAD_LETTER_QUEUE_URL", "emails-dead-letters"),
            ("APPROVALS_QUEUE_URL", "approvals.fifo"),
            ("APPROVALS_DEAD_LETTER_QUEUE_URL", "approvals-dead-letters.fifo"),
        ] {
            let url = create_queue(&bare, name).await;
            queues.insert(name, url.clone());
            environment.insert(variable, url);
        }
        let secret = bare.secrets_manager().create_secret().name("greeting").secret_string("hello");
        let secret = secret.send().await.unwrap();
        environment.insert("GREETING_SECRET_ID", secret.arn.unwrap());
        let uses = [
            Resource::Table(PRODUCTS, &[]),
            Resource::Table(CIRCUITS, &[]),
            Resource::Table(OUTBOX, &[]),
            Resource::Table(TOKENS, &[]),
            Resource::Table(VISITS, &[]),
            Resource::Table(API_KEYS, &[]),
            Resource::Table(lifecycle::limit::LIMITS, &[]),
            Resource::Queue(EMAILS),
            Resource::DeadLetterQueue(EMAILS),
            Resource::Queue(APPROVALS),
            Resource::DeadLetterQueue(APPROVALS),
            Resource::Secret("greeting"),
        ];
        Self { aws: connect(&uses, environment), queues }
    }

    /// Receives and deletes all messages of a queue.
    pub(crate) async fn drain(&self, queue: &str) -> Vec<Message> {
        let mut drained = Vec::new();
        loop {
            let received = self.receive(queue).await;
            if received.is_empty() {
                return drained;
            }
            for message in &received {
                let delete = self.aws.sqs().delete_message().queue_url(&self.queues[queue]);
                let handle = message.receipt_handle().unwrap();
                delete.receipt_handle(handle).send().await.unwrap();
            }
            drained.extend(received);
        }
    }

    /// Receives up to ten visible messages.
    pub(crate) async fn receive(&self, queue: &str) -> Vec<Message> {
        let receive = self.aws.sqs().receive_message().queue_url(&self.queues[queue]);
        let receive = receive.max_number_of_messages(10).message_attribute_names("All");
        let receive = receive.message_system_attribute_names(MessageSystemAttributeName::All);
        receive.send().await.unwrap().messages.unwrap_or_default()
    }
}

/// The variables that Lambda sets in every function.
pub(crate) fn environment() -> HashMap<&'static str, String> {
    let set = [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "ASIATEST"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_SESSION_TOKEN", "session"),
    ];
    set.map(|(name, value)| (name, value.to_owned())).into()
}

pub(crate) fn connect(uses: &[Resource], environment: HashMap<&'static str, String>) -> Aws {
    Aws::connect_with(uses, move |name| environment.get(name).cloned()).unwrap()
}

/// A server on a free port that always returns the same response, and counts connections and
/// requests.
pub(crate) async fn stub(status: u16, body: &'static str) -> (String, Arc<Counts>) {
    slow_stub(Duration::ZERO, status, body).await
}

/// As [`stub`], with a delay before each response.
pub(crate) async fn slow_stub(
    delay: Duration,
    status: u16,
    body: &'static str,
) -> (String, Arc<Counts>) {
    let counts = Arc::new(Counts::default());
    let counted = Arc::clone(&counts);
    let service = service_fn(move |_: Request<Incoming>| {
        counted.requests.fetch_add(1, SeqCst);
        let answer = Response::builder().status(status).body(body.to_owned()).unwrap();
        async move {
            tokio::time::sleep(delay).await;
            Ok::<_, Infallible>(answer)
        }
    });
    (serve(service, Arc::clone(&counts)).await, counts)
}

/// The connections and requests that a server has received.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) connections: AtomicU32,
    pub(crate) requests: AtomicU32,
}

async fn dynamodb() -> String {
    let database = dynoxide::Database::memory().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let never = std::future::pending();
    tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, never));
    url
}

async fn sqs() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let provider = RustackSqs::new(SqsConfig {
        skip_signature_validation: true,
        default_region: "eu-west-1".to_owned(),
        account_id: "000000000000".to_owned(),
        host: address.ip().to_string(),
        port: address.port(),
    });
    let handler = Arc::new(RustackSqsHandler::new(Arc::new(provider)));
    serve_on(listener, SqsHttpService::new(handler, SqsHttpConfig::default()), Arc::default())
}

async fn secrets_manager() -> String {
    let provider = Arc::new(RustackSecretsManager::new(SecretsManagerConfig::default()));
    let handler = Arc::new(RustackSecretsManagerHandler::new(provider));
    let config = SecretsManagerHttpConfig::default();
    serve(SecretsManagerHttpService::new(handler, config), Arc::default()).await
}

pub(crate) async fn serve<S>(service: S, counts: Arc<Counts>) -> String
where
    S: HttpService<
            Incoming,
            ResBody: Body<Data: Send, Error: Error + Send + Sync> + Send + 'static,
        > + Clone
        + Send
        + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
{
    serve_on(TcpListener::bind("127.0.0.1:0").await.unwrap(), service, counts)
}

fn serve_on<S>(listener: TcpListener, service: S, counts: Arc<Counts>) -> String
where
    S: HttpService<
            Incoming,
            ResBody: Body<Data: Send, Error: Error + Send + Sync> + Send + 'static,
        > + Clone
        + Send
        + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            };
            counts.connections.fetch_add(1, SeqCst);
            let connection =
                http1::Builder::new().serve_connection(TokioIo::new(stream), service.clone());
            tokio::spawn(async move { drop(connection.await) });
        }
    });
    url
}

/// Attributes, and which part of the key each is.
type Attributes<'a> = &'a [(&'a str, KeyType)];

async fn create_table(aws: &Aws, name: &str, key: Attributes<'_>, index: Attributes<'_>) {
    let schema = |attributes: Attributes<'_>| -> Vec<KeySchemaElement> {
        let elements = attributes.iter().map(|(attribute, kind)| {
            let element = KeySchemaElement::builder().attribute_name(*attribute);
            element.key_type(kind.clone()).build().unwrap()
        });
        elements.collect()
    };
    let definitions = key.iter().chain(index).map(|(attribute, _)| {
        let definition = AttributeDefinition::builder().attribute_name(*attribute);
        definition.attribute_type(ScalarAttributeType::S).build().unwrap()
    });
    let mut table = aws
        .dynamodb()
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(schema(key)))
        .set_attribute_definitions(Some(definitions.collect()));
    if !index.is_empty() {
        let all = Projection::builder().projection_type(ProjectionType::All).build();
        let index = GlobalSecondaryIndex::builder()
            .index_name("by_creation")
            .set_key_schema(Some(schema(index)))
            .projection(all);
        table = table.global_secondary_indexes(index.build().unwrap());
    }
    table.send().await.unwrap();
}

async fn create_queue(aws: &Aws, name: &str) -> String {
    let mut queue = aws.sqs().create_queue().queue_name(name);
    if name.strip_suffix(".fifo").is_some() {
        queue = queue.attributes(QueueAttributeName::FifoQueue, "true");
    }
    queue.send().await.unwrap().queue_url.unwrap()
}
