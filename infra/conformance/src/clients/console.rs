//! The emulator's console, controlled in Chromium by playwright-core.

use std::ffi::OsStr;
use std::path::{Path, PathBuf, absolute};
use std::process::Command;

use clap::Args;
use tooling::Error;

use super::node;
use super::page::browser_at;

/// The pure modules of the page, which are tested without a browser.
const PAGE_TESTS: &str = "infra/emulator/src/console/page/tests";

/// The end of the names of test files.
const TEST: &str = ".test.mjs";

/// Tests the console in a browser, against the demo.
#[derive(Args)]
pub(crate) struct ConsoleArguments {
    /// Only these tests, such as `journey`; by default all.
    names: Vec<String>,
    /// The browser; by default Chromium.
    #[arg(long, default_value = "chromium")]
    browser: PathBuf,
    /// Measures the cost of an open console per request, instead of running the tests.
    #[arg(long, conflicts_with = "names")]
    cost: bool,
}

/// Makes screenshots of the console, in light and dark.
#[derive(Args)]
pub(crate) struct ShotsArguments {
    /// The folder of the pictures.
    folder: PathBuf,
    /// The browser; by default Chromium.
    #[arg(long, default_value = "chromium")]
    browser: PathBuf,
}

/// Installs the packages and returns the commands of the tests.
///
/// # Errors
///
/// If there is no Node.js or no such browser, a package cannot be installed, or there is no such
/// test.
pub(super) fn tests(workspace: &Path, arguments: &ConsoleArguments) -> Result<Vec<Command>, Error> {
    if arguments.cost {
        let mut cost = Command::new("node");
        cost.current_dir(node::installed(workspace, "console")?).arg("cost.mjs");
        return Ok(vec![cost]);
    }
    let browser = browser_at(&arguments.browser)?;
    let folder = node::installed(workspace, "console")?;
    let mut files = test_files(&workspace.join("infra/clients/console"))?;
    let mut commands = Vec::new();
    if arguments.names.is_empty() {
        let mut pure = Command::new("node");
        pure.arg("--test").args(test_files(&workspace.join(PAGE_TESTS))?);
        commands.push(pure);
    } else {
        files = named(&files, &arguments.names)?;
    }
    let mut test = Command::new("node");
    test.current_dir(&folder).env("BROWSER", browser).args(["--test", "--test-concurrency=1"]);
    test.args(files.iter().filter_map(|file| file.file_name()));
    commands.push(test);
    Ok(commands)
}

/// Installs the packages and returns the command that makes the screenshots.
///
/// # Errors
///
/// If there is no Node.js or no such browser, or a package cannot be installed.
pub(super) fn shots(workspace: &Path, arguments: &ShotsArguments) -> Result<Command, Error> {
    let browser = browser_at(&arguments.browser)?;
    let mut shots = Command::new("node");
    shots.current_dir(node::installed(workspace, "console")?).env("BROWSER", browser);
    shots.arg("shots.mjs").arg(absolute(&arguments.folder)?);
    Ok(shots)
}

/// The test files of a folder, in the order of their names.
fn test_files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for file in fs_err::read_dir(folder)? {
        let path = file?.path();
        if path.file_name().and_then(OsStr::to_str).is_some_and(|name| name.ends_with(TEST)) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The files with these names.
fn named(files: &[PathBuf], names: &[String]) -> Result<Vec<PathBuf>, Error> {
    let with_name = |name: &String| {
        let file = files.iter().find(|file| file.ends_with(format!("{name}{TEST}")));
        file.cloned().ok_or_else(|| format!("there is no test {name} of the console").into())
    };
    names.iter().map(with_name).collect()
}
