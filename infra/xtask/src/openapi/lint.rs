//! `cargo xtask openapi --lint`: what Redocly's linter has to say of the description.

use std::path::Path;
use std::process::Command;

use crate::descriptions::Error;
use crate::process::succeeded;

/// The linter, of this very version.
const LINTER: &str = "@redocly/cli@2.77.0";

/// Lints the description that is kept.
///
/// # Errors
///
/// Where there is no Node.js, the linter cannot be had, or it complains.
pub(crate) fn lint(workspace: &Path) -> Result<(), Error> {
    let mut npx = Command::new("npx");
    npx.current_dir(workspace).env("REDOCLY_TELEMETRY", "off").args(["--yes", LINTER, "lint"]);
    npx.args(["--config", "infra/redocly.yaml", "infra/openapi.json"]);
    let linted = succeeded(&mut npx);
    linted.map_err(|error| format!("npx, which comes with Node.js: {error}").into())
}
