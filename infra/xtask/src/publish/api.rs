//! The public interfaces of the published libraries, kept in `infra/api`.
//!
//! rustdoc describes a library in JSON, a format that only nightly versions write; a released one
//! does with `RUSTC_BOOTSTRAP`, which here reaches rustdoc alone, so that nothing is built again.

use std::path::{Path, PathBuf};

use cargo_metadata::{Package, TargetKind};
use public_api::Builder;
use tooling::context::Context;
use tooling::process::succeeded;
use tooling::{Error, cargo, say, target_directory};

use super::packages::libraries;

/// The folder of the kept interfaces.
const KEPT: &str = "infra/api";

/// The maximum number of changed lines in a complaint.
const SHOWN_MAX: usize = 20;

/// The interface of a package's library, one item a line.
struct Interface {
    package: String,
    items: Vec<String>,
}

/// The interfaces that differ from the kept ones.
///
/// # Errors
///
/// If a library cannot be described, or its documentation has a warning.
pub(super) fn complaints(workspace: &Path, packages: &[&Package]) -> Result<Vec<String>, Error> {
    let mut complaints = Vec::new();
    for Interface { package, items } in interfaces(workspace, packages)? {
        let kept = fs_err::read_to_string(place(workspace, &package)).unwrap_or_default();
        let kept: Vec<&str> = kept.lines().collect();
        complaints.extend(complaint(&package, &kept, &items));
    }
    Ok(complaints)
}

/// Keeps the interfaces.
///
/// # Errors
///
/// If a library cannot be described, its documentation has a warning, or a file cannot be written.
pub(super) fn write(workspace: &Path, packages: &[&Package]) -> Result<(), Error> {
    for Interface { package, items } in interfaces(workspace, packages)? {
        let place = place(workspace, &package);
        fs_err::write(&place, items.join("\n") + "\n")?;
        say(&format!("{}: {} items", place.display(), items.len()));
    }
    Ok(())
}

fn place(workspace: &Path, package: &str) -> PathBuf {
    workspace.join(KEPT).join(format!("{package}.txt"))
}

fn interfaces(workspace: &Path, packages: &[&Package]) -> Result<Vec<Interface>, Error> {
    let mut document = cargo(workspace);
    document.args(["doc", "--locked", "--no-deps", "--lib", "--all-features"]);
    document.args(libraries(packages));
    document.env("RUSTDOC", workspace.join("infra/tools/rustdoc_json.sh"));
    // rustdoc finds the same warnings, such as a link to nothing, in each format.
    document.env("RUSTDOCFLAGS", "-D warnings -Z unstable-options --output-format json");
    succeeded(&mut document)?;
    let written = target_directory(workspace)?.join("doc");
    let interface = |package: &&Package| interface(package, &written);
    packages.iter().map(interface).collect()
}

fn interface(package: &Package, written: &Path) -> Result<Interface, Error> {
    let mut targets = package.targets.iter();
    let library = targets.find(|target| target.kind.contains(&TargetKind::Lib));
    let library = library.ok_or_else(|| format!("{} has no library", package.name))?;
    let document = written.join(format!("{}.json", library.name.replace('-', "_")));
    let builder = Builder::from_rustdoc_json(&document)
        .omit_auto_derived_impls(true)
        .omit_auto_trait_impls(true)
        .omit_blanket_impls(true);
    let api = builder.build().context(|| document.display())?;
    let items = api.items().map(ToString::to_string).collect();
    Ok(Interface { package: package.name.to_string(), items })
}

/// A complaint with the changed items; `None` if there are none.
fn complaint(package: &str, kept: &[&str], items: &[String]) -> Option<String> {
    let removed = kept.iter().filter(|item| !items.iter().any(|it| it == *item));
    let added = items.iter().filter(|item| !kept.contains(&item.as_str()));
    let removed = removed.map(|item| format!("\n- {item}"));
    let changes: Vec<String> = removed.chain(added.map(|item| format!("\n+ {item}"))).collect();
    if changes.is_empty() {
        return None;
    }
    let shown = changes.iter().take(SHOWN_MAX).map(String::as_str).collect::<String>();
    Some(format!(
        "{package}: {} items of its interface differ from {KEPT}; if that is intended, keep them by \
         `cargo xtask publishable --write`:{shown}",
        changes.len()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(items: &[&str]) -> Option<String> {
        let kept = ["pub fn a::one()", "pub fn a::two()"];
        complaint("a", &kept, &items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_removed_and_an_added_item_are_found_and_shown() {
        assert_eq!(found(&["pub fn a::one()", "pub fn a::two()"]), None);
        let found = found(&["pub fn a::one()", "pub fn a::two(u8)"]).unwrap();
        assert!(found.starts_with("a: 2 items of its interface differ"), "{found}");
        assert!(found.ends_with("\n- pub fn a::two()\n+ pub fn a::two(u8)"), "{found}");
    }

    #[test]
    fn at_most_twenty_changes_are_shown() {
        let many: Vec<String> = (0..30).map(|number| format!("pub fn a::f{number}()")).collect();
        let found = complaint("a", &[], &many).unwrap();
        assert!(found.starts_with("a: 30 items"), "{found}");
        assert_eq!(found.lines().count(), 1 + SHOWN_MAX);
    }
}
