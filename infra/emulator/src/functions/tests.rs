//! Tests of the order in which an invocation is recorded and its caller gets the result.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::function::{Function, Recorder};
use super::handle::EnvironmentHandle;
use super::process_group::Group;
use super::timeline::Timeline;
use super::{LogLine, LogSink, scaling, scripted, supervisor};
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

/// The records when the caller of an invocation is woken, which `end` ends.
fn seen_after(end: impl Fn(&EnvironmentHandle, &str)) -> Vec<(bool, Option<String>)> {
    let (clock, logs) = (Clock::default(), Arc::new(|_: &LogLine<'_>| {}) as LogSink);
    let activity = Activity::new(&clock);
    let (timeline, group) = (Arc::<Timeline>::default(), Arc::<Group>::default());
    let recorder = Recorder { timeline, activity: activity.clone() };
    let config = scripted::config("Function", Duration::ZERO);
    let scaling = scaling(&config);
    let function = Function::new(config, scaling, recorder, &group, &logs, &clock, |_, _| ());
    let function = Arc::new(function);
    let caller = Caller { activity, request_id: Mutex::default(), seen: Mutex::default() };
    let caller = Arc::new(caller);

    let mut invoked = pin!(function.invoke(Bytes::from_static(b"{}"), Cause::ByHand));
    let waker = Waker::from(Arc::clone(&caller));
    assert!(invoked.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let environment: Arc<str> = function.report().environments[0].id.as_str().into();
    let (poll, mut delivery) = oneshot::channel();
    function.step_in(&environment, |it| it.runtime_polls(poll));
    let request_id = delivery.try_recv().unwrap().request_id;
    caller.request_id.lock().unwrap().clone_from(&request_id);

    end(&EnvironmentHandle { function: Arc::clone(&function), environment }, &request_id);

    caller.seen.lock().unwrap().clone()
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
