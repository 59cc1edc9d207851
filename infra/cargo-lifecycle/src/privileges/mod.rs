//! `cargo lifecycle privileges`: proves that every permission of the template is needed.
//!
//! Each permission in turn is removed from its function; a test of the API must then fail. The
//! table that the settings name has the test. If there is none, or it passes, all tests
//! report the permissions that they use. The fastest test that uses the permission and fails
//! without it is chosen.

mod suite;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sam_template::Permission;
use tooling::Error;

use self::suite::{Ended, Suite};
use self::table::Table;
use crate::service::Service;

/// The number of tests that run in parallel.
const AT_ONCE: usize = 2;

/// The maximum number of tests that are tried for a permission.
const CANDIDATES_MAX: usize = 6;

/// The differences between the table and the template, one sentence each.
///
/// # Errors
///
/// If one of the two cannot be read.
pub fn complaints(service: &Service) -> Result<Vec<String>, Error> {
    let grants = service.template()?.grants();
    let table = Table::read(&table::place(service)?)?;
    let missing = grants.iter().filter(|grant| !table.tests.contains_key(grant));
    let missing = missing.map(|grant| format!("{grant}: the table has no test for it"));
    let spare = table.tests.keys().filter(|grant| !grants.contains(grant));
    let spare = spare.map(|grant| format!("{grant}: the template grants no such permission"));
    let sources = service.settings().privileges.sources.as_ref();
    let sources = sources.map(|folder| service.path(folder));
    let is_gone = |test: &&String| {
        sources.as_deref().is_some_and(|sources| !suite::is_written(sources, test))
    };
    let gone = table.tests.values().filter(is_gone);
    let gone = gone.map(|test| format!("{test}: there is no such test")).collect::<BTreeSet<_>>();
    Ok(missing.chain(spare).chain(gone).collect())
}

/// Removes every permission in turn and writes the table. Returns the permissions for which no test
/// fails.
///
/// # Errors
///
/// If something cannot be built, run, read or written.
pub fn prove(service: &Service) -> Result<Vec<String>, Error> {
    let grants = service.template()?.grants();
    let place = table::place(service)?;
    let suite = Suite::build(service)?;
    let mut table = Table::read(&place)?;
    table.tests.retain(|grant, _| grants.contains(grant));
    table.tests = still_proven(&suite, table.tests);
    let open: Vec<Permission> =
        grants.iter().filter(|grant| !table.tests.contains_key(grant)).cloned().collect();
    if !open.is_empty() {
        let skipped = service.settings().privileges.skip.as_deref();
        table.tests.extend(found(&suite, &open, skipped)?);
    }
    table.write(&place)?;
    let unproven = grants.iter().filter(|grant| !table.tests.contains_key(grant));
    Ok(unproven.map(|grant| format!("{grant}: no test fails without it")).collect())
}

/// The permissions whose tests pass with all permissions and fail without this one.
fn still_proven(
    suite: &Suite,
    tests: BTreeMap<Permission, String>,
) -> BTreeMap<Permission, String> {
    let named: BTreeSet<String> = tests.values().cloned().collect();
    let passing = side_by_side(named, |test| {
        let passes = suite.run(test, None).is_some_and(|run| run.ended == Ended::Passed);
        passes.then(|| test.clone())
    });
    let tests = tests.into_iter().filter(|(_, test)| passing.contains(test));
    let proven = side_by_side(tests, |(grant, test)| {
        suite.fails_without(test, grant).then(|| (grant.clone(), test.clone()))
    });
    proven.into_iter().collect()
}

/// A test for each of these permissions, if there is one. Tests whose name begins with `skipped` are
/// not tried.
fn found(
    suite: &Suite,
    open: &[Permission],
    skipped: Option<&str>,
) -> Result<BTreeMap<Permission, String>, Error> {
    let mut tests = suite.tests()?;
    tests.retain(|test| skipped.is_none_or(|skipped| !test.starts_with(skipped)));
    let runs = side_by_side(tests, |test| {
        let run = suite.run(test, None).filter(|run| run.ended == Ended::Passed)?;
        Some((run.took, test.clone(), run.used))
    });
    let mut runs: Vec<(Duration, String, BTreeSet<Permission>)> = runs;
    runs.sort();
    let found = side_by_side(open.to_vec(), |grant| {
        let candidates = runs.iter().filter(|(_, _, used)| used.contains(grant));
        let mut candidates = candidates.take(CANDIDATES_MAX).map(|(_, test, _)| test);
        let test = candidates.find(|test| suite.fails_without(test, grant))?;
        Some((grant.clone(), test.clone()))
    });
    Ok(found.into_iter().collect())
}

/// The results for the items, computed in parallel, in any order.
fn side_by_side<I: Send, O: Send>(
    items: impl IntoIterator<Item = I, IntoIter: Send>,
    work: impl Fn(&I) -> Option<O> + Sync,
) -> Vec<O> {
    let items = Mutex::new(items.into_iter());
    let done = Mutex::new(Vec::new());
    let next = || items.lock().unwrap_or_else(PoisonError::into_inner).next();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(item) = next() {
                    let outcome = work(&item);
                    done.lock().unwrap_or_else(PoisonError::into_inner).extend(outcome);
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_permission_has_a_test_that_fails_without_it() {
        let service = crate::service::ours();
        assert_eq!(super::complaints(&service).unwrap(), Vec::<String>::new());
    }
}
