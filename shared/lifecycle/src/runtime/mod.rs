//! Runs the lifecycle on Lambda.
//!
//! The `main` of a binary calls [`endpoint`], [`consumer`], [`authorizer`] or [`rotation`]. Each
//! first checks whether the binary was started with `--describe`. In a simulation (feature `testing`)
//! they hand the function over instead of serving it.
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
//! | `LOG_SUCCESSES` | the number of records of a queue or a stream that succeed and share a line; 1 to 100, by default 1. Metrics are the same. A line is written with the last of them, or after a minute with the next; the records that wait when the environment ends have no line |
//! | `ALLOWED_ORIGINS` | the origins whose pages may read responses, separated by commas; `*` for all; by default none |
//! | `RATE_LIMIT` | replaces the quota of endpoints with approximate counting |
//! | `EXACT_RATE_LIMIT` | replaces the quota of endpoints with exact counting |
//! | `TRUSTED_HOPS` | the number of trusted proxies before API Gateway; by default 0 |
//! | `TRUSTED_HOPS_SECRET` | the secret that the nearest of them sends as `X-Origin-Verify` |
//! | `OTEL_EXPORTER_OTLP_ENDPOINT` | the address of a collector for spans; by default none |
//! | `OTEL_EXPORTER_OTLP_HEADERS` | headers for the collector, `name=value`, separated by commas; values are percent-encoded, as OpenTelemetry demands |
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
#[cfg(any(test, feature = "testing"))]
pub(crate) mod simulated;
mod watchdog;

use std::process::ExitCode;
use std::sync::Arc;

use serde_json::Value;

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
    let resources = describe::resources_of_endpoint::<E>();
    run(&resources, describe::endpoint::<E>, connect, |adapter, shared| {
        Arc::new(endpoint::Handler::new(build(adapter), shared))
    })
}

/// Serves a consumer until Lambda ends the process.
pub fn consumer<C: Consumer, P: Adapter + Clone>(
    connect: impl Fn(&[Resource]) -> Result<P, BoxError> + Send + 'static,
    build: impl FnOnce(&P) -> C,
) -> ExitCode {
    let resources = describe::resources_of_consumer::<C>();
    run(&resources, describe::consumer::<C>, connect, |adapter, shared| {
        Arc::new(consumer::Handler::new(build(adapter), shared))
    })
}

/// Serves the authorizer of an HTTP API until Lambda ends the process.
pub fn authorizer<V: TokenVerifier + 'static, P: Adapter + Clone>(
    resources: &'static [Resource],
    connect: impl Fn(&[Resource]) -> Result<P, BoxError> + Send + 'static,
    build: impl FnOnce(&P) -> V,
) -> ExitCode {
    let describe = move || describe::authorizer(resources);
    run(resources, describe, connect, |adapter, shared| {
        let service = shared.settings.service.clone();
        Arc::new(authorizer::Handler { verifier: Arc::new(build(adapter)), service })
    })
}

/// Serves the rotation of a secret until Lambda ends the process.
pub fn rotation<R: Rotation, P: Adapter + Clone>(
    connect: impl Fn(&[Resource]) -> Result<P, BoxError> + Send + 'static,
    build: impl FnOnce(&P) -> R,
) -> ExitCode {
    run(R::RESOURCES, describe::rotation::<R>, connect, |adapter, _| {
        Arc::new(rotation::Handler { rotation: build(adapter) })
    })
}

/// The table of counts, which a blocked function updates before it exits.
const COUNTS: &[Resource] = &[Resource::Table(LIMITS, &[Action::UpdateItem])];

fn run<P: Adapter + Clone>(
    resources: &[Resource],
    describe: impl Fn() -> Value + Send + Sync + 'static,
    connect: impl Fn(&[Resource]) -> Result<P, BoxError> + Send + 'static,
    build: impl FnOnce(&P, Arc<Shared>) -> Arc<dyn Handler>,
) -> ExitCode {
    #[cfg(any(test, feature = "testing"))]
    if let Some(variables) = simulated::variables() {
        return simulate(&variables, resources, describe, connect, build);
    }
    if let Some(code) = describe::printed_if_asked(describe) {
        return code;
    }
    let settings = Settings::from_environment();
    crate::telemetry::log::start(&settings.function, settings.log_level.as_deref());
    warn_of_ignored(&settings);
    let has_counts = resources.iter().any(|usage| usage.covers(LIMITS, Action::UpdateItem));
    let started = lambda::async_runtime(&settings).block_on(async {
        clock::start(|name| std::env::var(name).ok())?;
        let (handler, shared) = built(settings, resources, &connect, build)?;
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

/// Connects a function's adapter, and builds its handler.
fn built<P: Adapter + Clone>(
    settings: Settings,
    resources: &[Resource],
    connect: &impl Fn(&[Resource]) -> Result<P, BoxError>,
    build: impl FnOnce(&P, Arc<Shared>) -> Arc<dyn Handler>,
) -> Result<(Arc<dyn Handler>, Arc<Shared>), BoxError> {
    let adapter = connect(resources)?;
    let shared = Arc::new(Shared::new(settings, Arc::new(adapter.clone())));
    Ok((build(&adapter, Arc::clone(&shared)), shared))
}

/// Builds a function of a simulation, and hands it over instead of serving it.
#[cfg(any(test, feature = "testing"))]
fn simulate<P: Adapter + Clone>(
    variables: &simulated::Variables,
    resources: &[Resource],
    describe: impl Fn() -> Value + Send + Sync + 'static,
    connect: impl Fn(&[Resource]) -> Result<P, BoxError>,
    build: impl FnOnce(&P, Arc<Shared>) -> Arc<dyn Handler>,
) -> ExitCode {
    let settings = Settings::read(|name| variables(name));
    warn_of_ignored(&settings);
    let built = built(settings, resources, &connect, build);
    simulated::hand_over(match built {
        Ok((handler, shared)) => Ok(simulated::Built {
            handler,
            shared,
            resources: resources.to_vec(),
            describe: Box::new(describe),
        }),
        Err(error) => {
            tracing::error!(error = &*error as &dyn std::error::Error, "cannot serve");
            Err(error.to_string())
        }
    })
}

fn warn_of_ignored(settings: &Settings) {
    if !settings.ignored.is_empty() {
        let variables = settings.ignored.join(", ");
        tracing::warn!(variables, "variables are no valid numbers; they have no effect");
    }
}

#[cfg(test)]
mod tests;
