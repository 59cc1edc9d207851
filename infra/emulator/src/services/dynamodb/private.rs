//! The data folder: it holds addresses and password hashes, so only its owner may read it.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

const FOLDER: u32 = 0o700;
const FILE: u32 = 0o600;
/// Set on folders that all users share, such as `/tmp`.
const STICKY: u32 = 0o1000;

/// Creates the folder and an empty file in it, both with access only for the owner.
/// `SQLite` copies this file's permissions to the files that it adds.
///
/// # Errors
/// If that fails, or all users share the folder.
pub(crate) fn prepare(folder: &Path, file: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(FOLDER).create(folder)?;
    if fs::metadata(folder)?.permissions().mode() & STICKY != 0 {
        return Err(io::Error::other("all users share it; name a folder inside it"));
    }
    OpenOptions::new().create(true).append(true).mode(FILE).open(file)?;
    close(folder, file)
}

/// Restricts the folder and its database files, also those of earlier runs, to the owner.
///
/// # Errors
/// If the permissions cannot be changed.
pub(super) fn close(folder: &Path, file: &Path) -> io::Result<()> {
    fs::set_permissions(folder, Permissions::from_mode(FOLDER))?;
    let name = file.file_name().unwrap_or_default().as_encoded_bytes();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // Database files, such as `tables.sqlite-wal`. Other files stay unchanged.
        let is_ours = entry.file_name().as_encoded_bytes().starts_with(name);
        // Do not follow links: their targets are outside the folder.
        if is_ours && entry.file_type()?.is_file() {
            fs::set_permissions(entry.path(), Permissions::from_mode(FILE))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_and_its_database_files_get_owner_only_permissions() {
        let folder = std::env::temp_dir().join(uuid::Uuid::new_v4().to_string()).join("data");
        let file = folder.join("tables.sqlite");
        fs::create_dir_all(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        let earlier = ["tables.sqlite", "tables.sqlite-wal", "tables.sqlite-shm"];
        for name in earlier {
            fs::write(folder.join(name), "").unwrap();
            fs::set_permissions(folder.join(name), Permissions::from_mode(0o644)).unwrap();
        }

        fs::write(folder.join("notes.txt"), "").unwrap();
        fs::set_permissions(folder.join("notes.txt"), Permissions::from_mode(0o644)).unwrap();

        prepare(&folder, &file).unwrap();

        assert_eq!(mode(&folder.join("notes.txt")), 0o644, "it is no database file");
        assert_eq!(mode(&folder), 0o700);
        for name in earlier {
            assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
        }
        fs::remove_dir_all(folder.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_folder_that_all_users_share_is_an_error_and_unchanged() {
        let folder = std::env::temp_dir().join(uuid::Uuid::new_v4().to_string());
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o1777)).unwrap();
        assert!(prepare(&folder, &folder.join("tables.sqlite")).is_err());
        assert_eq!(mode(&folder), 0o777);
        fs::remove_dir(&folder).unwrap();
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }
}
