//! The binding to Lambda's Runtime API and Extensions API.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;
use lambda_runtime::{Diagnostic, LambdaEvent, LambdaInvocation, Runtime};
use serde::Serialize;
use serde::de::IgnoredAny;
use tower::{Layer, Service, service_fn};

use super::after::{Aftermath, Mode};
use super::overrun::LastWords;
use super::settings::Settings;
use super::watchdog::{Watchdog, Watched};
use super::{Response, Shared, extension, probe};
use crate::Deadline;
use crate::failure::BoxError;

/// One event to be handled.
pub(crate) struct Invocation {
    pub(crate) event: Bytes,
    pub(crate) deadline: Deadline,
    pub(crate) x_ray: Option<String>,
    /// Whether it is the first of its process.
    pub(crate) cold_start: bool,
}

/// What came of it.
pub(crate) struct Handled {
    /// An error is a message to Lambda, which makes it a failed invocation.
    pub(crate) answer: Result<Answer, String>,
    pub(crate) aftermath: Option<Aftermath>,
}

/// What Lambda is given back.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Answer {
    Http(Response),
    Json(serde_json::Value),
}

/// Handles events of one kind.
#[async_trait]
pub(crate) trait Handler: Send + Sync {
    async fn handle(&self, invocation: Invocation) -> Handled;

    /// What is answered and told in place of an invocation whose work does not let go of its
    /// thread; `None` makes it a failed invocation.
    fn overran(&self, _: &Watched) -> Option<LastWords> {
        None
    }

    /// Whether an answer of its can leave anything to be done.
    fn leaves_aftermath(&self) -> bool {
        true
    }
}

/// One thread is quickest where requests come one by one.
pub(crate) fn async_runtime(settings: &Settings) -> tokio::runtime::Runtime {
    let mut builder = if settings.concurrency > 1 {
        tokio::runtime::Builder::new_multi_thread()
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    builder.enable_all().build().expect("a process that has just started can have a reactor")
}

/// Handles events until Lambda ends the process.
pub(crate) async fn serve(
    handler: Arc<dyn Handler>,
    shared: Arc<Shared>,
    watchdog: Option<Arc<Watchdog>>,
) -> Result<(), BoxError> {
    // Both take a round trip; during init nobody waits for either.
    let aftermath = handler.leaves_aftermath();
    let (mode, ()) = tokio::join!(mode(&shared.settings, aftermath), shared.platform.warm());
    let first = Arc::new(Mutex::new(true));
    let answer_mode = mode.clone();
    let runtime = Runtime::new(service_fn(move |event: LambdaEvent<IgnoredAny>| {
        let (handler, mode) = (Arc::clone(&handler), answer_mode.clone());
        let watchdog = watchdog.clone();
        let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
        let cold_start = std::mem::take(&mut *first);
        async move {
            let slot = SLOT.with(Arc::clone);
            let ends = event.context.deadline();
            let _watch = watchdog.map(|watchdog| {
                watchdog.watch(Watched {
                    invocation_id: event.context.request_id.clone(),
                    event: slot.event.clone(),
                    x_ray: event.context.xray_trace_id.clone(),
                    cold_start,
                    began: Instant::now(),
                    due: Deadline::overdue(ends),
                    ends: Deadline::end(ends),
                })
            });
            let invocation = Invocation {
                event: slot.event.clone(),
                deadline: Deadline::from_lambda(ends),
                x_ray: event.context.xray_trace_id,
                cold_start,
            };
            let handled = probe::answered_or_handled(&*handler, invocation).await;
            slot.leave(mode.before_answer(handled.aftermath).await);
            handled.answer.map_err(|message| Diagnostic {
                error_type: message.clone(),
                error_message: message,
            })
        }
    }));
    runtime.layer(Around { mode }).run_concurrent().await
}

/// Registers the internal extension, where there is something for it to do, and the platform takes
/// one.
async fn mode(settings: &Settings, aftermath: bool) -> Mode {
    if settings.concurrency > 1 || !aftermath {
        return Mode::Spawned;
    }
    match extension::hold().await {
        Ok(holder) => Mode::Held(holder),
        Err(error) => {
            tracing::warn!(error, "no internal extension: tertiary effects precede the answer");
            Mode::Before
        }
    }
}

tokio::task_local! {
    static SLOT: Arc<Slot>;
}

/// What goes round the runtime crate: the event's bytes in, the aftermath out.
///
/// The crate would deserialise the event itself, and answer one that it cannot read by an error
/// of its own; and the handler alone cannot know when its answer has been handed over.
struct Slot {
    event: Bytes,
    aftermath: Mutex<Option<Aftermath>>,
}

impl Slot {
    fn leave(&self, aftermath: Option<Aftermath>) {
        *self.aftermath.lock().unwrap_or_else(PoisonError::into_inner) = aftermath;
    }

    fn take(&self) -> Option<Aftermath> {
        self.aftermath.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Wraps the whole of an invocation, the handing over of its answer included.
struct Around {
    mode: Mode,
}

impl<S> Layer<S> for Around {
    type Service = AroundService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AroundService { inner, mode: self.mode.clone() }
    }
}

#[derive(Clone)]
struct AroundService<S> {
    inner: S,
    mode: Mode,
}

impl<S> Service<LambdaInvocation> for AroundService<S>
where
    S: Service<LambdaInvocation, Response = (), Error = BoxError>,
    S::Future: Send + 'static,
{
    type Response = ();
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut invocation: LambdaInvocation) -> Self::Future {
        let request_id = invocation.context.request_id.clone();
        let event = std::mem::replace(&mut invocation.body, Bytes::from_static(b"null"));
        let slot = Arc::new(Slot { event, aftermath: Mutex::default() });
        let answered = SLOT.scope(Arc::clone(&slot), self.inner.call(invocation));
        let mode = self.mode.clone();
        mode.before_invocation();
        Box::pin(async move {
            let result = answered.await;
            mode.after_answer(request_id, slot.take());
            result
        })
    }
}
