//! The library in simulated worlds: its functions by their `main` and its template, under all faults.
//!
//! `LOANS_SEEDS=1..1001 cargo test --test simulation` runs other seeds than the usual ones.

mod careless;
mod checks;
mod first;
mod functions;
mod library;
mod people;
mod visits;

use simulation::world::{FaultMix, Happened, Report, Seeds};

use self::checks::Copies;
use self::library::library;
use self::visits::Visits;

#[test]
fn under_all_faults_no_check_finds_anything_in_busy_seconds() {
    let seeds = Seeds::from_variable("LOANS_SEEDS", 1..13).unwrap();

    let runs = library(0, Visits::BUSY, FaultMix::full()).run_seeds(&seeds).unwrap();

    assert!(runs.is_ok(), "{runs}");
    println!("{runs}");
}

#[test]
fn under_all_faults_no_check_finds_anything_in_an_hour() {
    let runs = library(0, Visits::HOUR, FaultMix::full()).run_seeds(&(1..3).into()).unwrap();

    assert!(runs.is_ok(), "{runs}");
}

#[test]
fn without_faults_members_borrow_books_and_get_mails_about_overdue_ones() {
    let report = library(1, Visits { count: 40, ..Visits::HOUR }, FaultMix::none()).run().unwrap();

    assert!(report.is_ok(), "{:#?}", report.failures);
    assert!(answers(&report, 201) > 0 && answers(&report, 204) > 0 && answers(&report, 409) > 0);
    let overdue = |event: &&simulation::world::Event| matches!(&event.what, Happened::Called { body, .. } if body.contains("is overdue"));
    assert!(report.trace.events().iter().filter(overdue).count() > 0);
}

fn answers(report: &Report, wanted: u16) -> usize {
    let events = report.trace.events().iter();
    let is_it =
        |what: &Happened| matches!(what, Happened::Answered { status, .. } if *status == wanted);
    events.filter(|event| is_it(&event.what)).count()
}

#[test]
fn a_seed_has_the_same_trace_in_each_run_and_another_seed_has_another() {
    let hash = |seed| library(seed, Visits::BUSY, FaultMix::full()).run().unwrap().trace.hash();

    assert_eq!(hash(1), hash(1));
    assert_ne!(hash(1), hash(2));
}

#[test]
fn a_lost_condition_is_found_and_reported_with_its_seed_visits_and_journey() {
    let library = library(0, Visits::BUSY, FaultMix::full());
    let careless = library.replace("PostLoanFunction", careless::main);

    let runs = careless.run_seeds(&(1..7).into()).unwrap();

    let Some(shrunk) = &runs.shrunk else { panic!("not found: {runs}") };
    assert_eq!(shrunk.report.failures[0].oracle, Copies::NAME, "{shrunk}");
    // Members who want the same copy, and few other visits.
    assert!(shrunk.report.operations.len() <= 6, "{shrunk}");
    let (text, seed) = (runs.to_string(), format!("seed {} after", shrunk.report.seed));
    for part in
        [&seed, "Borrow { member", "the journey of", "PostLoanFunction", "TransactWriteItems"]
    {
        assert!(text.contains(part), "{part} is missing: {text}");
    }
}
