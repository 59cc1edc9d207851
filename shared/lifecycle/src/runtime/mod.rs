//! Runs the lifecycle on Lambda.
//!
//! The `main` of a binary calls [`endpoint`], [`consumer`], [`authorizer`] or [`rotation`]. Each
//! first checks whether the binary was started with `--describe`.
//!
//! # Environment variables
//!
//! All are optional. The variables of tables, queues and secrets follow from a function's
//! [`Resource`]s and are read by the adapter.
//!
//! | variable | value |
//! |---|---|
//! | `SERVICE_NAME` | the namespace of metrics and the service of spans; by default the function's name |
//! | `LOG_LEVEL` | `error`, `warn`, `info`, `debug`, `trace` or `off`, in any case; by default, and instead of another value, `info` |
//! | `ALLOWED_ORIGINS` | the origins whose pages may read responses, separated by commas; `*` for all; by default none |
//! | `RATE_LIMIT` | replaces the quota of endpoints with approximate counting |
//! | `EXACT_RATE_LIMIT` | replaces the quota of endpoints with exact counting |
//! | `TRUSTED_HOPS` | the number of trusted proxies before API Gateway; by default 0 |
//! | `TRUSTED_HOPS_SECRET` | the secret that the nearest of them sends as `X-Origin-Verify` |
//! | `OTEL_EXPORTER_OTLP_ENDPOINT` | the address of a collector for spans; by default none |
//! | `OTEL_EXPORTER_OTLP_HEADERS` | headers for the collector, `name=value`, separated by commas |
//! | `LIFECYCLE_INSPECTOR` | set by the local platform only: the Unix socket to which the function writes records of its requests, with their input, for the console |
//!
//! A variable that should be a number and is none has no effect; the first line of the log names it.

mod authorizer;
mod consumer;
mod defer_mode;
mod deferred;
mod endpoint;
mod extension;
mod guard;
#[cfg(any(test, feature = "testing"))]
pub(crate) mod in_process;
mod invocation;
mod lambda;
mod overrun;
mod probe;
mod repetition;
mod rotation;
mod settings;
mod shared;
mod watchdog;

use std::process::ExitCode;
use std::sync::Arc;

use self::invocation::Handler;
use self::overrun::Reconnect;
use self::settings::Settings;
use self::shared::Shared;
use crate::caller::TokenVerifier;
use crate::consumer::Consumer;
use crate::endpoint::Endpoint;
use crate::error::BoxError;
use crate::limit::LIMITS;
use crate::ports::{Adapter, Store};
use crate::resource::{Action, Resource};
use crate::rotation::Rotation;
use crate::{clock, describe};

/// Serves an endpoint until Lambda ends the process.
///
/// `connect` gets all resources of the endpoint, including the lifecycle's own tables. `build`
/// creates the endpoint on the adapter. Neither is called for `--describe`.
pub fn endpoint<E: Endpoint, P: Adapter + Clone>(
    connect: impl Fn(&[Resource]) -> Result<P, BoxError> + Send + 'static,
    build: impl FnOnce(&P) -> E,
) -> ExitCode {
    if describe::asked() {
        return describe::print(&describe::endpoint::<E>());
    }
    run(&describe::resources_of_endpoint::<E>(), connect, |adapter, shared| {
        Arc::new(endpoint::Handler::new(build(adapter), shared))
    })
}

/// Serves a consumer until Lambda ends the process.
pub fn consumer<C: Consumer, P: Adapter + Clone>(
    connect: impl Fn(&[Resource]) -> Result<P, BoxError> + Send + 'static,
    build: impl FnOnce(&P) -> C,
) -> ExitCode {
    if describe::asked() {
        return describe::print(&describe::consumer::<C>());
    }
    run(&describe::resources_of_consumer::<C>(), connect, |adapter, shared| {
        Arc::new(consumer::Handler { consumer: build(adapter), shared })
    })
}

/// Serves the authorizer of an HTTP API until Lambda ends the process.
pub fn authorizer<V: TokenVerifier + 'static, P: Adapter + Clone>(
    resources: &'static [Resource],
    connect: impl Fn(&[Resource]) -> Result<P, BoxError> + Send + 'static,
    build: impl FnOnce(&P) -> V,
) -> ExitCode {
    if describe::asked() {
        return describe::print(&describe::authorizer(resources));
    }
    run(resources, connect, |adapter, shared| {
        let service = shared.settings.service.clone();
        Arc::new(authorizer::Handler { verifier: Arc::new(build(adapter)), service })
    })
}

/// Serves the rotation of a secret until Lambda ends the process.
pub fn rotation<R: Rotation, P: Adapter + Clone>(
    connect: impl Fn(&[Resource]) -> Result<P, BoxError> + Send + 'static,
    build: impl FnOnce(&P) -> R,
) -> ExitCode {
    if describe::asked() {
        return describe::print(&describe::rotation::<R>());
    }
    run(R::RESOURCES, connect, |adapter, _| {
        Arc::new(rotation::Handler { rotation: build(adapter) })
    })
}

/// The table of counts, which a blocked function updates before it exits.
const COUNTS: &[Resource] = &[Resource::Table(LIMITS, &[Action::UpdateItem])];

fn run<P: Adapter + Clone>(
    resources: &[Resource],
    connect: impl Fn(&[Resource]) -> Result<P, BoxError> + Send + 'static,
    build: impl FnOnce(&P, Arc<Shared>) -> Arc<dyn Handler>,
) -> ExitCode {
    let settings = Settings::from_environment();
    crate::telemetry::log::start(&settings.function, settings.log_level.as_deref());
    if !settings.ignored.is_empty() {
        let variables = settings.ignored.join(", ");
        tracing::warn!(variables, "variables are no valid numbers; they have no effect");
    }
    let has_counts = resources.iter().any(|usage| usage.covers(LIMITS, Action::UpdateItem));
    let started = lambda::async_runtime(&settings).block_on(async {
        clock::start(|name| std::env::var(name).ok())?;
        let adapter = connect(resources)?;
        let shared = Arc::new(Shared::new(settings, Arc::new(adapter.clone())));
        let handler = build(&adapter, Arc::clone(&shared));
        let reconnect: Reconnect = Box::new(move || {
            let adapter = connect(COUNTS)?;
            Ok(Arc::new(adapter) as Arc<dyn Store>)
        });
        let reconnect = has_counts.then_some(reconnect);
        let watchdog = overrun::watchdog(Arc::clone(&handler), Arc::clone(&shared), reconnect);
        lambda::serve(handler, shared, watchdog).await
    });
    match started {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = &*error as &dyn std::error::Error, "cannot serve");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests;
