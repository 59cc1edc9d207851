//! Cargo's tables of the binaries, the modules of the library that links their unit tests, and the
//! list of their `main`s for a simulation.

use std::path::Path;

use tooling::Error;

use super::declared::Function;
use super::document::Document;
use super::names::logical_id;
use crate::service::Service;

/// The manifest, the library and the list of `main`s, with their generated parts, as far as the
/// settings ask for them.
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
        library.fill("the modules", "", &modules("", functions))?;
        documents.push(library);
    }
    if let Some(path) = &service.settings().mains {
        let mut list = Document::read(service, &service.path(path))?;
        let package = way_from(path, &service.name_of(service.folder()));
        let content = [modules(&package, functions), mains(functions)].join("\n");
        list.fill("the functions", "", &content)?;
        documents.push(list);
    }
    Ok(documents)
}

/// The way from a file to a folder, both by their paths in the workspace: `../../functions/`.
fn way_from(file: &str, folder: &str) -> String {
    let depth = Path::new(file).components().count().saturating_sub(1);
    format!("{}{folder}/", "../".repeat(depth))
}

fn tables(functions: &[Function]) -> String {
    let tables = functions.iter().map(|Function { folder, name }| {
        format!("[[bin]]\nname = \"{name}\"\npath = \"{folder}/{name}.rs\"\ntest = false\n")
    });
    tables.collect::<Vec<_>>().join("\n")
}

fn modules(package: &str, functions: &[Function]) -> String {
    let folders = functions.chunk_by(|one, next| one.folder == next.folder).map(|folder| {
        let modules = folder.iter().map(|Function { folder, name }| {
            format!("#[path = \"{package}{folder}/{name}.rs\"]\nmod {name};\n")
        });
        modules.collect::<Vec<_>>().concat()
    });
    folders.collect::<Vec<_>>().join("\n")
}

/// The list of the functions' `main`s, by their logical ids in the template.
fn mains(functions: &[Function]) -> String {
    let main = |Function { name, .. }: &Function| {
        format!("    (\"{}\", {name}::main),\n", logical_id(name, "Function"))
    };
    let mains: Vec<String> = functions.iter().map(main).collect();
    let head = "/// The `main` of each function, by its logical id in the template.";
    format!("{head}\npub(crate) const MAINS: &[(&str, Main)] = &[\n{}];\n", mains.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_mains_has_the_path_and_the_logical_id_of_each_function() {
        let function = |folder: &str, name: &str| Function {
            folder: folder.to_owned(),
            name: name.to_owned(),
        };
        let functions = [function("people", "get_user"), function("system", "authorizer")];
        let package = way_from("tests/simulation/functions.rs", "functions");

        let modules = modules(&package, &functions);

        let path = "#[path = \"../../functions/people/get_user.rs\"]\nmod get_user;\n";
        assert!(modules.starts_with(path), "{modules}");
        let mains = mains(&functions);
        assert!(mains.contains("    (\"AuthorizerFunction\", authorizer::main),\n"), "{mains}");
    }
}
