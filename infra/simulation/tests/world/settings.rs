//! Settings of a template and limits of AWS that a world obeys.

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde_json::{Value, json};
use simulation::random::{Chance, Seeded};
use simulation::services::{Called, Permissions, WireRequest};
use simulation::world::{
    BEGINNING, Cause, Client, Event, Fault, FaultMix, Happened, Planned, Report, Simulation,
    Workload,
};
use simulation::{Millis, Template};

use crate::customers::{Books, Customers};
use crate::service::{TEMPLATE, place_order, service_of};

/// The service after a change of its template.
fn changed(from: &str, to: &str) -> Simulation {
    assert!(TEMPLATE.contains(from), "{from}");
    let template = TEMPLATE.replace(from, to);
    service_of(&template, 1).function("PlaceOrderFunction", place_order)
}

#[test]
fn the_gateway_waits_for_a_function_for_the_time_of_the_integration() {
    let service = changed("Path: /orders}", "Path: /orders, TimeoutInMillis: 50}");
    let faults = FaultMix::only(Fault::SlowCall, Chance::ALWAYS);

    let report = service.faults(faults).workload(Customers(1)).run().unwrap();

    let mut asked_at = BTreeMap::new();
    let mut late = 0;
    for Event { at, what, .. } in report.trace.events() {
        match what {
            Happened::Routed { request, .. } => _ = asked_at.insert(request.clone(), *at),
            Happened::Answered { request, status: 503, by_function: false, .. } => {
                assert_eq!(at.since(asked_at[request]), Millis(50));
                late += 1;
            }
            _ => {}
        }
    }
    assert!(late > 0, "each call takes longer than 50 ms");
}

#[test]
fn a_record_in_its_batching_window_is_delivered_before_the_world_is_at_rest() {
    let window = "BatchSize: 100\n      MaximumBatchingWindowInSeconds: 120";
    let service = changed("BatchSize: 100", window);
    let service = service.workload(Customers(1)).check(Books::default());

    let report = service.settle(Millis::seconds(60), Millis::hours(1)).run().unwrap();

    assert!(report.is_ok(), "{report}");
}

#[test]
fn a_reader_that_starts_at_latest_skips_the_first_items() {
    let event = json!({ "pk": { "S": "event" }, "sk": { "S": "event" } });
    let relays = |position: &str| {
        let service = changed("StartingPosition: TRIM_HORIZON", position);
        let service = service.item("OutboxTable", &event).workload(Customers(0));
        let report = service.settle(Millis(0), Millis(0)).run().unwrap();
        let is_relay = |it: &&Event| matches!(&it.what, Happened::Invoked { .. });
        report.trace.events().iter().filter(is_relay).count()
    };
    assert!(relays("StartingPosition: TRIM_HORIZON") > 0);
    assert_eq!(relays("StartingPosition: LATEST"), 0);

    let service = changed("StartingPosition: TRIM_HORIZON", "StartingPosition: LATEST");
    let report = service.workload(Customers(3)).check(Books::default()).run().unwrap();
    assert!(report.is_ok(), "later records are delivered: {report}");
}

/// Operators send messages at the same time.
#[derive(Clone)]
struct Sends {
    queue: &'static str,
    count: usize,
    bytes: usize,
}

impl Workload for Sends {
    type Operation = usize;

    fn plan(&self, _: &mut Seeded) -> Vec<Planned<usize>> {
        (0..self.count).map(|number| Planned::after(Millis::seconds(1), number)).collect()
    }

    async fn perform(&self, client: Client, _: &usize) {
        let body = "x".repeat(self.bytes);
        if let Err(error) = client.send_message(self.queue, &body).await {
            client.note("refused", error);
        }
    }
}

/// Queues without a consumer, and one with a consumer.
const QUEUES: &str = "
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {CodeUri: ., Handler: bootstrap, Runtime: provided.al2023, Timeout: 10}}
Resources:
  SmallQueue: {Type: AWS::SQS::Queue, Properties: {MaximumMessageSize: 1024}}
  FifoQueue: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}
  LargeQueue:
    Type: AWS::SQS::Queue
    Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 1}}
  Dead: {Type: AWS::SQS::Queue}
  ReadFunction:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: read}}
    Properties:
      Events:
        Large:
          Type: SQS
          Properties: {Queue: !GetAtt LargeQueue.Arn, BatchSize: 10, MaximumBatchingWindowInSeconds: 1}
";

fn sent(sends: Sends) -> Report {
    let template = Template::parse(QUEUES, &BTreeMap::new()).unwrap();
    // The invocations are counted; the function itself is not needed.
    let failing = || ExitCode::FAILURE;
    let simulation = Simulation::new(1).template(&template).function("ReadFunction", failing);
    simulation.settle(Millis(0), Millis::hours(1)).workload(sends).run().unwrap()
}

pub(crate) fn notes<'a>(report: &'a Report, wanted: &str) -> Vec<&'a Value> {
    let note = |event: &'a Event| match &event.what {
        Happened::Noted { name, value, .. } if name == wanted => Some(value),
        _ => None,
    };
    report.trace.events().iter().filter_map(note).collect()
}

#[test]
fn a_message_over_the_maximum_of_its_queue_is_refused() {
    let refused = |bytes| {
        let report = sent(Sends { queue: "SmallQueue", count: 1, bytes });
        notes(&report, "refused").len()
    };
    assert_eq!((refused(1024), refused(1025)), (0, 1));
}

#[test]
fn each_message_of_an_operator_comes_into_a_fifo_queue() {
    let report = sent(Sends { queue: "FifoQueue", count: 3, bytes: 10 });
    assert!(notes(&report, "refused").is_empty(), "{report}");
    let mut ids: Vec<_> = notes(&report, "sent").iter().map(|it| it["id"].to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3, "equal bodies are separate messages");
}

#[test]
fn messages_over_6_mb_come_in_several_batches() {
    let report = sent(Sends { queue: "LargeQueue", count: 10, bytes: 1024 * 1024 });
    let mut sizes = Vec::new();
    for event in report.trace.events() {
        if let Happened::Refused { cause: Cause::Messages(_, ids), .. } = &event.what {
            sizes.push(ids.len());
        }
    }
    assert_eq!(sizes.iter().sum::<usize>(), 10, "{sizes:?}");
    assert!(sizes.iter().all(|size| *size <= 5), "{sizes:?}");
}

#[test]
fn a_generated_secret_has_the_value_of_its_template_in_each_run_of_a_seed() {
    let secret = r#"
  Password:
    Type: AWS::SecretsManager::Secret
    Properties:
      GenerateSecretString:
        SecretStringTemplate: '{"username": "ada"}'
        GenerateStringKey: password
        PasswordLength: 20
"#;
    let template = Template::parse(&format!("{TEMPLATE}{secret}"), &BTreeMap::new()).unwrap();
    let value = |seed| {
        let simulation = Simulation::new(seed).template(&template);
        let mut parts = simulation
            .function("RelayOutboxFunction", || ExitCode::FAILURE)
            .function("CountPiecesFunction", || ExitCode::FAILURE)
            .function("PlaceOrderFunction", place_order)
            .parts()
            .unwrap();
        parts.services.grant("me", Permissions::everything());
        let request = WireRequest {
            caller: "me",
            target: Some("secretsmanager.GetSecretValue"),
            path: "/",
            body: br#"{"SecretId": "Password"}"#,
        };
        match parts.services.call(BEGINNING, &mut Seeded::new(1), request) {
            Called::AtOnce(response) => {
                let text = response.json()["SecretString"].as_str().unwrap().to_owned();
                serde_json::from_str::<Value>(&text).unwrap()
            }
            Called::CompletesAt(..) => panic!("a secret is there at once"),
        }
    };
    let (first, second, third) = (value(1), value(1), value(2));
    assert_eq!(
        (&first["username"], first["password"].as_str().unwrap().len()),
        (&json!("ada"), 20)
    );
    assert_eq!(first, second);
    assert_ne!(first, third);
}
