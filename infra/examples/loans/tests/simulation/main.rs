//! The library in simulated worlds: its functions by their `main` and its template, under all faults.
//!
//! `LOANS_SEEDS=1..1001 cargo test --test simulation` runs other seeds than the usual ones.

mod careless;
mod checks;
mod functions;
mod library;
mod people;
mod visits;

use simulation::world::{FaultMix, Seeds};

use self::checks::Copies;
use self::library::library;

/// The visits of a seed.
const VISITS: usize = 20;

#[test]
fn under_all_faults_no_check_finds_anything() {
    let seeds = Seeds::from_variable("LOANS_SEEDS", 1..13).unwrap();

    let runs = library(0, VISITS, FaultMix::full()).run_seeds(&seeds).unwrap();

    assert!(runs.is_ok(), "{runs}");
    println!("{runs}");
}

#[test]
fn without_faults_no_check_finds_anything() {
    let runs = library(0, VISITS, FaultMix::none()).run_seeds(&(1..3).into()).unwrap();

    assert!(runs.is_ok(), "{runs}");
}

#[test]
fn a_seed_has_the_same_trace_in_each_run_and_another_seed_has_another() {
    let hash = |seed| library(seed, VISITS, FaultMix::full()).run().unwrap().trace_hash;

    assert_eq!(hash(1), hash(1));
    assert_ne!(hash(1), hash(2));
}

#[test]
fn a_lost_condition_is_found_and_reported_with_its_seed_visits_and_journey() {
    let careless = library(0, VISITS, FaultMix::full()).replace("PostLoanFunction", careless::main);

    let runs = careless.run_seeds(&(1..7).into()).unwrap();

    let [shrunk, ..] = &runs.shrunk[..] else { panic!("not found: {runs}") };
    assert_eq!(shrunk.report.failures[0].oracle, Copies::NAME, "{shrunk}");
    // Two members who want the same copy, and no other visit.
    assert!(shrunk.report.operations.len() <= 4, "{shrunk}");
    let text = runs.to_string();
    let seed = format!("seed {} after", shrunk.report.seed);
    for part in
        [&seed, "Borrow { member", "the journey of", "PostLoanFunction", "TransactWriteItems"]
    {
        assert!(text.contains(part), "{part} is missing: {text}");
    }
}
