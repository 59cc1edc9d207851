//! The documentation page, controlled in Chromium by playwright-core.

use std::path::{Path, PathBuf};
use std::process::Command;

use tooling::Error;

use super::node;

/// Installs the packages and returns the command that runs the test in the browser.
///
/// # Errors
///
/// If there is no Node.js or no such browser, or a package cannot be installed.
pub(super) fn prepare(workspace: &Path, browser: &Path) -> Result<Command, Error> {
    let browser = browser_at(browser)?;
    let folder = node::installed(workspace, "page")?;
    let mut test = Command::new("node");
    test.current_dir(&folder).arg("page.mjs").env("BROWSER", browser);
    Ok(test)
}

/// The path of the browser, by its path or its name.
///
/// # Errors
///
/// If there is no such program.
pub(super) fn browser_at(browser: &Path) -> Result<PathBuf, Error> {
    let missing = || format!("there is no browser {}; --browser names another", browser.display());
    Ok(found(browser).ok_or_else(missing)?)
}

/// The path of a program, by its path or its name.
fn found(program: &Path) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
