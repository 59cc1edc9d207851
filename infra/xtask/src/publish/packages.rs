//! The packages that are published.

use cargo_metadata::{Metadata, Package};

use crate::without_library::WITHOUT_LIBRARY;

/// The packages of the workspace that are published.
pub(super) fn published(metadata: &Metadata) -> Vec<&Package> {
    let packages = metadata.workspace_packages().into_iter();
    packages.filter(|package| package.publish.is_none()).collect()
}

/// The arguments by which cargo selects these packages.
pub(super) fn selected<'p>(packages: &[&'p Package]) -> Vec<&'p str> {
    packages.iter().flat_map(|package| ["--package", package.name.as_str()]).collect()
}

/// The same for a command about libraries, which then shares its dependencies with builds and lints of
/// the whole workspace.
pub(super) fn libraries<'p>(packages: &[&'p Package]) -> Vec<&'p str> {
    let others = WITHOUT_LIBRARY.iter().flat_map(|package| ["--package", package]);
    selected(packages).into_iter().chain(others).collect()
}
