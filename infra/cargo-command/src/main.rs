//! `cargo local`, `cargo xtask`: builds a program of the workspace, and runs it in place of this one.
//!
//! `cargo run` would build the program with the features that its own package asks for. Here it gets
//! those of the whole workspace, as tests and functions do, so that they share all dependencies.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use cargo_command::cargo;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(program) = arguments.next() else {
        return fail("expected the name of a program");
    };
    if let Err(end) = build(&program) {
        return end;
    }
    // Cargo puts all programs of a profile in one folder.
    let path = match std::env::current_exe() {
        Ok(launcher) => launcher.with_file_name(&program),
        Err(error) => return fail(&format!("the folder of programs is unknown: {error}")),
    };
    let error = Command::new(&path).args(arguments).exec();
    fail(&format!("{}: {error}", path.display()))
}

/// Builds a program; cargo shows its progress.
fn build(program: &OsStr) -> Result<(), ExitCode> {
    let mut command = cargo(workspace());
    command.args(["build", "--workspace", "--bin"]).arg(program);
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        // Cargo has printed the reason.
        Ok(_) => Err(ExitCode::FAILURE),
        Err(error) => Err(fail(&format!("cargo cannot be run: {error}"))),
    }
}

/// The workspace that this crate was built in.
fn workspace() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).expect("the crate lies two directories below the workspace")
}

#[expect(clippy::print_stderr, reason = "a command prints its error here")]
fn fail(problem: &str) -> ExitCode {
    eprintln!("error: {problem}");
    ExitCode::FAILURE
}
