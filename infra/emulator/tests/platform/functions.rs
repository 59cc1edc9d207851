//! Tests of Lambda: environments, the order of events, limits, and how environments end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use emulator::Clock;
use emulator::functions::{Functions, InvocationRecord, InvokeError, LogLine, LogSink};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::{deployment, event, start, with_variable};

const PROBE: &str = "ProbeFunction";

async fn tell(functions: &Functions, what: &Value) -> Result<Value, InvokeError> {
    let answer = functions.invoke(PROBE, event(what)).await?;
    Ok(serde_json::from_slice(&answer).unwrap())
}

/// Starts an environment with one invocation and waits until all its slots are free. Until then, a
/// further invocation would start another environment.
async fn warm_up(functions: &Functions, capacity: usize) {
    tell(functions, &json!({"do": "echo"})).await.unwrap();
    until(functions, |record| times(record, "runtime next") == capacity + 1).await;
}

/// The latest invocation, once its record satisfies the condition.
async fn until(
    functions: &Functions,
    is_so: impl Fn(&InvocationRecord) -> bool,
) -> InvocationRecord {
    for _ in 0..2_000 {
        let latest = functions.invocations().pop();
        if let Some(record) = latest.filter(&is_so) {
            return record;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the expected record never appeared: {:?}", functions.invocations());
}

/// The number of these events, including the environment's start.
fn times(record: &InvocationRecord, what: &str) -> usize {
    record.events.iter().filter(|event| event.what == what).count()
}

/// The time of an event in a record, in milliseconds.
fn at(record: &InvocationRecord, what: &str) -> f64 {
    let found = record.events.iter().find(|event| event.what == what);
    found.unwrap_or_else(|| panic!("no {what} in {record:?}")).at_ms
}

#[tokio::test]
async fn an_environment_starts_once_and_is_reused() {
    let functions = start(vec![deployment()]);

    warm_up(&functions, 1).await;
    tell(&functions, &json!({"do": "echo"})).await.unwrap();

    let records = functions.invocations();
    assert_eq!(records.iter().map(|it| it.cold_start).collect::<Vec<_>>(), [true, false]);
    assert_eq!(records[0].environment, records[1].environment);
    assert_eq!(functions.counts()[PROBE].cold_starts, 1);
    functions.stop().await;
}

#[tokio::test]
async fn the_response_is_sent_before_the_extension_has_finished() {
    let functions = start(vec![with_variable("PROBE_EXTENSION_MS", "400")]);

    tell(&functions, &json!({"do": "echo"})).await.unwrap();
    let answered = functions.invocations().remove(0);
    let done = until(&functions, |record| times(record, "extension probe next") == 2).await;
    tell(&functions, &json!({"do": "echo"})).await.unwrap();

    assert_eq!(times(&answered, "extension probe next"), 1, "{answered:?}");
    let returned = done.events.last().unwrap();
    assert_eq!(returned.what, "extension probe next");
    assert!(returned.at_ms - at(&done, "invoked") >= 400.0, "{done:?}");
    assert!(!functions.invocations()[1].cold_start);
    functions.stop().await;
}

#[tokio::test]
async fn an_environment_takes_no_invocation_while_its_extension_works() {
    let functions = start(vec![with_variable("PROBE_EXTENSION_MS", "4000")]);

    tell(&functions, &json!({"do": "echo"})).await.unwrap();
    tell(&functions, &json!({"do": "echo"})).await.unwrap();

    let records = functions.invocations();
    assert!(records[1].cold_start, "the first environment was still busy");
    assert_ne!(records[0].environment, records[1].environment);
    functions.stop().await;
}

#[tokio::test]
async fn a_function_gets_lambdas_variables_and_inherits_none() {
    let functions = start(vec![with_variable("USERS_TABLE", "local-UsersTable")]);

    let variables = tell(&functions, &json!({"do": "variables"})).await.unwrap();

    assert_eq!(variables["USERS_TABLE"], "local-UsersTable");
    assert_eq!(variables["AWS_LAMBDA_FUNCTION_NAME"], "local-ProbeFunction");
    assert_eq!(variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "128");
    assert_eq!(variables["AWS_ACCESS_KEY_ID"], "ASIAPROBE");
    assert_eq!(variables["AWS_ENDPOINT_URL_SQS"], "http://127.0.0.1:9");
    let environment = functions.invocations()[0].environment.clone().unwrap();
    assert_eq!(variables["AWS_SESSION_TOKEN"], environment.as_str());
    for inherited in ["HOME", "CARGO", "CARGO_MANIFEST_DIR", "USER"] {
        assert_eq!(variables.get(inherited), None, "{inherited}");
    }
    functions.stop().await;
}

#[tokio::test]
async fn after_a_timeout_the_next_invocation_is_a_cold_start() {
    let mut deployment = deployment();
    deployment.timeout = Duration::from_secs(1);
    let functions = start(vec![deployment]);

    let error = tell(&functions, &json!({"do": "sleep", "ms": 5_000})).await.unwrap_err();
    assert_eq!(error.to_string(), "Task timed out after 1.00 seconds");

    tell(&functions, &json!({"do": "echo"})).await.unwrap();
    assert!(functions.invocations()[1].cold_start);
    functions.stop().await;
}

#[tokio::test]
async fn a_crash_fails_only_its_own_invocation() {
    let functions = start(vec![deployment()]);

    let error = tell(&functions, &json!({"do": "exit"})).await.unwrap_err();
    assert_eq!(error, InvokeError::Crashed { how: "exit status: 3".to_owned() });

    tell(&functions, &json!({"do": "echo"})).await.unwrap();
    functions.stop().await;
}

#[tokio::test]
async fn killing_an_environment_fails_its_running_invocation() {
    let functions = start(vec![deployment()]);

    let sleeping = json!({"do": "sleep", "ms": 5_000});
    let running = tell(&functions, &sleeping);
    let killing = async {
        let record = until(&functions, |record| record.environment.is_some()).await;
        functions.kill(&record.environment.unwrap());
    };
    let (result, ()) = tokio::join!(running, killing);

    let killed = InvokeError::Crashed { how: "signal: 9 (SIGKILL)".to_owned() };
    assert_eq!(result.unwrap_err(), killed);
    functions.stop().await;
}

#[tokio::test]
async fn a_process_that_a_function_has_started_ends_with_its_environment() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let functions = start(vec![deployment()]);
    tell(&functions, &json!({"do": "start", "address": address})).await.unwrap();
    let (mut connection, _) = listener.accept().await.unwrap();

    let environment = functions.invocations().remove(0).environment.unwrap();
    functions.kill(&environment);

    // The kernel closes the connections of a process that has ended.
    let read = timeout(Duration::from_secs(5), connection.read(&mut [0])).await;
    assert!(matches!(read, Ok(Ok(0) | Err(_))), "{read:?}");
    functions.stop().await;
}

#[tokio::test]
async fn a_function_error_is_returned_with_its_message() {
    let functions = start(vec![deployment()]);

    let error = tell(&functions, &json!({"do": "fail"})).await.unwrap_err();

    assert!(
        matches!(&error, InvokeError::FunctionError { message, .. } if message == "as ordered"),
        "{error:?}"
    );
    assert_eq!(functions.counts()[PROBE].errors, 1);
    functions.stop().await;
}

#[tokio::test]
async fn a_function_that_cannot_start_fails_each_invocation_once() {
    let functions = start(vec![with_variable("PROBE_INIT", "exit")]);

    let error = tell(&functions, &json!({"do": "echo"})).await.unwrap_err();

    assert_eq!(error, InvokeError::InitFailed { reason: "exit status: 7".to_owned() });
    functions.stop().await;
}

#[tokio::test]
async fn invocations_above_the_reserved_concurrency_are_throttled() {
    let mut deployment = deployment();
    deployment.reserved_concurrency = Some(1);
    let functions = start(vec![deployment]);

    let sleeping = json!({"do": "sleep", "ms": 300});
    let (first, second) = tokio::join!(tell(&functions, &sleeping), tell(&functions, &sleeping));

    assert!(first.is_ok(), "{first:?}");
    assert_eq!(second.unwrap_err(), InvokeError::Throttled);
    assert_eq!(functions.counts()[PROBE].throttles, 1);
    functions.stop().await;
}

#[tokio::test]
async fn a_response_that_is_too_large_is_a_function_error() {
    let functions = start(vec![deployment()]);

    let error = tell(&functions, &json!({"do": "answer much"})).await.unwrap_err();

    assert_eq!(error.error_type(), "Function.ResponseSizeTooLarge");
    functions.stop().await;
}

#[tokio::test]
async fn one_process_serves_concurrent_invocations_if_configured() {
    let mut deployment = deployment();
    deployment.invocations_per_environment = 4;
    let functions = start(vec![deployment]);
    warm_up(&functions, 4).await;

    let sleeping = json!({"do": "sleep", "ms": 1_000});
    let began = Instant::now();
    let results = futures::future::join_all((0..4).map(|_| tell(&functions, &sleeping))).await;

    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!(functions.counts()[PROBE].cold_starts, 1);
    functions.stop().await;
}

#[tokio::test]
async fn every_invocation_is_a_cold_start_if_configured() {
    let functions = start(vec![deployment()]);
    functions.cold_start_every_call(true);

    tell(&functions, &json!({"do": "echo"})).await.unwrap();
    tell(&functions, &json!({"do": "echo"})).await.unwrap();

    assert_eq!(functions.counts()[PROBE].cold_starts, 2);
    functions.stop().await;
}

#[tokio::test]
async fn a_rebuilt_binary_is_used_from_the_next_invocation_on() {
    let functions = start(vec![deployment()]);
    tell(&functions, &json!({"do": "echo"})).await.unwrap();

    functions.binary_changed(&super::probe());
    tell(&functions, &json!({"do": "echo"})).await.unwrap();

    assert!(functions.invocations()[1].cold_start);
    functions.stop().await;
}

#[tokio::test]
async fn after_the_end_no_process_runs_and_invocations_fail() {
    let functions = start(vec![with_variable("PROBE_EXTENSION_MS", "0")]);
    let variables = tell(&functions, &json!({"do": "variables"})).await.unwrap();
    assert!(variables["AWS_LAMBDA_RUNTIME_API"].is_string());

    let began = Instant::now();
    functions.stop().await;

    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    let error = tell(&functions, &json!({"do": "echo"})).await.unwrap_err();
    assert_eq!(error, InvokeError::Stopping);
}

#[tokio::test]
async fn a_function_gets_the_offset_of_a_moved_clock_and_the_mark_of_the_emulator() {
    let logs: LogSink = Arc::new(|_: &LogLine<'_>| ());
    for (offset_s, offset, mark) in
        [(0, Value::Null, "AWS_Lambda_provided.al2023"), (30, json!("30"), "emulator")]
    {
        let clock = Clock::default();
        clock.set_offset(offset_s).unwrap();
        let functions = Functions::start_with(vec![deployment()], &logs, &clock);

        let variables = tell(&functions, &json!({"do": "variables"})).await.unwrap();

        assert_eq!(variables["CLOCK_OFFSET_S"], offset);
        assert_eq!(variables["AWS_EXECUTION_ENV"], mark);
        functions.stop().await;
    }
}
