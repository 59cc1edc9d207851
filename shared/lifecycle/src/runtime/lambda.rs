//! The binding to Lambda's Runtime API and Extensions API.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use lambda_runtime::{Diagnostic, LambdaEvent, LambdaInvocation, Runtime};
use serde::de::IgnoredAny;
use tokio::time::Instant;
use tower::{Layer, Service, service_fn};

use super::defer_mode::DeferMode;
use super::deferred::DeferredWork;
use super::invocation::{Handler, Invocation};
use super::settings::Settings;
use super::shared::Shared;
use super::watchdog::{Watchdog, Watched};
use super::{extension, probe};
use crate::Deadline;
use crate::error::BoxError;

/// One thread is fastest if requests do not overlap.
pub(crate) fn async_runtime(settings: &Settings) -> tokio::runtime::Runtime {
    let mut builder = if settings.concurrency > 1 {
        tokio::runtime::Builder::new_multi_thread()
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    builder.enable_all().build().expect("a process that has just started can have a reactor")
}

/// Handles invocations until Lambda ends the process.
pub(crate) async fn serve(
    handler: Arc<dyn Handler>,
    shared: Arc<Shared>,
    watchdog: Option<Arc<Watchdog>>,
) -> Result<(), BoxError> {
    // Both take a round trip; during init no client waits.
    let defers_work = handler.defers_work();
    let (mode, ()) = tokio::join!(mode(&shared.settings, defers_work), shared.adapter.warm());
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
                    began: Instant::now().into_std(),
                    due: Deadline::overdue(ends),
                    ends: Deadline::end(ends),
                })
            });
            let invocation = Invocation {
                invocation_id: event.context.request_id,
                event: slot.event.clone(),
                deadline: Deadline::from_lambda(ends),
                x_ray: event.context.xray_trace_id,
                cold_start,
            };
            let handled = probe::answered_or_handled(&*handler, invocation).await;
            slot.leave(mode.before_answer(handled.deferred).await);
            handled.answer.map_err(|message| Diagnostic {
                error_type: message.clone(),
                error_message: message,
            })
        }
    }));
    runtime.layer(Around { mode }).run_concurrent().await
}

/// Registers the internal extension, if work can be left until after the response and the platform
/// supports extensions. Each invocation costs an exchange with an extension, and is billed for it.
async fn mode(settings: &Settings, defers_work: bool) -> DeferMode {
    if settings.concurrency > 1 {
        return DeferMode::Spawned;
    }
    if !defers_work {
        return DeferMode::BeforeResponse;
    }
    match extension::hold().await {
        Ok(holder) => DeferMode::InExtension(holder),
        Err(error) => {
            tracing::warn!(
                error,
                "internal extension not registered; tertiary effects run before the response"
            );
            DeferMode::BeforeResponse
        }
    }
}

tokio::task_local! {
    static SLOT: Arc<Slot>;
}

/// Carries data past the runtime crate: the raw event in, the deferred work out.
///
/// The crate would parse the event itself, and return its own error for an invalid one. And the
/// handler cannot know when its response has been sent.
struct Slot {
    event: Bytes,
    deferred: Mutex<Option<DeferredWork>>,
}

impl Slot {
    fn leave(&self, deferred: Option<DeferredWork>) {
        *self.deferred.lock().unwrap_or_else(PoisonError::into_inner) = deferred;
    }

    fn take(&self) -> Option<DeferredWork> {
        self.deferred.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Wraps an invocation, including the sending of its response.
struct Around {
    mode: DeferMode,
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
    mode: DeferMode,
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
        let slot = Arc::new(Slot { event, deferred: Mutex::default() });
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

#[cfg(test)]
mod tests {
    use tokio::runtime::RuntimeFlavor;

    use super::*;

    #[test]
    fn only_concurrent_requests_have_several_threads() {
        for (concurrency, flavor) in [
            (0, RuntimeFlavor::CurrentThread),
            (1, RuntimeFlavor::CurrentThread),
            (2, RuntimeFlavor::MultiThread),
        ] {
            let settings = Settings { concurrency, ..Settings::default() };
            let runtime = async_runtime(&settings);
            assert_eq!(runtime.handle().runtime_flavor(), flavor, "{concurrency}");
        }
    }

    #[tokio::test]
    async fn no_extension_is_registered_for_concurrent_requests_or_without_deferred_work() {
        for (concurrency, defers_work, expected) in
            [(2, true, "Spawned"), (2, false, "Spawned"), (1, false, "BeforeResponse")]
        {
            let settings = Settings { concurrency, ..Settings::default() };
            // It would panic: there is no Extensions API.
            let mode = mode(&settings, defers_work).await;
            assert_eq!(format!("{mode:?}"), expected);
        }
    }
}
