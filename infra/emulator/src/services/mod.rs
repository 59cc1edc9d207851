//! The emulated services: tables, queues, secrets and mail, all at one address.
//!
//! The stores are libraries: `dynoxide` for `DynamoDB`, `rustack` for SQS and Secrets Manager. The
//! [`door`] is an HTTP server in front of them for all four services: each call identifies its
//! service.

mod call;
mod counts;
mod credentials;
mod dynamodb_json;
mod endpoint;
mod error;
mod error_responses;
mod fair;
mod fault_injector;
mod feedback;
mod groups;
mod identities;
mod mail;
mod message_log;
mod meter;
mod parcels;
mod physical_names;
mod policy;
mod private;
mod queue_rules;
mod queues;
mod rng;
mod rotations;
mod secrets;
mod tables;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::Path,
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

use axum::{Router, serve::ListenerExt as _};
use dynoxide::actions::get_records::Record;
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch, time::MissedTickBehavior};
use uuid::Uuid;

use self::{
    counts::CallCounts, endpoint::ServiceEndpoint, feedback::FeedbackRoutes, meter::Meter,
    policy::Policies, queues::Queues, secrets::Secrets, tables::Tables,
};
pub use self::{
    counts::CallKind,
    endpoint::Environments,
    error::{NoSuch, StartError, StoreError},
    fault_injector::FaultInjector,
    identities::Identities,
    mail::{Mail, Mailbox},
    message_log::JournalEntry,
    meter::Consumed,
    physical_names::{Names, QueueName, SecretName, TableName, access_key},
    queues::{QueueError, QueueReport, ReceivedMessage},
    secrets::SecretError,
    tables::StreamPosition,
};
use crate::visitors;
use sam_template::{Permission, StartingPosition, Template};

/// The largest body taken, `DynamoDB`'s own limit.
const BODY_BYTES_MAX: usize = 16 << 20;

/// The interval at which expired items are deleted; `DynamoDB` takes up to days.
const SWEEP: Duration = Duration::from_secs(10);

/// The running stores. Clones are handles to the same stores, which end with the last handle.
#[derive(Clone)]
pub struct Stores {
    door: Arc<ServiceEndpoint>,
    endpoint: SocketAddr,
    /// All background tasks end when this is dropped.
    _running: Arc<watch::Sender<()>>,
}

impl Stores {
    /// Starts the stores and creates the template's resources. The tables are in memory, or in a
    /// file in `data`, with the items of earlier runs. In SES, the domain of the template's sender
    /// is verified.
    ///
    /// # Errors
    /// If no port can be bound, the directory cannot be used, or the template is invalid for a
    /// store.
    pub async fn start(template: &Template, data: Option<&Path>) -> Result<Self, StartError> {
        Self::start_with(template, data, Identities::of_sender(template, false)).await
    }

    /// Like [`Stores::start`], with other identities of SES.
    ///
    /// # Errors
    /// Like [`Stores::start`].
    pub async fn start_with(
        template: &Template,
        data: Option<&Path>,
        identities: Identities,
    ) -> Result<Self, StartError> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(StartError::Port)?;
        let endpoint = listener.local_addr().map_err(StartError::Port)?;
        let running = watch::Sender::new(());
        let tables = Tables::start(data, ended(running.subscribe())).await?;
        let queues = Queues::new(endpoint);
        let secrets = Secrets::new(template);
        let names = Names::new(template, endpoint, identities);
        let names = create(template, names, &tables, &queues, &secrets).await?;
        let streams = template.tables.values().filter(|table| table.stream.is_some());
        let writes = streams.map(|table| (table.logical_id.clone(), watch::Sender::new(())));
        let door = Arc::new(ServiceEndpoint {
            policies: Policies::new(template, &names)?,
            feedback: FeedbackRoutes::new(template, &names)?,
            writes: writes.collect(),
            tables,
            queues,
            secrets,
            names,
            mailbox: Mailbox::default(),
            faults: FaultInjector::default(),
            counts: CallCounts::default(),
            meter: Meter::default(),
            environments: OnceLock::new(),
        });
        serve(listener, Arc::clone(&door), ended(running.subscribe()));
        tokio::spawn(sweep(Arc::clone(&door), running.subscribe()));
        Ok(Self { door, endpoint, _running: Arc::new(running) })
    }

    /// Connects the functions' processes, so that calls are recorded in their timelines and faults
    /// can kill them. Only the first call has an effect.
    pub fn attach(&self, environments: Weak<dyn Environments>) {
        // Two platforms never share stores; keeping the first is harmless.
        let _ = self.door.environments.set(environments);
    }

    /// The endpoint of all four services: the value of every `AWS_ENDPOINT_URL_*`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.endpoint)
    }

    /// The names of the template's resources.
    pub fn names(&self) -> &Names {
        &self.door.names
    }

    /// The faults of calls and deliveries.
    pub fn faults(&self) -> &FaultInjector {
        &self.door.faults
    }

    /// The sent mails.
    pub fn mailbox(&self) -> &Mailbox {
        &self.door.mailbox
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

    /// Writes a new value to a secret, by its logical id.
    ///
    /// # Errors
    /// If there is no such secret or the value is too large.
    pub async fn put_secret(&self, secret: &str, value: &str) -> Result<(), StoreError> {
        let name = self.names().secret(secret).ok_or_else(|| NoSuch::new("secret", secret))?;
        Ok(self.door.secrets.put(&name.arn, value).await?)
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
        self.door.queues.send(queue, body).await
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

    fn table(&self, logical_id: &str) -> Result<&TableName, NoSuch> {
        self.names().table(logical_id).ok_or_else(|| NoSuch::new("table", logical_id))
    }
}

/// Creates the template's resources and returns their names.
async fn create(
    template: &Template,
    mut names: Names,
    tables: &Tables,
    queues: &Queues,
    secrets: &Secrets,
) -> Result<Names, StartError> {
    for table in template.tables.values() {
        let stream_label = tables.add(table)?;
        names.add_table(table, stream_label.as_deref());
    }
    for queue in template.queues.values() {
        queues.add(queue, &names).await?;
    }
    for secret in template.secrets.values() {
        let value = secret.value.as_ref();
        let value = value.map(|text| text.resolve(|reference| names.look_up(reference)));
        let value = value.transpose()?.or_else(|| secret.generated.then(made_up));
        let added = secrets.add(&secret.logical_id, value.as_deref()).await;
        names.add_secret(&secret.logical_id, added.map_err(StartError::Secrets)?);
    }
    Ok(names)
}

/// 64 random characters.
fn made_up() -> String {
    [Uuid::new_v4(), Uuid::new_v4()].map(|id| id.simple().to_string()).concat()
}

fn serve(
    listener: TcpListener,
    door: Arc<ServiceEndpoint>,
    ended: impl Future<Output = ()> + Send + 'static,
) {
    let listener = listener.tap_io(|connection| {
        // Responses are small and callers wait for them, so send packets at once. Ignore an error:
        // without this option, responses are only slower.
        let _ = connection.set_nodelay(true);
    });
    let router = Router::new().fallback(endpoint::answer).with_state(door);
    let router = router.layer(axum::middleware::from_fn(visitors::at_service));
    tokio::spawn(axum::serve(listener, router).with_graceful_shutdown(ended).into_future());
}

async fn sweep(door: Arc<ServiceEndpoint>, running: watch::Receiver<()>) {
    let mut interval = tokio::time::interval(SWEEP);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ended = std::pin::pin!(ended(running));
    loop {
        tokio::select! {
            () = &mut ended => return,
            _ = interval.tick() => {}
        }
        sweep_once(&door).await;
    }
}

/// Deletes expired items, unless calls are metered: on AWS an item may stay for days, and a
/// function's own delete of it is billed.
async fn sweep_once(door: &ServiceEndpoint) {
    if door.meter.is_on() {
        return;
    }
    // A sweep that fails is made up for by the next one.
    if door.tables.sweep().await.is_ok_and(|deleted| deleted > 0) {
        door.writes.keys().for_each(|table| door.tell_readers_of(table));
    }
}

/// Completes once the stores have been dropped.
async fn ended(mut running: watch::Receiver<()>) {
    while running.changed().await.is_ok() {}
}
