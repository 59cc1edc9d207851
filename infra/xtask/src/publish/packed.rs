//! Whether each package has the files that the compiler reads.
//!
//! `cargo package` shows that by a build of each package from its files. With the features that one
//! package alone asks for, such a build shares hardly a dependency with the other builds, and takes
//! minutes. The compiler lists the files that it has read, those of `include_str!` too; here these
//! lists are compared with the packages.
//!
//! A build shows one thing more: that a package needs a feature of a dependency that only another
//! package turns on. `cargo publish` builds each package, too, before it uploads it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::process::Stdio;

use cargo_metadata::{Artifact, Message, Package, PackageId, Target};
use tooling::context::Context;
use tooling::process::succeeded;
use tooling::{Error, cargo};

use super::packages::{libraries, selected};

/// The files that the compiler has read for each package.
type Read = BTreeMap<PackageId, BTreeSet<PathBuf>>;

/// A package, with the paths of the files that it would be published with.
struct Packed<'p> {
    package: &'p Package,
    files: BTreeSet<PathBuf>,
}

/// Makes the packages, and compares their files with the files that the compiler reads.
///
/// # Errors
///
/// If a package cannot be made or compiled.
pub(super) fn complaints(workspace: &Path, packages: &[&Package]) -> Result<Vec<String>, Error> {
    let mut package = cargo(workspace);
    package.args(["package", "--locked", "--allow-dirty", "--no-verify"]);
    succeeded(package.args(selected(packages)))?;
    let mut packed = Vec::new();
    for package in packages {
        packed.push(Packed { package, files: files_of(workspace, package)? });
    }
    let read = read(workspace, packages, &packed)?;
    Ok(packed.iter().flat_map(|it| it.complaints(read.get(&it.package.id))).collect())
}

impl Packed<'_> {
    /// The programs in the package. One whose file is left out is not published.
    fn programs(&self) -> impl Iterator<Item = &Target> {
        let programs = self.package.targets.iter().filter(|target| target.is_bin());
        programs.filter(|target| self.files.contains(target.src_path.as_std_path()))
    }

    /// The problems of the package, given the files that the compiler has read for it.
    fn complaints(&self, read: Option<&BTreeSet<PathBuf>>) -> Vec<String> {
        let name = &self.package.name;
        let Some(read) = read else {
            return vec![format!("{name}: the compiler has read nothing of it")];
        };
        let missing = read.difference(&self.files).map(|file| {
            let file = file.display();
            format!("{name}: the compiler reads {file}, which is not in the package")
        });
        let scripts = self.package.targets.iter().filter(|target| target.is_custom_build());
        let scripts = scripts.map(|_| {
            format!("{name}: has a build script, and no list shows the files that it reads")
        });
        missing.chain(scripts).collect()
    }
}

/// The paths of the files that a package would be published with.
fn files_of(workspace: &Path, package: &Package) -> Result<BTreeSet<PathBuf>, Error> {
    let name = package.name.as_str();
    let listed = cargo(workspace)
        .args(["package", "--list", "--locked", "--allow-dirty", "--package", name])
        .output()
        .context(|| format!("cargo package --list --package {name}"))?;
    if !listed.status.success() {
        return Err(String::from_utf8_lossy(&listed.stderr).into());
    }
    let folder = package.manifest_path.as_std_path().parent().ok_or("a manifest has a folder")?;
    Ok(String::from_utf8(listed.stdout)?.lines().map(|file| folder.join(file)).collect())
}

/// Compiles the libraries and programs of the packages as far as `cargo check` does, and collects the
/// compiler's lists.
fn read(workspace: &Path, packages: &[&Package], packed: &[Packed]) -> Result<Read, Error> {
    let mut check = cargo(workspace);
    check.args(["check", "--locked", "--all-features"]);
    check.args(["--message-format", "json-render-diagnostics", "--lib"]);
    for program in packed.iter().flat_map(Packed::programs) {
        check.args(["--bin", program.name.as_str()]);
    }
    check.args(libraries(packages)).stderr(Stdio::inherit());
    let checked = check.output().context(|| "cargo check")?;
    if !checked.status.success() {
        return Err(format!("{check:?}: {}", checked.status).into());
    }
    let mut read = Read::new();
    for message in Message::parse_stream(checked.stdout.as_slice()) {
        let Message::CompilerArtifact(artifact) = message? else { continue };
        if packages.iter().any(|package| package.id == artifact.package_id) {
            let files = files_in(&fs_err::read_to_string(list_of(&artifact)?)?, workspace);
            read.entry(artifact.package_id).or_default().extend(files);
        }
    }
    Ok(read)
}

/// The compiler's list for an artifact, in the same folder.
fn list_of(artifact: &Artifact) -> Result<PathBuf, Error> {
    let made = artifact.filenames.first().and_then(|made| list_beside(made.as_std_path()));
    made.ok_or_else(|| format!("{}: cargo names no metadata", artifact.target.name).into())
}

/// The list of the metadata of a crate, in the same folder: `a-1f.d` of `liba-1f.rmeta`.
fn list_beside(metadata: &Path) -> Option<PathBuf> {
    let name = metadata.file_stem()?.to_str()?.strip_prefix("lib")?;
    Some(metadata.with_file_name(format!("{name}.d")))
}

/// The files in a list, which has the form of a Makefile: `target: file file`. Spaces of names are
/// escaped, and paths begin in the workspace's folder.
fn files_in(list: &str, workspace: &Path) -> BTreeSet<PathBuf> {
    let rules = list.lines().filter(|line| !line.starts_with('#'));
    let files = rules.filter_map(|rule| rule.split_once(": ")).flat_map(|(_, files)| {
        let files = files.replace("\\ ", "\0");
        files.split_whitespace().map(|file| file.replace('\0', " ")).collect::<Vec<_>>()
    });
    files.map(|file| without_parents(&workspace.join(file))).collect()
}

/// A path without `..`: `a/c` for `a/b/../c`.
fn without_parents(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        if component == Component::ParentDir {
            plain.pop();
        } else {
            plain.push(component);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use cargo_metadata::MetadataCommand;
    use house::workspace;

    use super::*;

    const LAUNCHED: &str = "infra/cargo-command";

    /// The complaints about `lambda-lifecycle-cargo`, if the compiler reads these files.
    fn found(read: Option<&[&str]>) -> Vec<String> {
        let metadata = MetadataCommand::new().current_dir(workspace()).no_deps().exec().unwrap();
        let mut packages = metadata.packages.iter();
        let package = packages.find(|it| it.name.as_str() == "lambda-lifecycle-cargo").unwrap();
        let packed = Packed { package, files: files_of(workspace(), package).unwrap() };
        assert_eq!(packed.programs().count(), 0, "its program is not published");
        let read = read
            .map(|files| files.iter().map(|file| workspace().join(file)).collect::<BTreeSet<_>>());
        packed.complaints(read.as_ref())
    }

    #[test]
    fn a_file_that_the_compiler_reads_and_that_is_not_in_the_package_is_found() {
        let [library, program] = ["lib", "main"].map(|file| format!("{LAUNCHED}/src/{file}.rs"));
        assert_eq!(found(Some(&[library.as_str()])), Vec::<String>::new());
        for missing in [program.as_str(), "README.md"] {
            let found = found(Some(&[library.as_str(), missing]));
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].ends_with(&format!("{missing}, which is not in the package")));
        }
    }

    #[test]
    fn a_package_that_was_not_compiled_is_found() {
        assert_eq!(found(None), ["lambda-lifecycle-cargo: the compiler has read nothing of it"]);
    }

    #[test]
    fn the_files_of_a_list_are_paths_without_parents() {
        let list = "/t/a-1f.d: a/src/lib.rs a/src/../guide/a\\ b.md\n\n\
                    /t/liba-1f.rmeta: a/src/lib.rs /c.rs\n\n\
                    a/src/lib.rs:\na/src/../guide/a\\ b.md:\n\n\
                    # env-dep:NAME=a: b\n";
        let expected = ["/c.rs", "/w/a/guide/a b.md", "/w/a/src/lib.rs"].map(PathBuf::from);
        assert_eq!(files_in(list, Path::new("/w")), BTreeSet::from(expected));
    }

    #[test]
    fn the_list_of_a_crate_is_in_the_folder_of_its_metadata() {
        let list = list_beside(Path::new("/t/debug/deps/liba-1f.rmeta"));
        assert_eq!(list, Some(PathBuf::from("/t/debug/deps/a-1f.d")));
        assert_eq!(list_beside(Path::new("/t/debug/a")), None);
    }
}
