//! Tests of event sources on real stores, with scripted functions.

mod queues;
mod rotations;
mod streams;

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::*;
use crate::functions::InvokeError;

const QUEUE: &str = "EventSourceArn: !GetAtt WorkQueue.Arn
      FunctionResponseTypes: [ReportBatchItemFailures]";

/// A scripted response to an event.
type Answer = Box<dyn FnOnce(&Value) -> Result<Value, InvokeError> + Send>;

/// Scripted functions: they use each response in turn, then succeed.
#[derive(Default)]
struct Scripted {
    answers: Mutex<VecDeque<Answer>>,
    /// The duration of each invocation.
    takes: Duration,
    /// All events so far, with the time of each.
    events: Mutex<Vec<(Instant, Value)>>,
    running: AtomicUsize,
    /// The maximum number of concurrent invocations so far.
    running_max: AtomicUsize,
}

impl Invoke for Scripted {
    fn invoke<'a>(
        &'a self,
        _function: &'a str,
        event: Bytes,
    ) -> BoxFuture<'a, Result<Bytes, InvokeError>> {
        async move {
            let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
            self.running_max.fetch_max(running, Ordering::SeqCst);
            let event: Value = serde_json::from_slice(&event).unwrap();
            let answer = self.answers.lock().unwrap().pop_front();
            let answer = answer.map_or(Ok(Value::Null), |answer| answer(&event));
            self.events.lock().unwrap().push((Instant::now(), event));
            tokio::time::sleep(self.takes).await;
            self.running.fetch_sub(1, Ordering::SeqCst);
            answer.map(|answer| answer.to_string().into())
        }
        .boxed()
    }
}

fn crash() -> Answer {
    Box::new(|_| {
        let how = "signal: 9 (SIGKILL)".to_owned();
        Err(InvokeError::Crashed { how })
    })
}

fn throttle() -> Answer {
    Box::new(|_| Err(InvokeError::Throttled))
}

/// Reports those records as failed that have this value at `there`; their identifiers are at `id`.
fn failing(id: &'static str, there: &'static str, value: &'static str) -> Answer {
    Box::new(move |event| {
        let records = event["Records"].as_array().unwrap().iter();
        let failed = records.filter(|record| record.pointer(there).unwrap() == value);
        let failed = failed.map(|record| json!({"itemIdentifier": record.pointer(id)}));
        Ok(json!({"batchItemFailures": failed.collect::<Vec<_>>()}))
    })
}

struct Running {
    stores: Stores,
    functions: Arc<Scripted>,
    sources: Sources,
    /// The reports of the sources.
    said: Arc<Mutex<Vec<String>>>,
}

/// A template of one function with these events and this mapping's properties, and with the queues
/// and tables of all tests.
fn template(events: &str, mapping: &str) -> String {
    include_str!("template.yaml").replace("EVENTS", events).replace("MAPPING", mapping)
}

async fn running(mapping: &str, answers: Vec<Answer>) -> Running {
    let answers = Mutex::new(answers.into());
    let functions = Scripted { answers, ..Scripted::default() };
    running_with(&template("", mapping), functions, None).await
}

async fn running_with(source: &str, functions: Scripted, data: Option<&Path>) -> Running {
    let template = Template::parse(source, &BTreeMap::new()).unwrap();
    let stores = Stores::start(&template, data).await.unwrap();
    let functions = Arc::new(functions);
    let invoke: Arc<dyn Invoke> = functions.clone();
    let said = Arc::<Mutex<Vec<String>>>::default();
    let heard = Arc::clone(&said);
    let report: Report = Arc::new(move |_, sentence| heard.lock().unwrap().push(sentence.into()));
    let sources = start(&template, &stores, &invoke, &report).unwrap();
    Running { stores, functions, sources, said }
}

impl Running {
    /// Waits until the function has been invoked this many times.
    async fn invoked(&self, times: usize) {
        self.until(|| self.functions.events.lock().unwrap().len() >= times).await;
    }

    async fn until(&self, condition: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !condition() {
            assert!(Instant::now() < deadline, "{:?}", self.functions.events.lock().unwrap());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The value at `there` in each record of each event so far.
    fn seen(&self, there: &str) -> Vec<Vec<String>> {
        let events = self.functions.events.lock().unwrap();
        let text = |record: &Value| record.pointer(there).unwrap().as_str().unwrap().to_owned();
        let records =
            |event: &Value| event["Records"].as_array().unwrap().iter().map(text).collect();
        events.iter().map(|(_, event)| records(event)).collect()
    }

    fn first_event(&self) -> (Instant, Value) {
        self.functions.events.lock().unwrap()[0].clone()
    }

    /// The bodies of the messages in a queue.
    async fn bodies(&self, queue: &str) -> Vec<String> {
        let reports = self.stores.queues().await.unwrap();
        let report = reports.into_iter().find(|report| report.queue == queue).unwrap();
        report.messages.into_iter().map(|message| message.body).collect()
    }

    fn set_faults(&self, faults: Value) {
        self.stores.faults().set(serde_json::from_value(faults).unwrap());
    }
}

#[tokio::test]
async fn a_schedule_can_run_by_hand_before_it_is_due() {
    let clock = "Clock: {Type: Schedule, Properties: {Schedule: rate(1 day)}}";
    let running = running_with(&template(clock, QUEUE), Scripted::default(), None).await;
    let schedules = running.sources.schedules();
    assert!(schedules.run("UnknownFunction").await.is_none());
    schedules.run("WorkFunction").await.unwrap().unwrap();
    assert_eq!(running.first_event().1["detail-type"], "Scheduled Event");
}

#[tokio::test]
async fn a_schedule_is_reported_with_its_next_and_last_run() {
    let clock = "Clock: {Type: Schedule, Properties: {Schedule: rate(1 day)}}";
    let functions = Scripted::default();
    let running = running_with(&template(clock, QUEUE), functions, None).await;
    let schedules = running.sources.schedules();
    let now = running.stores.clock().now();
    running.until(|| schedules.reports()[0].next_at.is_some()).await;
    let before = schedules.reports().remove(0);
    assert_eq!((before.name.as_str(), before.count), ("WorkFunction.Clock", 0));
    let wait_s = before.next_at.unwrap().duration_since(now).as_secs();
    assert!((86_370..=86_430).contains(&wait_s), "{wait_s}");

    schedules.run("WorkFunction").await.unwrap().unwrap();

    let after = schedules.reports().remove(0);
    assert_eq!((after.count, after.running, after.next_at), (1, 0, before.next_at));
    let last = after.last.unwrap();
    assert!(last.ended_at.is_some_and(|ended_at| ended_at >= last.at), "{last:?}");
    assert_eq!(last.error, None);
}

/// The error with which this source does not start.
async fn complaint(source: &str) -> String {
    let template = Template::parse(source, &BTreeMap::new()).unwrap();
    let stores = Stores::start(&template, None).await.unwrap();
    let invoke: Arc<dyn Invoke> = Arc::new(Scripted::default());
    let report: Report = Arc::new(|_, _| {});
    start(&template, &stores, &invoke, &report).err().unwrap().to_string()
}

#[tokio::test]
async fn an_invalid_schedule_is_an_error_that_names_the_function() {
    let clock = "Clock: {Type: Schedule, Properties: {Schedule: rate(1 week)}}";
    let expected = "WorkFunction: `rate(1 week)` is not a schedule: `week` is not valid with 1";
    assert_eq!(complaint(&template(clock, QUEUE)).await, expected);
}

#[tokio::test]
async fn a_source_whose_function_lacks_permission_cannot_start() {
    let cases = [
        (
            "EventSourceArn: !GetAtt WorkQueue.Arn",
            "sqs:DeleteMessage on arn:aws:sqs:eu-west-1:000000000000:local-WorkQueue",
        ),
        (
            "EventSourceArn: !GetAtt OutboxTable.StreamArn\n      StartingPosition: LATEST",
            "dynamodb:DescribeStream on arn:aws:dynamodb:eu-west-1:000000000000:table/local-OutboxTable/stream/",
        ),
    ];
    for (mapping, denied) in cases {
        let source = template("", mapping);
        let source = source.replace("\"sqs:*\", \"dynamodb:*\"", "sqs:ReceiveMessage");
        let complaint = complaint(&source).await;
        let expected = format!("WorkFunction: its policy does not allow {denied}");
        assert!(complaint.starts_with(&expected), "{complaint}");
    }
}
