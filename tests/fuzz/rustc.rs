//! The compiler of the programs: rustc, with flags for the crates of this workspace.
//!
//! `cargo xtask fuzz` names it in `RUSTC_WORKSPACE_WRAPPER`. Cargo then runs it for each crate of the
//! workspace, with rustc's path and arguments. It runs rustc itself for all other crates, so they are
//! those of every other build. Cargo does not know the flags: after a change of them, remove `target`.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

/// Edges are counted, and comparisons are traced. The pass and its options belong to LLVM, so the
/// stable compiler has them.
const FLAGS: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    // Several units would be optimised together after the pass: functions then leave their counters
    // behind, and compilers have failed to link that.
    "-Ccodegen-units=1",
];

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(rustc) = arguments.next() else {
        return fail("expected rustc and its arguments");
    };
    let arguments: Vec<OsString> = arguments.collect();
    let flags: &[&str] = if is_of_program(&arguments) { &FLAGS } else { &[] };
    let error = Command::new(&rustc).args(&arguments).args(flags).exec();
    fail(&format!("{}: {error}", rustc.display()))
}

/// Whether a crate is compiled that programs link.
///
/// Cargo also asks for the version and the properties of the target. A build script is a program
/// without libFuzzer, so it would not link with the flags.
fn is_of_program(arguments: &[OsString]) -> bool {
    let is_question = arguments.iter().any(|it| it.as_encoded_bytes().starts_with(b"--print"));
    let at = arguments.iter().position(|it| it == "--crate-name");
    let name = at.and_then(|at| arguments.get(at + 1)).and_then(|name| name.to_str());
    !is_question && name.is_some_and(|name| !name.starts_with("build_script_"))
}

#[expect(clippy::print_stderr, reason = "a command prints its error here")]
fn fail(problem: &str) -> ExitCode {
    eprintln!("fuzz_rustc: {problem}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_crates_that_programs_link_get_the_flags() {
        for (line, expected) in [
            ("--crate-name domain --edition=2024 src/lib.rs --crate-type lib --emit=link", true),
            ("--crate-name fuzz_token fuzz_targets/token.rs --crate-type bin", true),
            ("--crate-name build_script_build build.rs --crate-type bin --emit=link", false),
            ("- --crate-name ___ --print=file-names --crate-type bin", false),
            ("-vV", false),
        ] {
            let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(is_of_program(&arguments), expected, "{line}");
        }
    }
}
