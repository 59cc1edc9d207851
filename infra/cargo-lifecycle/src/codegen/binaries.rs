//! Cargo's tables of the binaries, and the modules of the library that links their unit tests.

use tooling::Error;

use super::declared::Function;
use super::document::Document;
use crate::service::Service;

/// The manifest and the library, with their generated parts, as far as the settings ask for them.
///
/// # Errors
///
/// If they cannot be read, or have no markers.
pub(super) fn documents(service: &Service, functions: &[Function]) -> Result<Vec<Document>, Error> {
    let mut documents = Vec::new();
    if service.settings().generate_binaries {
        let mut manifest = Document::read(service, &service.folder().join("Cargo.toml"))?;
        manifest.fill("the binaries", "", &tables(functions))?;
        documents.push(manifest);
    }
    if let Some(path) = &service.settings().modules {
        let mut library = Document::read(service, &service.path(path))?;
        library.fill("the modules", "", &modules(functions))?;
        documents.push(library);
    }
    Ok(documents)
}

fn tables(functions: &[Function]) -> String {
    let tables = functions.iter().map(|Function { folder, name }| {
        format!("[[bin]]\nname = \"{name}\"\npath = \"{folder}/{name}.rs\"\ntest = false\n")
    });
    tables.collect::<Vec<_>>().join("\n")
}

fn modules(functions: &[Function]) -> String {
    let folders = functions.chunk_by(|one, next| one.folder == next.folder).map(|folder| {
        let modules = folder.iter().map(|Function { folder, name }| {
            format!("#[path = \"{folder}/{name}.rs\"]\nmod {name};\n")
        });
        modules.collect::<Vec<_>>().concat()
    });
    folders.collect::<Vec<_>>().join("\n")
}
