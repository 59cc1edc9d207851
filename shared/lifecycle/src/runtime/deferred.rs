//! Deferred work: tertiary effects and telemetry. [`DeferMode`](super::defer_mode::DeferMode) decides
//! whether it is performed before or after the response is sent.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::join_all;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};

use super::guard::panicked;
use super::shared::Shared;
use crate::background::Spawned;
use crate::commit::{EventOrigin, announced, by_queue, outgoing, send_in_order};
use crate::effects::{Effects, Mail, Post, QueueName};
use crate::error::{RequestError, ServiceError};
use crate::ports::{Adapter, Outgoing};
use crate::telemetry::inspector::Work;
use crate::telemetry::line::metric;
use crate::telemetry::log::print_all;
use crate::telemetry::{Observations, observed, otlp};
use crate::{Deadline, Moment, Upstream, clock};

/// The error type of failed tertiary effects; an alarm reads it.
const TERTIARY_EFFECT_FAILED: &str = "TERTIARY_EFFECT_FAILED";

/// The deferred work of one invocation.
pub(crate) struct DeferredWork {
    pub(crate) shared: Arc<Shared>,
    pub(crate) invocation_id: String,
    /// The request; `None` for a batch, whose records have no deferred effects.
    pub(crate) request: Option<Arc<Observations>>,
    /// That of the invocation with its grace: work that is ended at the deadline leaves messages and
    /// spans.
    pub(crate) deadline: Deadline,
    pub(crate) lines: Vec<String>,
    /// Spans for a collector, if there is one.
    pub(crate) spans: Vec<serde_json::Value>,
    /// Exchanges of counts that are running; whether each succeeds.
    pub(crate) telling: Vec<Spawned<bool>>,
    pub(crate) tertiary: Tertiary,
}

/// Effects that do not change the response.
#[derive(Debug, Default)]
pub(crate) struct Tertiary {
    messages: Vec<Outgoing>,
    /// Sent queue after queue.
    announced: Vec<Outgoing>,
    mails: Vec<Mail>,
    posts: Vec<Post>,
}

/// The maximum time to export the spans of one invocation.
const EXPORT_MAX: Duration = Duration::from_secs(2);

/// The maximum delay of a response by work that is performed before it.
const BEFORE_RESPONSE_MAX: Duration = Duration::from_secs(1);

/// The maximum delay of a response by an exchange of counts, which has run since the limit was
/// checked. A slower one goes on during a later request.
pub(super) const EXCHANGE_MAX: Duration = Duration::from_millis(100);

impl DeferredWork {
    /// Writes the log lines.
    pub(crate) fn write_lines(&mut self) {
        print_all(std::mem::take(&mut self.lines));
    }

    /// Performs the work until the deadline. A failure is logged; that of an effect is also counted.
    pub(crate) async fn perform(self) {
        let exchanges_end = self.deadline;
        self.perform_until(exchanges_end).await;
    }

    /// Performs the work while the response waits, within a short time.
    pub(crate) async fn perform_before_response(mut self) {
        self.deadline = self.deadline.min(Deadline::after(BEFORE_RESPONSE_MAX));
        let exchanges_end = self.deadline.min(Deadline::after(EXCHANGE_MAX));
        self.perform_until(exchanges_end).await;
    }

    /// A panic ends the work, but neither a response that waits for it nor the extension.
    async fn perform_until(mut self, exchanges_end: Deadline) {
        let request = self.request.take();
        let work = async {
            let done = AssertUnwindSafe(self.perform_all(exchanges_end)).catch_unwind().await;
            if let Err(panic) = done {
                let error = panicked(&*panic);
                tracing::error!(%error, "deferred work panicked; the rest of it is lost");
                self.count_failures(1);
            }
        };
        match request {
            Some(request) => observed(request, work).await,
            None => work.await,
        }
    }

    /// Effects, exchange and export end separately: a slow one changes nothing about the others.
    async fn perform_all(&mut self, exchanges_end: Deadline) {
        self.write_lines();
        let exchange = exchanged(std::mem::take(&mut self.telling), exchanges_end);
        let (mut done, exchanged, exported) =
            tokio::join!(self.perform_effects(), exchange, self.export());
        done.extend(exchanged);
        done.extend(exported);
        if let Some(inspector) = &self.shared.inspector {
            let done = done.into_iter().map(|(work, failed, took)| Work {
                name: work.to_string(),
                failed,
                took,
            });
            inspector.deferred(&self.invocation_id, done.collect());
        }
    }

    /// The number of works.
    pub(super) fn count(&self) -> usize {
        let others = [!self.telling.is_empty(), !self.spans.is_empty()];
        self.tertiary.count() + others.into_iter().filter(|other| *other).count()
    }

    async fn perform_effects(&self) -> Vec<WorkDone> {
        let done = self.tertiary.perform(&*self.shared.adapter, self.deadline.instant()).await;
        let failed = || done.iter().filter_map(|(_, failed, _)| failed.as_ref());
        self.count_failures(failed().count());
        for error in failed() {
            tracing::error!(%error, "a tertiary effect failed");
        }
        done
    }

    async fn export(&self) -> Option<WorkDone> {
        let settings = &self.shared.settings;
        let collector = settings.collector.as_deref().filter(|_| !self.spans.is_empty())?;
        let began = Instant::now();
        let url = format!("{}/v1/traces", collector.trim_end_matches('/'));
        let headers = &settings.collector_headers;
        let export = async {
            for request in otlp::requests(&settings.service, &settings.function, &self.spans) {
                self.shared.adapter.export(&url, headers, request).await?;
            }
            Ok(())
        };
        // The next invocation waits for this export.
        let end = self.deadline.min(Deadline::after(EXPORT_MAX)).instant();
        let exported = timeout_at(end, export).await.unwrap_or(Err(ServiceError::TimedOut));
        let failed = exported.err().map(chain_of);
        if let Some(error) = &failed {
            tracing::warn!(%error, "span export failed; spans dropped");
        }
        Some((WorkOf::Spans, failed, began.elapsed()))
    }

    fn count_failures(&self, failed: usize) {
        if failed > 0 {
            let service = &self.shared.settings.service;
            let labels = [("type", TERTIARY_EFFECT_FAILED), ("service", service)];
            print_all([metric(service, clock::now(), &labels, "errors_total", "Count", failed)]);
        }
    }
}

/// Waits for the exchanges of counts that are running.
async fn exchanged(telling: Vec<Spawned<bool>>, end: Deadline) -> Option<WorkDone> {
    if telling.is_empty() {
        return None;
    }
    let began = Instant::now();
    let failed = match timeout_at(end.instant(), join_all(telling)).await {
        Ok(done) => {
            let exchanged = done.into_iter().all(|done| done.unwrap_or(false));
            (!exchanged).then(|| "the counts are not exchanged".to_owned())
        }
        // The task goes on whenever the process runs.
        Err(_) => Some("the exchange goes on during a later request".to_owned()),
    };
    Some((WorkOf::Exchange, failed, began.elapsed()))
}

impl Tertiary {
    pub(crate) fn of(effects: &Effects, moment: &Moment, cause: &EventOrigin) -> Self {
        Self {
            messages: outgoing(effects.messages(), moment, cause),
            announced: announced(effects.announced(), moment, cause),
            mails: effects.mails().to_vec(),
            posts: effects.posts().to_vec(),
        }
    }

    /// Adds messages.
    pub(super) fn with_messages(mut self, messages: Vec<Outgoing>) -> Self {
        self.messages.extend(messages);
        self
    }

    pub(super) fn count(&self) -> usize {
        self.messages.len() + self.announced.len() + self.mails.len() + self.posts.len()
    }

    /// The effects in order: messages, announcements, mails, posts.
    fn works(&self) -> impl Iterator<Item = WorkOf> {
        let messages = self.messages.iter().chain(&self.announced);
        let messages = messages.map(|message| WorkOf::Message(message.queue));
        let posts = self.posts.iter().map(|post| WorkOf::Post(post.upstream));
        messages.chain(self.mails.iter().map(|_| WorkOf::Mail)).chain(posts)
    }

    /// Performs all effects concurrently, until the deadline; returns them in order. Queues end
    /// separately: one without a result fails its messages, and no others.
    async fn perform(&self, adapter: &dyn Adapter, deadline: Instant) -> Vec<WorkDone> {
        let began = Instant::now();
        let send = async {
            let sent = by_queue(&self.messages).into_iter().map(|of_queue| async move {
                let failed = of_queue.send(adapter, deadline).await;
                results_of(of_queue.places, failed, began.elapsed())
            });
            join_all(sent).await.into_iter().flatten().collect::<Results>()
        };
        let announce = async {
            let failed = send_in_order(adapter, &self.announced, deadline).await;
            results_of(0..self.announced.len(), failed, began.elapsed())
        };
        let timed = |done: Result<Result<(), ServiceError>, Elapsed>| {
            let done = done.unwrap_or(Err(ServiceError::TimedOut));
            (done.err().map(chain_of), began.elapsed())
        };
        let mails = self
            .mails
            .iter()
            .map(|mail| async move { timed(timeout_at(deadline, adapter.mail(mail)).await) });
        let posts = self
            .posts
            .iter()
            .map(|post| async move { timed(timeout_at(deadline, adapter.post(post)).await) });
        let (sent, announced, mailed, posted) =
            tokio::join!(send, announce, join_all(mails), join_all(posts));
        let messages = sent.into_values().chain(announced.into_values());
        let results = messages.chain(mailed).chain(posted);
        self.works().zip(results).map(|(work, (failed, took))| (work, failed, took)).collect()
    }
}

/// The error, if any, and the time of messages, by their places.
type Results = BTreeMap<usize, (Option<String>, Duration)>;

/// The results of the messages at these places, some of which failed, after the time of all.
fn results_of(
    places: impl IntoIterator<Item = usize>,
    failed: Vec<(usize, ServiceError)>,
    took: Duration,
) -> Results {
    let mut results: Results = places.into_iter().map(|place| (place, (None, took))).collect();
    let failed = failed.into_iter().map(|(place, fault)| (place, (Some(chain_of(fault)), took)));
    results.extend(failed);
    results
}

/// The kind of a deferred work.
#[derive(Debug, Clone, Copy)]
enum WorkOf {
    Message(QueueName),
    Mail,
    Post(Upstream),
    Exchange,
    Spans,
}

/// A deferred work that has ended, its error, and its time.
type WorkDone = (WorkOf, Option<String>, Duration);

impl fmt::Display for WorkOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(queue) => write!(f, "message to queue {}", queue.name()),
            Self::Mail => f.write_str("mail"),
            Self::Post(upstream) => write!(f, "post to {}", upstream.name()),
            Self::Exchange => f.write_str("exchange of counts"),
            Self::Spans => f.write_str("spans"),
        }
    }
}

/// An error with its chain of causes.
fn chain_of(fault: ServiceError) -> String {
    RequestError::ServiceError(fault).to_string()
}
