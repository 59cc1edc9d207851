//! What happens once the answer has been handed over: tertiary effects and telemetry.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::task::JoinHandle;
use tokio::time::{timeout, timeout_at};

use super::Shared;
use super::extension::{Holder, Left};
use crate::commit::{Cause, outgoing};
use crate::effects::{Effects, Mail};
use crate::failure::{Failure, Fault};
use crate::notice::Notice;
use crate::platform::{Outgoing, Platform};
use crate::telemetry::line::metric;
use crate::telemetry::log::print;
use crate::telemetry::{Observations, observed, otlp};
use crate::{Deadline, Moment, Timestamp};

/// What one request leaves to be done after its answer.
pub(crate) struct Aftermath {
    pub(crate) shared: Arc<Shared>,
    /// The request that leaves it; of a batch, none of whose records leaves anything, `None`.
    pub(crate) request: Option<Arc<Observations>>,
    pub(crate) deadline: Deadline,
    pub(crate) lines: Vec<String>,
    /// Spans for a collector, if there is one.
    pub(crate) spans: Vec<serde_json::Value>,
    /// Counts that are on their way to the other execution environments already.
    pub(crate) telling: Vec<JoinHandle<()>>,
    pub(crate) tertiary: Tertiary,
}

/// The effects that change nothing about the answer.
#[derive(Debug, Default)]
pub(crate) struct Tertiary {
    messages: Vec<Outgoing>,
    mails: Vec<Mail>,
    notices: Vec<Notice>,
}

/// How the aftermath is kept from being frozen together with the process.
#[derive(Debug, Clone)]
pub(crate) enum Mode {
    /// An internal extension holds the execution environment until it is done: it asks for the
    /// next event only then, and Lambda freezes nothing before.
    Held(Holder),
    /// The process serves several requests at once and is not frozen between them, or there never
    /// is an aftermath.
    Spawned,
    /// No extension could be registered: it is done before the answer, in a short time.
    Before,
}

/// The time that a collector has to take the spans of one invocation.
const EXPORT_MAX: Duration = Duration::from_secs(2);

/// The time that [`Mode::Before`] takes from the answer, at most.
const BEFORE_MAX: Duration = Duration::from_secs(1);

impl Mode {
    /// Called before the answer is handed over.
    pub(crate) async fn before_answer(&self, aftermath: Option<Aftermath>) -> Option<Aftermath> {
        match (self, aftermath) {
            (Self::Before, Some(mut aftermath)) => {
                aftermath.deadline = aftermath.deadline.min(Deadline::after(BEFORE_MAX));
                aftermath.perform().await;
                None
            }
            (_, aftermath) => aftermath,
        }
    }

    /// Called when an invocation begins.
    pub(crate) fn before_invocation(&self) {
        if let Self::Held(holder) = self {
            holder.begin();
        }
    }

    /// Called when the answer has been handed over.
    pub(crate) fn after_answer(&self, request_id: String, aftermath: Option<Aftermath>) {
        let left = match self {
            // Even of an invocation without aftermath the extension has to hear: it waits for
            // one for each invocation.
            Self::Held(holder) => holder.end(Left { request_id, aftermath }),
            Self::Spawned | Self::Before => aftermath,
        };
        if let Some(aftermath) = left {
            tokio::spawn(aftermath.perform());
        }
    }
}

impl Aftermath {
    /// Does it, as far as the time goes. A failure is logged and counted, and changes nothing.
    pub(crate) async fn perform(mut self) {
        match self.request.take() {
            Some(request) => observed(request, self.perform_all()).await,
            None => self.perform_all().await,
        }
    }

    async fn perform_all(mut self) {
        if !self.lines.is_empty() {
            // By one call: each costs some microseconds.
            print(&self.lines.join("\n"));
        }
        let wanted = self.tertiary.count();
        let deadline = self.deadline.instant();
        let telling = std::mem::take(&mut self.telling);
        if timeout_at(deadline, self.effects_and_exchange(telling)).await.is_err() {
            tracing::error!(wanted, "no time left for what was to follow the answer");
            self.count_failures(wanted);
        }
    }

    async fn effects_and_exchange(&self, telling: Vec<JoinHandle<()>>) {
        let platform = &*self.shared.platform;
        let perform = self.tertiary.perform(platform);
        let exchange = async {
            join_all(telling).await;
            self.shared.limiter.exchange(platform).await;
        };
        let (faults, (), ()) = tokio::join!(perform, exchange, self.export());
        self.count_failures(faults.len());
        for fault in faults {
            tracing::error!(error = %Failure::Fault(fault), "a tertiary effect failed");
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
                self.shared.platform.export(&url, headers, request).await?;
            }
            Ok(())
        };
        // The next invocation waits for this one's telemetry.
        let exported = timeout(EXPORT_MAX, export).await.unwrap_or(Err(Fault::TimedOut));
        if let Err(fault) = exported {
            tracing::warn!(error = %Failure::Fault(fault), "spans are lost");
        }
    }

    fn count_failures(&self, failed: usize) {
        if failed > 0 {
            let service = &self.shared.settings.service;
            let labels = [("type", "TERTIARY_EFFECT_FAILED"), ("service", service)];
            print(&metric(service, Timestamp::now(), &labels, "errors_total", "Count", failed));
        }
    }
}

impl Tertiary {
    pub(crate) fn of(effects: &Effects, moment: &Moment, cause: &Cause) -> Self {
        Self {
            messages: outgoing(effects.messages(), moment, cause),
            mails: effects.mails().to_vec(),
            notices: effects.notices().to_vec(),
        }
    }

    /// More messages, whatever the effects are.
    pub(super) fn with_messages(mut self, messages: Vec<Outgoing>) -> Self {
        self.messages.extend(messages);
        self
    }

    pub(super) fn count(&self) -> usize {
        self.messages.len() + self.mails.len() + self.notices.len()
    }

    /// Does all of it side by side; gives what went wrong.
    async fn perform(&self, platform: &dyn Platform) -> Vec<Fault> {
        let send = async {
            if self.messages.is_empty() { Vec::new() } else { platform.send(&self.messages).await }
        };
        let mails = join_all(self.mails.iter().map(|mail| platform.mail(mail)));
        let notices = join_all(self.notices.iter().map(|notice| platform.notify(notice)));
        let (unsent, mailed, told) = tokio::join!(send, mails, notices);
        let failed = mailed.into_iter().chain(told).filter_map(Result::err);
        unsent.into_iter().map(|(_, fault)| fault).chain(failed).collect()
    }
}
