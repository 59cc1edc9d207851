//! What happens once the answer has been handed over: tertiary effects and telemetry.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::time::timeout_at;

use super::Shared;
use crate::effects::Mail;
use crate::failure::{Failure, Fault};
use crate::platform::Outgoing;
use crate::telemetry::line::metric;
use crate::telemetry::log::print;
use crate::{Deadline, Timestamp};

/// What one request leaves to be done after its answer.
pub(crate) struct Aftermath {
    pub(crate) shared: Arc<Shared>,
    pub(crate) deadline: Deadline,
    pub(crate) lines: Vec<String>,
    pub(crate) spans: Option<Vec<u8>>,
    pub(crate) messages: Vec<Outgoing>,
    pub(crate) mails: Vec<Mail>,
}

/// How the aftermath is kept from being frozen together with the process.
#[derive(Debug, Clone)]
pub(crate) enum Mode {
    /// An internal extension holds the execution environment until it is done: it asks for the
    /// next event only then, and Lambda freezes nothing before.
    Held(UnboundedSender<Option<Aftermath>>),
    /// The process serves several requests at once and is not frozen between them, or there never
    /// is an aftermath.
    Spawned,
    /// No extension could be registered: it is done before the answer, in a short time.
    Before,
}

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

    /// Called when the answer has been handed over.
    pub(crate) fn after_answer(&self, aftermath: Option<Aftermath>) {
        let left = match self {
            // Even of an invocation without aftermath the extension has to hear: it waits for
            // one for each invocation.
            Self::Held(sender) => sender.send(aftermath).err().and_then(|refused| refused.0),
            Self::Spawned | Self::Before => aftermath,
        };
        if let Some(aftermath) = left {
            tokio::spawn(aftermath.perform());
        }
    }
}

impl Aftermath {
    /// Does it, as far as the time goes. A failure is logged and counted, and changes nothing.
    pub(crate) async fn perform(self) {
        if !self.lines.is_empty() {
            // By one call: each costs some microseconds.
            print(&self.lines.join("\n"));
        }
        let wanted = self.messages.len() + self.mails.len();
        let deadline = self.deadline.instant();
        if timeout_at(deadline, self.effects_and_exchange()).await.is_err() {
            tracing::error!(wanted, "no time left for what was to follow the answer");
            self.count_failures(wanted);
        }
    }

    async fn effects_and_exchange(&self) {
        let platform = &*self.shared.platform;
        let send = async {
            let failed = if self.messages.is_empty() {
                Vec::new()
            } else {
                platform.send(&self.messages).await
            };
            failed.into_iter().map(|(_, fault)| fault).collect::<Vec<Fault>>()
        };
        let mail = async {
            let mails = self.mails.iter().map(|mail| platform.mail(mail));
            let results = futures::future::join_all(mails).await;
            results.into_iter().filter_map(Result::err).collect::<Vec<Fault>>()
        };
        let exchange = self.shared.limiter.exchange(platform);
        let (unsent, unmailed, (), ()) = tokio::join!(send, mail, exchange, self.export());
        let failed = unsent.len() + unmailed.len();
        for fault in unsent.into_iter().chain(unmailed) {
            tracing::error!(error = %Failure::Fault(fault), "a tertiary effect failed");
        }
        self.count_failures(failed);
    }

    async fn export(&self) {
        let settings = &self.shared.settings;
        let (Some(spans), Some(collector)) = (&self.spans, &settings.collector) else {
            return;
        };
        let url = format!("{}/v1/traces", collector.trim_end_matches('/'));
        let headers = &settings.collector_headers;
        if let Err(fault) = self.shared.platform.export(&url, headers, spans.clone()).await {
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
