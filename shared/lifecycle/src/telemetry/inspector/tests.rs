//! The records' JSON, and the socket.

use std::io::Read;
use std::os::unix::net::UnixStream;

use super::captured::Captured;
use super::records::{Begun, Ended, Progress, Reached, SettledRecord, VerdictRecord};
use super::*;
use crate::commit::FailedWrite;
use crate::effects::{Condition, Write, number};
use crate::error::FieldError;
use crate::record::{Key, Record, TableName};

const EXAMPLES: &str = include_str!("examples.jsonl");
const INVOCATION: &str = "8f5d2a60-0000-4000-8000-000000000001";
const INPUT: &str = "PlaceOrder {\n    quantity: 2,\n}";

fn line(record: &InspectorRecord<'_>) -> String {
    serde_json::to_string(record).unwrap()
}

fn verdict(by: Judge, reason: &str) -> VerdictRecord {
    VerdictRecord { stage: by.stage(), by, allowed: true, reason: reason.to_owned() }
}

fn progress(stages: &[(Stage, f64, u32)], attempts: u32) -> Progress {
    Progress {
        stages: stages.to_vec(),
        input: Some(INPUT.to_owned()),
        caller: Some("customer 01a0".to_owned()),
        attempts,
        verdicts: vec![verdict(Judge::Caller, "The caller is signed in.")],
        caches: vec![("products", true)],
    }
}

#[test]
fn the_beginning_of_a_request_has_the_form_of_its_example() {
    let begun = Begun {
        invocation: INVOCATION,
        request_id: "req-1",
        method: "POST",
        route: "/orders",
        cold_start: true,
    };
    assert_eq!(Some(&*line(&InspectorRecord::Begun(begun))), EXAMPLES.lines().next());
}

#[test]
fn a_request_in_progress_has_the_form_of_its_example() {
    use Stage as S;
    let stages = [
        (S::Routing, 12.5, 1),
        (S::Authentication, 0.25, 1),
        (S::Authorization, 0.5, 2),
        (S::Limit, 0.125, 2),
        (S::Deserialization, 1.5, 1),
        (S::Validation, 0.75, 1),
        (S::Retrieval, 3.0, 1),
        (S::Rules, 0.0, 1),
    ];
    let progress = &progress(&stages, 1);
    let reached = Reached { invocation: INVOCATION, progress, running: Stage::Effects };
    assert_eq!(Some(&*line(&InspectorRecord::Reached(reached))), EXAMPLES.lines().nth(1));
}

#[test]
fn the_end_of_a_request_has_the_form_of_its_example() {
    use Stage as S;
    let stages = [
        (S::Routing, 12.5, 1),
        (S::Retrieval, 6.0, 2),
        (S::Rules, 0.5, 2),
        (S::Effects, 9.0, 2),
        (S::Response, 0.25, 2),
    ];
    let mut progress = progress(&stages, 2);
    progress.caches.push(("prices", false));
    progress.verdicts.extend([
        verdict(Judge::Access, "The caller has the role Customer."),
        verdict(Judge::Limit, "119 of 120 are left for 42 s."),
        verdict(Judge::Facts, "The facts do not matter to this endpoint."),
    ]);
    let field = "/items/0/quantity".to_owned();
    let stale = "update on table orders, key \"7\": needs version = 3; read version = 4";
    let ended = Ended {
        invocation: INVOCATION,
        progress: &progress,
        status: 409,
        code: Some("OUT_OF_STOCK"),
        message: Some("There are not enough pieces."),
        refused_at: Some(Stage::Rules),
        error: None,
        replayed: false,
        field_errors: &[FieldError { field, message: "only 1 is left".to_owned() }],
        stale: &[stale.to_owned()],
        deferred: 3,
    };
    assert_eq!(Some(&*line(&InspectorRecord::Ended(ended))), EXAMPLES.lines().nth(2));
}

#[test]
fn deferred_work_has_the_form_of_its_example() {
    let work = |what: &str, failed: Option<&str>, took_ms| WorkRecord {
        what: what.to_owned(),
        failed: failed.map(str::to_owned),
        took_ms,
    };
    let failed = "a dependency is unavailable; try again in 1 s: it is down";
    let deferred = Deferred {
        invocation: INVOCATION,
        work: vec![
            work("message to queue emails", None, 1.5),
            work("mail", Some(failed), 2.0),
            work("post to chat", None, 4.5),
            work("exchange of counts", None, 3.0),
            work("spans", None, 0.5),
        ],
    };
    assert_eq!(Some(&*line(&InspectorRecord::Deferred(deferred))), EXAMPLES.lines().nth(4));
}

#[test]
fn a_settled_record_has_the_form_of_its_example() {
    use Stage as S;
    let record = SettledRecord {
        invocation: "8f5d2a60-0000-4000-8000-000000000003",
        message_id: Some("m-1"),
        record_id: "event-1",
        request_id: "req-1",
        source: "emails",
        deliveries: 2,
        outcome: "processed",
        code: None,
        error: None,
        stages: &[
            (S::Deserialization, 0.25, 1),
            (S::Validation, 0.5, 1),
            (S::Retrieval, 2.0, 1),
            (S::Rules, 0.25, 1),
            (S::Effects, 5.0, 1),
        ],
        input: Some("MailDue {\n    to: \"a@b.example\",\n}"),
    };
    assert_eq!(Some(&*line(&InspectorRecord::Record(record))), EXAMPLES.lines().nth(5));
}

fn inspection(inspector: &Arc<Inspector>) -> Inspection {
    let observations = Observations::of("req-1".to_owned(), None);
    let request = RequestOf {
        invocation: INVOCATION,
        method: "POST",
        route: "/orders",
        cold_start: false,
        started: tokio::time::Instant::now(),
    };
    inspector.request(&observations, &request)
}

#[test]
fn an_end_has_the_conditions_that_were_stale() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Loan;
    impl Record for Loan {
        const TABLE: TableName = TableName::new("loans");

        fn key(&self) -> Key {
            Key::new("7")
        }
    }
    let (inspector, mut captured) = Captured::start();
    let condition = Condition::Equals("version", number(3_u64));
    let failed = FailedWrite::of(&Write::check::<Loan>(Key::new("7"), condition), None);
    let inspection = inspection(&inspector);

    inspection.stale(&[failed]);
    inspection.ended(2, Ending::default);

    let expected = "check on table loans, key \"7\": needs version = 3; read no item";
    let ended = captured.only("ended");
    assert_eq!(ended["stale"], serde_json::json!([expected]));
    assert_eq!(ended["attempts"], 2);
}

#[test]
fn an_invocation_without_deferred_work_has_no_record_of_it() {
    let (inspector, mut captured) = Captured::start();
    inspector.deferred("1", Vec::new());
    assert!(captured.records().is_empty());
}

#[test]
fn an_input_whose_debug_panics_is_left_out() {
    struct Odd;
    impl std::fmt::Debug for Odd {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("no form")
        }
    }
    let (inspector, mut captured) = Captured::start();
    let inspection = inspection(&inspector);

    inspection.input(&Odd);
    inspection.ended(1, Ending::default);

    assert!(captured.only("ended")["input"].is_null());
}

#[test]
fn without_a_socket_there_is_no_inspector() {
    assert!(Inspector::connect("/nonexistent/inspector.sock").is_none());
}

#[test]
fn a_reader_that_does_not_read_loses_records_and_costs_little_time() {
    let (stream, mut reader) = UnixStream::pair().unwrap();
    let inspector = Inspector::of(Writer::of(stream).unwrap());
    let long = "x".repeat(900);
    let work = || Work { name: long.clone(), failed: None, took: Duration::ZERO };
    let began = tokio::time::Instant::now();

    for number in 0..1_000 {
        inspector.deferred(&number.to_string(), (0..20).map(|_| work()).collect());
    }

    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    reader.set_nonblocking(true).unwrap();
    let mut read = Vec::new();
    let _ = reader.read_to_end(&mut read);
    // The reader is back: the rest of the last record follows, and then the next record.
    inspector.deferred("last", vec![work()]);
    let _ = reader.read_to_end(&mut read);
    let read = String::from_utf8(read).unwrap();
    let records = read.lines().map(|line| serde_json::from_str(line).unwrap());
    let records: Vec<serde_json::Value> = records.collect();
    assert!((2..1_000).contains(&records.len()), "{} records", records.len());
    assert_eq!(records[records.len() - 1]["invocation"], "last");
}

#[test]
fn a_reader_that_is_gone_costs_nothing() {
    let (stream, reader) = UnixStream::pair().unwrap();
    let inspector = Inspector::of(Writer::of(stream).unwrap());
    drop(reader);

    for _ in 0..3 {
        inspection(&inspector).ended(0, Ending::default);
    }
}
