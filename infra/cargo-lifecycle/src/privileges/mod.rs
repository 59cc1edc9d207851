//! `cargo lifecycle privileges`: proves that every permission of the template is needed.
//!
//! Each permission in turn is removed from its function; a test of the API must then fail. The
//! table that the settings name has the test. If there is none, or it passes, all tests
//! report the permissions that they use. The fastest test that uses the permission and fails
//! without it is chosen.

mod suite;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sam_template::Permission;
use tooling::{Error, binaries_of};

use self::suite::{Ended, Suite};
use self::table::Table;
use crate::service::Service;

/// The number of tests that run in parallel.
const AT_ONCE: usize = 2;

/// The maximum number of tests that are tried for a permission.
const CANDIDATES_MAX: usize = 6;

/// The part of the permissions that is proven again.
#[derive(Debug, Clone, Default, clap::Args)]
#[non_exhaustive]
pub struct Part {
    /// Only this function of the template, such as `GetUserFunction`; the table keeps the rows of
    /// the others.
    #[arg(long, value_name = "FUNCTION", conflicts_with = "check")]
    pub function: Option<String>,
    /// Only tests whose name contains this are tried for a permission without a test.
    #[arg(long, value_name = "TEXT", conflicts_with = "check")]
    pub test: Option<String>,
}

impl Part {
    fn has(&self, grant: &Permission) -> bool {
        self.function.as_ref().is_none_or(|function| grant.function == *function)
    }

    fn tries(&self, test: &str) -> bool {
        self.test.as_ref().is_none_or(|text| test.contains(text.as_str()))
    }

    /// # Errors
    ///
    /// If the template grants its function nothing.
    fn of(&self, grants: &BTreeSet<Permission>) -> Result<BTreeSet<Permission>, Error> {
        let part: BTreeSet<Permission> =
            grants.iter().filter(|grant| self.has(grant)).cloned().collect();
        match &self.function {
            Some(function) if part.is_empty() => {
                Err(format!("the template grants {function} no permission").into())
            }
            _ => Ok(part),
        }
    }
}

/// The permissions of the template's functions: those of the package, and of the packages that the
/// setting `privileges.packages` adds.
fn grants(service: &Service) -> Result<BTreeSet<Permission>, Error> {
    let mut added = Vec::new();
    for package in &service.settings().privileges.packages {
        added.extend(binaries_of(service.workspace(), package)?);
    }
    let mut template = service.template()?;
    template
        .functions
        .retain(|_, function| !service.is_other(function) || added.contains(&function.binary));
    Ok(template.grants())
}

/// The differences between the table and the template, one sentence each.
///
/// # Errors
///
/// If one of the two cannot be read.
pub fn complaints(service: &Service) -> Result<Vec<String>, Error> {
    let grants = grants(service)?;
    let table = Table::read(&table::place(service)?)?;
    let missing = grants.iter().filter(|grant| !table.tests.contains_key(grant));
    let missing = missing.map(|grant| format!("{grant}: the table has no test for it"));
    let spare = table.tests.keys().filter(|grant| !grants.contains(grant));
    let spare = spare.map(|grant| format!("{grant}: the template grants no such permission"));
    let sources = service.settings().privileges.sources.as_ref();
    let sources = sources.map(|folder| suite::sources(&service.path(folder))).transpose()?;
    let is_gone = |test: &&String| {
        sources.as_deref().is_some_and(|sources| !suite::is_written(sources, test))
    };
    let gone = table.tests.values().filter(is_gone);
    let gone = gone.map(|test| format!("{test}: there is no such test")).collect::<BTreeSet<_>>();
    Ok(missing.chain(spare).chain(gone).collect())
}

/// Removes every permission of the part in turn and writes the table. Returns the permissions for
/// which no test fails, and each one whose test fails with all permissions: the table keeps their rows.
/// After an interruption the table has the tests that were found until then.
///
/// # Errors
///
/// If something cannot be built, run, read or written, the part has no permission, or a permission
/// needs a test and none has the name of the part.
pub fn prove(service: &Service, part: &Part) -> Result<Vec<String>, Error> {
    let grants = grants(service)?;
    let wanted = part.of(&grants)?;
    let place = table::place(service)?;
    let suite = Suite::build(service)?;
    let skipped = service.settings().privileges.skip.as_deref();
    let tests = suite.tests()?;
    let mut table = Table::read(&place)?;
    table.tests.retain(|grant, _| grants.contains(grant));
    let (again, kept) = table.tests.into_iter().partition(|(grant, _)| part.has(grant));
    table.tests = kept;
    let (proven, failing) = still_proven(&suite, again);
    table.tests.extend(proven);
    let broken = failing.iter().map(|(grant, test)| {
        format!("{grant}: its test {test} does not pass with all permissions")
    });
    let broken: Vec<String> = broken.collect();
    table.tests.extend(failing);
    table.write(&place)?;
    let open: Vec<Permission> =
        wanted.iter().filter(|grant| !table.tests.contains_key(grant)).cloned().collect();
    if !open.is_empty() {
        let tests = chosen(tests, part, skipped)?;
        let shared = Mutex::new(table);
        find(&suite, &open, tests, |grant, test| keep(&shared, &place, grant, test))?;
        table = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    }
    let unproven = wanted.iter().filter(|grant| !table.tests.contains_key(grant));
    let unproven = unproven.map(|grant| format!("{grant}: no test fails without it"));
    Ok(broken.into_iter().chain(unproven).collect())
}

/// The tests that are tried for permissions without a test.
///
/// # Errors
///
/// If no test has the name of the part.
fn chosen(
    mut tests: Vec<String>,
    part: &Part,
    skipped: Option<&str>,
) -> Result<Vec<String>, Error> {
    tests.retain(|test| skipped.is_none_or(|skipped| !test.starts_with(skipped)));
    tests.retain(|test| part.tries(test));
    match &part.test {
        Some(text) if tests.is_empty() => Err(format!("no test has {text} in its name").into()),
        _ => Ok(tests),
    }
}

/// The rows of the table, by permission.
type Rows = BTreeMap<Permission, String>;

/// The rows whose tests pass with all permissions and fail without this one, and the rows whose tests
/// do not pass with all permissions.
fn still_proven(suite: &Suite, tests: Rows) -> (Rows, Rows) {
    let named: BTreeSet<String> = tests.values().cloned().collect();
    let passing = side_by_side(named, |test| {
        let passes = suite.run(test, None).is_some_and(|run| run.ended == Ended::Passed);
        passes.then(|| test.clone())
    });
    let (tests, failing): (Rows, Rows) =
        tests.into_iter().partition(|(_, test)| passing.contains(test));
    let proven = side_by_side(tests, |(grant, test)| {
        suite.fails_without(test, grant).then(|| (grant.clone(), test.clone()))
    });
    (proven.into_iter().collect(), failing)
}

/// Finds one of these tests for each of these permissions, if there is one. `keep` gets each at once.
fn find(
    suite: &Suite,
    open: &[Permission],
    tests: Vec<String>,
    keep: impl Fn(&Permission, &str) -> Result<(), Error> + Sync,
) -> Result<(), Error> {
    let runs = side_by_side(tests, |test| {
        let run = suite.run(test, None).filter(|run| run.ended == Ended::Passed)?;
        Some((run.took, test.clone(), run.used))
    });
    let mut runs: Vec<(Duration, String, BTreeSet<Permission>)> = runs;
    runs.sort();
    let kept = side_by_side(open.to_vec(), |grant| {
        let candidates = runs.iter().filter(|(_, _, used)| used.contains(grant));
        let mut candidates = candidates.take(CANDIDATES_MAX).map(|(_, test, _)| test);
        let test = candidates.find(|test| suite.fails_without(test, grant))?;
        Some(keep(grant, test))
    });
    kept.into_iter().collect()
}

/// Adds a row to the table, and writes it.
fn keep(table: &Mutex<Table>, place: &Path, grant: &Permission, test: &str) -> Result<(), Error> {
    let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
    table.tests.insert(grant.clone(), test.to_owned());
    table.write(place)
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
    use super::*;

    #[test]
    fn a_part_has_the_permissions_of_its_function_and_tries_the_tests_that_it_names() {
        let grants =
            ["GetUserFunction dynamodb:GetItem UsersTable", "RelayFunction sqs:SendMessage Q"];
        let grants: BTreeSet<Permission> =
            grants.iter().map(|grant| grant.parse().unwrap()).collect();
        assert_eq!(Part::default().of(&grants).unwrap(), grants);

        let part = Part { function: Some("RelayFunction".into()), test: Some("relay::".into()) };
        assert_eq!(part.of(&grants).unwrap().len(), 1);
        assert!(part.tries("system::relay::an_event_is_sent"));
        assert!(!part.tries("people::users::a_user_is_found"));

        let unknown = Part { function: Some("GetUser".into()), test: None };
        let error = unknown.of(&grants).unwrap_err().to_string();
        assert_eq!(error, "the template grants GetUser no permission");
    }

    #[test]
    fn a_part_without_tests_and_a_suite_that_lists_none_are_errors() {
        let chosen = |text: Option<&str>| {
            let part = Part { function: None, test: text.map(str::to_owned) };
            let tests = ["users::a_user_is_found", "rights::none"].map(str::to_owned);
            chosen(tests.into(), &part, Some("rights::")).map_err(|error| error.to_string())
        };
        assert_eq!(chosen(None).unwrap(), ["users::a_user_is_found"]);
        assert_eq!(chosen(Some("users::")).unwrap(), ["users::a_user_is_found"]);
        assert_eq!(chosen(Some("user::")).unwrap_err(), "no test has user:: in its name");
        let broken = Suite { binary: "false".into(), folder: ".".into() };
        let error = broken.tests().unwrap_err().to_string();
        assert!(error.starts_with("false --list: exit status: 1"), "{error}");
    }

    #[test]
    fn the_row_of_a_test_that_fails_with_all_permissions_is_kept() {
        let grant: Permission = "GetUserFunction dynamodb:GetItem UsersTable".parse().unwrap();
        let rows = Rows::from([(grant, "users::a_user_is_found".to_owned())]);
        let run = |program: &str| {
            let suite = Suite { binary: program.into(), folder: ".".into() };
            still_proven(&suite, rows.clone())
        };
        assert_eq!(run("false"), (Rows::new(), rows.clone()));
        assert_eq!(run("true"), (Rows::new(), Rows::new()));
    }

    /// A suite of the tests `a` and `b`. Each uses the permission of its name, and `a` fails without it.
    /// `b` does so only when the table has the row of `a`.
    const SUITE: &str = "#!/bin/sh
echo \"GetFunction dynamodb:GetItem $2\" > \"$TEST_USED_PERMISSIONS\"
[ -z \"$TEST_DENY\" ] && exit 0
[ \"$2\" = a ] && exit 1
for _ in $(seq 200); do grep -q '`a`' table.md && exit 1; sleep 0.05; done
exit 0
";

    #[test]
    fn a_test_that_is_found_is_in_the_table_while_others_are_sought() {
        let library = crate::fixture::Library::new("kept");
        library.write("suite.txt", SUITE);
        // No thread of this process has the program open for writing when another one starts a child.
        let mut copy = std::process::Command::new("sh");
        copy.args(["-c", "cp suite.txt suite && chmod +x suite"]).current_dir(library.path(""));
        assert!(copy.status().unwrap().success());
        let suite = Suite { binary: library.path("suite"), folder: library.path("") };
        let grants = ["a", "b"].map(|name| {
            let grant = format!("GetFunction dynamodb:GetItem {name}");
            grant.parse::<Permission>().unwrap()
        });
        let place = library.path("table.md");
        let table = Mutex::new(Table { tests: Rows::new() });
        let keep = |grant: &Permission, test: &str| keep(&table, &place, grant, test);
        find(&suite, &grants, vec!["a".to_owned(), "b".to_owned()], keep).unwrap();
        let written = Table::read(&place).unwrap().tests;
        assert_eq!(written.into_values().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn every_permission_has_a_test_that_fails_without_it() {
        let service = crate::service::ours();
        assert_eq!(super::complaints(&service).unwrap(), Vec::<String>::new());
    }
}
