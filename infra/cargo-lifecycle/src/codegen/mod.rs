//! `cargo lifecycle codegen`: writes the declarations of the functions into the template, and into
//! the alarms, the manifest and the library if the settings name them, between markers.
//!
//! A function's `--describe` output decides its route, environment, policy and event source. The
//! settings behind the markers are written by hand, and decide in their
//! turn which functions have their own alarms and which tables are copied.

mod alarms;
mod backup;
mod binaries;
mod conventions;
mod declared;
mod document;
mod grants;
pub(crate) mod names;
mod resources;
mod rows;
mod tables;
mod template;

use std::collections::{BTreeMap, BTreeSet};

use tooling::Error;
use tooling::descriptions::Description;

use self::declared::Declared;
use self::document::Document;
pub(crate) use self::grants::variables;
pub(crate) use self::tables::{EXPIRING, EXPIRY};
use crate::service::Service;

/// Writes all generated parts. It builds the functions in between, since they describe themselves.
///
/// # Errors
///
/// If a function cannot be built or described, or a file has no place for its part.
pub fn write(service: &Service) -> Result<(), Error> {
    register(service)?;
    declare(service, &described(service)?)
}

/// Writes cargo's tables of the binaries, the list of their modules and that of their `main`s, if the
/// settings ask for it.
///
/// # Errors
///
/// If the files cannot be read or written.
pub fn register(service: &Service) -> Result<(), Error> {
    save(service, &binaries::documents(service, &declared::functions(service)?)?)
}

/// Writes the parts that depend on the descriptions of all functions.
///
/// # Errors
///
/// If a function has no description, or a file has no place for its part.
pub fn declare(
    service: &Service,
    descriptions: &BTreeMap<String, Description>,
) -> Result<(), Error> {
    save(service, &documents(service, descriptions)?)
}

/// The parts that [`declare`] would change, with the lines that differ.
///
/// # Errors
///
/// As for [`declare`].
pub fn undeclared(
    service: &Service,
    descriptions: &BTreeMap<String, Description>,
) -> Result<Vec<String>, Error> {
    Ok(changes(&documents(service, descriptions)?))
}

/// The names of all functions' binaries.
///
/// # Errors
///
/// If the folders cannot be read.
pub fn binaries(service: &Service) -> Result<BTreeSet<String>, Error> {
    let functions = declared::functions(service)?;
    Ok(functions.into_iter().map(|function| function.name).collect())
}

/// The parts that [`write()`] would change, with the lines that differ.
///
/// # Errors
///
/// As for [`write()`].
pub fn complaints(service: &Service) -> Result<Vec<String>, Error> {
    let found = changes(&binaries::documents(service, &declared::functions(service)?)?);
    // Without its table, cargo cannot build a binary.
    if !found.is_empty() {
        return Ok(found);
    }
    undeclared(service, &described(service)?)
}

/// The descriptions of all functions.
fn described(service: &Service) -> Result<BTreeMap<String, Description>, Error> {
    service.descriptions(&binaries(service)?)
}

/// The template and the alarms, if there are any, with their generated parts.
fn documents(
    service: &Service,
    descriptions: &BTreeMap<String, Description>,
) -> Result<Vec<Document>, Error> {
    let functions = declared::functions(service)?;
    let declared = Declared::of(&functions, descriptions)?;
    let mut template = Document::read(service, service.template_path())?;
    template::fill(&mut template, &declared, service.other_binaries())?;
    let Some(path) = &service.settings().alarms else { return Ok(vec![template]) };
    let mut alarms = Document::read(service, &service.path(path))?;
    alarms::fill(&mut alarms, &template, &declared)?;
    Ok(vec![template, alarms])
}

fn changes(documents: &[Document]) -> Vec<String> {
    documents.iter().flat_map(Document::changes).cloned().collect()
}

fn save(service: &Service, documents: &[Document]) -> Result<(), Error> {
    documents.iter().try_for_each(|document| document.save(service))
}

#[cfg(test)]
pub(crate) mod tests;
