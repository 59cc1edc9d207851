//! Deferred work, performed after the response is sent: tertiary effects and telemetry.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::task::JoinHandle;
use tokio::time::{timeout, timeout_at};

use super::shared::Shared;
use crate::commit::{EventOrigin, outgoing};
use crate::effects::{Effects, Mail, Post};
use crate::error::{RequestError, ServiceError};
use crate::ports::{Adapter, Outgoing};
use crate::telemetry::line::metric;
use crate::telemetry::log::print;
use crate::telemetry::{Observations, observed, otlp};
use crate::{Deadline, Moment, clock};

/// The error type of failed tertiary effects; an alarm reads it.
const TERTIARY_EFFECT_FAILED: &str = "TERTIARY_EFFECT_FAILED";

/// The deferred work of one invocation.
pub(crate) struct DeferredWork {
    pub(crate) shared: Arc<Shared>,
    /// The request; `None` for a batch, whose records have no deferred effects.
    pub(crate) request: Option<Arc<Observations>>,
    pub(crate) deadline: Deadline,
    pub(crate) lines: Vec<String>,
    /// Spans for a collector, if there is one.
    pub(crate) spans: Vec<serde_json::Value>,
    /// Exchanges of counts that are running.
    pub(crate) telling: Vec<JoinHandle<()>>,
    pub(crate) tertiary: Tertiary,
}

/// Effects that do not change the response.
#[derive(Debug, Default)]
pub(crate) struct Tertiary {
    messages: Vec<Outgoing>,
    mails: Vec<Mail>,
    posts: Vec<Post>,
}

/// The maximum time to export the spans of one invocation.
const EXPORT_MAX: Duration = Duration::from_secs(2);

impl DeferredWork {
    /// Performs the work until the deadline. A failure is logged and counted.
    pub(crate) async fn perform(mut self) {
        match self.request.take() {
            Some(request) => observed(request, self.perform_all()).await,
            None => self.perform_all().await,
        }
    }

    async fn perform_all(mut self) {
        if !self.lines.is_empty() {
            // In one call: each costs some microseconds.
            print(&self.lines.join("\n"));
        }
        let wanted = self.tertiary.count();
        let deadline = self.deadline.instant();
        let telling = std::mem::take(&mut self.telling);
        if timeout_at(deadline, self.effects_and_exchange(telling)).await.is_err() {
            tracing::error!(wanted, "no time left for the tertiary effects");
            self.count_failures(wanted);
        }
    }

    async fn effects_and_exchange(&self, telling: Vec<JoinHandle<()>>) {
        let adapter = &*self.shared.adapter;
        let perform = self.tertiary.perform(adapter);
        let exchange = async {
            join_all(telling).await;
            self.shared.limiter.exchange(adapter).await;
        };
        let (faults, (), ()) = tokio::join!(perform, exchange, self.export());
        self.count_failures(faults.len());
        for fault in faults {
            tracing::error!(error = %RequestError::ServiceError(fault), "a tertiary effect failed");
        }
    }

    async fn export(&self) {
        let settings = &self.shared.settings;
        let Some(collector) = settings.collector.as_deref().filter(|_| !self.spans.is_empty())
        else {
            return;
        };
        let url = format!("{}/v1/traces", collector.trim_end_matches('/'));
        let headers = &settings.collector_headers;
        let export = async {
            for request in otlp::requests(&settings.service, &settings.function, &self.spans) {
                self.shared.adapter.export(&url, headers, request).await?;
            }
            Ok(())
        };
        // The next invocation waits for this export.
        let exported = timeout(EXPORT_MAX, export).await.unwrap_or(Err(ServiceError::TimedOut));
        if let Err(fault) = exported {
            tracing::warn!(error = %RequestError::ServiceError(fault), "span export failed; spans dropped");
        }
    }

    fn count_failures(&self, failed: usize) {
        if failed > 0 {
            let service = &self.shared.settings.service;
            let labels = [("type", TERTIARY_EFFECT_FAILED), ("service", service)];
            print(&metric(service, clock::now(), &labels, "errors_total", "Count", failed));
        }
    }
}

impl Tertiary {
    pub(crate) fn of(effects: &Effects, moment: &Moment, cause: &EventOrigin) -> Self {
        Self {
            messages: outgoing(effects.messages(), moment, cause),
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
        self.messages.len() + self.mails.len() + self.posts.len()
    }

    /// Performs all effects concurrently; returns the errors.
    async fn perform(&self, adapter: &dyn Adapter) -> Vec<ServiceError> {
        let send = async {
            if self.messages.is_empty() { Vec::new() } else { adapter.send(&self.messages).await }
        };
        let mails = join_all(self.mails.iter().map(|mail| adapter.mail(mail)));
        let posts = join_all(self.posts.iter().map(|post| adapter.post(post)));
        let (unsent, mailed, posted) = tokio::join!(send, mails, posts);
        let failed = mailed.into_iter().chain(posted).filter_map(Result::err);
        unsent.into_iter().map(|(_, fault)| fault).chain(failed).collect()
    }
}
