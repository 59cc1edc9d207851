//! Lock files: a second workspace has the versions of ours, so that both build and check the same
//! crates.

/// The lock file of this workspace.
const OURS: &str = "Cargo.lock";

/// The crates in other lock files that ours has in no such version.
pub(super) fn differing(texts: &[(&str, &str)]) -> Vec<String> {
    let ours = texts.iter().find(|(path, _)| *path == OURS);
    let ours: Vec<_> = ours.into_iter().flat_map(|(_, text)| locked(text)).collect();
    let mut complaints = Vec::new();
    for (path, text) in texts.iter().filter(|(path, _)| path.ends_with("/Cargo.lock")) {
        let others = locked(text).filter(|one| !ours.contains(one));
        for (name, version) in others {
            complaints.push(format!(
                "{path} has {name} {version}, and {OURS} has not: `cargo update` it there"
            ));
        }
    }
    complaints
}

/// The name and the version of each crate from a registry.
fn locked(lock: &str) -> impl Iterator<Item = (&str, &str)> {
    let packages = lock.split("\n[[package]]\n").skip(1);
    packages.filter(|package| package.contains("\nsource = ")).filter_map(|package| {
        let value = |key: &str| {
            let mut lines = package.lines();
            lines.find_map(|line| line.strip_prefix(key)?.strip_suffix('"'))
        };
        Some((value("name = \"")?, value("version = \"")?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_in_a_second_lock_file_is_found_and_our_packages_are_not() {
        let package = |name: &str, version: &str, source: &str| {
            format!("\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n{source}")
        };
        let source = "source = \"registry\"\n";
        let ours = package("serde", "1.0.1", source) + &package("http", "1.2.0", source);
        let good = package("serde", "1.0.1", source) + &package("loans", "0.1.0", "");
        let old = package("serde", "1.0.0", source);
        let found = |theirs: &str| differing(&[("Cargo.lock", &ours), ("a/Cargo.lock", theirs)]);
        assert_eq!(found(&good), Vec::<String>::new());
        assert_eq!(
            found(&old),
            ["a/Cargo.lock has serde 1.0.0, and Cargo.lock has not: `cargo update` it there"]
        );
    }
}
