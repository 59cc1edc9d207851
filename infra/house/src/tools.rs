//! Third-party tools that check our files: pinned packages of the Python package index, in a
//! separate environment below `target`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sam_template::REGION;
use serde::Serialize;
use serde::de::DeserializeOwned;

use tooling::context::{Context, Error};
use tooling::process::succeeded;
use tooling::target_directory;

/// The program folder of a list in `infra/tools`. Installs the list if needed.
///
/// # Errors
///
/// If there is no such list, no Python 3 with `venv`, or a package cannot be installed.
pub fn installed(workspace: &Path, list: &str) -> Result<PathBuf, Error> {
    let requirements = workspace.join("infra/tools").join(format!("{list}.txt"));
    let pinned = fs_err::read_to_string(&requirements)
        .map_err(|error| format!("{}: {error}", requirements.display()))?;
    let environment = target_directory(workspace)?.join("tools").join(list);
    let (programs, complete) = (environment.join("bin"), environment.join("installed.txt"));
    if fs_err::read_to_string(&complete).is_ok_and(|installed| installed == pinned) {
        return Ok(programs);
    }
    succeeded(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
    // Python compiles a module when it first loads it; most of them are never loaded.
    succeeded(
        Command::new(programs.join("pip"))
            .args([
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
                "--no-compile",
            ])
            .arg("--requirement")
            .arg(&requirements),
    )?;
    fs_err::write(&complete, pinned)?;
    Ok(programs)
}

/// The response of a program in `infra/tools`, with the packages of a list: JSON to its standard
/// input, JSON from its standard output.
///
/// # Errors
///
/// As for [`installed`], or if the program fails or prints no valid response.
pub fn ask<A: DeserializeOwned>(
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
        .context(|| format!("the output of infra/tools/{program}"))
}
