//! A service in a simulated world, with each fault for itself and with all of them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod customers;
mod mistaken;
mod probes;
mod rates;
mod service;
mod settings;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use serde_json::json;
use simulation::Millis;
use simulation::random::{Chance, Seeded};
use simulation::world::{
    Cause, Client, Fault, FaultMix, Happened, Planned, Report, Simulation, Workload,
};

use self::customers::{Books, Customers};
use self::service::{careless_place_order, place_order, service};

const ENDPOINT: &str = "PlaceOrderFunction";

fn simulation(seed: u64, orders: usize, faults: FaultMix) -> Simulation {
    service(seed).workload(Customers(orders)).check(Books::default()).faults(faults)
}

fn run(seed: u64, faults: FaultMix) -> Report {
    simulation(seed, 12, faults).function(ENDPOINT, place_order).run().unwrap()
}

/// An operation that waits for something that never happens.
struct Patient;

impl Workload for Patient {
    type Operation = &'static str;

    fn plan(&self, _: &mut Seeded) -> Vec<Planned<&'static str>> {
        vec![Planned::after(Millis::seconds(1), "wait")]
    }

    async fn perform(&self, client: Client, _: &&'static str) {
        loop {
            client.wait(Millis::seconds(60)).await;
        }
    }
}

#[test]
fn an_operation_that_does_not_end_fails_the_run() {
    let service = service(1).function(ENDPOINT, place_order).workload(Patient);

    let report = service.operation_max(Millis::hours(1)).run().unwrap();

    let failure = &report.failures[0];
    assert_eq!(failure.reason, "operation 0 has not ended after 3600 simulated seconds");
}

/// An operator who mistypes a name.
struct Mistyped;

impl Workload for Mistyped {
    type Operation = usize;

    fn plan(&self, _: &mut Seeded) -> Vec<Planned<usize>> {
        (0..3).map(|operation| Planned::after(Millis::seconds(1), operation)).collect()
    }

    async fn perform(&self, client: Client, operation: &usize) {
        match operation {
            0 => drop(client.redrive("NoQueue", "NoQueue").await),
            1 => client.overload("NoTable", Millis::seconds(1)),
            _ => client.deploy("NoFunction", 0),
        }
    }
}

#[test]
fn an_operation_on_an_unknown_resource_fails_the_run() {
    let service = service(1).function(ENDPOINT, place_order).workload(Mistyped);

    let report = service.run().unwrap();

    let reasons: Vec<_> = report.failures.iter().map(|failure| &failure.reason).collect();
    for unknown in ["no queue NoQueue", "no table NoTable", "no function NoFunction"] {
        assert!(reasons.iter().any(|reason| reason.contains(unknown)), "{unknown}: {reasons:?}");
    }
    assert!(reasons.iter().all(|reason| reason.starts_with("operation ")), "{reasons:?}");
    let again = service.run().unwrap();
    assert_eq!(report.trace.hash(), again.trace.hash(), "{reasons:?}");
}

#[test]
fn a_run_is_an_error_if_its_log_lines_would_be_lost() {
    let service = service(1).function(ENDPOINT, place_order).workload(Mistyped);
    let other = tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::new());

    let errors = [service.run().unwrap_err(), service.run_seeds(&(1..3).into()).unwrap_err()];

    drop(other);
    for error in errors {
        assert!(error.starts_with("another subscriber of `tracing`"), "{error}");
    }
}

/// Three visits, one after the other, that remember themselves.
struct Visits;

impl Workload for Visits {
    type Operation = u64;

    fn plan(&self, _: &mut Seeded) -> Vec<Planned<u64>> {
        (1..=3).map(|second| Planned::after(Millis::seconds(second), second)).collect()
    }

    async fn perform(&self, client: Client, second: &u64) {
        client.note("last visit", json!(client.recall("visit")));
        client.remember("visit", &second.to_string());
    }
}

#[test]
fn an_operation_recalls_the_text_of_an_earlier_one_of_its_world() {
    let service = service(1).function(ENDPOINT, place_order).workload(Visits);
    for _ in 0..2 {
        let report = service.run().unwrap();

        let last = settings::notes(&report, "last visit");
        assert_eq!(last, [&json!(null), &json!("1"), &json!("2")], "each run is another world");
    }
}

/// How often a fault was drawn.
fn drawn(report: &Report, wanted: Fault) -> usize {
    let events = report.trace.events().iter();
    events.filter(|it| matches!(it.what, Happened::Drawn { fault, .. } if fault == wanted)).count()
}

fn assert_ok(report: &Report, about: &str) {
    assert!(report.is_ok(), "{about}: {report}\n{:#?}", report.failures);
}

#[test]
fn without_faults_each_order_is_answered_at_once_and_counted() {
    let report = run(1, FaultMix::none());

    assert_ok(&report, "no faults");
    let events = report.trace.events().iter();
    let created =
        events.filter(|it| matches!(it.what, Happened::Answered { status: 201, .. })).count();
    assert_eq!(created, 12);
}

#[test]
fn a_seed_has_the_same_trace_in_each_run_and_another_seed_has_another() {
    for seed in 0..4 {
        let (first, second) = (run(seed, FaultMix::full()), run(seed, FaultMix::full()));
        let mut pairs = first.trace.events().iter().zip(second.trace.events());
        if let Some((one, other)) = pairs.find(|(one, other)| one != other) {
            panic!("seed {seed}: {}\n{}", one.line(), other.line());
        }
        assert_eq!(first.trace.hash(), second.trace.hash(), "seed {seed}");
    }
    assert_ne!(run(0, FaultMix::full()).trace.hash(), run(1, FaultMix::full()).trace.hash());
}

#[test]
fn an_order_has_its_effect_once_under_each_fault() {
    // The service has no upstreams and no schedules; `rates` has.
    const OTHERS: [Fault; 5] = [
        Fault::FailingUpstream,
        Fault::WrongUpstream,
        Fault::SlowUpstream,
        Fault::DuplicateSchedule,
        Fault::LateSchedule,
    ];
    for fault in Fault::ALL.into_iter().filter(|fault| !OTHERS.contains(fault)) {
        let mut count = 0;
        for seed in 0..3 {
            let report = run(seed, FaultMix::only(fault, Chance::percent(10)));
            assert_ok(&report, &fault.to_string());
            count += drawn(&report, fault);
        }
        assert!(count > 0, "{fault} never happened");
    }
}

#[test]
fn a_table_or_queue_does_nothing_during_its_outage() {
    let mut refused = 0;
    for seed in 0..3 {
        let report = run(seed, FaultMix::only(Fault::Outage, Chance::percent(5)));
        let (mut outages, mut calls) = (BTreeMap::new(), BTreeMap::new());
        for event in report.trace.events() {
            match &event.what {
                Happened::Drawn { fault: Fault::Outage, place } => {
                    let (name, how) = place.split_once(": ").unwrap();
                    let time = how.split(' ').nth(2).unwrap().parse().unwrap();
                    outages.insert(name.to_owned(), event.at + Millis(time));
                }
                Happened::Settling => outages.clear(),
                Happened::Called { call, body, .. } => _ = calls.insert(*call, body.clone()),
                Happened::Performed { call, status, .. } => {
                    let body = &calls[call];
                    let is_named = |name: &str| body.contains(&format!("{name}\""));
                    let is_out =
                        |(name, until): (&String, &Millis)| event.at < *until && is_named(name);
                    if outages.iter().any(is_out) {
                        assert_ne!(*status, 200, "seed {seed}: {}", event.line());
                        refused += 1;
                    }
                }
                _ => {}
            }
        }
    }
    assert!(refused > 0, "no request was refused by an outage");
}

#[test]
fn a_partial_response_is_not_split_again() {
    let (next, count) = (AtomicU64::new(0), AtomicUsize::new(0));
    let jobs = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= 20 {
                        return;
                    }
                    count.fetch_add(partial_responses(seed), Ordering::Relaxed);
                }
            });
        }
    });
    assert!(count.into_inner() > 0, "no partial response left several records");
}

/// Checks that the rest of each partial response is a batch again. Returns the number of rests with
/// several records.
fn partial_responses(seed: u64) -> usize {
    let faults = FaultMix::only(Fault::Outage, Chance::percent(10));
    let report = simulation(seed, 60, faults).function(ENDPOINT, place_order).run().unwrap();
    let mut rest: Option<Vec<String>> = None;
    let mut count = 0;
    for event in report.trace.events() {
        match &event.what {
            Happened::BatchFailed { function, items, reason, .. }
                if function == "RelayOutboxFunction" && reason == "the function reported it" =>
            {
                rest = Some(items.clone());
            }
            Happened::Invoked { cause: Cause::Records(_, items), .. } => {
                // Batches of other shards may come first.
                if let Some(rest) = rest.take_if(|rest| rest.first() == items.first()) {
                    assert_eq!(*items, rest, "seed {seed}: {}", event.line());
                    count += usize::from(rest.len() > 1);
                }
            }
            _ => {}
        }
    }
    count
}

#[test]
fn an_order_has_its_effect_once_under_all_faults() {
    for seed in 0..20 {
        assert_ok(&run(seed, FaultMix::full()), "all faults");
    }
}

#[test]
fn two_versions_share_the_environments() {
    let faults = FaultMix::only(Fault::ColdStart, Chance::percent(50));
    let simulation = simulation(3, 30, faults).function(ENDPOINT, place_order).version(
        ENDPOINT,
        Chance::percent(50),
        place_order,
    );

    let report = simulation.run().unwrap();

    assert_ok(&report, "two versions");
    let started = |wanted: usize| {
        let is_started = |what: &Happened| matches!(what, Happened::EnvironmentStarted { version, .. } if *version == wanted);
        report.trace.events().iter().filter(|it| is_started(&it.what)).count()
    };
    assert!(started(0) > 0 && started(1) > 0);
}

#[test]
fn a_mistake_is_found_and_shrunk_to_one_operation_and_its_fault() {
    // Both are drawn by the clients and by the functions: only one is the reason.
    let faults = FaultMix::only(Fault::LostClientResponse, Chance::percent(10))
        .with(Fault::ColdStart, Chance::percent(20));
    let careless =
        |seed| simulation(seed, 12, faults.clone()).function(ENDPOINT, careless_place_order);
    let failing = (0..20).map(careless).find_map(|simulation| {
        let report = simulation.run().unwrap();
        (!report.is_ok()).then_some((simulation, report))
    });
    let (simulation, report) = failing.unwrap();

    let shrunk = simulation.shrink(&report, 60).unwrap();

    assert_eq!(shrunk.report.operations.len(), 1, "{shrunk}");
    assert_eq!(shrunk.faults.to_string(), "lost client response", "{shrunk}");
    assert!(shrunk.runs <= 60);
    assert!(shrunk.to_string().contains("is stored"), "{shrunk}");
    assert!(shrunk.to_string().contains("the journey of"), "{shrunk}");
}

#[test]
fn of_several_seeds_the_first_that_fails_is_shrunk_and_all_failures_are_named() {
    let faults = FaultMix::only(Fault::LostClientResponse, Chance::percent(10));
    let careful = simulation(0, 12, faults).function(ENDPOINT, place_order);

    let (good, bad) = (
        careful.run_seeds(&(0..4).into()).unwrap(),
        careful.replace(ENDPOINT, careless_place_order).run_seeds(&(0..8).into()).unwrap(),
    );

    assert!(good.is_ok() && good.seeds == 4, "{good}");
    assert!(!bad.is_ok() && bad.seeds == 8, "{bad}");
    let (first, shrunk) = (&bad.failed[0], bad.shrunk.as_ref().unwrap());
    assert_eq!((shrunk.report.seed, shrunk.report.operations.len()), (first.seed, 1), "{bad}");
    let (text, failed) = (bad.to_string(), bad.failed.len());
    for report in &bad.failed {
        assert!(text.contains(&format!("seed {}: books: ", report.seed)), "{text}");
    }
    assert!(text.contains("8 seeds in ") && text.contains(&format!("{failed} failed;")));
}

#[test]
fn a_table_has_its_first_items_and_an_unknown_table_is_an_error() {
    let item = json!({
        "pk": { "S": "first" }, "key": { "S": "first" }, "orderId": { "S": "first" },
        "pieces": { "N": "3" },
    });
    let service = |table: &str| {
        let service = simulation(1, 2, FaultMix::none()).function(ENDPOINT, place_order);
        service.item(table, &item).run()
    };

    // No event was counted for the first order.
    let report = service("OrdersTable").unwrap();
    assert!(report.failures[0].reason.contains("pieces are ordered"), "{:?}", report.failures);
    let error = service("NoTable").unwrap_err();
    assert!(error.starts_with("an item of NoTable: "), "{error}");
}

#[test]
fn a_journey_has_the_calls_and_the_later_invocations_of_a_request() {
    let report = run(1, FaultMix::none());
    let requests = report.trace.events().iter().find_map(|event| match &event.what {
        Happened::Requested { request, .. } => Some(request.clone()),
        _ => None,
    });
    let request = requests.unwrap();

    let journey = report.journey(&request);

    for part in ["TransactWriteItems", "PlaceOrderFunction", "RelayOutboxFunction"] {
        assert!(journey.contains(part), "{part} is missing:\n{journey}");
    }
}

#[test]
fn a_world_without_a_template_or_with_unknown_or_missing_parts_is_an_error() {
    assert!(Simulation::new(1).run().unwrap_err().contains("no template"));
    let error = service(1).function("OtherFunction", place_order).run().unwrap_err();
    assert!(error.contains("OtherFunction"), "{error}");
    let error = service(1).run().unwrap_err();
    assert_eq!(error, format!("functions of the template have no code: {ENDPOINT}"));
    let error = service(1).without_code(ENDPOINT).run().unwrap_err();
    assert_eq!(error, "the simulation has no workload");
    assert!(service(1).without_code(ENDPOINT).workload(Customers(0)).run().unwrap().is_ok());
    let whole = || service(1).function(ENDPOINT, place_order);
    let error = whole().secret("NoSecret", "text").run().unwrap_err();
    assert_eq!(error, "the template has no secret NoSecret");
    let error = whole().variable("NO_TABLE", "text").run().unwrap_err();
    assert_eq!(error, "no function of the template has the variable NO_TABLE");
}
