//! Builds the functions' binaries with cargo, finds them, and watches for rebuilt ones.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, SystemTime};

use cargo_command::cargo;
use serde::Deserialize;
use tokio::process::Command;
use tokio::time::{MissedTickBehavior, interval};

/// The interval at which binaries are checked.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The reason why there are no binaries.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Cargo cannot be run.
    #[error("cargo cannot be run: {0}")]
    NoCargo(std::io::Error),
    /// Cargo failed.
    #[error("cargo failed; {said}")]
    Failed {
        /// Its error output, unless it was already shown.
        said: String,
    },
    /// No package has a binary of this name.
    #[error("the template names the binary {0}, which no package of the workspace has")]
    Missing(String),
    /// The binary has not been built.
    #[error("{} has not been built", .0.display())]
    NotBuilt(PathBuf),
}

/// How to get the binaries.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Build {
    /// Whether to build. If not, existing binaries are used.
    pub(crate) build: bool,
    pub(crate) release: bool,
    /// Whether cargo shows its progress.
    pub(crate) verbose: bool,
}

/// Builds the binaries of these names and returns their paths.
pub(crate) async fn find(
    workspace: &Path,
    names: &BTreeSet<String>,
    how: Build,
) -> Result<BTreeMap<String, PathBuf>, BuildError> {
    let metadata = Metadata::read(workspace).await?;
    let mut packages = BTreeSet::new();
    for name in names {
        let package = metadata.package_of(name).ok_or_else(|| BuildError::Missing(name.clone()))?;
        packages.insert(package);
    }
    if how.build {
        build(workspace, &packages, names, how).await?;
    }
    let profile = if how.release { "release" } else { "debug" };
    let directory = metadata.target_directory.join(profile);
    let locate = |name: &String| {
        let path = directory.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        if path.is_file() { Ok((name.clone(), path)) } else { Err(BuildError::NotBuilt(path)) }
    };
    names.iter().map(locate).collect()
}

async fn build(
    workspace: &Path,
    packages: &BTreeSet<&str>,
    names: &BTreeSet<String>,
    how: Build,
) -> Result<(), BuildError> {
    let mut command = cargo(workspace);
    command.arg("build");
    if how.release {
        // The deployed features: those that the functions' own packages ask for.
        command.arg("--release");
        command.args(packages.iter().flat_map(|package| ["--package", package]));
    } else {
        // The features of the whole workspace, so that dependencies are shared with its tests and tools.
        command.arg("--workspace");
    }
    command.args(names.iter().flat_map(|name| ["--bin", name]));
    if how.verbose {
        command.stderr(Stdio::inherit());
    } else {
        command.arg("--quiet").stderr(Stdio::piped());
    }
    run(command).await.map(|_| ())
}

/// The part of `cargo metadata` that is needed here.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

impl Metadata {
    async fn read(workspace: &Path) -> Result<Self, BuildError> {
        let mut command = cargo(workspace);
        command.args(["metadata", "--no-deps", "--format-version", "1"]).stderr(Stdio::piped());
        let output = run(command).await?;
        serde_json::from_slice(&output.stdout)
            .map_err(|error| BuildError::Failed { said: format!("its metadata: {error}") })
    }

    fn package_of(&self, binary: &str) -> Option<&str> {
        let has = |package: &&Package| {
            let mut targets = package.targets.iter();
            targets.any(|target| target.name == binary && target.kind.iter().any(|it| it == "bin"))
        };
        self.packages.iter().find(has).map(|package| package.name.as_str())
    }
}

async fn run(command: std::process::Command) -> Result<Output, BuildError> {
    let mut command = Command::from(command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let output = command.spawn().map_err(BuildError::NoCargo)?.wait_with_output().await;
    let output = output.map_err(BuildError::NoCargo)?;
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(BuildError::Failed { said: if said.is_empty() { "see above".to_owned() } else { said } })
}

/// Calls `changed` with each rebuilt binary. Never returns.
pub(crate) async fn watch(binaries: BTreeSet<PathBuf>, changed: impl Fn(&Path)) {
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut looks: Vec<_> = binaries.into_iter().map(Look::new).collect();
    loop {
        ticks.tick().await;
        for look in &mut looks {
            if look.has_changed() {
                changed(&look.path);
            }
        }
    }
}

/// A binary and its state at the last check.
struct Look {
    path: PathBuf,
    known: Option<Stamp>,
    last: Option<Stamp>,
}

/// A file's modification time and length.
type Stamp = (SystemTime, u64);

impl Look {
    fn new(path: PathBuf) -> Self {
        let stamp = stamp(&path);
        Self { path, known: stamp, last: stamp }
    }

    /// Whether the file differs from the known one and was equal in two successive checks: linking
    /// takes time.
    fn has_changed(&mut self) -> bool {
        let now = stamp(&self.path);
        let settled = now.is_some() && now == self.last;
        self.last = now;
        let changed = settled && now != self.known;
        if changed {
            self.known = now;
        }
        changed
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rebuilt_binary_counts_as_changed_when_stable_for_two_checks() {
        let directory = std::env::temp_dir().join(uuid::Uuid::new_v4().to_string());
        std::fs::create_dir(&directory).unwrap();
        let path = directory.join("function");
        std::fs::write(&path, "1").unwrap();
        let mut look = Look::new(path.clone());
        assert!(!look.has_changed());

        std::fs::remove_file(&path).unwrap();
        assert!(!look.has_changed(), "it is missing while it is built");
        std::fs::write(&path, "22").unwrap();
        assert!(!look.has_changed(), "it may still be written to");
        assert!(look.has_changed());
        assert!(!look.has_changed());

        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[tokio::test]
    async fn a_binary_that_no_package_has_is_an_error_with_its_name() {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let names = BTreeSet::from(["no_such_function".to_owned()]);
        let how = Build { build: false, release: false, verbose: false };

        let error = find(&workspace, &names, how).await.unwrap_err();

        assert!(error.to_string().contains("no_such_function"), "{error}");
    }
}
