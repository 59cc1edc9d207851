//! The service that a command works on: its workspace, its template, and the package of its
//! functions.

pub(crate) mod functions;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand, Package, TargetKind};
use sam_template::Template;
use serde_json::Value;
use tooling::Error;
use tooling::context::Context;
use tooling::descriptions::{self, Description};

use crate::settings::Settings;

/// Where to find a service. Each part has a default.
#[derive(Debug, Clone, Default)]
pub struct Location {
    /// A folder in the workspace. The current one by default.
    pub workspace: Option<PathBuf>,
    /// The template. By default it is `template.yaml`, or else `template.yml`, next to the workspace's
    /// `Cargo.toml`.
    pub template: Option<PathBuf>,
    /// The functions' package. By default it is the only one with binaries, or else the only one with
    /// a binary that the template names.
    pub package: Option<String>,
}

/// A service.
#[derive(Debug, Clone)]
pub struct Service {
    workspace: PathBuf,
    template: PathBuf,
    package: String,
    version: String,
    edition: String,
    folder: PathBuf,
    binaries: BTreeMap<String, PathBuf>,
    other_binaries: BTreeSet<String>,
    settings: Settings,
    is_built: bool,
}

impl Service {
    /// Reads cargo's description of a service.
    ///
    /// # Errors
    ///
    /// If there is no workspace, if the package is not clear, if its settings are invalid, or if another
    /// package has a binary with the name of a function.
    pub fn find(location: &Location) -> Result<Self, Error> {
        let mut cargo = MetadataCommand::new();
        if let Some(folder) = &location.workspace {
            cargo.current_dir(folder);
        }
        let metadata = cargo.no_deps().exec().context(|| "the workspace")?;
        let workspace = PathBuf::from(metadata.workspace_root.clone());
        let template = match &location.template {
            Some(template) => std::path::absolute(template)?,
            None => template_in(&workspace),
        };
        let package = match (&location.package, &with_binaries(&metadata)[..]) {
            (Some(name), _) => named(&metadata, name)?,
            // The template may be incomplete until its parts are generated.
            (None, [one]) => *one,
            (None, []) => {
                return Err(format!(
                    "no package of the workspace has a binary; choose one with --package: {}",
                    names(&metadata.workspace_packages())
                )
                .into());
            }
            (None, several) => {
                let template = Template::read(&template, &BTreeMap::new())?;
                only_one(several, &template.binaries())?
            }
        };
        let settings = settings(package)?;
        let is_function = |name: &String| !settings.exclude.contains(name);
        let (binaries, excluded): (BTreeMap<String, PathBuf>, BTreeMap<String, PathBuf>) =
            binaries(package).partition(|(name, _)| is_function(name));
        let mut other_binaries = other_binaries(&metadata, package, &binaries)?;
        other_binaries.extend(excluded.into_keys());
        let manifest = Path::new(&package.manifest_path);
        Ok(Self {
            workspace,
            template,
            package: package.name.to_string(),
            version: package.version.to_string(),
            edition: package.edition.to_string(),
            folder: manifest.parent().unwrap_or(manifest).to_owned(),
            binaries,
            other_binaries,
            settings,
            is_built: false,
        })
    }

    /// The same service, read again: with binaries that have been added since.
    ///
    /// # Errors
    ///
    /// As for [`find`](Self::find).
    pub fn again(&self) -> Result<Self, Error> {
        Self::find(&Location {
            workspace: Some(self.workspace.clone()),
            template: Some(self.template.clone()),
            package: Some(self.package.clone()),
        })
    }

    /// The same service, whose functions are described as last built. Otherwise they are built first.
    #[must_use]
    pub fn without_building(self) -> Self {
        Self { is_built: true, ..self }
    }

    /// The output of the functions of these names with `--describe`.
    pub(crate) fn printed(
        &self,
        names: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Value>, Error> {
        if self.is_built {
            return descriptions::as_built(&self.workspace, names);
        }
        descriptions::raw(&self.workspace, &self.package, names)
    }

    /// The descriptions of the functions of these names.
    pub(crate) fn descriptions(
        &self,
        names: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Description>, Error> {
        descriptions::read(self.printed(names)?)
    }

    /// The workspace's folder.
    pub fn workspace(&self) -> &Path {
        &self.workspace
    }

    /// The functions' package.
    pub fn package(&self) -> &str {
        &self.package
    }

    /// The package's version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The package's edition of Rust.
    pub fn edition(&self) -> &str {
        &self.edition
    }

    /// The package's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The source file of each function, by the name of its binary.
    pub fn binaries(&self) -> &BTreeMap<String, PathBuf> {
        &self.binaries
    }

    /// The binaries of the workspace's other packages, and the excluded ones. The template
    /// may name them, too: the commands leave their functions alone.
    pub fn other_binaries(&self) -> &BTreeSet<String> {
        &self.other_binaries
    }

    /// The settings of the package's `Cargo.toml`.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The template's path.
    pub fn template_path(&self) -> &Path {
        &self.template
    }

    /// The template.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or has something that the local platform does not support.
    pub fn template(&self) -> Result<Template, Error> {
        Ok(Template::read(&self.template, &BTreeMap::new())?)
    }

    /// The path of a setting.
    pub fn path(&self, setting: &str) -> PathBuf {
        self.workspace.join(setting)
    }

    /// The name of a file in messages: its path in the workspace, or the whole path.
    pub fn name_of(&self, file: &Path) -> String {
        file.strip_prefix(&self.workspace).unwrap_or(file).display().to_string()
    }

    /// The group of a function's file: its folders in the package, without `src` and `bin`. Without
    /// such a folder it is the package's name.
    pub fn group(&self, file: &Path) -> String {
        let inside = file.strip_prefix(&self.folder).unwrap_or(file);
        let above = if inside.file_name() == Some(OsStr::new("main.rs")) { 2 } else { 1 };
        let folders = inside.ancestors().nth(above).unwrap_or(Path::new(""));
        let folders = folders.iter().map(OsStr::to_string_lossy);
        let folders: Vec<_> = folders.filter(|name| name != "src" && name != "bin").collect();
        if folders.is_empty() { self.package.clone() } else { folders.join("/") }
    }
}

/// The template in a folder. SAM and the emulator read both names.
fn template_in(folder: &Path) -> PathBuf {
    let templates = ["template.yaml", "template.yml"].map(|name| folder.join(name));
    let [usual, _] = &templates;
    templates.iter().find(|template| template.is_file()).unwrap_or(usual).clone()
}

fn settings(package: &Package) -> Result<Settings, Error> {
    match package.metadata.get("lifecycle") {
        Some(settings) => serde_json::from_value(settings.clone())
            .context(|| format!("[package.metadata.lifecycle] of {}", package.manifest_path)),
        None => Ok(Settings::default()),
    }
}

/// A package's binaries, with their source files.
fn binaries(package: &Package) -> impl Iterator<Item = (String, PathBuf)> {
    let binaries = package.targets.iter().filter(|it| it.kind.contains(&TargetKind::Bin));
    binaries.map(|target| (target.name.clone(), PathBuf::from(target.src_path.clone())))
}

/// The binaries of the workspace's other packages.
///
/// # Errors
///
/// If one has the name of a function: the template and cargo's target folder know only the name.
fn other_binaries(
    metadata: &Metadata,
    package: &Package,
    functions: &BTreeMap<String, PathBuf>,
) -> Result<BTreeSet<String>, Error> {
    let mut names = BTreeSet::new();
    for other in metadata.workspace_packages().into_iter().filter(|it| it.id != package.id) {
        for (name, _) in binaries(other) {
            if functions.contains_key(&name) {
                let (one, other) = (&package.name, &other.name);
                let error = format!("{one} and {other} both have a binary {name}: rename one");
                return Err(error.into());
            }
            names.insert(name);
        }
    }
    Ok(names)
}

fn named<'m>(metadata: &'m Metadata, name: &str) -> Result<&'m Package, Error> {
    let packages = metadata.workspace_packages();
    let found = packages.iter().find(|package| package.name.as_str() == name).copied();
    let all = || format!("the workspace has no package {name}; packages with binaries: ");
    found.ok_or_else(|| (all() + &names(&with_binaries(metadata))).into())
}

/// The only one of the packages with a binary of these names.
fn only_one<'m>(all: &[&'m Package], wanted: &BTreeSet<String>) -> Result<&'m Package, Error> {
    let is_wanted = |package: &&&Package| binaries(package).any(|(name, _)| wanted.contains(&name));
    let found: Vec<&'m Package> = all.iter().filter(is_wanted).copied().collect();
    match found[..] {
        [one] => Ok(one),
        [] => Err(format!(
            "the template names no binary of the workspace; choose one of its packages with --package: {}",
            names(all)
        )
        .into()),
        _ => Err(format!(
            "the template names binaries of several packages; choose one with --package: {}",
            names(&found)
        )
        .into()),
    }
}

fn with_binaries(metadata: &Metadata) -> Vec<&Package> {
    let mut packages = metadata.workspace_packages();
    packages.retain(|package| binaries(package).next().is_some());
    packages
}

fn names(packages: &[&Package]) -> String {
    packages.iter().map(|package| package.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// This repository, whose service the tests read.
#[cfg(test)]
pub(crate) fn repository() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).expect("the crate lies two directories below the workspace")
}

/// The service of this repository.
#[cfg(test)]
pub(crate) fn ours() -> Service {
    let workspace = Some(repository().to_owned());
    Service::find(&Location { workspace, ..Location::default() }).unwrap()
}

/// The same, with functions that are built once for all tests.
#[cfg(test)]
pub(crate) fn ours_built() -> Service {
    static BUILT: std::sync::LazyLock<Service> = std::sync::LazyLock::new(|| {
        let service = ours();
        descriptions::build(&service.workspace, &service.package).unwrap();
        service.without_building()
    });
    BUILT.clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Library;

    #[test]
    fn a_function_with_the_name_of_another_packages_binary_is_an_error_with_both_packages() {
        let library = Library::new("twice");
        let workspace = "[workspace]\nresolver = \"3\"\nmembers = [\"lending\", \"tools\"]\n";
        library.write("Cargo.toml", workspace);
        library.write("tools/Cargo.toml", "[package]\nname = \"tools\"\nedition = \"2024\"\n");
        let location = Location { package: Some("lending".to_owned()), ..library.location() };
        // The first is no function: the settings exclude it.
        library.write("tools/src/bin/seed.rs", "fn main() {}\n");
        assert!(Service::find(&location).unwrap().other_binaries().contains("seed"));
        library.write("tools/src/bin/get_book.rs", "fn main() {}\n");
        let error = Service::find(&location).unwrap_err().to_string();
        assert_eq!(error, "lending and tools both have a binary get_book: rename one");
    }

    #[test]
    fn a_workspace_without_binaries_is_an_error_with_its_packages() {
        let library = Library::new("models");
        library.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"models\"]\n");
        library.write("models/Cargo.toml", "[package]\nname = \"models\"\nedition = \"2024\"\n");
        library.write("models/src/lib.rs", "");
        let error = Service::find(&library.location()).unwrap_err().to_string();
        let expected = "no package of the workspace has a binary; choose one with --package";
        assert_eq!(error, format!("{expected}: models"));
    }

    #[test]
    fn the_template_may_have_the_shorter_name() {
        let library = Library::new("yml");
        assert_eq!(template_in(&library.path("")), library.path("template.yaml"));
        fs_err::rename(library.path("template.yaml"), library.path("template.yml")).unwrap();
        assert_eq!(template_in(&library.path("")), library.path("template.yml"));
        assert_eq!(template_in(&library.path("lending")), library.path("lending/template.yaml"));
    }
}
