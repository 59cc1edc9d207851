//! Runs the service's tests one by one.

use fs_err as fs;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tooling::context::Context;
use tooling::{Error, binaries_of, cargo, say};

use sam_template::Permission;
use serde_json::Value;

use crate::service::Service;

/// The time that tests wait for asynchronous results. A slower result is not a fast proof.
const PATIENCE_S: &str = "15";

/// The time limit of one test.
const TEST_MAX: Duration = Duration::from_mins(2);

/// The interval at which a running test is checked.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The tests' binary.
pub(super) struct Suite {
    pub(super) binary: PathBuf,
    /// The folder of its package. Cargo runs tests there.
    pub(super) folder: PathBuf,
}

/// A finished test.
pub(super) struct Run {
    pub(super) ended: Ended,
    pub(super) took: Duration,
    /// The permissions that its platforms' functions used.
    pub(super) used: BTreeSet<Permission>,
}

/// The result of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Passed,
    Failed,
    /// It exceeded the time limit and was killed.
    Overran,
}

/// The text of all files of Rust below a folder.
///
/// # Errors
///
/// If one cannot be read.
pub(super) fn sources(folder: &Path) -> Result<String, Error> {
    let mut text = String::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            text += &sources(&path)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            text += &fs::read_to_string(&path)?;
        }
    }
    Ok(text)
}

/// Whether the tests' sources have a test of this name, `module::name` or `name`.
pub(super) fn is_written(sources: &str, test: &str) -> bool {
    let name = test.rsplit("::").next().unwrap_or(test);
    sources.contains(&format!("fn {name}("))
}

impl Suite {
    /// Builds the functions and the tests.
    pub(super) fn build(service: &Service) -> Result<Self, Error> {
        let (workspace, settings) = (service.workspace(), &service.settings().privileges);
        let mut names = binaries_of(workspace, service.package())?;
        for package in &settings.packages {
            names.extend(binaries_of(workspace, package)?);
        }
        let built = cargo(workspace)
            .args(["build", "--workspace"])
            .args(names.iter().flat_map(|name| ["--bin", name]))
            .status()
            .context(|| "building the functions")?;
        let tests = cargo(workspace)
            .args(arguments(settings.test.as_deref())?)
            .args(["--no-run", "--message-format=json"])
            .stderr(Stdio::inherit())
            .output()
            .context(|| "building the tests")?;
        if !built.success() || !tests.status.success() {
            return Err("the functions or their tests cannot be built".into());
        }
        only_test_binary(&String::from_utf8(tests.stdout)?)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.current_dir(&self.folder);
        command
    }

    /// The names of all tests.
    pub(super) fn tests(&self) -> Result<Vec<String>, Error> {
        let mut command = self.command();
        let listed = command.args(["--list", "--format=terse"]).output();
        let listed = listed.context(|| self.binary.display())?;
        if !listed.status.success() {
            let reason = String::from_utf8_lossy(&listed.stderr);
            let (binary, status) = (self.binary.display(), listed.status);
            return Err(format!("{binary} --list: {status} {}", reason.trim()).into());
        }
        let listed = String::from_utf8(listed.stdout)?;
        let tests = listed.lines().filter_map(|line| line.strip_suffix(": test"));
        Ok(tests.map(str::to_owned).collect())
    }

    /// Whether a test fails when a function lacks a permission.
    pub(super) fn fails_without(&self, test: &str, grant: &Permission) -> bool {
        let run = self.run(test, Some(grant));
        let (ended, took) = run.map_or((None, 0.0), |it| (Some(it.ended), it.took.as_secs_f32()));
        let outcome = match ended {
            Some(Ended::Passed) => "passes without it",
            Some(Ended::Failed) => "fails",
            Some(Ended::Overran) => "takes too long",
            None => "cannot be run",
        };
        say(&format!("{grant}: {test} {outcome} ({took:.1} s)"));
        ended == Some(Ended::Failed)
    }

    /// Runs one test; `None` if it cannot be started.
    pub(super) fn run(&self, test: &str, without: Option<&Permission>) -> Option<Run> {
        let noted = note();
        let mut command = self.command();
        command.args(["--exact", test]).env("TEST_BUILT", "1");
        command.env("TEST_TIMEOUT_S", PATIENCE_S).env("TEST_USED_PERMISSIONS", &noted);
        command.envs(without.map(|grant| ("TEST_DENY", grant.to_string())));
        let begun = Instant::now();
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let ended = ended(child)?;
        let took = begun.elapsed();
        // Without a file, no platform of this test has ended.
        let rights = fs::read_to_string(&noted).unwrap_or_default();
        let _ = fs::remove_file(noted);
        let used = rights.lines().filter_map(|line| line.parse().ok()).collect();
        Some(Run { ended, took, used })
    }
}

/// The arguments of the settings' command for cargo: `cargo test --workspace --test api`.
fn arguments(command: Option<&str>) -> Result<Vec<&str>, Error> {
    let Some(command) = command else {
        return Err(
            "there are no tests: set privileges.test in [package.metadata.lifecycle]".into()
        );
    };
    let mut words = command.split_whitespace();
    if words.next() != Some("cargo") {
        return Err(format!("privileges.test is {command:?}, and has to begin with cargo").into());
    }
    Ok(words.collect())
}

/// The only test binary in cargo's messages.
fn only_test_binary(messages: &str) -> Result<Suite, Error> {
    let binaries = messages.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let is_test = message["profile"]["test"] == true;
        let binary = message["executable"].as_str().filter(|_| is_test)?.into();
        let folder = Path::new(message["manifest_path"].as_str()?).parent()?.to_owned();
        Some(Suite { binary, folder })
    });
    let mut binaries: Vec<Suite> = binaries.collect();
    match binaries.pop() {
        Some(suite) if binaries.is_empty() => Ok(suite),
        last => Err(format!(
            "privileges.test builds {} test binaries; choose one with --test NAME",
            binaries.len() + usize::from(last.is_some())
        )
        .into()),
    }
}

/// A new file for the permissions that a test uses.
fn note() -> PathBuf {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("permissions-{}-{run}", std::process::id()))
}

/// Waits for a test, and kills it at the time limit.
fn ended(mut child: Child) -> Option<Ended> {
    let end = Instant::now() + TEST_MAX;
    while Instant::now() < end {
        if let Some(status) = child.try_wait().ok()? {
            return Some(if status.success() { Ended::Passed } else { Ended::Failed });
        }
        pause();
    }
    child.kill().and_then(|()| child.wait()).ok()?;
    Some(Ended::Overran)
}

#[expect(clippy::disallowed_methods, reason = "nothing else runs on this thread")]
fn pause() {
    std::thread::sleep(LOOK_EVERY);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_of_the_tests_has_to_run_cargo() {
        assert_eq!(arguments(Some("cargo test --test api")).unwrap(), ["test", "--test", "api"]);
        for command in [None, Some(""), Some("make test")] {
            assert!(arguments(command).is_err(), "{command:?}");
        }
    }

    #[test]
    fn the_tests_are_the_only_test_binary_that_cargo_reports() {
        let binary = r#"{"profile":{"test":false},"executable":"/target/get_user"}"#;
        let test = r#"{"profile":{"test":true},"executable":"/target/api-1","manifest_path":"/a/tests/Cargo.toml"}"#;
        let library = r#"{"profile":{"test":false},"executable":null}"#;
        let found = only_test_binary(&[library, binary, test].join("\n")).unwrap();
        assert_eq!(found.command().get_program(), "/target/api-1");
        assert_eq!(found.command().get_current_dir(), Some(Path::new("/a/tests")));
        assert!(only_test_binary(binary).is_err());
        let error = only_test_binary(&[test, test].join("\n")).err().unwrap().to_string();
        assert!(error.contains("2 test binaries"), "{error}");
    }

    #[test]
    fn a_test_may_be_in_any_file_below_the_sources() {
        let library = crate::fixture::Library::new("sources");
        library.write("lending/tests/api.rs", "fn a_book() {}\n");
        library.write("lending/tests/loans/mod.rs", "async fn a_loan(it: Fixture) {}\n");
        let sources = sources(&library.path("lending/tests")).unwrap();
        for (test, expected) in
            [("a_book", true), ("loans::a_loan", true), ("a_loa", false), ("loans::late", false)]
        {
            assert_eq!(is_written(&sources, test), expected, "{test}");
        }
    }
}
