//! Running other programs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::context::Error;

/// Runs a command and waits for its end.
///
/// # Errors
///
/// If it cannot run, or fails.
pub fn succeeded(command: &mut Command) -> Result<(), Error> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}").into()),
        Err(error) => Err(format!("{command:?}: {error}").into()),
    }
}

/// Runs `cargo build` or `cargo test --no-run`, and returns the path of each program by its name. Their
/// folder depends on the target and the profile.
///
/// # Errors
///
/// If cargo cannot run, or fails.
pub fn built(build: &mut Command) -> Result<BTreeMap<String, PathBuf>, Error> {
    build.arg("--message-format=json-render-diagnostics").stderr(Stdio::inherit());
    let built = build.output().map_err(|error| format!("{build:?}: {error}"))?;
    if !built.status.success() {
        return Err(format!("{build:?}: {}", built.status).into());
    }
    Ok(executables(&String::from_utf8(built.stdout)?))
}

/// The programs in cargo's messages.
fn executables(messages: &str) -> BTreeMap<String, PathBuf> {
    let program = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        let name = message["target"]["name"].as_str()?.to_owned();
        Some((name, message["executable"].as_str()?.into()))
    };
    messages.lines().filter_map(program).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_of_programs_are_those_of_cargos_messages() {
        let messages = r#"{"target":{"name":"aws"},"executable":null}
{"target":{"name":"get_book"},"executable":"/target/arm/debug/get_book"}
{"reason":"build-finished","success":true}"#;
        let path = PathBuf::from("/target/arm/debug/get_book");
        assert_eq!(executables(messages), BTreeMap::from([("get_book".to_owned(), path)]));
    }
}
