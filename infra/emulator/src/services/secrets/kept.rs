//! The secrets' current values in a data directory, so that tokens and page cursors of earlier runs
//! stay valid. Other versions of a secret are not kept.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::services::dynamodb::prepare_private;

const FILE_NAME: &str = "secrets.json";

/// The values of this run and of earlier ones, by the secrets' names. Without a directory, none.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    file: Option<PathBuf>,
    values: Mutex<BTreeMap<String, String>>,
}

impl Kept {
    /// Reads the values in a directory, which is created if needed.
    ///
    /// # Errors
    /// If the directory or its file cannot be used.
    pub(crate) fn read(directory: Option<&Path>) -> io::Result<Self> {
        let Some(directory) = directory else { return Ok(Self::default()) };
        let file = directory.join(FILE_NAME);
        prepare_private(directory, &file)?;
        let text = fs::read(&file)?;
        let values = if text.is_empty() { BTreeMap::new() } else { serde_json::from_slice(&text)? };
        Ok(Self { file: Some(file), values: Mutex::new(values) })
    }

    /// Whether values are kept at all.
    pub(super) fn is_on(&self) -> bool {
        self.file.is_some()
    }

    /// The value of a secret.
    pub(super) fn value(&self, name: &str) -> Option<String> {
        self.values().get(name).cloned()
    }

    /// Keeps the value of a secret.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn keep(&self, name: &str, value: &str) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut values = self.values();
        values.insert(name.to_owned(), value.to_owned());
        // A process that is killed leaves one of the two files whole.
        let new = file.with_extension("json.new");
        let mut writer =
            OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&new)?;
        writer.write_all(&serde_json::to_vec(&*values)?)?;
        fs::rename(&new, file)
    }

    fn values(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_value_is_read_by_the_next_run() {
        let directory = std::env::temp_dir().join(uuid::Uuid::new_v4().to_string());
        let kept = Kept::read(Some(&directory)).unwrap();
        assert_eq!(kept.value("keys"), None);
        kept.keep("keys", "old").unwrap();
        kept.keep("keys", "new").unwrap();
        let next = Kept::read(Some(&directory)).unwrap();
        assert_eq!(next.value("keys").as_deref(), Some("new"));
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn without_a_directory_nothing_is_kept() {
        let kept = Kept::read(None).unwrap();
        kept.keep("keys", "new").unwrap();
        assert!(!kept.is_on());
        assert_eq!(kept.value("keys"), None);
    }
}
