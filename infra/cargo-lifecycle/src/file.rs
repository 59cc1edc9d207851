//! Files that are replaced as a whole, and their places.

use std::io::Write as _;
use std::path::{Component, Path};

use fs_err as fs;
use fs_err::{File, OpenOptions};
use tooling::Error;

/// Whether a whole path is in a folder.
pub(crate) fn is_in(folder: &Path, path: &Path) -> bool {
    names(path).starts_with(&names(folder))
}

/// The names in a whole path. A `..` removes the name before it.
pub(crate) fn names(path: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => names.push(name.to_string_lossy().into_owned()),
            Component::ParentDir => {
                names.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::CurDir => {}
        }
    }
    names
}

/// Replaces the text of a file, or creates it. After an interruption the file has its old text or the
/// new one, and no part of either, unless it was missing. It keeps its permissions, and a symbolic
/// link stays one.
///
/// # Errors
///
/// If the file is read-only, or its folder cannot be written to.
pub(crate) fn replace(path: &Path, text: &str) -> Result<(), Error> {
    // A pipe or a device is written to: a rename would put a file in its place.
    if !path.is_file() {
        return Ok(fs::write(path, text)?);
    }
    let path = fs::canonicalize(path)?;
    // The rename below would also replace a read-only file.
    OpenOptions::new().write(true).open(&path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let new = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let replaced = write(&new, &path, text);
    if replaced.is_err() {
        let _ = fs::remove_file(&new);
    }
    replaced
}

/// Writes a new file, and gives it the place of the old one, with its permissions.
fn write(new: &Path, place: &Path, text: &str) -> Result<(), Error> {
    let mut file = File::create(new)?;
    file.write_all(text.as_bytes())?;
    file.set_permissions(fs::metadata(place)?.permissions())?;
    file.sync_all()?;
    Ok(fs::rename(new, place)?)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;
    use crate::fixture::Library;

    #[test]
    fn a_reader_of_a_file_that_is_replaced_has_its_whole_old_text() {
        let library = Library::new("replaced");
        let path = library.path("template.yaml");
        let old = library.read("template.yaml");
        let mut reader = File::open(&path).unwrap();
        replace(&path, "new\n").unwrap();
        let mut read = String::new();
        reader.read_to_string(&mut read).unwrap();
        assert_eq!(read, old);
        assert_eq!(library.read("template.yaml"), "new\n");
    }

    #[test]
    fn a_replaced_file_keeps_its_permissions_and_a_link_stays_a_link() {
        let library = Library::new("linked");
        library.write("shared/template.yaml", "old\n");
        let (file, link) = (library.path("shared/template.yaml"), library.path("link.yaml"));
        fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        replace(&link, "new\n").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(library.read("shared/template.yaml"), "new\n");
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        let files = fs::read_dir(library.path("shared")).unwrap().count();
        assert_eq!(files, 1, "the new file has the place of the old one");
    }

    #[test]
    fn a_missing_file_is_created_and_a_missing_folder_is_an_error_with_the_path() {
        let library = Library::new("created");
        replace(&library.path("openapi.json"), "{}\n").unwrap();
        assert_eq!(library.read("openapi.json"), "{}\n");
        let error = replace(&library.path("none/openapi.json"), "{}\n").unwrap_err();
        assert!(error.to_string().contains("none/openapi.json"), "{error}");
    }
}
