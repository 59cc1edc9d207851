//! A hash of source files. The build script uses this file.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The hash of files, and of all files in folders, with their names.
pub(crate) fn hash_of(paths: &[&Path]) -> io::Result<String> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, &mut files)?;
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        let content = fs::read(&file)?;
        (file, content).hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        collect(&entry?.path(), files)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_changed_an_added_and_a_renamed_file_have_other_hashes() {
        let folder = std::env::temp_dir().join(format!("sources-{:016x}", fastrand::u64(..)));
        let inner = folder.join("records");
        fs::create_dir_all(&inner).unwrap();
        let mut hashes = BTreeSet::new();
        let mut count = || {
            hashes.insert(hash_of(&[&folder]).unwrap());
            hashes.len()
        };
        fs::write(inner.join("order.rs"), "1").unwrap();
        assert_eq!(count(), 1);
        assert_eq!(count(), 1, "nothing has changed");
        fs::write(inner.join("order.rs"), "2").unwrap();
        assert_eq!(count(), 2);
        fs::write(inner.join("product.rs"), "2").unwrap();
        assert_eq!(count(), 3);
        fs::rename(inner.join("product.rs"), inner.join("user.rs")).unwrap();
        assert_eq!(count(), 4);
        fs::remove_dir_all(&folder).unwrap();
        assert!(hash_of(&[&folder]).is_err(), "a missing source is an error");
    }
}
