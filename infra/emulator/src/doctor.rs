//! Checks the programs, ports and disk space of this machine, which a platform needs.

use std::fmt;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;

use crate::options::Options;

/// The free space that a first build needs, in kibibytes.
const FREE_KIB_MIN: u64 = 12 * 1024 * 1024;

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check {
    /// The name of the program, port or disk.
    pub name: String,
    /// The result.
    pub found: Finding,
}

/// The result of a check, as a text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// It is there, with its version or size.
    Ok(String),
    /// It is missing, and a platform needs it. The text is the remedy.
    Missing(String),
    /// It is missing, and only some commands need it. The text names them and the remedy.
    OptionalMissing(String),
}

impl Check {
    /// Whether a platform cannot run without it.
    pub fn is_problem(&self) -> bool {
        matches!(self.found, Finding::Missing(_))
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (state, text) = match &self.found {
            Finding::Ok(text) => ("ok", text),
            Finding::Missing(text) => ("missing", text),
            Finding::OptionalMissing(text) => ("optional", text),
        };
        write!(f, "{state:<8}  {:<12}  {text}", self.name)
    }
}

/// Checks this machine. Blocks for about a second.
pub fn checks(options: &Options) -> Vec<Check> {
    let rust = version(Command::new("rustc").arg("--version"));
    let mut checks = vec![
        Check { name: "rust".to_owned(), found: rust_of(rust.as_deref()) },
        needed("cargo", &["--version"], "install Rust by https://rustup.rs"),
        needed("cc", &["--version"], "install a C compiler, such as the package gcc or clang"),
        port(options.port, "--port"),
        port(options.control_port, "--control-port"),
        Check { name: "disk".to_owned(), found: space(Path::new(".")) },
    ];
    for (name, program, arguments, advice) in [
        (
            "cargo-lambda",
            "cargo",
            &["lambda", "--version"][..],
            "only to build for Lambda: pip install cargo-lambda, which brings zig",
        ),
        (
            "zig",
            "zig",
            &["version"][..],
            "only to build for another processor: pip install ziglang",
        ),
        ("docker", "docker", &["--version"][..], "only to run functions in AWS's images"),
    ] {
        let found = match version(Command::new(program).args(arguments)) {
            Some(version) => Finding::Ok(version),
            None => Finding::OptionalMissing(advice.to_owned()),
        };
        checks.push(Check { name: name.to_owned(), found });
    }
    checks
}

fn needed(program: &str, arguments: &[&str], advice: &str) -> Check {
    let found = match version(Command::new(program).args(arguments)) {
        Some(version) => Finding::Ok(version),
        None => Finding::Missing(advice.to_owned()),
    };
    Check { name: program.to_owned(), found }
}

/// The first line that a program prints, if it runs and succeeds.
fn version(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let first = text.lines().next().unwrap_or_default().trim().to_owned();
    output.status.success().then_some(first)
}

/// The finding for the output of `rustc --version`, such as `rustc 1.95.0 (0123abc 2026-04-01)`.
fn rust_of(version: Option<&str>) -> Finding {
    let least = env!("CARGO_PKG_RUST_VERSION");
    let Some(version) = version else {
        return Finding::Missing("install Rust by https://rustup.rs".to_owned());
    };
    let number = version.split(' ').nth(1).unwrap_or_default();
    if minor(number) >= minor(least) {
        Finding::Ok(version.to_owned())
    } else {
        Finding::Missing(format!("{version} is older than {least}: run rustup update"))
    }
}

/// The first two numbers of a version.
fn minor(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split(['.', '-']).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn port(port: u16, option: &str) -> Check {
    let found = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Finding::Ok("free".to_owned()),
        Err(error) => Finding::Missing(format!("{error}; choose another with {option}, or 0")),
    };
    Check { name: format!("port {port}"), found }
}

/// The free space of a directory's file system.
fn space(directory: &Path) -> Finding {
    let said = Command::new("df").arg("-Pk").arg(directory).output();
    let free = said.ok().and_then(|output| free_kib(&String::from_utf8_lossy(&output.stdout)));
    let gib = |kib: u64| kib / 1024 / 1024;
    match free {
        Some(free) if free >= FREE_KIB_MIN => Finding::Ok(format!("{} GiB are free", gib(free))),
        Some(free) => Finding::OptionalMissing(format!(
            "{} GiB are free; a first build needs about {}",
            gib(free),
            gib(FREE_KIB_MIN)
        )),
        None => Finding::OptionalMissing("the free space is unknown: df cannot be run".to_owned()),
    }
}

/// The free space in the output of `df -Pk`, in kibibytes.
fn free_kib(output: &str) -> Option<u64> {
    output.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_rust_than_the_crates_is_a_problem() {
        assert!(matches!(rust_of(Some("rustc 99.0.0 (abc 2099-01-01)")), Finding::Ok(_)));
        let least = format!("rustc {}.0-nightly", env!("CARGO_PKG_RUST_VERSION"));
        assert!(matches!(rust_of(Some(&least)), Finding::Ok(_)), "{least}");
        let old = Check { name: "rust".to_owned(), found: rust_of(Some("rustc 1.70.0 (abc)")) };
        assert!(old.is_problem());
        assert!(old.to_string().starts_with("missing   rust          rustc 1.70.0"), "{old}");
        assert!(matches!(rust_of(None), Finding::Missing(_)));
    }

    #[test]
    fn a_port_in_use_is_a_problem_and_names_its_option() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let check = port(taken.local_addr().unwrap().port(), "--port");
        assert!(check.is_problem());
        assert!(check.to_string().contains("choose another with --port"), "{check}");
        assert!(!port(0, "--port").is_problem());
    }

    #[test]
    fn the_free_space_is_the_fourth_column() {
        let output = "Filesystem 1024-blocks Used Available Capacity Mounted on\n\
                      /dev/sda1 100000 40000 60000 40% /\n";
        assert_eq!(free_kib(output), Some(60_000));
        assert_eq!(free_kib(""), None);
    }

    #[test]
    fn a_program_that_is_not_there_is_named_with_the_advice() {
        let check = needed("no-such-program", &[], "install it");
        assert_eq!(check.to_string(), "missing   no-such-program  install it");
    }
}
