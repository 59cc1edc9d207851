//! Asks cargo for the binaries of a project, and builds them.

use std::collections::{BTreeMap, BTreeSet};
use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use cargo_command::{cargo, last_built};
use serde::Deserialize;
use tokio::process::Command;

/// The reason why there are no binaries.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
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
    /// A `CodeUri` has no binary.
    #[error(
        "CodeUri {}: neither the directory of a crate with a binary nor of a `bootstrap`, and its \
         last part names no binary of the workspace; build the `bootstrap` first, or name a binary \
         by the function's Metadata: {{BuildProperties: {{Binary: NAME}}}}", .0.display()
    )]
    NoBinary(PathBuf),
    /// A `CodeUri` has several binaries.
    #[error(
        "CodeUri {directory} has several binaries ({binaries}); name one by the function's \
         Metadata: {{BuildProperties: {{Binary: NAME}}}}"
    )]
    Several {
        /// The directory.
        directory: String,
        /// The names of the binaries.
        binaries: String,
    },
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

/// A cargo workspace, as `cargo metadata` describes it.
#[derive(Deserialize)]
pub(super) struct Project {
    packages: Vec<Package>,
    target_directory: PathBuf,
    #[serde(rename = "workspace_root")]
    pub(super) root: PathBuf,
    /// The paths of the binaries that have been built, by their names.
    #[serde(skip)]
    built: BTreeMap<String, PathBuf>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// Cargo's message about a program that it has built.
#[derive(Deserialize)]
struct Artifact {
    target: Target,
    executable: PathBuf,
}

impl Project {
    /// The project that a directory belongs to.
    pub(super) async fn read(directory: &Path) -> Result<Self, BuildError> {
        let mut command = cargo(directory);
        command.args(["metadata", "--no-deps", "--format-version", "1"]).stderr(Stdio::piped());
        let output = run(command).await?;
        serde_json::from_slice(&output.stdout)
            .map_err(|error| BuildError::Failed { said: format!("its metadata: {error}") })
    }

    /// Builds the binaries of these names.
    pub(super) async fn build(
        &mut self,
        names: &BTreeSet<String>,
        how: Build,
    ) -> Result<(), BuildError> {
        let mut command = cargo(&self.root);
        command.args(["build", "--message-format", "json-render-diagnostics"]);
        if how.release {
            // The deployed features: as the functions' packages ask for them.
            let packages: BTreeSet<_> = names.iter().filter_map(|it| self.package_of(it)).collect();
            command.arg("--release");
            command.args(packages.iter().flat_map(|package| ["--package", package]));
        } else {
            // The features of the whole workspace, so that dependencies are shared with its tests
            // and tools.
            command.arg("--workspace");
        }
        command.args(names.iter().flat_map(|name| ["--bin", name]));
        if how.verbose {
            command.stderr(Stdio::inherit());
        } else {
            command.arg("--quiet").stderr(Stdio::piped());
        }
        let messages = run(command).await?.stdout;
        self.built.extend(executables(&messages));
        Ok(())
    }

    /// The path of a binary: as built now, or else as last built.
    pub(super) fn binary(&self, name: &str, how: Build) -> Result<PathBuf, BuildError> {
        if let Some(path) = self.built.get(name) {
            return Ok(path.clone());
        }
        let profile = if how.release { "release" } else { "debug" };
        let file = Path::new(profile).join(format!("{name}{EXE_SUFFIX}"));
        let not_built = || BuildError::NotBuilt(self.target_directory.join(&file));
        last_built(&self.target_directory, &file).ok_or_else(not_built)
    }

    /// The package that has a binary of this name.
    pub(super) fn package_of(&self, binary: &str) -> Option<&str> {
        let has = |package: &&Package| package.binaries().any(|name| name == binary);
        self.packages.iter().find(has).map(|package| package.name.as_str())
    }

    /// The binaries of the crate in a directory, or of all crates if it is the workspace itself.
    pub(super) fn binaries_of(&self, directory: &Path) -> Vec<&str> {
        let is = |package: &&Package| {
            let manifest = directory.join("Cargo.toml").canonicalize();
            manifest.is_ok_and(|it| package.manifest_path.canonicalize().is_ok_and(|of| of == it))
        };
        let mut binaries: Vec<&str> = match self.packages.iter().find(is) {
            Some(package) => package.binaries().collect(),
            None => self.packages.iter().flat_map(Package::binaries).collect(),
        };
        binaries.sort_unstable();
        binaries
    }
}

impl Package {
    fn binaries(&self) -> impl Iterator<Item = &str> {
        let binaries = self.targets.iter().filter(|it| it.kind.iter().any(|kind| kind == "bin"));
        binaries.map(|target| target.name.as_str())
    }
}

/// The programs in cargo's messages, by their names.
fn executables(messages: &[u8]) -> BTreeMap<String, PathBuf> {
    let lines = messages.split(|byte| *byte == b'\n');
    // The other messages have no executable.
    let artifacts = lines.filter_map(|line| serde_json::from_slice::<Artifact>(line).ok());
    artifacts.map(|artifact| (artifact.target.name, artifact.executable)).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_of_programs_are_those_of_cargos_messages() {
        let messages = r#"{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"a"},"executable":null}
{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"get-a"},"executable":"/t/some-target/debug/get-a"}
{"reason":"build-finished","success":true}
"#;
        let expected = ("get-a".to_owned(), PathBuf::from("/t/some-target/debug/get-a"));
        assert_eq!(executables(messages.as_bytes()), BTreeMap::from([expected]));
    }
}
