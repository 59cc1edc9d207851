//! Other people's tools that judge our files: from the Python package index, pinned, in an
//! environment of their own below `target`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use local::template::REGION;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::Context;
use crate::descriptions::{Error, target_directory};
use crate::process::succeeded;

/// The folder with the programs of a list in `infra/tools`, installed unless they are there.
///
/// # Errors
///
/// Without such a list, without Python 3 and its `venv`, or where a package cannot be had.
pub(crate) fn installed(workspace: &Path, list: &str) -> Result<PathBuf, Error> {
    let requirements = workspace.join("infra/tools").join(format!("{list}.txt"));
    let pinned = fs_err::read_to_string(&requirements)
        .map_err(|error| format!("{}: {error}", requirements.display()))?;
    let environment = target_directory(workspace)?.join("tools").join(list);
    let (programs, complete) = (environment.join("bin"), environment.join("installed.txt"));
    if fs_err::read_to_string(&complete).is_ok_and(|installed| installed == pinned) {
        return Ok(programs);
    }
    succeeded(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
    succeeded(
        Command::new(programs.join("pip"))
            .args(["install", "--quiet", "--disable-pip-version-check", "--no-deps"])
            .arg("--requirement")
            .arg(&requirements),
    )?;
    fs_err::write(&complete, pinned)?;
    Ok(programs)
}

/// What a program in `infra/tools` answers to a question, with the packages of a list: JSON to its
/// standard input, JSON from its standard output.
///
/// # Errors
///
/// As [`installed`], and where the program ends otherwise than with an answer.
pub(crate) fn ask<A: DeserializeOwned>(
    workspace: &Path,
    list: &str,
    program: &str,
    question: &impl Serialize,
) -> Result<A, Error> {
    let mut python = Command::new(installed(workspace, list)?.join("python"))
        .arg(workspace.join("infra/tools").join(program))
        .env("AWS_DEFAULT_REGION", REGION)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context(|| format!("Python for infra/tools/{program}"))?;
    let mut input = python.stdin.take().ok_or("Python has no standard input")?;
    input.write_all(&serde_json::to_vec(question)?)?;
    drop(input);
    let output = python.wait_with_output()?;
    if !output.status.success() {
        return Err(format!("infra/tools/{program}: {}", output.status).into());
    }
    serde_json::from_slice(&output.stdout)
        .context(|| format!("the answer of infra/tools/{program}"))
}
