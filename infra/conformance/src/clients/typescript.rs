//! The TypeScript client: types by openapi-typescript, requests by openapi-fetch.

use std::path::Path;
use std::process::Command;

use tooling::process::succeeded;
use tooling::{Error, say};

use super::{folder, node};

/// Generates the client and compiles its program with `tsc --strict`. Returns the command that runs
/// it.
///
/// # Errors
///
/// If there is no Node.js, a package cannot be installed, or the program does not compile.
pub(super) fn generate(workspace: &Path) -> Result<Command, Error> {
    let folder = node::installed(workspace, "typescript")?;
    let programs = folder.join("node_modules/.bin");
    succeeded(
        Command::new(programs.join("openapi-typescript"))
            .current_dir(&folder)
            .arg(folder::description(workspace))
            .args(["--output", "api.d.ts", "--alphabetize"]),
    )?;
    succeeded(Command::new(programs.join("tsc")).current_dir(&folder).args(["--project", "."]))?;
    say("tsc --strict: ok");
    let mut story = Command::new("node");
    story.current_dir(&folder).arg("built/story.js");
    Ok(story)
}
