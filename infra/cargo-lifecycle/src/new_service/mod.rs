//! `cargo lifecycle new-service`: writes a service of a query, a command, a consumer and a relay,
//! with their tests and their template.
//!
//! `cargo lambda new --template CHECKOUT/infra/starter NAME` writes the same files: they are a template
//! of cargo-lambda, which renders some of them by Liquid. The service's name is their only variable.

mod checkout;
mod files;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap::Args;
use tooling::{Error, say};

use self::checkout::Checkout;
use self::files::{FILES, MANIFEST, NAME, WORKFLOW};

/// The maximum length of a service's name: with the longest name of a function, a name on Lambda has
/// at most 64 characters.
const CHARACTERS_MAX: usize = 23;

/// A new service.
#[derive(Debug, Clone, Args)]
pub struct NewService {
    /// Its folder, which is created, or empty except for `.git`. The folder's name is the name of the
    /// service and of its stack.
    pub folder: PathBuf,
    /// Depends on the crates in this checkout of their repository, not on their published versions.
    /// The service has no workflow of checks then, since a workflow has no such folder.
    #[arg(long, value_name = "CHECKOUT")]
    pub path: Option<PathBuf>,
}

/// Writes the files of a new service.
///
/// # Errors
///
/// If the folder has files or no suitable name, or if a file cannot be written.
pub fn create(new: &NewService) -> Result<(), Error> {
    // A path such as `.` has no name.
    let folder = match new.folder.file_name() {
        Some(_) => new.folder.clone(),
        None => fs_err::canonicalize(&new.folder)?,
    };
    let name = name_of(&folder)?;
    if new.folder.exists() && has_files(&new.folder)? {
        return Err(format!("{} has files already", new.folder.display()).into());
    }
    let checkout = new.path.as_deref().map(Checkout::at).transpose()?;
    write_all(&folder, &rendered(name, checkout.as_ref())?)?;
    say(&next_steps(&new.folder, checkout.as_ref()));
    Ok(())
}

/// Whether a folder has anything besides the repository that `git init` makes.
fn has_files(folder: &Path) -> Result<bool, Error> {
    for entry in fs_err::read_dir(folder)? {
        if entry?.file_name() != ".git" {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The path and the text of each file. With a checkout there is no workflow: on its machine the paths
/// of the crates do not exist.
fn rendered(name: &str, checkout: Option<&Checkout>) -> Result<Vec<(&'static str, String)>, Error> {
    let named = FILES.map(|(path, text)| (path, text.replace(NAME, name)));
    let mut files = Vec::from(named);
    let Some(checkout) = checkout else { return Ok(files) };
    for (_, text) in files.iter_mut().filter(|(path, _)| *path == MANIFEST) {
        *text = checkout.with_paths(text)?;
    }
    files.retain(|(path, _)| *path != WORKFLOW);
    files.push(("Cargo.lock", checkout.lock()?));
    Ok(files)
}

/// The name of a service: that of its folder, which is also a name for a stack.
fn name_of(folder: &Path) -> Result<&str, Error> {
    let name = folder.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|one| one.is_ascii_alphanumeric() || one == '-')
        && name.len() <= CHARACTERS_MAX;
    if is_name {
        return Ok(name);
    }
    Err(format!(
        "{name:?} is not a name for a service: use a-z, A-Z, 0-9 and hyphens, neither a digit nor a \
         hyphen first, and {CHARACTERS_MAX} characters at most"
    )
    .into())
}

/// Writes all files or none: the command refuses a folder that has files.
fn write_all(folder: &Path, files: &[(&str, String)]) -> Result<(), Error> {
    let written = files.iter().try_for_each(|(path, text)| write(&folder.join(path), text));
    if written.is_err() {
        for (path, _) in files {
            let _ = fs_err::remove_file(folder.join(path));
            let above = Path::new(path).ancestors().skip(1);
            for empty in above.filter(|above| !above.as_os_str().is_empty()) {
                let _ = fs_err::remove_dir(folder.join(empty));
            }
        }
    }
    written
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder)?;
    }
    Ok(fs_err::write(path, text)?)
}

/// A path, quoted as an argument for a shell.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    if path.chars().all(|one| one.is_alphanumeric() || "/._-".contains(one)) {
        return path;
    }
    format!("'{}'", path.replace('\'', r"'\''"))
}

fn next_steps(folder: &Path, checkout: Option<&Checkout>) -> String {
    let install = match checkout {
        Some(checkout) => checkout.install("infra/emulator"),
        None => "cargo install --locked lambda-emulator".to_owned(),
    };
    format!(
        "Written: {}. Next steps:

  {install}
  cd {}
  cargo lifecycle new-endpoint get_greeting GET '/greetings/{{name}}'
  lambda-emulator             runs the service on http://127.0.0.1:3000
  cargo test --workspace      tests the functions, and the API on the emulator",
        folder.display(),
        quoted(folder)
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::service::{Location, Service};

    /// A folder for a new service, which is removed at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let unique = format!("new-service-{name}-{}", std::process::id());
            Self(std::env::temp_dir().join(unique).join("notes"))
        }

        fn create(&self, path: Option<&Path>) -> Result<(), Error> {
            create(&NewService { folder: self.0.clone(), path: path.map(Path::to_owned) })
        }

        fn read(&self, path: &str) -> String {
            fs_err::read_to_string(self.0.join(path)).unwrap()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = self.0.parent().map(fs_err::remove_dir_all);
        }
    }

    #[test]
    fn a_new_service_has_its_name_and_a_template_of_all_its_binaries() {
        let folder = Folder::new("name");
        folder.create(None).unwrap();
        for (path, _) in FILES {
            let text = folder.read(path);
            assert!(!text.contains("{{") && !text.contains("{%"), "{path}: Liquid reads it");
        }
        assert!(folder.read("samconfig.toml").contains("stack_name = \"notes\""));
        let location = Location { workspace: Some(folder.0.clone()), ..Location::default() };
        let service = Service::find(&location).unwrap();
        let binaries: BTreeSet<String> = service.binaries().keys().cloned().collect();
        assert_eq!(service.template().unwrap().binaries(), binaries);
        assert_eq!(service.settings().openapi.info["title"], "notes");
        let again = folder.create(None).unwrap_err().to_string();
        assert!(again.ends_with("notes has files already"), "{again}");
    }

    #[test]
    fn a_folder_with_git_alone_gets_the_files_and_keeps_the_repository() {
        let folder = Folder::new("git");
        let head = folder.0.join(".git/HEAD");
        write(&head, "ref: refs/heads/main\n").unwrap();
        folder.create(None).unwrap();
        assert!(folder.0.join(MANIFEST).is_file());
        assert_eq!(folder.read(".git/HEAD"), "ref: refs/heads/main\n");
        assert_eq!(fs_err::read_dir(folder.0.join(".git")).unwrap().count(), 1);
    }

    #[test]
    fn with_a_checkout_a_new_service_depends_on_its_crates_and_has_its_versions() {
        let folder = Folder::new("path");
        folder.create(Some(crate::service::repository())).unwrap();
        let manifest: toml::Table = toml::from_str(&folder.read(MANIFEST)).unwrap();
        let dependencies = manifest["workspace"]["dependencies"].as_table().unwrap();
        let with_path = dependencies.iter().filter(|(_, it)| it.get("path").is_some());
        let names: Vec<&str> = with_path.map(|(key, _)| key.as_str()).collect();
        assert_eq!(names, checkout::CRATES.map(|(key, _)| key));
        for (key, crate_folder) in checkout::CRATES {
            let path = Path::new(dependencies[key]["path"].as_str().unwrap());
            assert!(path.ends_with(crate_folder) && path.join("Cargo.toml").is_file(), "{key}");
        }
        assert!(folder.read("Cargo.lock").contains("name = \"lambda_runtime\""));
        assert!(!folder.0.join(WORKFLOW).exists(), "its paths exist on this machine only");
        let elsewhere = Folder::new("elsewhere").create(Some(&folder.0)).unwrap_err().to_string();
        assert!(elsewhere.contains("shared/aws/Cargo.toml"), "{elsewhere}");
    }

    #[test]
    fn the_published_dependencies_are_the_packages_of_this_repository() {
        let manifest = FILES.iter().find(|(path, _)| *path == MANIFEST).unwrap().1;
        let manifest: toml::Table = toml::from_str(manifest).unwrap();
        for (key, folder) in checkout::CRATES {
            let named = manifest["workspace"]["dependencies"][key]["package"].as_str();
            let package = checkout::package_in(&crate::service::repository().join(folder)).unwrap();
            assert_eq!(named, Some(package.as_str()), "{key}");
        }
    }

    #[test]
    fn a_new_service_has_all_files_of_the_starter() {
        let starter = crate::service::repository().join("infra/starter");
        let (mut folders, mut found) = (vec![starter.clone()], BTreeSet::new());
        while let Some(folder) = folders.pop() {
            for entry in fs_err::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(&starter).unwrap();
                    found.insert(name.to_str().unwrap().to_owned());
                }
            }
        }
        // The settings of cargo-lambda, which renders the other files.
        assert!(found.remove("CargoLambda.toml"));
        assert_eq!(found, BTreeSet::from(FILES.map(|(path, _)| path.to_owned())));
    }

    #[test]
    fn files_that_cannot_all_be_written_leave_an_empty_folder() {
        let library = crate::fixture::Library::new("half");
        let folder = library.path("notes");
        let text = || "text".to_owned();
        // The last path has a file in the place of a folder.
        let files = [("src/bin/a.rs", text()), ("b.rs", text()), ("b.rs/c.rs", text())];
        write_all(&folder, &files).unwrap_err();
        assert_eq!(fs_err::read_dir(&folder).unwrap().count(), 0);
        write_all(&folder, &files[..2]).unwrap();
        assert_eq!(fs_err::read_to_string(folder.join("src/bin/a.rs")).unwrap(), "text");
    }

    #[test]
    fn a_dot_is_the_folder_that_it_refers_to() {
        // The folders of this package and of its neighbours have suitable names.
        for folder in [".", ".."] {
            let new = NewService { folder: folder.into(), path: None };
            let error = create(&new).unwrap_err().to_string();
            assert_eq!(error, format!("{folder} has files already"));
        }
    }

    #[test]
    fn a_path_with_blanks_is_one_argument() {
        for (path, word) in [
            ("../notes-2", "../notes-2"),
            ("/my work/notes", "'/my work/notes'"),
            ("it's/notes", r"'it'\''s/notes'"),
        ] {
            assert_eq!(quoted(Path::new(path)), word);
        }
    }

    #[test]
    fn a_folder_whose_name_no_stack_can_have_is_an_error() {
        for (folder, taken) in [
            ("notes", true),
            ("../my-notes2", true),
            ("my_notes", false),
            ("2notes", false),
            ("..", false),
            ("a-name-of-24-characters-", false),
        ] {
            assert_eq!(name_of(Path::new(folder)).is_ok(), taken, "{folder}");
        }
    }
}
