//! Mistakes of a test itself, and services that leave it open whether they have acted.

use std::collections::BTreeSet;
use std::process::ExitCode;

use simulation::oracles::NoInternalErrors;
use simulation::random::Chance;
use simulation::world::{Event, Failure, Fault, FaultMix, Happened, Oracle, View};

use super::service::place_order;
use super::{ENDPOINT, assert_ok, run, simulation};

/// A check that mistypes the name of a table.
#[derive(Clone)]
struct Mistyped;

impl Oracle for Mistyped {
    fn name(&self) -> &'static str {
        "mistyped"
    }

    fn observe(&mut self, event: &Event, view: &View<'_>) -> Result<(), String> {
        if matches!(event.what, Happened::Performed { .. }) {
            drop(view.items("OrderTable"));
        }
        Ok(())
    }
}

#[test]
fn a_check_that_panics_fails_the_run_and_the_service_goes_on() {
    let service = simulation(1, 3, FaultMix::none()).check(Mistyped);

    let report = service.function(ENDPOINT, place_order).run().unwrap();

    let failed: BTreeSet<_> = report.failures.iter().map(|it| it.oracle.as_str()).collect();
    assert_eq!(failed, BTreeSet::from(["mistyped"]), "{:#?}", report.failures);
    let reason = &report.failures[0].reason;
    assert!(reason.contains("it panicked") && reason.contains("OrderTable"), "{reason}");
}

/// After a 500 it is open whether the service has done it.
#[test]
fn a_call_that_is_answered_with_an_error_may_have_its_effect() {
    let mix = FaultMix::only(Fault::ServiceError, Chance::percent(30));

    let report = run(1, mix);

    assert_ok(&report, "some errors");
    let events = report.trace.events();
    let is_error =
        |event: &Event| matches!(event.what, Happened::Drawn { fault: Fault::ServiceError, .. });
    let failed = events.windows(2).filter_map(|pair| match &pair[0].what {
        Happened::Called { call, .. } if is_error(&pair[1]) => Some(*call),
        _ => None,
    });
    let statuses: BTreeSet<u16> = failed
        .filter_map(|wanted| {
            events.iter().find_map(|event| match event.what {
                Happened::Performed { call, status, .. } if call == wanted => Some(status),
                _ => None,
            })
        })
        .collect();
    assert!(statuses.contains(&200) && statuses.contains(&500), "{statuses:?}");
}

#[test]
fn a_function_that_cannot_start_is_found_without_faults() {
    let service = simulation(1, 3, FaultMix::none()).check(NoInternalErrors::default());

    let report = service.function(ENDPOINT, || ExitCode::FAILURE).run().unwrap();

    let is_found = |it: &Failure| {
        it.oracle == NoInternalErrors::NAME && it.reason.starts_with("PlaceOrderFunction failed")
    };
    assert!(report.failures.iter().any(is_found), "{:#?}", report.failures);
}
