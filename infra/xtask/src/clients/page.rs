//! The documentation page, driven in Chromium by playwright-core.

use std::path::Path;
use std::process::Command;

use crate::descriptions::Error;

use super::node;

/// Installs what drives the browser. Returns the command that does.
///
/// # Errors
///
/// Where there is no Node.js, a package cannot be had, or there is no such browser.
pub(super) fn prepare(workspace: &Path, browser: &Path) -> Result<Command, Error> {
    let browser = found(browser).ok_or_else(|| {
        format!("there is no browser {}; --browser names another", browser.display())
    })?;
    let folder = node::installed(workspace, "page")?;
    let mut test = Command::new("node");
    test.current_dir(&folder).arg("page.mjs").env("BROWSER", browser);
    Ok(test)
}

/// Where a program is, by its path or its name.
fn found(program: &Path) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
