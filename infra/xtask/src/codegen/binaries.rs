//! Cargo's tables of the binaries, and the modules of the library that links their unit tests.

use std::path::Path;

use tooling::Error;

use super::declared::Function;
use super::document::Document;

/// The manifest and the library, with their generated parts.
///
/// # Errors
///
/// If they cannot be read, or have no markers.
pub(super) fn documents(workspace: &Path, functions: &[Function]) -> Result<[Document; 2], Error> {
    let mut manifest = Document::read(workspace, "functions/Cargo.toml")?;
    manifest.fill("the binaries", "", &tables(functions))?;
    let mut library = Document::read(workspace, "functions/lib.rs")?;
    library.fill("the modules", "", &modules(functions))?;
    Ok([manifest, library])
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
