//! The build: made once, and deployed unchanged to every stage.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use house::pipeline::{BUILT, FOLDER, digest};
use house::program_of;
use house::tools;
use sam_template::REGION;
use tooling::context::Context;
use tooling::process::{built, succeeded};
use tooling::{Error, cargo, say, without_package};

use crate::supply;

/// The whole build in one file, which keeps permissions and has one digest.
pub(super) const PACKED: &str = "target/pipeline/artifacts.tar";
/// The black-box tests, as a program.
pub(super) const TESTS: &str = "api";
/// The demo's users and products: made here, since a stage's job has no cargo.
pub(super) const ITEMS: &str = "demo-items.json";

/// Builds and packs. Prints the digest of the packed file, and sets it as GitHub's output `digest`.
pub(super) fn build(workspace: &Path) -> Result<(), Error> {
    let folder = workspace.join(FOLDER);
    if folder.exists() {
        fs_err::remove_dir_all(&folder)?;
    }
    fs_err::create_dir_all(&folder)?;
    // For production's architecture: a stage that declares another one rejects the programs.
    succeeded(sam(workspace, "build")?.args(["--config-env", "prod"]))?;
    // A quick build has symbols; the release profile leaves them out.
    if std::env::var("SAM_BUILD_MODE").is_ok_and(|mode| mode == "debug") {
        strip_programs(&workspace.join(BUILT))?;
    }
    strip(&tests(workspace)?, &folder.join(TESTS))?;
    strip(&std::env::current_exe()?, &folder.join("xtask"))?;
    fs_err::write(folder.join(ITEMS), demo_items()?)?;
    fs_err::copy(supply::write(workspace)?, folder.join("sbom.cdx.json"))?;
    let packed = workspace.join(PACKED);
    let mut tar = Command::new("tar");
    tar.current_dir(workspace).args(["--create", "--sort=name", "--mtime=@0", "--owner=0"]);
    tar.args(["--group=0", "--numeric-owner", "--exclude", PACKED, "--file", PACKED]);
    succeeded(tar.args([BUILT, FOLDER]))?;
    let digest = digest(&packed)?;
    say(&format!("{PACKED}: sha256 {digest}"));
    if let Some(outputs) = std::env::var_os("GITHUB_OUTPUT") {
        let mut outputs = fs_err::OpenOptions::new().append(true).create(true).open(outputs)?;
        writeln!(outputs, "digest={digest}")?;
    }
    Ok(())
}

/// One of SAM's commands with our tools, for the workspace's template.
pub(super) fn sam(workspace: &Path, what: &str) -> Result<Command, Error> {
    let cargo_lambda = supply::first_on_path(&tools::installed(workspace, "cargo_lambda")?)?;
    let mut command = Command::new(tools::installed(workspace, "sam")?.join("sam"));
    command.arg(what).current_dir(workspace).env("PATH", cargo_lambda);
    without_package(&mut command);
    command.env("SAM_CLI_TELEMETRY", "0").env("AWS_DEFAULT_REGION", REGION);
    if std::env::var_os("CARGO_LAMBDA_COMPILER").is_none() {
        command.env("CARGO_LAMBDA_COMPILER", "cargo");
    }
    Ok(command)
}

/// Builds the black-box tests.
fn tests(workspace: &Path) -> Result<PathBuf, Error> {
    let mut tests = cargo(workspace);
    tests.args(["test", "--locked", "--workspace", "--test", TESTS, "--no-run"]);
    let program = built(&mut tests)?.remove(TESTS);
    program.ok_or_else(|| "cargo names no program of the tests".into())
}

/// Strips the symbols of all programs of a build.
fn strip_programs(built: &Path) -> Result<(), Error> {
    for folder in fs_err::read_dir(built)? {
        let program = folder?.path().join("bootstrap");
        if program.exists() {
            strip(&program, &program)?;
        }
    }
    Ok(())
}

/// Copies a program without its symbols, which are most of its size.
fn strip(program: &Path, to: &Path) -> Result<(), Error> {
    succeeded(Command::new("strip").arg("-o").arg(to).arg(program))
}

/// The demo's users and products, as the JSON of tables and items.
pub(super) fn demo_items() -> Result<Vec<u8>, Error> {
    let mut conformance = program_of("conformance");
    let made = conformance.arg("demo-items").stderr(Stdio::inherit()).output();
    let made = made.context(|| "conformance demo-items")?;
    if made.status.success() { Ok(made.stdout) } else { Err(made.status.to_string().into()) }
}
