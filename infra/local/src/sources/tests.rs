use std::{
    collections::{BTreeMap, VecDeque},
    sync::Mutex,
    time::{Duration, Instant},
};

use futures::FutureExt as _;
use serde_json::{Value, json};

use super::*;

/// Functions that do what the test says: each answer in turn, then success.
#[derive(Default)]
struct Scripted {
    answers: Mutex<VecDeque<Result<Value, InvokeError>>>,
    /// Every event so far, with when it came.
    events: Mutex<Vec<(Instant, Value)>>,
}

impl Invoke for Scripted {
    fn invoke<'a>(
        &'a self,
        _function: &'a str,
        event: Bytes,
    ) -> BoxFuture<'a, Result<Bytes, InvokeError>> {
        let event = serde_json::from_slice(&event).unwrap();
        self.events.lock().unwrap().push((Instant::now(), event));
        let answer = self
            .answers
            .lock()
            .unwrap()
            .pop_front()
            .unwrap_or(Ok(Value::Null));
        async { answer.map(|answer| answer.to_string().into()) }.boxed()
    }
}

impl Scripted {
    /// What the events held, record by record, by this pointer into each.
    fn seen(&self, pointer: &str) -> Vec<Vec<String>> {
        let events = self.events.lock().unwrap();
        let records = |event: &Value| {
            let records = event["Records"].as_array().unwrap().clone();
            let fields = records
                .iter()
                .map(|record| record.pointer(pointer).unwrap().clone());
            fields
                .map(|field| field.as_str().unwrap().to_owned())
                .collect()
        };
        events.iter().map(|(_, event)| records(event)).collect()
    }
}

fn crash() -> Result<Value, InvokeError> {
    Err(InvokeError::Crashed {
        how: "signal: 9 (SIGKILL)".to_owned(),
    })
}

struct Running {
    stores: Stores,
    functions: Arc<Scripted>,
    _sources: Sources,
}

/// Starts a template of one function with this event, on queues and tables that suit all tests.
async fn running(event: &str, answers: Vec<Result<Value, InvokeError>>) -> Running {
    let source = include_str!("tests/template.yaml").replace("EVENT", event);
    let template = Template::parse(&source, &BTreeMap::new()).unwrap();
    let stores = Stores::start(&template, None).await.unwrap();
    let functions = Arc::new(Scripted {
        answers: Mutex::new(answers.into()),
        ..Scripted::default()
    });
    let invoke: Arc<dyn Invoke> = functions.clone();
    let report: Report = Arc::new(|_, _| {});
    let sources = start(&template, &stores, &invoke, &report).unwrap();
    Running {
        stores,
        functions,
        _sources: sources,
    }
}

impl Running {
    async fn send(&self, queue: &str, body: &str) {
        let queue = self.stores.names().queue(queue).unwrap();
        self.stores.send(queue, body).await.unwrap();
    }

    fn write(&self, pk: &str) {
        self.stores
            .put_item("OutboxTable", &json!({"pk": {"S": pk}}))
            .unwrap();
    }

    /// Waits until the function has been invoked so often.
    async fn invoked(&self, times: usize) {
        self.until(|| self.functions.events.lock().unwrap().len() >= times)
            .await;
    }

    async fn until(&self, condition: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !condition() {
            assert!(
                Instant::now() < deadline,
                "{:?}",
                self.functions.events.lock().unwrap()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn bodies(&self, queue: &str) -> Vec<String> {
        let reports = self.stores.queues().await.unwrap();
        let report = reports
            .into_iter()
            .find(|report| report.queue == queue)
            .unwrap();
        report
            .messages
            .into_iter()
            .map(|message| message.body)
            .collect()
    }
}

const QUEUE: &str = "Type: SQS
          Properties:
            Queue: !GetAtt WorkQueue.Arn
            FunctionResponseTypes: [ReportBatchItemFailures]";

const STREAM: &str = "Type: DynamoDB
          Properties:
            Stream: !GetAtt OutboxTable.StreamArn
            StartingPosition: TRIM_HORIZON
            FunctionResponseTypes: [ReportBatchItemFailures]";

#[tokio::test]
async fn a_message_is_delivered_at_once_and_deleted_once_it_succeeded() {
    let running = running(QUEUE, vec![]).await;
    tokio::time::sleep(Duration::from_millis(100)).await;

    let sent = Instant::now();
    running.send("WorkQueue", "hello").await;
    running.invoked(1).await;

    let (at, event) = running.functions.events.lock().unwrap()[0].clone();
    assert!(at - sent < Duration::from_millis(100), "{:?}", at - sent);
    assert_eq!(event["Records"][0]["body"], "hello");
    assert_eq!(
        event["Records"][0]["attributes"]["ApproximateReceiveCount"],
        "1"
    );
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(running.bodies("WorkQueue").await.is_empty());
}

#[tokio::test]
async fn what_a_batch_reports_as_failed_comes_again_alone_and_ends_among_the_dead_letters() {
    let running = running(&format!("{QUEUE}\n            BatchSize: 2"), vec![]).await;
    // The message ids are not known beforehand: the first invocation fails as a whole.
    running
        .functions
        .answers
        .lock()
        .unwrap()
        .extend([crash(), crash(), crash(), crash()]);
    running.send("WorkQueue", "poison").await;

    running.invoked(2).await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;

    assert_eq!(running.functions.seen("/body"), [["poison"], ["poison"]]);
    assert_eq!(running.bodies("WorkDeadLetterQueue").await, ["poison"]);
}

#[tokio::test]
async fn a_batch_is_gathered_for_as_long_as_its_window() {
    let window = format!(
        "{QUEUE}\n            BatchSize: 20\n            MaximumBatchingWindowInSeconds: 1"
    );
    let running = running(&window, vec![]).await;

    for number in 0..15 {
        running.send("WorkQueue", &number.to_string()).await;
    }
    running.invoked(1).await;

    assert_eq!(running.functions.seen("/body")[0].len(), 15);
}

#[tokio::test]
async fn a_throttled_delivery_is_made_later_without_another_receive() {
    let running = running(QUEUE, vec![Err(InvokeError::Throttled)]).await;

    running.send("WorkQueue", "hello").await;
    running.invoked(2).await;

    let counts = running
        .functions
        .seen("/attributes/ApproximateReceiveCount");
    assert_eq!(counts, [["1"], ["1"]]);
}

#[tokio::test]
async fn a_duplicated_message_is_delivered_twice() {
    let running = running(QUEUE, vec![]).await;
    let faults = json!({"deliveries": {"duplicate": 1}});
    running
        .stores
        .faults()
        .set(serde_json::from_value(faults).unwrap());

    running.send("WorkQueue", "hello").await;
    running.invoked(2).await;

    assert_eq!(running.functions.seen("/body"), [["hello"], ["hello"]]);
}

#[tokio::test]
async fn stream_records_come_at_once_and_in_order() {
    let running = running(STREAM, vec![]).await;
    tokio::time::sleep(Duration::from_millis(100)).await;

    let written = Instant::now();
    for number in 0..5 {
        running.write(&number.to_string());
    }
    running
        .until(|| running.functions.seen("/eventID").concat().len() == 5)
        .await;

    let (at, event) = running.functions.events.lock().unwrap()[0].clone();
    assert!(
        at - written < Duration::from_millis(100),
        "{:?}",
        at - written
    );
    let keys = running.functions.seen("/dynamodb/NewImage/pk/S").concat();
    assert_eq!(keys, ["0", "1", "2", "3", "4"]);
    let record = &event["Records"][0];
    assert_eq!(
        (&record["eventName"], &record["awsRegion"]),
        (&json!("INSERT"), &json!("eu-west-1"))
    );
    let arn = record["eventSourceARN"].as_str().unwrap();
    assert!(
        arn.starts_with("arn:aws:dynamodb:eu-west-1:000000000000:table/local-OutboxTable/stream/")
    );
}

#[tokio::test]
async fn a_stream_batch_goes_on_at_the_first_failure_that_was_reported() {
    let running = running(
        &format!("{STREAM}\n            MaximumBatchingWindowInSeconds: 1"),
        vec![],
    )
    .await;
    for number in 0..3 {
        running.write(&number.to_string());
    }
    // Sequence numbers are known once the records can be read.
    let table = running.stores.names().table("OutboxTable").unwrap().clone();
    let records = running
        .stores
        .records(&table, &crate::stores::StreamPosition::TrimHorizon, 10)
        .unwrap();
    let failed =
        json!({"batchItemFailures": [{"itemIdentifier": records[1].dynamodb.sequence_number}]});
    running
        .functions
        .answers
        .lock()
        .unwrap()
        .push_back(Ok(failed));

    running.invoked(2).await;

    let keys = running.functions.seen("/dynamodb/Keys/pk/S");
    assert_eq!(keys, [vec!["0", "1", "2"], vec!["1", "2"]]);
}

#[tokio::test]
async fn a_failing_stream_batch_is_halved_and_what_is_to_blame_given_up() {
    let event = format!(
        "{STREAM}\n            MaximumBatchingWindowInSeconds: 1\n            BisectBatchOnFunctionError: true
            MaximumRetryAttempts: 1
            DestinationConfig: {{OnFailure: {{Destination: !GetAtt WorkDeadLetterQueue.Arn}}}}"
    );
    // All, then the first half, which is one record: again, and then it is given up.
    let running = running(&event, vec![crash(), crash(), crash()]).await;
    running.write("poison");
    running.write("healthy");

    running.invoked(4).await;
    running.write("next");
    running.invoked(5).await;

    let keys = running.functions.seen("/dynamodb/Keys/pk/S");
    let expected = [
        vec!["poison", "healthy"],
        vec!["poison"],
        vec!["poison"],
        vec!["healthy"],
        vec!["next"],
    ];
    assert_eq!(keys, expected);
    let given_up = running.bodies("WorkDeadLetterQueue").await;
    let given_up: Value = serde_json::from_str(&given_up[0]).unwrap();
    assert_eq!(
        given_up["requestContext"]["condition"],
        "RetryAttemptsExhausted"
    );
    assert_eq!(given_up["DDBStreamBatchInfo"]["batchSize"], 1);
}
