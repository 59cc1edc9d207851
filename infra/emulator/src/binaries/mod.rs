//! Builds the functions' binaries with cargo, finds them, and watches for rebuilt ones.

mod cargo;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sam_template::Code;

pub(crate) use self::cargo::Build;
pub use self::cargo::BuildError;
use self::cargo::Project;
pub(crate) use self::watch::watch;

/// The directories that a template's code refers to.
#[derive(Clone, Copy)]
pub(crate) struct Places<'a> {
    /// The cargo workspace of the functions.
    pub(crate) workspace: &'a Path,
    /// The template's directory, which `CodeUri` is relative to.
    pub(crate) template: &'a Path,
}

/// The program of a function.
enum Program {
    /// A file that exists.
    File(PathBuf),
    /// A binary of a project, by the project's root.
    Target { root: PathBuf, name: String },
}

/// Builds the functions' binaries and returns their paths.
///
/// `CodeUri` is the directory of a crate or a workspace with one binary, or a path whose last part
/// names a binary of the workspace or of the project around it, as cargo-lambda writes them, or a
/// directory with a `bootstrap`.
pub(crate) async fn find(
    places: Places<'_>,
    codes: &BTreeSet<Code>,
    how: Build,
) -> Result<BTreeMap<Code, PathBuf>, BuildError> {
    let mut projects = Projects::default();
    let mut programs = Vec::new();
    for code in codes {
        let program = match code {
            Code::Directory(directory) => in_directory(places, directory, &mut projects).await?,
            Code::Binary { name, directory } => {
                named(places, name, directory, &mut projects).await?
            }
            other => return Err(BuildError::Missing(format!("{other:?}"))),
        };
        programs.push((code, program));
    }
    if how.build {
        for (root, names) in targets(&programs) {
            if let Some(project) = projects.by_root.get_mut(&root) {
                project.build(&names, how).await?;
            }
        }
    }
    let located = programs.into_iter().map(|(code, program)| {
        let path = match program {
            Program::File(path) => path,
            Program::Target { root, name } => projects.by_root[&root].binary(&name, how)?,
        };
        Ok((code.clone(), path))
    });
    located.collect()
}

/// The binaries to build, by the roots of their projects.
fn targets(programs: &[(&Code, Program)]) -> BTreeMap<PathBuf, BTreeSet<String>> {
    let mut targets = BTreeMap::<PathBuf, BTreeSet<String>>::new();
    for (_, program) in programs {
        if let Program::Target { root, name } = program {
            targets.entry(root.clone()).or_default().insert(name.clone());
        }
    }
    targets
}

/// The binary of this name in the workspace, or else in the project at `CodeUri`.
async fn named(
    places: Places<'_>,
    name: &str,
    directory: &str,
    projects: &mut Projects,
) -> Result<Program, BuildError> {
    for path in [places.workspace, &places.template.join(directory)] {
        if let Some(program) = named_around(path, name, projects).await? {
            return Ok(program);
        }
    }
    Err(BuildError::Missing(name.to_owned()))
}

/// The binary of this name in the project that a path is in, whether the path exists or not.
async fn named_around(
    path: &Path,
    name: &str,
    projects: &mut Projects,
) -> Result<Option<Program>, BuildError> {
    let Ok(absolute) = std::path::absolute(path) else { return Ok(None) };
    match absolute.ancestors().find(|it| it.join("Cargo.toml").is_file()) {
        Some(directory) => Ok(projects.at(directory).await?.named(name)),
        None => Ok(None),
    }
}

/// The program that `CodeUri` means.
async fn in_directory(
    places: Places<'_>,
    directory: &str,
    projects: &mut Projects,
) -> Result<Program, BuildError> {
    let candidates = [places.template.join(directory), places.workspace.join(directory)];
    let crates = candidates.iter().find(|path| path.join("Cargo.toml").is_file());
    if let Some(path) = crates {
        let project = projects.at(path).await?;
        return match project.binaries_of(path).as_slice() {
            [name] => Ok(project.target(name)),
            [] => Err(BuildError::NoBinary(path.clone())),
            several => Err(BuildError::Several {
                directory: directory.to_owned(),
                binaries: several.join(", "),
            }),
        };
    }
    if let Some(name) = Path::new(directory).file_name().and_then(|name| name.to_str()) {
        for path in [places.workspace, &candidates[0]] {
            if let Some(program) = named_around(path, name, projects).await? {
                return Ok(program);
            }
        }
    }
    let mut files = candidates.iter().map(|path| path.join("bootstrap"));
    match files.find(|path| path.is_file()) {
        Some(file) => Ok(Program::File(file)),
        None => Err(BuildError::NoBinary(candidates[0].clone())),
    }
}

/// The cargo projects, by the roots of their workspaces.
#[derive(Default)]
struct Projects {
    by_root: BTreeMap<PathBuf, Project>,
    roots: BTreeMap<PathBuf, PathBuf>,
}

impl Projects {
    /// The project that a directory belongs to.
    async fn at(&mut self, directory: &Path) -> Result<&Project, BuildError> {
        if !self.roots.contains_key(directory) {
            let project = Project::read(directory).await?;
            self.roots.insert(directory.to_owned(), project.root.clone());
            self.by_root.entry(project.root.clone()).or_insert(project);
        }
        Ok(&self.by_root[&self.roots[directory]])
    }
}

impl Project {
    /// The binary of this name, if the project has it.
    fn named(&self, name: &str) -> Option<Program> {
        self.package_of(name).map(|_| self.target(name))
    }

    fn target(&self, name: &str) -> Program {
        Program::Target { root: self.root.clone(), name: name.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOW: Build = Build { build: false, release: false, verbose: false };

    /// The path of a function's binary, whether it has been built or not.
    async fn found(directory: &Path, code: Code) -> Result<PathBuf, BuildError> {
        let places = Places { workspace: directory, template: directory };
        match find(places, &BTreeSet::from([code.clone()]), HOW).await {
            Ok(mut all) => Ok(all.remove(&code).unwrap()),
            Err(BuildError::NotBuilt(path)) => Ok(path),
            Err(error) => Err(error),
        }
    }

    /// A new directory with these files.
    fn directory(files: &[(&str, &str)]) -> PathBuf {
        let directory = std::env::temp_dir().join(uuid::Uuid::new_v4().to_string());
        for (path, content) in files {
            let path = directory.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        directory
    }

    fn crate_of(name: &str) -> String {
        format!("[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2021\"\n")
    }

    #[tokio::test]
    async fn a_binary_that_no_package_has_is_an_error_with_its_name() {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");

        let (name, directory) = ("no_such_function".to_owned(), ".".to_owned());
        let code = Code::Binary { name, directory };
        let error = found(&workspace, code).await.unwrap_err();

        assert!(error.to_string().contains("no_such_function"), "{error}");
    }

    #[tokio::test]
    async fn code_uri_is_a_crate_a_binary_of_cargo_lambda_or_a_bootstrap() {
        let main = "fn main() {}\n";
        let root = directory(&[
            ("Cargo.toml", "[workspace]\nmembers = [\"a\"]\nresolver = \"2\"\n"),
            ("a/Cargo.toml", &crate_of("get-a")),
            ("a/src/main.rs", main),
            ("zip/bootstrap", ""),
        ]);
        let at = |path: &str| Code::Directory(path.to_owned());

        for (code, expected) in [
            ("a", "debug/get-a"),
            (".", "debug/get-a"),
            ("target/lambda/get-a/", "debug/get-a"),
            ("zip", "zip/bootstrap"),
        ] {
            let found = found(&root, at(code)).await.unwrap();
            assert!(found.ends_with(expected), "{code}: {}", found.display());
        }
        let error = found(&root, at("nothing")).await.unwrap_err().to_string();
        assert!(error.contains("nothing") && error.contains("BuildProperties"), "{error}");
        std::fs::remove_dir_all(&root).unwrap();
    }

    #[tokio::test]
    async fn a_binary_that_was_last_built_for_a_named_target_is_in_that_targets_folder() {
        use std::env::consts::{ARCH, OS};

        let expected = format!("target/{ARCH}-unknown-{OS}-gnu/debug/page");
        let root = directory(&[
            ("Cargo.toml", &crate_of("page")),
            ("src/main.rs", "fn main() {}\n"),
            (&expected, ""),
            ("target/other-unknown-none/debug/page", ""),
        ]);

        let found = found(&root, Code::Directory(".".to_owned())).await.unwrap();

        assert!(found.ends_with(&expected), "{}", found.display());
        std::fs::remove_dir_all(&root).unwrap();
    }

    #[tokio::test]
    async fn a_binary_of_cargo_lambda_belongs_to_the_crate_around_it() {
        let root = directory(&[
            ("front/Cargo.toml", &crate_of("page")),
            ("front/src/main.rs", "fn main() {}\n"),
        ]);
        let (name, directory) = ("page".to_owned(), "front/target/lambda/page/".to_owned());

        for code in [Code::Directory(directory.clone()), Code::Binary { name, directory }] {
            let found = found(&root, code.clone()).await.unwrap();
            assert!(found.ends_with("debug/page"), "{code:?}: {}", found.display());
        }
        std::fs::remove_dir_all(&root).unwrap();
    }

    #[tokio::test]
    async fn a_crate_with_several_binaries_is_an_error_that_names_them() {
        let main = "fn main() {}\n";
        let root = directory(&[
            ("Cargo.toml", &crate_of("both")),
            ("src/bin/one.rs", main),
            ("src/bin/two.rs", main),
        ]);

        let error = found(&root, Code::Directory(".".to_owned())).await.unwrap_err().to_string();

        assert!(error.contains("one, two") && error.contains("BuildProperties"), "{error}");
        std::fs::remove_dir_all(&root).unwrap();
    }
}
