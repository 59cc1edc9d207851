//! `cargo xtask publishable`: checks the packages that are published.
//!
//! - Their manifests have the parts that a registry shows, and they depend on published packages only.
//! - Their documentation has no warning, such as a link to nothing.
//! - Each has the files that the compiler reads.
//! - Its public interface is the one that `infra/api` keeps, so that a change of it is seen.
//! - It is compatible with the last release, as far as its version promises that.

mod api;
pub(crate) mod manifests;
mod packages;
mod packed;
mod semver;

use std::path::Path;

use cargo_metadata::MetadataCommand;
use tooling::{Error, say};

use self::packages::published;

/// Checks the packages that are published.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Writes the public interfaces to infra/api instead of comparing them.
    #[arg(long)]
    write: bool,
}

/// The problems of the published packages, one sentence each. With `--write` it only writes their
/// interfaces.
///
/// # Errors
///
/// If cargo fails, or a package cannot be made.
pub(crate) fn complaints(workspace: &Path, arguments: &Arguments) -> Result<Vec<String>, Error> {
    let metadata = MetadataCommand::new().current_dir(workspace).no_deps().exec()?;
    let packages = published(&metadata);
    if arguments.write {
        api::write(workspace, &packages)?;
        return Ok(Vec::new());
    }
    let mut complaints = manifests::complaints(&metadata);
    if !complaints.is_empty() {
        return Ok(complaints);
    }
    say("documentation: without warnings, and with the kept interfaces");
    complaints.extend(api::complaints(workspace, &packages)?);
    say("packages: with all files that the compiler reads");
    complaints.extend(packed::complaints(workspace, &packages)?);
    semver::check(workspace, &packages)?;
    Ok(complaints)
}
