//! Files of one crate that import each other in a circle.
//!
//! A file depends on the file that defines an import; a re-export in between is no dependency.
//! Code that only tests compile is left out.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::Visit;
use syn::{Attribute, Item, ItemUse, UseTree, Visibility};

/// A module's path in its crate; the root's is empty.
type Module = Vec<String>;

/// Sentences about circles, one for each.
pub(super) fn complaints(files: &[(&str, &str)]) -> Vec<String> {
    let roots = files.iter().filter_map(|(path, _)| {
        let (folder, name) = path.rsplit_once('/')?;
        matches!(name, "lib.rs" | "main.rs").then_some(folder)
    });
    let roots: BTreeSet<&str> = roots.collect();
    roots.iter().flat_map(|root| circles_of(root, files)).collect()
}

fn circles_of(root: &str, files: &[(&str, &str)]) -> Vec<String> {
    let mut modules = BTreeMap::new();
    for (path, content) in files {
        let Some(module) = module(root, path) else { continue };
        let Ok(file) = syn::parse_file(content) else { continue };
        let mut names = Names::default();
        names.visit_file(&file);
        modules.insert(module, (*path, names));
    }
    let graph = Graph { modules };
    graph.circles().iter().map(|circle| graph.sentence(circle)).collect()
}

/// The module of a file below a crate's root; `None` for files of tests, and of other crates.
fn module(root: &str, path: &str) -> Option<Module> {
    let inside = path.strip_prefix(root)?.strip_prefix('/')?.strip_suffix(".rs")?;
    let mut module: Module = inside.split('/').map(str::to_owned).collect();
    if module.iter().any(|part| part == "tests") {
        return None;
    }
    if matches!(module.last()?.as_str(), "lib" | "main" | "mod") {
        module.pop();
    }
    Some(module)
}

/// The names of other files that a file uses.
#[derive(Default)]
struct Names {
    /// Every name that `use` brings into the module, with its path.
    imported: BTreeMap<String, Vec<String>>,
    /// Paths that the file uses, re-exports excepted.
    used: Vec<Vec<String>>,
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item(&mut self, item: &'ast Item) {
        if !attributes(item).iter().any(only_for_tests) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let mut paths = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut paths);
        for (name, path) in paths {
            if matches!(item.vis, Visibility::Inherited) {
                self.used.push(path.clone());
            }
            self.imported.insert(name, path);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            self.used.push(path.segments.iter().map(|part| part.ident.to_string()).collect());
        }
        syn::visit::visit_path(self, path);
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn only_for_tests(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && attribute
            .meta
            .require_list()
            .is_ok_and(|list| list.tokens.to_string().split_whitespace().any(|word| word == "test"))
}

/// The names that a `use` brings, each with its whole path.
fn flatten(tree: &UseTree, before: &mut Vec<String>, all: &mut Vec<(String, Vec<String>)>) {
    let whole = |last: String| before.iter().cloned().chain([last]).collect::<Vec<_>>();
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, all);
            before.pop();
        }
        UseTree::Name(name) if name.ident == "self" => {
            all.push((before.last().cloned().unwrap_or_default(), before.clone()));
        }
        UseTree::Name(name) => all.push((name.ident.to_string(), whole(name.ident.to_string()))),
        UseTree::Rename(name) => all.push((name.rename.to_string(), whole(name.ident.to_string()))),
        UseTree::Glob(_) => all.push(("*".to_owned(), before.clone())),
        UseTree::Group(group) => group.items.iter().for_each(|item| flatten(item, before, all)),
    }
}

struct Graph<'f> {
    modules: BTreeMap<Module, (&'f str, Names)>,
}

impl Graph<'_> {
    /// The modules that a module depends on.
    fn needs(&self, module: &Module) -> BTreeSet<&Module> {
        let used = self.modules.get(module).map(|(_, names)| names.used.as_slice());
        let found = used.unwrap_or_default().iter().filter_map(|path| self.owner(module, path, 0));
        found.filter(|owner| *owner != module).collect()
    }

    /// The module that defines a path; `None` for another crate's.
    fn owner(&self, from: &Module, path: &[String], depth: usize) -> Option<&Module> {
        let mut here = from.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => {
                here.clear();
                rest = &path[1..];
            }
            "self" => rest = &path[1..],
            "super" => {}
            child if self.modules.contains_key(&joined(from, child)) => {}
            _ => return None,
        }
        while let Some((part, after)) = rest.split_first() {
            let below = joined(&here, part);
            if part == "super" {
                here.pop()?;
            } else if self.modules.contains_key(&below) {
                here = below;
            } else {
                break;
            }
            rest = after;
        }
        let (defined_in, (_, names)) = self.modules.get_key_value(&here)?;
        // Another file's import is a re-export: follow it. The depth ends a circle of re-exports.
        let again = rest.first().and_then(|name| names.imported.get(name));
        let again = again.filter(|_| defined_in != from && depth < 8);
        let followed = again.and_then(|path| self.owner(defined_in, path, depth + 1));
        Some(followed.unwrap_or(defined_in))
    }

    /// The sets of modules that all depend on each other.
    fn circles(&self) -> Vec<Vec<&Module>> {
        let needs: BTreeMap<&Module, BTreeSet<&Module>> =
            self.modules.keys().map(|module| (module, self.needs(module))).collect();
        let reached: BTreeMap<&Module, BTreeSet<&Module>> =
            needs.keys().map(|module| (*module, reached(&needs, module))).collect();
        let mut circles: Vec<Vec<&Module>> = Vec::new();
        for (module, all) in &reached {
            if circles.iter().flatten().any(|known| known == module) {
                continue;
            }
            let back = |other: &&&Module| reached[**other].contains(*module);
            let circle: Vec<&Module> = all.iter().filter(back).copied().collect();
            if circle.len() > 1 {
                circles.push(circle);
            }
        }
        circles
    }

    fn sentence(&self, circle: &[&Module]) -> String {
        let path = |module: &Module| self.modules.get(module).map_or("", |(path, _)| *path);
        let arrows = circle.iter().flat_map(|from| {
            let inside = self.needs(from).into_iter().filter(|to| circle.contains(to));
            inside.map(|to| format!("{} needs {}", path(from), path(to))).collect::<Vec<_>>()
        });
        format!("files import each other: {}", arrows.collect::<Vec<_>>().join(", "))
    }
}

/// The modules that a module depends on, directly or through others.
fn reached<'g>(
    needs: &BTreeMap<&'g Module, BTreeSet<&'g Module>>,
    from: &Module,
) -> BTreeSet<&'g Module> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&Module> = needs[from].iter().copied().collect();
    while let Some(module) = next.pop() {
        if reached.insert(module) {
            next.extend(&needs[module]);
        }
    }
    reached
}

fn joined(module: &Module, part: &str) -> Module {
    module.iter().cloned().chain([part.to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_files_that_import_each_other_are_a_circle() {
        let files = [
            ("x/src/lib.rs", "mod a; mod b;"),
            ("x/src/a.rs", "use crate::b::B; pub struct A;"),
            ("x/src/b.rs", "use super::a::A; pub struct B;"),
        ];
        let found = complaints(&files);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("x/src/a.rs needs x/src/b.rs"), "{found:?}");
    }

    #[test]
    fn a_circle_through_a_re_export_or_a_written_path_is_found() {
        let files = [
            ("x/src/lib.rs", "mod a; mod b; pub use self::a::A;"),
            ("x/src/a.rs", "pub struct A; fn f() -> crate::b::B { crate::b::B }"),
            ("x/src/b.rs", "use crate::A; pub struct B(A);"),
        ];
        assert_eq!(complaints(&files).len(), 1);
    }

    #[test]
    fn a_parent_and_a_child_that_need_each_other_are_a_circle() {
        let files = [
            ("x/src/lib.rs", "mod a;"),
            ("x/src/a/mod.rs", "mod b; pub struct A; fn f() { b::g() }"),
            ("x/src/a/b.rs", "use super::A; pub fn g() {}"),
        ];
        assert_eq!(complaints(&files).len(), 1);
    }

    #[test]
    fn re_exports_and_tests_make_no_circle() {
        let files = [
            ("x/src/lib.rs", "mod a; mod b; pub use self::a::A; pub use self::b::B;"),
            ("x/src/a.rs", "pub struct A;\n#[cfg(test)] mod tests { use crate::B; }"),
            ("x/src/b.rs", "use crate::A; pub struct B(A);"),
            ("y/src/main.rs", "use b::A;"),
        ];
        assert_eq!(complaints(&files), Vec::<String>::new());
    }
}
