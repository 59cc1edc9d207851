//! The start of the stores: their resources, their address, and the deletion of expired items.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt as _;
use sam_template::Template;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::counts::CallCounts;
use super::dynamodb::{Tables, lock_directory};
use super::endpoint::{self, ServiceEndpoint};
use super::error::StartError;
use super::fault_injector::FaultInjector;
use super::lines::DataFailure;
use super::meter::Meter;
use super::physical_names::Names;
use super::policy::Policies;
use super::secrets::{Kept, Secrets};
use super::ses::{FeedbackRoutes, Identities, Mailbox};
use super::sqs::Queues;
use super::stores::Stores;
use crate::activity::Activity;
use crate::clock::Clock;
use crate::visitors;

/// The interval at which expired items are deleted; `DynamoDB` takes up to days.
const SWEEP: Duration = Duration::from_secs(10);

impl Stores {
    /// Starts the stores and creates the template's resources. They are in memory, or in files in
    /// `data`, with the items, messages, secrets and mails of earlier runs. In SES, the domain of the
    /// template's sender is verified.
    ///
    /// # Errors
    /// If no port can be bound, the directory cannot be used, or the template is invalid for a
    /// store.
    pub async fn start(template: &Template, data: Option<&Path>) -> Result<Self, StartError> {
        Self::start_with(template, data, Identities::of_sender(template, false)).await
    }

    /// Like [`Stores::start`], with other identities of SES. With tables in a file, the clock cannot
    /// be moved.
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
        let clock = if data.is_some() { Clock::fixed() } else { Clock::default() };
        let locked = match data {
            Some(directory) => Some(lock_directory(directory).await?),
            None => None,
        };
        let tables = Tables::start(data, &clock, ended(running.subscribe())).await?;
        let queues = Queues::new(endpoint, &clock).map_err(StartError::Thread)?;
        let unusable =
            |source| StartError::Data { path: data.unwrap_or(Path::new("")).to_owned(), source };
        let failure = DataFailure::default();
        let kept = Kept::read(data).map_err(unusable)?;
        let mailbox = Mailbox::open(data, &failure).map_err(unusable)?;
        let secrets = Secrets::new(template, kept);
        let names = Names::new(template, endpoint, identities);
        let names = create(template, names, &tables, &queues, &secrets).await?;
        if let Some(directory) = data {
            queues.keep_in(directory, &failure, template, &names).await?;
        }
        let streams = template.tables.values().filter(|table| table.stream.is_some());
        let writes = streams.map(|table| (table.logical_id.clone(), watch::Sender::new(())));
        let activity = Activity::new(&clock);
        activity.set_queues(&template.queues);
        let door = Arc::new(ServiceEndpoint {
            policies: Policies::new(template, &names)?,
            feedback: FeedbackRoutes::new(template, &names)?,
            writes: writes.collect(),
            tables,
            queues,
            secrets,
            names: Arc::new(names),
            mailbox,
            failure,
            faults: FaultInjector::default(),
            counts: CallCounts::default(),
            meter: Meter::default(),
            clock,
            activity,
            environments: OnceLock::new(),
        });
        serve(listener, Arc::clone(&door), ended(running.subscribe()));
        tokio::spawn(sweep(Arc::clone(&door), running.subscribe()));
        Ok(Self::new(door, endpoint, running, locked))
    }

    /// Follows a move of the [`Clock`]: messages whose delay or visibility timeout has passed become
    /// visible, and expired items are deleted. `PUT /clock` does so.
    pub async fn follow_clock(&self) {
        self.door.queues.follow_clock().await;
        sweep_once(&self.door).await;
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
        let value = value.transpose()?.or_else(|| secrets.kept_value(&secret.name));
        let value = value
            .or_else(|| secret.generated.as_ref().map(|it| it.text(|end| fastrand::usize(..end))));
        let added = secrets.add(&secret.name, value.as_deref()).await;
        names.add_secret(secret, added.map_err(StartError::Secrets)?);
    }
    Ok(names)
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
pub(super) async fn sweep_once(door: &ServiceEndpoint) {
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
