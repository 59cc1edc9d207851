//! The running stores, as the platform uses them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};

use dynoxide::actions::get_records::Record;
use sam_template::{Key, Permission, StartingPosition};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::counts::CallKind;
use super::dynamodb::{ItemPage, StreamPosition};
use super::endpoint::{Environments, ServiceEndpoint};
use super::error::{DataError, NoSuch, QueueError, StoreError};
use super::fault_injector::FaultInjector;
use super::meter::Consumed;
use super::physical_names::{Names, QueueName, SecretName, TableName};
use super::secrets::Rotation;
use super::ses::Mailbox;
use super::sqs::{QueueCount, QueueReport, QueuedMessage, ReceivedMessage, RedriveError, Redriven};
use crate::activity::{Activity, SentBecause};
use crate::clock::Clock;

/// The running stores. Clones are handles to the same stores, which end with the last handle.
#[derive(Clone)]
pub struct Stores {
    pub(super) door: Arc<ServiceEndpoint>,
    address: SocketAddr,
    /// All background tasks end when this is dropped, and so does the lock of the data directory.
    _running: Arc<(watch::Sender<()>, Option<File>)>,
}

impl Stores {
    pub(super) fn new(
        door: Arc<ServiceEndpoint>,
        address: SocketAddr,
        running: watch::Sender<()>,
        locked: Option<File>,
    ) -> Self {
        Self { door, address, _running: Arc::new((running, locked)) }
    }

    /// Connects the functions' processes, so that calls are recorded in their timelines and faults
    /// can kill them. Only the first call has an effect.
    pub fn attach(&self, environments: Weak<dyn Environments>) {
        // Two platforms never share stores; keeping the first is harmless.
        let _ = self.door.environments.set(environments);
    }

    /// The endpoint of all four services: the value of every `AWS_ENDPOINT_URL_*`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The names of the template's resources.
    pub fn names(&self) -> &Names {
        &self.door.names
    }

    /// The faults of calls and deliveries.
    pub fn faults(&self) -> &FaultInjector {
        &self.door.faults
    }

    /// The platform's clock.
    pub fn clock(&self) -> &Clock {
        &self.door.clock
    }

    /// The records of the platform's events.
    pub fn activity(&self) -> &Activity {
        &self.door.activity
    }

    /// The sent mails.
    pub fn mailbox(&self) -> &Mailbox {
        &self.door.mailbox
    }

    /// Waits until the data directory can no longer be written to. Then the platform must end: calls
    /// that it cannot keep fail.
    pub async fn data_error(&self) -> DataError {
        self.door.failure.wait().await
    }

    /// The counters of the functions' calls.
    pub fn calls(&self) -> Vec<(CallKind, u64)> {
        self.door.counts.all()
    }

    /// Starts counting the billed units of the functions' calls. From then on expired items are not
    /// deleted.
    pub fn switch_meter_on(&self) {
        self.door.meter.switch_on();
    }

    /// The units that each function's calls have used since the meter was switched on, by its
    /// logical id.
    pub fn consumed(&self) -> BTreeMap<String, Consumed> {
        self.door.meter.consumed()
    }

    /// Whether a function's policy allows this action on the resource of this ARN.
    pub fn allow(&self, function: &str, action: &str, arn: &str) -> bool {
        self.door.policies.allow(function, action, arn)
    }

    /// The permissions that functions have used so far.
    pub fn used_rights(&self) -> BTreeSet<Permission> {
        self.door.policies.used()
    }

    /// Writes an item, in `DynamoDB`'s JSON (`{"pk": {"S": "…"}}`), to a table by its logical id.
    /// The table's stream includes the write.
    ///
    /// # Errors
    /// If there is no such table or the item does not match its schema.
    pub fn put_item(&self, table: &str, item: &Value) -> Result<(), StoreError> {
        self.door.tables.put(&self.table(table)?.name, item)?;
        self.door.tell_readers_of(table);
        Ok(())
    }

    /// The first 1,000 items of a table as plain JSON, and whether there are more.
    ///
    /// # Errors
    /// If there is no such table.
    pub fn scan(&self, table: &str) -> Result<(Vec<Value>, bool), StoreError> {
        Ok(self.door.tables.scan(&self.table(table)?.name)?)
    }

    /// The number of items of each table, by its logical id.
    ///
    /// # Errors
    /// If the tables cannot be read.
    pub fn item_counts(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        let counts = self.door.tables.item_counts()?;
        let count = |(id, table): (&str, &TableName)| {
            (id.to_owned(), counts.get(&table.name).copied().unwrap_or_default())
        };
        Ok(self.names().tables().map(count).collect())
    }

    /// The next items of a table with this key, by its logical id: at most `count_max`, after the
    /// place where an earlier page ended. `show` gets each item as plain JSON, and returns the
    /// shown part of it, or nothing if it is not looked for.
    ///
    /// # Errors
    /// If there is no such table, or `after` is of no page.
    pub fn items(
        &self,
        table: &str,
        key: &Key,
        after: Option<&str>,
        count_max: usize,
        show: impl FnMut(Value) -> Option<Value>,
    ) -> Result<ItemPage, StoreError> {
        let name = &self.table(table)?.name;
        Ok(self.door.tables.page(name, key, after, count_max, show)?)
    }

    /// Writes a new value to a secret, by its logical id.
    ///
    /// # Errors
    /// If there is no such secret or the value is too large.
    pub async fn put_secret(&self, secret: &str, value: &str) -> Result<(), StoreError> {
        let name = self.secret(secret)?;
        self.door.activity.learn_secret(value);
        Ok(self.door.secrets.put(&name.arn, value).await?)
    }

    /// Whether the data directory has a value of a secret, by its logical id, of this run or an
    /// earlier one. Without such a directory it has none.
    pub fn is_secret_kept(&self, secret: &str) -> bool {
        let name = self.names().secret(secret);
        name.is_some_and(|name| self.door.secrets.kept_value(&name.name).is_some())
    }

    /// Writes values to those of these secrets that the template has, by their logical ids.
    ///
    /// # Errors
    /// If a value is too large.
    pub async fn fill_secrets(
        &self,
        values: &BTreeMap<&'static str, String>,
    ) -> Result<(), StoreError> {
        for (secret, value) in values {
            if self.names().secret(secret).is_some() {
                self.put_secret(secret, value).await?;
            }
        }
        Ok(())
    }

    /// The state of every queue, with its first messages, without receiving them.
    ///
    /// # Errors
    /// If SQS returns an error.
    pub async fn queues(&self) -> Result<Vec<QueueReport>, StoreError> {
        Ok(self.door.queues.reports(self.names()).await?)
    }

    /// The numbers of every queue's messages, by its logical id.
    pub(crate) async fn queue_counts(&self) -> Result<BTreeMap<String, QueueCount>, StoreError> {
        Ok(self.door.queues.counts(self.names()).await?)
    }

    /// The oldest messages of a queue, by its logical id, in any state, without receiving them.
    ///
    /// # Errors
    /// If there is no such queue.
    pub async fn peek(&self, queue: &str, count_max: usize) -> Result<Vec<QueuedMessage>, NoSuch> {
        let name = self.names().queue(queue).ok_or_else(|| NoSuch::new("queue", queue))?;
        Ok(self.door.queues.peek(self.names(), name, count_max).await)
    }

    /// Moves all visible messages of a dead-letter queue, by its logical id, or the one with this id,
    /// to the queues where they were before. Each becomes a new message with the same body,
    /// attributes and group, as after `StartMessageMoveTask`.
    ///
    /// # Errors
    /// If the queue has no dead letters, or the one message cannot be moved.
    pub async fn redrive(
        &self,
        queue: &str,
        message_id: Option<&str>,
    ) -> Result<Redriven, RedriveError> {
        let redriven = self.door.queues.redrive(self.names(), queue, message_id).await?;
        for moved in &redriven.moved {
            let reason = SentBecause::OfMessage(&moved.dead_letter_id);
            let (queue, id) = (&moved.queue, &moved.message_id);
            self.door.activity.message_sent(queue, id, &moved.body, reason);
            self.door.activity.messages_deleted(&[&moved.dead_letter_id]);
        }
        Ok(redriven)
    }

    /// Receives up to ten messages from a queue, waiting up to 20 s for the first one.
    ///
    /// # Errors
    /// If SQS returns an error.
    pub async fn receive(
        &self,
        queue: &QueueName,
        count_max: usize,
        wait_s: u64,
    ) -> Result<Vec<ReceivedMessage>, QueueError> {
        self.door.queues.receive(queue, count_max, wait_s).await
    }

    /// Deletes messages from a queue by their receipt handles.
    ///
    /// # Errors
    /// If SQS returns an error.
    pub async fn delete(
        &self,
        queue: &QueueName,
        receipt_handles: &[&str],
    ) -> Result<(), QueueError> {
        self.door.queues.delete(queue, receipt_handles).await
    }

    /// Sends a message to a queue.
    ///
    /// # Errors
    /// If SQS returns an error.
    pub async fn send(&self, queue: &QueueName, body: &str) -> Result<(), QueueError> {
        self.send_because(queue, body, SentBecause::ByHand).await
    }

    /// Sends a message for this reason.
    ///
    /// # Errors
    /// If SQS returns an error.
    pub(crate) async fn send_because(
        &self,
        queue: &QueueName,
        body: &str,
        reason: SentBecause<'_>,
    ) -> Result<(), QueueError> {
        let id = self.door.queues.send(queue, body).await?;
        let named = self.names().queues().find(|(_, known)| known.name == queue.name);
        if let Some((queue, _)) = named {
            self.door.activity.message_sent(queue, &id, body, reason);
        }
        Ok(())
    }

    /// The position at which a stream's reader continues: its checkpoint, or else its starting
    /// position.
    ///
    /// # Errors
    /// If the table has no stream.
    pub fn stream_position(
        &self,
        reader: &str,
        table: &TableName,
        from: StartingPosition,
    ) -> Result<StreamPosition, StoreError> {
        match self.door.tables.checkpoint(reader)? {
            Some(position) => Ok(position),
            None => Ok(self.door.tables.start_of(&table.name, from)?),
        }
    }

    /// Saves a checkpoint: the reader of a stream has processed this record and all before it.
    ///
    /// # Errors
    /// If the tables cannot be written to.
    pub fn set_checkpoint(&self, reader: &str, number: &str) -> Result<(), StoreError> {
        Ok(self.door.tables.set_checkpoint(reader, number)?)
    }

    /// The records after a position of a table's stream.
    ///
    /// # Errors
    /// If the table has no stream.
    pub fn records(
        &self,
        table: &TableName,
        position: &StreamPosition,
        count_max: usize,
    ) -> Result<Vec<Record>, StoreError> {
        Ok(self.door.tables.records(&table.name, position, count_max)?)
    }

    /// A receiver that is notified of every write to a table.
    ///
    /// # Errors
    /// If there is no such table or it has no stream.
    pub fn writes(&self, table: &str) -> Result<watch::Receiver<()>, NoSuch> {
        let readers = self.door.writes.get(table).map(watch::Sender::subscribe);
        readers.ok_or_else(|| NoSuch::new("stream of table", table))
    }

    /// A receiver of the token of a secret's rotation in progress.
    ///
    /// # Errors
    /// If there is no such secret or it has no rotation.
    pub fn rotations(&self, secret: &str) -> Result<watch::Receiver<Option<String>>, NoSuch> {
        Ok(self.rotation(secret)?.under_way.subscribe())
    }

    /// Starts the rotation of a secret, by its logical id.
    ///
    /// # Errors
    /// If there is no such secret, it has no rotation, or the previous rotation is not complete.
    pub async fn rotate(&self, secret: &str) -> Result<(), StoreError> {
        let input = json!({"SecretId": self.secret(secret)?.name});
        Ok(self.door.secrets.rotate_secret(input).await.map(drop)?)
    }

    /// Notes that a secret's rotation in progress has ended, successfully or not.
    ///
    /// # Errors
    /// If there is no such secret or it has no rotation.
    pub fn rotation_ended(&self, secret: &str) -> Result<(), NoSuch> {
        self.rotation(secret)?.under_way.send_replace(None);
        Ok(())
    }

    fn rotation(&self, secret: &str) -> Result<&Rotation, NoSuch> {
        let name = self.names().secret(secret);
        let rotation = name.and_then(|name| self.door.secrets.rotations.get(&name.name));
        rotation.ok_or_else(|| NoSuch::new("rotation of secret", secret))
    }

    fn secret(&self, logical_id: &str) -> Result<&SecretName, NoSuch> {
        self.names().secret(logical_id).ok_or_else(|| NoSuch::new("secret", logical_id))
    }

    fn table(&self, logical_id: &str) -> Result<&TableName, NoSuch> {
        self.names().table(logical_id).ok_or_else(|| NoSuch::new("table", logical_id))
    }
}
