//! The builds: the programs of the targets with libFuzzer, and their helpers without it.
//!
//! Both build with the features of the whole workspace, and optimised as in `.ci/run`, so that they
//! share the dependencies of its steps. Only the crates of the workspace are compiled for libFuzzer.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tooling::process::{built, succeeded};
use tooling::{Error, cargo};

/// The compiler of the workspace's crates in the programs.
const COMPILER: &str = "fuzz_rustc";
/// The program that writes the seeds.
const SEEDS: &str = "seeds";

/// The paths of the programs that the targets need.
pub(super) struct Helpers {
    /// The compiler of the workspace's crates.
    pub(super) compiler: PathBuf,
    /// The program that writes the seeds.
    pub(super) seeds: PathBuf,
}

/// Whether there is a C++ compiler, with which libFuzzer is built.
pub(super) fn has_compiler() -> bool {
    let compiler = std::env::var_os("CXX").unwrap_or_else(|| "c++".into());
    let mut command = Command::new(compiler);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Builds the compiler of the programs, and the program that writes the seeds.
pub(super) fn helpers(workspace: &Path) -> Result<Helpers, Error> {
    let paths = built(build(workspace).args(["--bin", COMPILER, "--example", SEEDS]))?;
    let path = |name: &str| {
        let path = paths.get(name).cloned();
        path.ok_or_else(|| format!("cargo has not built {name}"))
    };
    Ok(Helpers { compiler: path(COMPILER)?, seeds: path(SEEDS)? })
}

/// Builds the programs of these names with this compiler.
pub(super) fn programs(workspace: &Path, compiler: &Path, names: &[String]) -> Result<(), Error> {
    let mut build = build(workspace);
    build.args(["--features", "store-fuzz/libfuzzer"]);
    build.args(names.iter().flat_map(|name| ["--bin", name]));
    succeeded(build.env("RUSTC_WORKSPACE_WRAPPER", compiler))
}

fn build(workspace: &Path) -> Command {
    let mut build = cargo(workspace);
    build.args(["build", "--locked", "--workspace"]).env("CARGO_PROFILE_DEV_OPT_LEVEL", "1");
    build
}
