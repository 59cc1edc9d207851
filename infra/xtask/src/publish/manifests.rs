//! The manifests of the published packages.

use cargo_metadata::{Dependency, DependencyKind, Metadata, Package};

use super::packages::published;

/// The files in the folder of each package that a registry, or its user, reads.
const FILES: [&str; 3] = ["README.md", "CHANGELOG.md", "LICENSE"];

/// The maximum number of keywords and of categories in a registry.
const WORDS_MAX: usize = 5;

/// Dependencies on one exact version. The workspace's `Cargo.toml` has the reason of each. Any other
/// one would keep users from a correction of that crate.
const EXACT: [&str; 4] =
    ["dynoxide-rs", "rustack-sqs-core", "rustack-sqs-http", "utoipa-swagger-ui-vendored"];

/// The problems of the manifests, one sentence each.
pub(crate) fn complaints(metadata: &Metadata) -> Vec<String> {
    let packages = published(metadata);
    let names: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    packages.iter().flat_map(|package| of_package(package, &names)).collect()
}

fn of_package(package: &Package, published: &[&str]) -> Vec<String> {
    let mut problems = lacks(package);
    let folder = package.manifest_path.parent();
    let has = |file: &str| folder.is_some_and(|folder| folder.join(file).is_file());
    problems.extend(FILES.iter().filter(|file| !has(file)).map(|file| format!("has no {file}")));
    problems.extend(package.dependencies.iter().filter_map(|it| of_dependency(it, published)));
    problems.into_iter().map(|problem| format!("{}: {problem}", package.name)).collect()
}

/// The missing parts of a manifest.
fn lacks(package: &Package) -> Vec<String> {
    let is_count = |words: &[String]| (1..=WORDS_MAX).contains(&words.len());
    let parts = [
        ("description", package.description.is_some()),
        ("documentation", package.documentation.is_some()),
        ("license", package.license.is_some()),
        ("readme", package.readme.is_some()),
        ("rust-version", package.rust_version.is_some()),
        ("keywords, of which a registry takes 5", is_count(&package.keywords)),
        ("categories, of which a registry takes 5", is_count(&package.categories)),
    ];
    let missing = parts.iter().filter(|(_, has)| !has);
    missing.map(|(part, _)| format!("its manifest lacks {part}")).collect()
}

fn of_dependency(dependency: &Dependency, published: &[&str]) -> Option<String> {
    let (name, requirement) = (dependency.name.as_str(), dependency.req.to_string());
    let is_for_tests = dependency.kind == DependencyKind::Development;
    if dependency.path.is_some() {
        let has_version = requirement != "*";
        // Cargo leaves a path without a version out of the published [dev-dependencies].
        let is_left_out = is_for_tests && !has_version;
        let is_good = has_version && published.contains(&name);
        return (!is_good && !is_left_out)
            .then(|| format!("{name} needs a version, and has to be published"));
    }
    let is_exact = requirement.starts_with('=') && !is_for_tests;
    (is_exact && !EXACT.contains(&name))
        .then(|| format!("{name} {requirement}: exact, without a reason in EXACT"))
}

#[cfg(test)]
mod tests {
    use cargo_metadata::MetadataCommand;
    use house::workspace;

    use super::*;

    fn metadata() -> Metadata {
        MetadataCommand::new().current_dir(workspace()).no_deps().exec().unwrap()
    }

    /// The complaints after a change of the manifest of `lambda-testkit`.
    fn after(change: impl FnOnce(&mut Package)) -> Vec<String> {
        let mut metadata = metadata();
        let mut packages = metadata.packages.iter_mut();
        change(packages.find(|package| package.name.as_str() == "lambda-testkit").unwrap());
        complaints(&metadata)
    }

    fn dependency<'p>(package: &'p mut Package, name: &str) -> &'p mut Dependency {
        package.dependencies.iter_mut().find(|it| it.name == name).unwrap()
    }

    #[test]
    fn the_manifests_of_this_workspace_are_complete() {
        assert_eq!(complaints(&metadata()), Vec::<String>::new());
    }

    #[test]
    fn a_missing_part_of_a_manifest_is_found() {
        let found = after(|package| package.description = None);
        assert_eq!(found, ["lambda-testkit: its manifest lacks description"]);
        let found = after(|package| package.keywords.clear());
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn a_package_without_a_changelog_is_found() {
        let found = after(|package| {
            package.manifest_path = workspace().join("Cargo.toml").try_into().unwrap();
        });
        assert_eq!(found, ["lambda-testkit: has no CHANGELOG.md"]);
    }

    #[test]
    fn a_dependency_without_a_version_or_on_an_unpublished_package_is_found() {
        let found =
            after(|package| dependency(package, "lambda-emulator").req = "*".parse().unwrap());
        let expected = "lambda-testkit: lambda-emulator needs a version, and has to be published";
        assert_eq!(found, [expected]);
        let found =
            after(|package| dependency(package, "lambda-emulator").name = "demo".to_owned());
        assert_eq!(found, ["lambda-testkit: demo needs a version, and has to be published"]);
    }

    #[test]
    fn an_exact_requirement_without_a_reason_is_found() {
        let found = after(|package| dependency(package, "bytes").req = "=1.0.0".parse().unwrap());
        assert_eq!(found, ["lambda-testkit: bytes =1.0.0: exact, without a reason in EXACT"]);
    }
}
