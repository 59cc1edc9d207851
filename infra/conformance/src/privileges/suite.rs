//! Runs the API's tests one by one.

use fs_err as fs;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tooling::context::Context;
use tooling::{Error, binaries_of, cargo, say};

use sam_template::Permission;
use serde_json::Value;

/// The time that tests wait for asynchronous results. A slower result is not a fast proof.
const PATIENCE_S: &str = "15";

/// The time limit of one test.
const TEST_MAX: Duration = Duration::from_mins(2);

/// The interval at which a running test is checked.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The tests' binary.
pub(super) struct Suite {
    binary: PathBuf,
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

/// Whether the source has a test of this name, `module::name`.
pub(super) fn is_written(workspace: &Path, test: &str) -> bool {
    let Some((module, name)) = test.rsplit_once("::") else { return false };
    let file = format!("{}.rs", module.replace("::", "/"));
    let source = fs::read_to_string(workspace.join("tests/api").join(file));
    source.is_ok_and(|source| source.contains(&format!("fn {name}()")))
}

impl Suite {
    /// Builds the functions and the tests.
    pub(super) fn build(workspace: &Path) -> Result<Self, Error> {
        let mut names = binaries_of(workspace, "functions")?;
        names.extend(binaries_of(workspace, "blackbox")?);
        let built = cargo(workspace)
            .args(["build", "--workspace"])
            .args(names.iter().flat_map(|name| ["--bin", name]))
            .status()
            .context(|| "building the functions")?;
        let tests = cargo(workspace)
            .args(["test", "--workspace", "--test", "api", "--no-run"])
            .arg("--message-format=json")
            .stderr(Stdio::inherit())
            .output()
            .context(|| "building the tests")?;
        if !built.success() || !tests.status.success() {
            return Err("the functions or their tests cannot be built".into());
        }
        let messages = String::from_utf8(tests.stdout)?;
        let binary = messages.lines().find_map(|line| {
            let message: Value = serde_json::from_str(line).ok()?;
            let of_tests = message["target"]["name"] == "api";
            message["executable"].as_str().filter(|_| of_tests).map(PathBuf::from)
        });
        let binary = binary.ok_or("cargo reports no test binary")?;
        Ok(Self { binary })
    }

    /// The names of all tests.
    pub(super) fn tests(&self) -> Result<Vec<String>, Error> {
        let listed = Command::new(&self.binary).args(["--list", "--format=terse"]).output();
        let listed = listed.context(|| self.binary.display())?;
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
        let noted = std::env::temp_dir().join(format!("rights-{}", uuid::Uuid::new_v4()));
        let mut command = Command::new(&self.binary);
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
