//! `cargo xtask codegen`: writes the declarations of the functions into `template.yaml`,
//! `infra/alarms.yaml`, `functions/Cargo.toml` and `functions/lib.rs`, between markers.
//!
//! A file below `functions` is a function. Its `--describe` output decides its route, environment,
//! policy and event source. The settings behind the markers are written by hand, and decide in their
//! turn which functions have their own alarms and which tables are copied.

mod alarms;
mod backup;
mod binaries;
mod declared;
mod document;
mod grants;
pub(crate) mod names;
mod resources;
mod rows;
mod tables;
mod template;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tooling::Error;
use tooling::descriptions::{self, Description};

use self::declared::Declared;
use self::document::Document;
pub(crate) use self::grants::variables;

/// Writes all generated parts. It builds the functions in between, since they describe themselves.
///
/// # Errors
///
/// If a function cannot be built or described, or a file has no place for its part.
pub(crate) fn write(workspace: &Path) -> Result<(), Error> {
    written(workspace).map(drop)
}

/// As [`write`]; returns the paths of the files that have changed.
///
/// # Errors
///
/// As for [`write`].
pub(crate) fn written(workspace: &Path) -> Result<Vec<&'static str>, Error> {
    let registered = register(workspace)?;
    let descriptions = descriptions::of(workspace, &binaries(workspace)?)?;
    Ok([registered, declare(workspace, &descriptions)?].concat())
}

/// Writes cargo's tables of the binaries, and the list of their modules. Returns the paths of the
/// files that have changed.
///
/// # Errors
///
/// If the files cannot be read or written.
pub(crate) fn register(workspace: &Path) -> Result<Vec<&'static str>, Error> {
    save(workspace, &binaries::documents(workspace, &declared::functions(workspace)?)?)
}

/// Writes the parts that depend on the descriptions of all functions. Returns the paths of the files
/// that have changed.
///
/// # Errors
///
/// If a function has no description, or a file has no place for its part.
pub(crate) fn declare(
    workspace: &Path,
    descriptions: &BTreeMap<String, Description>,
) -> Result<Vec<&'static str>, Error> {
    save(workspace, &described(workspace, descriptions)?)
}

/// The names of all functions' binaries.
///
/// # Errors
///
/// If the folders cannot be read.
pub(crate) fn binaries(workspace: &Path) -> Result<BTreeSet<String>, Error> {
    let functions = declared::functions(workspace)?;
    Ok(functions.into_iter().map(|function| function.name).collect())
}

/// The parts that [`write`] would change, with the lines that differ.
///
/// # Errors
///
/// As for [`write`].
pub(crate) fn complaints(workspace: &Path) -> Result<Vec<String>, Error> {
    let found = changes(&binaries::documents(workspace, &declared::functions(workspace)?)?);
    // Without its table, cargo cannot build a binary.
    if !found.is_empty() {
        return Ok(found);
    }
    let descriptions = descriptions::of(workspace, &binaries(workspace)?)?;
    Ok(changes(&described(workspace, &descriptions)?))
}

/// The template and the alarms, with their generated parts.
fn described(
    workspace: &Path,
    descriptions: &BTreeMap<String, Description>,
) -> Result<[Document; 2], Error> {
    let functions = declared::functions(workspace)?;
    let declared = Declared::of(&functions, descriptions)?;
    let mut template = Document::read(workspace, "template.yaml")?;
    template::fill(&mut template, &declared)?;
    let mut alarms = Document::read(workspace, "infra/alarms.yaml")?;
    alarms::fill(&mut alarms, &template, &declared)?;
    Ok([template, alarms])
}

fn changes(documents: &[Document]) -> Vec<String> {
    documents.iter().flat_map(Document::changes).cloned().collect()
}

fn save(workspace: &Path, documents: &[Document]) -> Result<Vec<&'static str>, Error> {
    let saved = documents.iter().filter_map(|document| document.save(workspace).transpose());
    saved.collect()
}

#[cfg(test)]
mod tests;
