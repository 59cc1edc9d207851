//! The programs of the targets, built with the instrumentation that libFuzzer reads.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tooling::process::succeeded;
use tooling::{Error, cargo};

/// The target triple. Naming it keeps the flags away from build scripts.
const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// Edges are counted, and comparisons are traced. The pass and its options belong to LLVM, so the
/// stable compiler has them.
const FLAGS: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Ccodegen-units=1";

/// Whether there is a C++ compiler, with which libFuzzer is built.
pub(super) fn has_compiler() -> bool {
    let compiler = std::env::var_os("CXX").unwrap_or_else(|| "c++".into());
    let mut command = Command::new(compiler);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Builds the programs in this folder. Returns the folder that they are in.
pub(super) fn programs(workspace: &Path, folder: &Path) -> Result<PathBuf, Error> {
    let mut build = cargo(workspace);
    build.args(["build", "--locked", "--release", "--features", "libfuzzer"]);
    build.args(["--manifest-path", "tests/fuzz/Cargo.toml", "--target", TRIPLE]);
    build.arg("--target-dir").arg(folder).env("RUSTFLAGS", FLAGS);
    succeeded(&mut build)?;
    Ok(folder.join(TRIPLE).join("release"))
}
