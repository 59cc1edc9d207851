//! Tests of the order in which an invocation is recorded and its caller gets the result, and of the
//! values that a process gets.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use axum::body::to_bytes;
use bytes::Bytes;
use serde_json::Value;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::error::ErrorReport;
use super::function::{Function, Recorder};
use super::handle::EnvironmentHandle;
use super::timeline::Timeline;
use super::{
    FunctionConfig, InvokeError, LogLine, LogSink, extensions_api, scaling, scripted, supervisor,
    variables,
};
use crate::activity::{Activity, Cause};
use crate::clock::Clock;

/// Notes the records at the moment when the caller of an invocation is woken.
struct Caller {
    activity: Activity,
    request_id: Mutex<String>,
    /// Whether the invocation has ended, and its error.
    seen: Mutex<Vec<(bool, Option<String>)>>,
}

impl Wake for Caller {
    fn wake(self: Arc<Self>) {
        let shown = self.activity.invocation(&self.request_id.lock().unwrap()).unwrap().invocation;
        self.seen.lock().unwrap().push((shown.took_ms.is_some(), shown.error));
    }
}

/// A function without processes.
fn function(config: FunctionConfig) -> Arc<Function> {
    let (clock, logs) = (Clock::default(), Arc::new(|_: &LogLine<'_>| {}) as LogSink);
    let activity = Activity::new(&clock);
    let recorder = Recorder { timeline: Arc::<Timeline>::default(), activity };
    let scaling = scaling(&config);
    Arc::new(Function::new(config, scaling, recorder, &logs, &clock, |_, _| ()))
}

/// The records when the caller of an invocation is woken, which `end` ends.
fn seen_after(end: impl Fn(&EnvironmentHandle, &str)) -> Vec<(bool, Option<String>)> {
    let function = function(scripted::config("Function", Duration::ZERO));
    let activity = function.activity.clone();
    let caller = Caller { activity, request_id: Mutex::default(), seen: Mutex::default() };
    let caller = Arc::new(caller);

    let mut invoked = pin!(function.invoke(Bytes::from_static(b"{}"), Cause::ByHand));
    let waker = Waker::from(Arc::clone(&caller));
    assert!(invoked.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let (handle, request_id) = delivered(&function);
    caller.request_id.lock().unwrap().clone_from(&request_id);

    end(&handle, &request_id);

    caller.seen.lock().unwrap().clone()
}

/// Hands the waiting invocation to the environment. Returns both.
fn delivered(function: &Arc<Function>) -> (EnvironmentHandle, String) {
    let environment: Arc<str> = function.report().environments[0].id.as_str().into();
    let (poll, mut delivery) = oneshot::channel();
    function.step_in(&environment, |it| it.runtime_polls(poll));
    let request_id = delivery.try_recv().unwrap().request_id;
    (EnvironmentHandle { function: Arc::clone(function), environment }, request_id)
}

#[tokio::test]
async fn an_invocation_has_ended_when_its_caller_gets_the_response() {
    let seen = seen_after(|handle, request_id| {
        handle.answer(request_id, Ok(Bytes::from_static(b"1")), "response posted");
    });
    assert_eq!(seen, [(true, None)]);
}

#[tokio::test]
async fn an_invocation_is_recorded_as_timed_out_when_its_caller_gets_the_error() {
    let seen = seen_after(|handle, _| supervisor::overran(&handle.function, &handle.environment));
    let [(true, Some(error))] = &*seen else { panic!("{seen:?}") };
    assert!(error.ends_with("Task timed out after 0.00 seconds"), "{error}");
}

#[tokio::test]
async fn a_failure_is_recorded_if_the_caller_has_left() {
    let function = function(scripted::config("Function", Duration::ZERO));
    let (handle, request_id) = {
        let mut invoked = pin!(function.invoke(Bytes::from_static(b"{}"), Cause::ByHand));
        assert!(invoked.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        delivered(&function)
    };

    let error = InvokeError::Crashed { how: "signal: 9".to_owned() };
    handle.answer(&request_id, Err(error), "error posted");
    // The task that records it runs meanwhile.
    tokio::task::yield_now().await;

    assert_eq!(function.counts().errors, 1);
    let record = function.timeline.records().remove(0);
    assert_eq!(record.events.last().unwrap().what, "failed: Runtime.ExitError");
}

#[tokio::test]
async fn an_error_that_a_serving_process_reports_is_none_of_its_initialisation() {
    let function = function(scripted::config("Function", Duration::ZERO));
    let mut invoked = pin!(function.invoke(Bytes::from_static(b"{}"), Cause::ByHand));
    assert!(invoked.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let (handle, _) = delivered(&function);

    let (error_type, message) = ("Extension.Lost".to_owned(), "no connection".to_owned());
    handle.fail(ErrorReport { error_type: error_type.clone(), error_message: message.clone() });
    function.step(|pool| pool.ended(&handle.environment, "signal: 9"));

    let error = invoked.await.unwrap_err();
    assert_eq!(error, InvokeError::FunctionError { error_type, message });
}

/// The variables of the function's process.
fn variables_of(function: &Function) -> BTreeMap<String, String> {
    variables::of(function, "environment-1", ([127, 0, 0, 1], 9).into())
}

#[tokio::test]
async fn a_template_may_set_the_variables_that_lambda_does_not_reserve() {
    let mut config = scripted::config("Function", Duration::ZERO);
    for name in ["LANG", "PATH", "AWS_REGION", "_HANDLER", "AWS_LAMBDA_FUNCTION_NAME"] {
        config.variables.insert(name.to_owned(), "own".to_owned());
    }

    let found = variables_of(&function(config));

    assert_eq!([&found["LANG"], &found["PATH"]], ["own"; 2]);
    assert_eq!(found["TZ"], ":UTC", "its default");
    assert_eq!([&found["AWS_REGION"], &found["_HANDLER"]], ["eu-west-1", "bootstrap"]);
    assert_eq!(found["AWS_LAMBDA_FUNCTION_NAME"], "local-Function");
}

#[tokio::test]
async fn a_process_gets_the_handler_of_its_template() {
    let handler = "work.main".to_owned();
    let function =
        function(FunctionConfig { handler, ..scripted::config("Function", Duration::ZERO) });

    assert_eq!(variables_of(&function)["_HANDLER"], "work.main");
    let handle = EnvironmentHandle { function, environment: "environment-1".into() };
    let registered = extensions_api::welcome(&handle, Uuid::nil()).into_body();
    let registered = to_bytes(registered, usize::MAX).await.unwrap();
    let registered: Value = serde_json::from_slice(&registered).unwrap();
    assert_eq!(registered["handler"], "work.main");
}
