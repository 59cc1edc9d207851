//! Functions without processes, for tests: a task takes the part of each environment's process.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::function::{Function, Start};
use super::{EnvironmentState, FunctionConfig, Functions, LogLine, LogSink};
use crate::activity::Activity;
use crate::clock::Clock;

/// A function of this name and timeout.
pub(crate) fn config(logical_id: &str, timeout: std::time::Duration) -> FunctionConfig {
    FunctionConfig {
        logical_id: logical_id.to_owned(),
        name: format!("local-{logical_id}"),
        binary: "/bin/false".into(),
        handler: "bootstrap".to_owned(),
        variables: std::collections::BTreeMap::new(),
        access_key_id: String::new(),
        services_endpoint: String::new(),
        timeout,
        memory_mb: 128,
        reserved_concurrency: None,
        invocations_per_environment: 1,
    }
}

/// The function of this configuration, which responds with `null`. It has one idle environment.
pub(crate) async fn warm(config: FunctionConfig, clock: &Clock, activity: &Activity) -> Functions {
    let logs: LogSink = Arc::new(|_: &LogLine<'_>| {});
    let name = config.logical_id.clone();
    let functions = Functions::start_by(launch, vec![config], &logs, clock, activity);
    functions.invoke(&name, Bytes::from_static(b"{}")).await.unwrap();
    while !is_idle(&functions) {
        tokio::task::yield_now().await;
    }
    functions
}

/// Whether an environment waits for an invocation.
pub(crate) fn is_idle(functions: &Functions) -> bool {
    let reports = functions.reports();
    let mut all = reports.values().flat_map(|report| &report.environments);
    all.any(|environment| environment.state == EnvironmentState::Idle)
}

fn launch(function: &Arc<Function>, start: Start) {
    tokio::spawn(run(Arc::clone(function), start));
}

/// Responds to invocations until the end of the environment is ordered.
async fn run(function: Arc<Function>, Start { environment, mut orders, limit: _limit }: Start) {
    loop {
        let (poll, delivery) = oneshot::channel();
        function.step_in(&environment, |it| it.runtime_polls(poll));
        tokio::select! {
            Ok(delivery) = delivery => {
                let null = Ok(Bytes::from_static(b"null"));
                function.step_in(&environment, |it| it.answered(&delivery.request_id, null, || ()));
            }
            _ = orders.recv() => break,
        }
    }
    function.step(|pool| pool.ended(&environment, "ended"));
}
