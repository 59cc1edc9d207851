use super::*;
use crate::services::StreamPosition;
use sam_template::batches::PAYLOAD_BYTES_MAX;

const STREAM: &str = "EventSourceArn: !GetAtt OutboxTable.StreamArn
      StartingPosition: TRIM_HORIZON
      FunctionResponseTypes: [ReportBatchItemFailures]";

const KEY: &str = "/dynamodb/Keys/pk/S";

fn stream(more: &str) -> String {
    format!("{STREAM}\n      MaximumBatchingWindowInSeconds: 1\n      {more}")
}

impl Running {
    fn write(&self, pk: &str) {
        self.write_version(pk, "1");
    }

    fn write_version(&self, pk: &str, version: &str) {
        let item = json!({"pk": {"S": pk}, "version": {"S": version}});
        self.stores.put_item("OutboxTable", &item).unwrap();
    }
}

#[tokio::test]
async fn records_are_delivered_at_once_and_in_order() {
    let running = running(STREAM, vec![]).await;
    tokio::time::sleep(Duration::from_millis(100)).await;

    let written = Instant::now();
    for number in 0..5 {
        running.write(&number.to_string());
    }
    running.until(|| running.seen(KEY).concat().len() == 5).await;

    let (at, event) = running.first_event();
    assert!(at - written < Duration::from_millis(200), "{:?}", at - written);
    assert_eq!(running.seen("/dynamodb/NewImage/pk/S").concat(), ["0", "1", "2", "3", "4"]);
    let record = &event["Records"][0];
    assert_eq!(record["eventName"], "INSERT");
    assert_eq!(record["awsRegion"], "eu-west-1");
    let table = "arn:aws:dynamodb:eu-west-1:000000000000:table/local-OutboxTable/stream/";
    assert!(record["eventSourceARN"].as_str().unwrap().starts_with(table));
}

#[tokio::test]
async fn a_batch_is_retried_from_the_first_reported_failure() {
    let second = failing("/dynamodb/SequenceNumber", KEY, "1");
    let running = running(&stream(""), vec![second]).await;

    for number in 0..3 {
        running.write(&number.to_string());
    }
    running.invoked(2).await;

    assert_eq!(running.seen(KEY), [vec!["0", "1", "2"], vec!["1", "2"]]);
}

#[tokio::test]
async fn a_full_batch_does_not_wait_for_the_end_of_its_window() {
    let filter = "FilterCriteria: {Filters: [{Pattern: '{\"eventName\": [\"INSERT\"]}'}]}";
    let window = "MaximumBatchingWindowInSeconds: 60\n      BatchSize: 2";
    let running = running(&format!("{STREAM}\n      {window}\n      {filter}"), vec![]).await;

    // The third record fills the batch: of the second one, no filter matches.
    for (item, version) in [("first", "1"), ("first", "2"), ("second", "1")] {
        running.write_version(item, version);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    running.invoked(1).await;

    assert_eq!(running.seen(KEY), [["first", "second"]]);
}

#[tokio::test]
async fn a_failing_batch_is_halved_and_its_bad_record_given_up() {
    let event = stream(
        "BisectBatchOnFunctionError: true
      MaximumRetryAttempts: 1
      DestinationConfig: {OnFailure: {Destination: !GetAtt WorkDeadLetterQueue.Arn}}",
    );
    // First the whole batch fails, then its first half of one record fails twice and is given up.
    let running = running(&event, vec![crash(), crash(), crash()]).await;

    running.write("poison");
    running.write("healthy");
    running.invoked(4).await;
    running.write("next");
    running.invoked(5).await;

    let expected =
        [vec!["poison", "healthy"], vec!["poison"], vec!["poison"], vec!["healthy"], vec!["next"]];
    assert_eq!(running.seen(KEY), expected);
    let given_up = running.bodies("WorkDeadLetterQueue").await;
    let given_up: Value = serde_json::from_str(&given_up[0]).unwrap();
    assert_eq!(given_up["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(given_up["DDBStreamBatchInfo"]["batchSize"], 1);
}

#[tokio::test]
async fn the_report_about_a_record_is_later_than_the_record_by_a_moved_clock() {
    let event = stream(
        "MaximumRetryAttempts: 1
      DestinationConfig: {OnFailure: {Destination: !GetAtt WorkDeadLetterQueue.Arn}}",
    );
    let running = running(&event, vec![crash(), crash()]).await;
    running.stores.clock().set_offset(3_600).unwrap();

    running.write("poison");
    running.invoked(2).await;
    running.write("next");
    running.invoked(3).await;

    let reports = running.bodies("WorkDeadLetterQueue").await;
    let report: Value = serde_json::from_str(&reports[0]).unwrap();
    let time = |at: &Value| at.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let arrived = time(&report["DDBStreamBatchInfo"]["approximateArrivalOfLastRecord"]);
    assert!(time(&report["timestamp"]) >= arrived, "{report}");
}

#[tokio::test]
async fn a_batch_of_records_ends_before_6_mb() {
    let running = running(&stream(""), vec![]).await;

    for number in 10..30 {
        running.write_version(&number.to_string(), &"x".repeat(390_000));
    }
    running.until(|| running.seen(KEY).concat().len() == 20).await;

    let events = running.functions.events.lock().unwrap();
    let bytes: Vec<_> = events.iter().map(|(_, event)| event.to_string().len()).collect();
    assert!(bytes.iter().all(|bytes| *bytes <= PAYLOAD_BYTES_MAX), "{bytes:?}");
    drop(events);
    assert!(running.seen(KEY).concat().is_sorted());
}

#[tokio::test]
async fn a_partial_response_is_not_split_again() {
    let second = failing("/dynamodb/SequenceNumber", KEY, "1");
    let running = running(&stream("BisectBatchOnFunctionError: true"), vec![second]).await;

    for number in 0..4 {
        running.write(&number.to_string());
    }
    running.until(|| running.seen(KEY).concat().len() == 7).await;

    assert_eq!(running.seen(KEY), [vec!["0", "1", "2", "3"], vec!["1", "2", "3"]]);
}

#[tokio::test]
async fn records_of_one_item_keep_their_order_in_parallel_lanes() {
    let functions = Scripted { takes: Duration::from_millis(20), ..Scripted::default() };
    let event = format!("{STREAM}\n      ParallelizationFactor: 4\n      BatchSize: 1");
    let running = running_with(&template("", &event), functions, None).await;

    for version in ["1", "2", "3"] {
        for item in ["a", "b", "c", "d", "e", "f"] {
            running.write_version(item, version);
        }
    }
    running.invoked(18).await;

    let items = running.seen(KEY).concat();
    let versions = running.seen("/dynamodb/NewImage/version/S").concat();
    for item in ["a", "b", "c", "d", "e", "f"] {
        let of_item = items.iter().zip(&versions).filter(|(name, _)| *name == item);
        let of_item: Vec<_> = of_item.map(|(_, version)| version.as_str()).collect();
        assert_eq!(of_item, ["1", "2", "3"], "{item}");
    }
    assert!(running.functions.running_max.load(Ordering::SeqCst) > 1);
}

#[tokio::test]
async fn only_records_that_match_a_filter_reach_the_function() {
    let event = stream("FilterCriteria: {Filters: [{Pattern: '{\"eventName\": [\"INSERT\"]}'}]}");
    let running = running(&event, vec![]).await;

    running.write("first");
    running.write("first");
    running.write("second");
    running.until(|| running.seen(KEY).concat().len() == 2).await;

    assert_eq!(running.seen(KEY).concat(), ["first", "second"]);
}

#[tokio::test]
async fn records_that_a_fault_drops_are_never_delivered() {
    let running = running(STREAM, vec![]).await;
    running.set_faults(json!({"streams": {"OutboxTable": {"drop": 1}}}));
    running.write("lost");
    tokio::time::sleep(Duration::from_millis(100)).await;
    running.set_faults(json!({}));
    running.write("found");
    running.invoked(1).await;

    assert_eq!(running.seen(KEY), [["found"]]);
}

#[tokio::test]
async fn a_reader_continues_where_the_last_run_ended() {
    let directory = std::env::temp_dir().join(format!("local-sources-{}", uuid::Uuid::new_v4()));
    for item in ["first", "second"] {
        let running =
            running_with(&template("", STREAM), Scripted::default(), Some(&directory)).await;
        running.write(item);
        running.invoked(1).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(running.seen(KEY), [[item]]);
    }
    std::fs::remove_dir_all(directory).unwrap();
}

#[tokio::test]
async fn a_reader_that_starts_at_latest_skips_existing_records() {
    let running = running(STREAM, vec![]).await;
    running.write("before");
    let table = running.stores.names().table("OutboxTable").unwrap();

    let position = running.stores.stream_position(
        "another reader",
        table,
        sam_template::StartingPosition::Latest,
    );
    let position = position.unwrap();
    running.write("after");

    let records = running.stores.records(table, &position, 10).unwrap();
    assert_eq!(records.len(), 1);
    let all = running.stores.records(table, &StreamPosition::TrimHorizon, 10).unwrap();
    assert_eq!(all.len(), 2);
}
