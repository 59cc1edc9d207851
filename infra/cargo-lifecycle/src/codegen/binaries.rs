//! Cargo's tables of the binaries, the modules of the library that links their unit tests, and the
//! list of their `main`s for a simulation.

use std::iter::repeat_n;
use std::path::{Path, PathBuf};

use tooling::Error;

use super::declared::Function;
use super::document::Document;
use super::names::logical_id;
use crate::file::names;
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
        let modules = modules(|function| way_to(service, function, path), functions);
        library.fill("the modules", "", &modules)?;
        documents.push(library);
    }
    if let Some(path) = &service.settings().mains {
        let mut list = Document::read(service, &service.path(path))?;
        let modules = modules(|function| way_to(service, function, path), functions);
        let content = [modules, mains(functions)].join("\n");
        list.fill("the functions", "", &content)?;
        documents.push(list);
    }
    Ok(documents)
}

/// The path of a function's source as a file of the workspace names it.
fn way_to(service: &Service, function: &Function, from: &str) -> String {
    way(&service.path(from), &source(service, function))
}

/// The source file of a function. If cargo's tables are generated, cargo may not know it yet.
fn source(service: &Service, Function { folder, name }: &Function) -> PathBuf {
    let known = service.binaries().get(name).filter(|_| !service.settings().generate_binaries);
    let new = || service.folder().join(folder).join(format!("{name}.rs"));
    known.cloned().unwrap_or_else(new)
}

/// The path of a file as another file names it, both by their whole paths:
/// `../../functions/people/get_user.rs`.
fn way(from: &Path, file: &Path) -> String {
    let (mut above, file) = (names(from), names(file));
    above.pop();
    let shared = above.iter().zip(&file).take_while(|(one, other)| one == other).count();
    let up = repeat_n("..", above.len() - shared);
    let down = file.iter().skip(shared).map(String::as_str);
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// The module of a function. A binary may have hyphens in its name, a module has none.
fn module(name: &str) -> String {
    name.replace('-', "_")
}

fn tables(functions: &[Function]) -> String {
    let tables = functions.iter().map(|Function { folder, name }| {
        format!("[[bin]]\nname = \"{name}\"\npath = \"{folder}/{name}.rs\"\ntest = false\n")
    });
    tables.collect::<Vec<_>>().join("\n")
}

fn modules(source: impl Fn(&Function) -> String, functions: &[Function]) -> String {
    let folders = functions.chunk_by(|one, next| one.folder == next.folder).map(|folder| {
        let modules = folder.iter().map(|function| {
            format!("#[path = {:?}]\nmod {};\n", source(function), module(&function.name))
        });
        modules.collect::<Vec<_>>().concat()
    });
    folders.collect::<Vec<_>>().join("\n")
}

/// The list of the functions' `main`s, by their logical ids in the template.
fn mains(functions: &[Function]) -> String {
    let main = |Function { name, .. }: &Function| {
        format!("    (\"{}\", {}::main),\n", logical_id(name, "Function"), module(name))
    };
    let mains: Vec<String> = functions.iter().map(main).collect();
    let head = "/// The `main` of each function, by its logical id in the template.";
    format!("{head}\npub(crate) const MAINS: &[(&str, Main)] = &[\n{}];\n", mains.concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codegen;
    use crate::fixture::Library;

    #[test]
    fn the_list_of_mains_has_the_path_and_the_logical_id_of_each_function() {
        let function = |folder: &str, name: &str| Function {
            folder: folder.to_owned(),
            name: name.to_owned(),
        };
        let functions = [function("people", "get_user"), function("system", "authorizer")];
        let source = |Function { folder, name }: &Function| {
            let file = format!("/store/functions/{folder}/{name}.rs");
            way(Path::new("/store/tests/simulation/functions.rs"), Path::new(&file))
        };

        let modules = modules(source, &functions);

        let path = "#[path = \"../../functions/people/get_user.rs\"]\nmod get_user;\n";
        assert!(modules.starts_with(path), "{modules}");
        let mains = mains(&functions);
        assert!(mains.contains("    (\"AuthorizerFunction\", authorizer::main),\n"), "{mains}");
    }

    #[test]
    fn the_modules_of_binaries_that_cargo_finds_have_the_paths_of_their_files() {
        let library = Library::new("linked-modules");
        let (modules, mains) = ("lending/src/lib.rs", "simulation/functions.rs");
        library.set(&format!("modules = \"{modules}\"\nmains = \"{mains}\""));
        library.write("lending/src/bin/list-loans/main.rs", "fn main() {}\n");
        for file in [modules, mains] {
            library.write(file, "// <generated by cargo lifecycle codegen>\n// </generated>\n");
        }
        codegen::register(&library.service()).unwrap();
        for (file, package) in [(modules, ""), (mains, "../lending/src/")] {
            let text = library.read(file);
            for (path, module) in
                [("bin/get_book.rs", "get_book"), ("bin/list-loans/main.rs", "list_loans")]
            {
                let expected = format!("#[path = \"{package}{path}\"]\nmod {module};\n");
                assert!(text.contains(&expected), "{text}");
            }
        }
        let main = "    (\"ListLoansFunction\", list_loans::main),\n";
        assert!(library.read(mains).contains(main), "{}", library.read(mains));
    }

    #[test]
    fn a_file_is_found_from_another_one() {
        for (from, file, expected) in [
            ("functions/lib.rs", "functions/people/get_user.rs", "people/get_user.rs"),
            ("tests/it.rs", "people/get_user.rs", "../people/get_user.rs"),
            ("./it.rs", "people/get_user.rs", "people/get_user.rs"),
            ("tests/../it.rs", "tests/../people/get_user.rs", "people/get_user.rs"),
            ("../tests/it.rs", "people/get_user.rs", "../store/people/get_user.rs"),
            ("tests/it.rs", "/other/get_user.rs", "../../other/get_user.rs"),
        ] {
            // A path that begins with a slash remains as it is.
            let whole = |path: &str| Path::new("/store").join(path);
            assert_eq!(way(&whole(from), &whole(file)), expected, "{from}");
        }
    }
}
