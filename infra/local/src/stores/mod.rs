//! What the functions stand on: tables, queues, secrets and mail, all behind one address.
//!
//! The stores themselves are libraries: `dynoxide` for `DynamoDB`, `rustack` for SQS and Secrets
//! Manager. In front of them stands the [`door`], an HTTP server of ours that speaks for all four
//! services, since a call says by itself which one it is for.

mod answers;
mod call;
mod counts;
mod dice;
mod door;
mod error;
mod fair;
mod faults;
mod feedback;
mod groups;
mod identities;
mod journal;
mod mail;
mod names;
mod operator;
mod parcels;
mod plain;
mod policy;
mod private;
mod queue_rules;
mod queues;
mod rotations;
mod secrets;
mod switch;
mod tables;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
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
    counts::CallCounts, door::Door, feedback::FeedbackRoutes, policy::Policies, queues::Queues,
    secrets::Secrets, tables::Tables,
};
pub use self::{
    counts::CallKind,
    door::Environments,
    error::{NoSuch, StartError, StoreError},
    faults::{DelayMs, Faults, Rate},
    identities::Identities,
    journal::JournalEntry,
    mail::{Mail, Mailbox},
    names::{Names, QueueName, SecretName, TableName, access_key},
    queues::{QueueError, QueueReport, ReceivedMessage},
    secrets::SecretError,
    switch::FaultSwitch,
    tables::StreamPosition,
};
use crate::template::{Grant, StartingPosition, Template};
use crate::visitors;

/// How often expired items are deleted; `DynamoDB` itself takes up to days.
const SWEEP: Duration = Duration::from_secs(10);

/// The stores, running. Clones are handles to the same stores, which end with the last of them.
#[derive(Clone)]
pub struct Stores {
    door: Arc<Door>,
    endpoint: SocketAddr,
    /// Whatever runs in the background ends when this is dropped.
    _running: Arc<watch::Sender<()>>,
}

impl Stores {
    /// Starts the stores and creates what the template declares. The tables are kept in memory, or
    /// in a file in `data`, where those of an earlier run are taken up again. SES has verified the
    /// domain that the template's mail comes from.
    ///
    /// # Errors
    /// Where there is no port, the directory cannot be used, or the template asks for the
    /// impossible.
    pub async fn start(template: &Template, data: Option<&Path>) -> Result<Self, StartError> {
        Self::start_with(template, data, Identities::of_sender(template, false)).await
    }

    /// As [`Stores::start`], with other identities of SES.
    ///
    /// # Errors
    /// As [`Stores::start`].
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
        let door = Arc::new(Door {
            policies: Policies::new(template, &names)?,
            feedback: FeedbackRoutes::new(template, &names)?,
            writes: writes.collect(),
            tables,
            queues,
            secrets,
            names,
            mailbox: Mailbox::default(),
            faults: FaultSwitch::default(),
            counts: CallCounts::default(),
            environments: OnceLock::new(),
        });
        serve(listener, Arc::clone(&door), ended(running.subscribe()));
        tokio::spawn(sweep(Arc::clone(&door), running.subscribe()));
        Ok(Self { door, endpoint, _running: Arc::new(running) })
    }

    /// Makes the functions' processes known, so that calls are recorded with them and faults can
    /// kill them. The first call decides; later ones change nothing.
    pub fn attach(&self, environments: Weak<dyn Environments>) {
        // A second platform on the same stores is not a thing; keeping the first is harmless.
        let _ = self.door.environments.set(environments);
    }

    /// The address of all four services: the value of every `AWS_ENDPOINT_URL_*`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.endpoint)
    }

    /// What the template's things are called.
    pub fn names(&self) -> &Names {
        &self.door.names
    }

    /// The faults that calls and deliveries are struck by.
    pub fn faults(&self) -> &FaultSwitch {
        &self.door.faults
    }

    /// The mails that were sent.
    pub fn mailbox(&self) -> &Mailbox {
        &self.door.mailbox
    }

    /// How often each function called what.
    pub fn calls(&self) -> Vec<(CallKind, u64)> {
        self.door.counts.all()
    }

    /// Whether a function's policy lets it do this to what has this ARN.
    pub fn allow(&self, function: &str, action: &str, arn: &str) -> bool {
        self.door.policies.allow(function, action, arn)
    }

    /// The rights that functions have made use of so far.
    pub fn used_rights(&self) -> BTreeSet<Grant> {
        self.door.policies.used()
    }

    /// Writes an item, given as `DynamoDB`'s JSON (`{"pk": {"S": "…"}}`), to a table by its logical
    /// id. Readers of the table's stream see it like any other write.
    ///
    /// # Errors
    /// Where there is no such table or the item does not fit it.
    pub fn put_item(&self, table: &str, item: &Value) -> Result<(), StoreError> {
        self.door.tables.put(&self.table(table)?.name, item)?;
        self.door.tell_readers_of(table);
        Ok(())
    }

    /// The first thousand items of a table as plain JSON, and whether there are more.
    ///
    /// # Errors
    /// Where there is no such table.
    pub fn scan(&self, table: &str) -> Result<(Vec<Value>, bool), StoreError> {
        Ok(self.door.tables.scan(&self.table(table)?.name)?)
    }

    /// Gives a secret, by its logical id, a new value.
    ///
    /// # Errors
    /// Where there is no such secret or the value is too large.
    pub async fn put_secret(&self, secret: &str, value: &str) -> Result<(), StoreError> {
        let name = self.names().secret(secret).ok_or_else(|| NoSuch::new("secret", secret))?;
        Ok(self.door.secrets.put(&name.arn, value).await?)
    }

    /// The state of every queue, and its first messages without receiving them.
    ///
    /// # Errors
    /// Where SQS does not answer.
    pub async fn queues(&self) -> Result<Vec<QueueReport>, StoreError> {
        Ok(self.door.queues.reports(self.names()).await?)
    }

    /// Receives up to ten messages from a queue, waiting up to 20 s for the first.
    ///
    /// # Errors
    /// Where SQS refuses.
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
    /// Where SQS refuses.
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
    /// Where SQS refuses.
    pub async fn send(&self, queue: &QueueName, body: &str) -> Result<(), QueueError> {
        self.door.queues.send(queue, body).await
    }

    /// Where the reader of a stream goes on: behind what it last read, else where it is to begin.
    ///
    /// # Errors
    /// Where the table has no stream.
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

    /// Notes that the reader of a stream is done with this record and all before it.
    ///
    /// # Errors
    /// Where the tables cannot be written to.
    pub fn set_checkpoint(&self, reader: &str, number: &str) -> Result<(), StoreError> {
        Ok(self.door.tables.set_checkpoint(reader, number)?)
    }

    /// The records behind a position of a table's stream.
    ///
    /// # Errors
    /// Where the table has no stream.
    pub fn records(
        &self,
        table: &TableName,
        position: &StreamPosition,
        count_max: usize,
    ) -> Result<Vec<Record>, StoreError> {
        Ok(self.door.tables.records(&table.name, position, count_max)?)
    }

    /// A receiver that changes with every write to a table.
    ///
    /// # Errors
    /// Where there is no such table or it has no stream.
    pub fn writes(&self, table: &str) -> Result<watch::Receiver<()>, NoSuch> {
        let readers = self.door.writes.get(table).map(watch::Sender::subscribe);
        readers.ok_or_else(|| NoSuch::new("stream of table", table))
    }

    fn table(&self, logical_id: &str) -> Result<&TableName, NoSuch> {
        self.names().table(logical_id).ok_or_else(|| NoSuch::new("table", logical_id))
    }
}

/// Creates everything that the template declares; gives what it is called.
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

/// 64 characters that nobody can guess.
fn made_up() -> String {
    [Uuid::new_v4(), Uuid::new_v4()].map(|id| id.simple().to_string()).concat()
}

fn serve(listener: TcpListener, door: Arc<Door>, ended: impl Future<Output = ()> + Send + 'static) {
    let listener = listener.tap_io(|connection| {
        // Answers are small and awaited: none may linger for a fuller packet. Where the option
        // cannot be set, answers are only slower.
        let _ = connection.set_nodelay(true);
    });
    let router = Router::new().fallback(door::answer).with_state(door);
    let router = router.layer(axum::middleware::from_fn(visitors::at_service));
    tokio::spawn(axum::serve(listener, router).with_graceful_shutdown(ended).into_future());
}

async fn sweep(door: Arc<Door>, running: watch::Receiver<()>) {
    let mut interval = tokio::time::interval(SWEEP);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ended = std::pin::pin!(ended(running));
    loop {
        tokio::select! {
            () = &mut ended => return,
            _ = interval.tick() => {}
        }
        // A sweep that fails is made up for by the next one.
        if door.tables.sweep().await.is_ok_and(|deleted| deleted > 0) {
            door.writes.keys().for_each(|table| door.tell_readers_of(table));
        }
    }
}

/// Ready once the stores have been dropped.
async fn ended(mut running: watch::Receiver<()>) {
    while running.changed().await.is_ok() {}
}
