use super::*;

const FIFO: &str = "EventSourceArn: !GetAtt OrderedQueue.Arn
      FunctionResponseTypes: [ReportBatchItemFailures]";

impl Running {
    async fn send(&self, body: &str) {
        let queue = self.stores.names().queue("WorkQueue").unwrap();
        self.stores.send(queue, body).await.unwrap();
    }

    /// Sends 1, 2 and 3 to the FIFO queue at once, all in one group.
    async fn send_ordered(&self) {
        let entry = |number: u32| {
            json!({
                "Id": number.to_string(),
                "MessageBody": number.to_string(),
                "MessageGroupId": "group-1",
                "MessageDeduplicationId": number.to_string(),
            })
        };
        let entries: Vec<_> = (1..=3).map(entry).collect();
        self.ask_ordered("SendMessageBatch", json!({ "Entries": entries })).await;
    }

    /// Moves the clock by this many seconds.
    async fn pass(&self, seconds: u32) {
        self.stores.clock().set_offset(self.stores.clock().offset_s() + seconds).unwrap();
        self.stores.follow_clock().await;
    }

    /// Waits until a queue has exactly these messages, in any state.
    async fn holds(&self, queue: &str, bodies: &[&str]) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.bodies(queue).await != bodies {
            assert!(Instant::now() < deadline, "{:?}", self.bodies(queue).await);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn ask_ordered(&self, operation: &str, mut input: Value) {
        input["QueueUrl"] = self.stores.names().queue("OrderedQueue").unwrap().url.clone().into();
        let request = reqwest::Client::new().post(self.stores.endpoint()).body(input.to_string());
        let request = request.header("x-amz-target", format!("AmazonSQS.{operation}"));
        let request = request.header("authorization", "AWS4-HMAC-SHA256 Credential=OPERATOR/");
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
}

/// A body of a megabyte.
fn large(number: u32) -> String {
    number.to_string() + &"x".repeat(999_999)
}

#[tokio::test]
async fn a_message_is_delivered_at_once_and_deleted_on_success() {
    let running = running(QUEUE, vec![]).await;
    tokio::time::sleep(Duration::from_millis(100)).await;

    let sent = Instant::now();
    running.send("hello").await;
    running.invoked(1).await;

    let (at, event) = running.first_event();
    assert!(at - sent < Duration::from_millis(200), "{:?}", at - sent);
    assert_eq!(event["Records"][0]["body"], "hello");
    assert_eq!(event["Records"][0]["attributes"]["ApproximateReceiveCount"], "1");
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(running.bodies("WorkQueue").await.is_empty());
}

#[tokio::test]
async fn a_failed_message_is_retried_alone_and_then_a_dead_letter() {
    let window = format!("{QUEUE}\n      MaximumBatchingWindowInSeconds: 1");
    let poison = || failing("/messageId", "/body", "poison");
    let running = running(&window, vec![poison(), poison()]).await;

    running.send("healthy").await;
    running.send("poison").await;
    running.invoked(1).await;
    running.holds("WorkQueue", &["poison"]).await;
    running.pass(2).await;
    running.invoked(2).await;
    running.pass(2).await;
    running.holds("WorkDeadLetterQueue", &["poison"]).await;

    assert_eq!(running.seen("/body"), [vec!["healthy", "poison"], vec!["poison"]]);
    assert_eq!(running.bodies("WorkDeadLetterQueue").await, ["poison"]);
    assert!(running.bodies("WorkQueue").await.is_empty());
}

#[tokio::test]
async fn a_crash_leaves_the_whole_batch_in_the_queue() {
    let running = running(QUEUE, vec![crash()]).await;

    running.send("hello").await;
    running.invoked(1).await;
    running.pass(2).await;
    running.invoked(2).await;

    assert_eq!(running.seen("/attributes/ApproximateReceiveCount"), [["1"], ["2"]]);
}

#[tokio::test]
async fn a_batch_is_gathered_during_its_batching_window() {
    let window = "BatchSize: 20\n      MaximumBatchingWindowInSeconds: 1";
    let running = running(&format!("{QUEUE}\n      {window}"), vec![]).await;

    for number in 0..15 {
        running.send(&number.to_string()).await;
    }
    running.invoked(1).await;

    assert_eq!(running.seen("/body")[0].len(), 15);
}

#[tokio::test]
async fn a_batch_is_delivered_in_parts_of_6_mb() {
    let window = "BatchSize: 10\n      MaximumBatchingWindowInSeconds: 60";
    // No message becomes visible again on a slow machine.
    let source = template("", &format!("{QUEUE}\n      {window}"));
    let source = source.replace("VisibilityTimeout: 2", "VisibilityTimeout: 60");
    let running = running_with(&source, Scripted::default(), None).await;

    for number in 0..7 {
        running.send(&large(number)).await;
    }
    running.invoked(2).await;

    assert_eq!(running.seen("/body").iter().map(Vec::len).collect::<Vec<_>>(), [6, 1]);
}

#[tokio::test]
async fn after_a_failure_the_next_part_of_a_fifo_batch_waits() {
    let answers = Mutex::new(vec![crash(), crash()].into());
    let functions = Scripted { answers, ..Scripted::default() };
    // No message becomes visible again on a slow machine.
    let source = template("", FIFO).replace("VisibilityTimeout: 1", "VisibilityTimeout: 60");
    let running = running_with(&source, functions, None).await;
    let send = async |number: u32, body: String| {
        let id = number.to_string();
        let group = "group-1";
        let message =
            json!({"MessageBody": body, "MessageGroupId": group, "MessageDeduplicationId": id});
        running.ask_ordered("SendMessage", message).await;
    };
    send(0, "0".to_owned()).await;
    running.invoked(1).await;
    let receipt_handle = running.first_event().1["Records"][0]["receiptHandle"].clone();
    let hidden = json!({"VisibilityTimeout": 600, "ReceiptHandle": receipt_handle});
    running.ask_ordered("ChangeMessageVisibility", hidden).await;
    for number in 1..8 {
        send(number, large(number)).await;
    }

    running.pass(600).await;
    running.invoked(2).await;
    running.pass(60).await;
    running.invoked(4).await;

    let numbers = running.seen("/attributes/MessageDeduplicationId");
    let numbers: Vec<_> = numbers.iter().map(|it| it.concat()).collect();
    assert_eq!(numbers, ["0", "0123456", "0123456", "7"]);
}

#[tokio::test]
async fn concurrent_invocations_stay_within_the_maximum_concurrency() {
    let scaling = "BatchSize: 1\n      ScalingConfig: {MaximumConcurrency: 2}";
    let functions = Scripted { takes: Duration::from_millis(50), ..Scripted::default() };
    let running =
        running_with(&template("", &format!("{QUEUE}\n      {scaling}")), functions, None).await;

    for number in 0..6 {
        running.send(&number.to_string()).await;
    }
    running.invoked(6).await;

    assert_eq!(running.functions.running_max.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_throttled_delivery_is_retried_without_another_receive() {
    let running = running(QUEUE, vec![throttle()]).await;

    running.send("hello").await;
    running.invoked(2).await;

    assert_eq!(running.seen("/attributes/ApproximateReceiveCount"), [["1"], ["1"]]);
}

#[tokio::test]
async fn messages_of_a_group_keep_their_order_after_a_failure() {
    let running = running(FIFO, vec![crash()]).await;

    running.send_ordered().await;
    running.invoked(1).await;
    running.pass(1).await;
    running.invoked(2).await;

    assert_eq!(running.seen("/body"), [["1", "2", "3"], ["1", "2", "3"]]);
    assert_eq!(running.seen("/attributes/MessageGroupId")[0], ["group-1"; 3]);
    assert_eq!(running.seen("/attributes/ApproximateReceiveCount"), [["1"; 3], ["2"; 3]]);
}

#[tokio::test]
async fn an_extended_visibility_timeout_delays_the_whole_group() {
    let running = running(FIFO, vec![crash()]).await;

    running.send_ordered().await;
    running.invoked(1).await;
    let (_, event) = running.first_event();
    let hidden = json!({
        "VisibilityTimeout": 2, "ReceiptHandle": event["Records"][0]["receiptHandle"],
    });
    running.ask_ordered("ChangeMessageVisibility", hidden).await;
    running.pass(1).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(running.seen("/body").len(), 1, "the queue's own visibility timeout is 1 s");
    running.pass(1).await;
    running.invoked(2).await;

    assert_eq!(running.seen("/body"), [["1", "2", "3"], ["1", "2", "3"]]);
}

#[tokio::test]
async fn faults_duplicate_and_reorder_deliveries() {
    let running = running(QUEUE, vec![]).await;

    running.set_faults(json!({"deliveries": {"duplicate": 1}}));
    running.send("twice").await;
    running.invoked(2).await;
    assert_eq!(running.seen("/body"), [["twice"], ["twice"]]);

    running.set_faults(json!({"deliveries": {"reorder": 1}}));
    running.send("overtaken").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    running.set_faults(json!({}));
    running.send("overtaking").await;
    running.invoked(4).await;
    assert_eq!(running.seen("/body")[2..], [["overtaking"], ["overtaken"]]);
}

#[tokio::test]
async fn a_message_that_no_filter_matches_is_deleted_undelivered() {
    let filter = "{Pattern: '{\"body\": {\"kind\": [\"order\"]}}'}";
    let mapping = format!("{QUEUE}\n      FilterCriteria: {{Filters: [{filter}]}}");
    let running = running(&mapping, vec![]).await;

    running.send(r#"{"kind": "other"}"#).await;
    running.send("no JSON").await;
    running.send(r#"{"kind": "order"}"#).await;
    running.invoked(1).await;
    tokio::time::sleep(Duration::from_millis(200)).await;

    let bodies = running.seen("/body").concat();
    assert_eq!(bodies, [r#"{"kind": "order"}"#]);
    assert!(running.bodies("WorkQueue").await.is_empty());
}
