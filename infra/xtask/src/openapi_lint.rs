//! `cargo xtask openapi-lint`: runs Redocly's linter on the `OpenAPI` document.

use std::path::Path;
use std::process::Command;

use tooling::Error;
use tooling::process::succeeded;

/// The linter, pinned to a version.
const LINTER: &str = "@redocly/cli@2.77.0";

/// Lints the recorded document.
///
/// # Errors
///
/// If there is no Node.js, the linter cannot be installed, or it reports problems.
pub(crate) fn lint(workspace: &Path) -> Result<(), Error> {
    let mut npx = Command::new("npx");
    npx.current_dir(workspace).env("REDOCLY_TELEMETRY", "off").args(["--yes", LINTER, "lint"]);
    npx.args(["--config", "infra/redocly.yaml", "infra/openapi.json"]);
    let linted = succeeded(&mut npx);
    linted.map_err(|error| format!("npx, which comes with Node.js: {error}").into())
}
