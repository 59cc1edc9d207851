//! The client of an operation.

use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};

use super::names::queue_url;
use super::platform::Platform;
use super::request::{ApiAnswer, ApiRequest, NoAnswer};
use super::state::lock;
use super::trace::Happened;
use crate::Millis;
use crate::random::{Random, Seeded};
use crate::services::ses::Mail;

/// The attempts of a client that does not give up.
const ATTEMPTS_MAX: usize = 12;
/// The longest pause between them, unless the answer names a longer one.
const PAUSE_MAX: Millis = Millis::seconds(5);
/// The shortest time that such a client waits for an answer.
const PATIENCE_MIN: Millis = Millis::seconds(3);
/// The longest time that such a client waits for an answer.
const PATIENCE_MAX: Millis = Millis::seconds(35);

/// The name of the notes about messages of [`Client::send_message`]. Their value has the members `queue`
/// (the logical id), `body` and `id` (the message id).
pub const SENT: &str = "sent";

/// The client of one operation: it sends requests, waits, draws, and reads mail. Operators also call
/// services.
#[derive(Clone)]
pub struct Client {
    platform: Arc<Platform>,
    operation: usize,
    random: Arc<Mutex<Seeded>>,
}

impl Client {
    pub(super) fn new(platform: Arc<Platform>, operation: usize) -> Self {
        let random = platform.world.streams.of(&format!("operation {operation}"));
        Self { platform, operation, random: Arc::new(Mutex::new(random)) }
    }

    /// The index of the operation in the plan.
    pub fn operation(&self) -> usize {
        self.operation
    }

    /// The time.
    pub fn now(&self) -> Millis {
        self.platform.world.now()
    }

    /// Waits.
    pub async fn wait(&self, time: Millis) {
        tokio::time::sleep(time.as_duration()).await;
    }

    /// Waits for a drawn time of at most `max`: a person thinks.
    pub async fn think(&self, max: Millis) {
        let time = self.draw(|random| random.up_to(max));
        self.wait(time).await;
    }

    /// Draws from the operation's random numbers.
    pub fn draw<T>(&self, draw: impl FnOnce(&mut Seeded) -> T) -> T {
        draw(&mut lock(&self.random))
    }

    /// A drawn UUID of version 4.
    pub fn uuid(&self) -> String {
        self.draw(super::ids::uuid)
    }

    /// Sends a request to the API.
    ///
    /// # Errors
    /// If the client gets no answer: it gave up, or the connection was lost.
    pub async fn send(&self, request: ApiRequest) -> Result<ApiAnswer, NoAnswer> {
        self.platform.send(self.operation, request, &self.random).await
    }

    /// Sends a request as a client that does not give up: again after an error of the network, a 429 or
    /// a 5xx, after the time of `Retry-After` and a drawn pause of at most 5 s. The client waits 3 s to
    /// 35 s for each answer. `None` if there is no definite answer after 12 attempts.
    ///
    /// A request that changes something needs an idempotency key: an attempt without an answer may have
    /// been performed.
    pub async fn send_until_answered(&self, request: &ApiRequest) -> Option<ApiAnswer> {
        for _ in 0..ATTEMPTS_MAX {
            let patience = self.draw(|random| random.up_to(PATIENCE_MAX - PATIENCE_MIN));
            let request = request.clone().patience(PATIENCE_MIN + patience);
            match self.send(request).await {
                Ok(answer) if !matches!(answer.status, 429 | 500..) => return Some(answer),
                Ok(answer) => {
                    let named = answer.header("retry-after").and_then(|text| text.parse().ok());
                    self.wait(Millis::seconds(named.unwrap_or(0))).await;
                    self.think(PAUSE_MAX).await;
                }
                Err(_) => self.think(PAUSE_MAX).await,
            }
        }
        None
    }

    /// Remembers a text by its name for the other operations of this world, such as the token of a person
    /// who has signed in: see [`Self::recall`].
    pub fn remember(&self, name: &str, text: &str) {
        self.platform.remember(name, text);
    }

    /// The text that an operation of this world has remembered last by this name. An operation must manage
    /// without it: a shrunk workload may leave out the operation that would remember it.
    pub fn recall(&self, name: &str) -> Option<String> {
        self.platform.recall(name)
    }

    /// All mails that were sent to an address, in order.
    pub fn mails_to(&self, address: &str) -> Vec<Mail> {
        let services = lock(&self.platform.world.services);
        services.mails().iter().filter(|mail| mail.is_to(address)).cloned().collect()
    }

    /// All items of a table, by its logical id: as an operator sees them.
    ///
    /// # Panics
    /// If there is no such table.
    pub fn items(&self, table: &str) -> Vec<Json> {
        let world = &self.platform.world;
        lock(&world.services).items(table)
    }

    /// The name by which services know a table, queue or secret, by its logical id.
    pub fn physical(&self, logical_id: &str) -> String {
        self.platform.world.names.queue(logical_id).to_owned()
    }

    /// Calls a service as an operator who may do everything: `DynamoDB_20120810.PutItem`.
    ///
    /// # Errors
    /// The body of the service's error.
    pub async fn call(&self, target: &str, body: &Json) -> Result<Json, Json> {
        self.platform.world.ask(target, body).await
    }

    /// Sends a message to a queue, by its logical id, and writes the note [`SENT`]: for messages of
    /// other systems, and for poison, which no consumer can read. In a FIFO queue, the messages of an
    /// operation are a group, and none is a duplicate.
    ///
    /// # Errors
    /// The body of the service's error, such as that of a missing queue.
    pub async fn send_message(&self, queue: &str, body: &str) -> Result<(), Json> {
        let url = queue_url(&self.physical(queue));
        let mut message = json!({ "QueueUrl": url, "MessageBody": body });
        if url.strip_suffix(".fifo").is_some() {
            message["MessageGroupId"] = format!("operation-{}", self.operation).into();
            message["MessageDeduplicationId"] = self.uuid().into();
        }
        let sent = self.call("AmazonSQS.SendMessage", &message).await?;
        self.note(SENT, json!({ "queue": queue, "body": body, "id": sent["MessageId"] }));
        Ok(())
    }

    /// Moves all messages of a dead-letter queue to its source queue, both by their logical ids.
    /// Returns the number of messages.
    ///
    /// # Panics
    /// If there is no such queue.
    pub async fn redrive(&self, dead_letters: &str, source: &str) -> usize {
        let world = &self.platform.world;
        world.names.assert_queue(dead_letters);
        world.names.assert_queue(source);
        world.redrive(world.names.queue(dead_letters), world.names.queue(source)).await
    }

    /// Invokes a function by its logical id.
    ///
    /// # Errors
    /// If the function is throttled or fails: the reason.
    pub async fn invoke(&self, function: &str, event: Json) -> Result<Json, String> {
        self.platform.invoke(self.operation, function, event).await
    }

    /// Rotates a secret by its rotation function, in the four steps of Secrets Manager.
    ///
    /// # Errors
    /// If the secret has no rotation, or a step fails: the reason.
    pub async fn rotate(&self, secret: &str) -> Result<(), String> {
        self.platform.rotate(secret).await
    }

    /// Deploys a version of a function, by its index in the order of registration: new environments
    /// run it, and the others end after their invocations.
    ///
    /// # Panics
    /// If there is no such function.
    pub fn deploy(&self, function: &str, version: usize) {
        self.platform.deploy(function, version);
    }

    /// Overloads a table for some time, by its logical id: it refuses all requests of functions.
    ///
    /// # Panics
    /// If there is no such table.
    pub fn overload(&self, table: &str, time: Millis) {
        let world = &self.platform.world;
        world.names.assert_table(table);
        world.overload(world.names.queue(table), time);
    }

    /// Writes a note into the trace, for the oracles.
    pub fn note(&self, name: &str, value: Json) {
        let (operation, name) = (self.operation, name.to_owned());
        self.platform.world.record(Happened::Noted { operation, name, value });
    }
}
