//! A file of JSON lines in the data directory. Each change appends lines. The file is rewritten with
//! the present state at the start, and again when it has grown too large.
//!
//! The state of a killed process is complete: its writes are in the system's cache. A machine that
//! stops may lose the last lines.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::marker::PhantomData;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use super::dynamodb::prepare_private;
use super::error::DataError;

/// The size at which a file is rewritten, in bytes. The limit of a larger state is twice its size.
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// The state that the lines of a file result in.
pub(crate) trait State: Default {
    /// A change.
    type Line: Serialize + DeserializeOwned;

    /// Applies the next line.
    fn add(&mut self, line: Self::Line);

    /// The lines that result in this state.
    fn lines(&self) -> Vec<Self::Line>;
}

/// An open file of lines.
#[derive(Debug)]
pub(crate) struct LineFile<S> {
    path: PathBuf,
    file: File,
    bytes: usize,
    /// The size at which it is rewritten.
    bytes_max: usize,
    failure: DataFailure,
    state: PhantomData<fn() -> S>,
}

/// The first error of writing to the data directory. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct DataFailure(Arc<watch::Sender<Option<DataError>>>);

impl<S: State> LineFile<S> {
    /// Opens a file in a directory, and returns the state of earlier runs. Both are created if
    /// needed. A part of a line at the end is ignored: its process was killed.
    ///
    /// # Errors
    /// If the file cannot be used, or another line is invalid.
    pub(crate) fn open(
        directory: &Path,
        name: &str,
        failure: &DataFailure,
    ) -> io::Result<(Self, S)> {
        let path = directory.join(name);
        prepare_private(directory, &path)?;
        let state = read::<S>(&path)?;
        let (file, bytes) = rewrite(&path, &state)?;
        let bytes_max = bytes_max(bytes);
        let failure = failure.clone();
        Ok((Self { path, file, bytes, bytes_max, failure, state: PhantomData }, state))
    }

    /// Appends lines. After an error, no lines are appended any more.
    ///
    /// # Errors
    /// If they cannot be written.
    pub(crate) fn append(&mut self, lines: &[S::Line]) -> Result<(), DataError> {
        if let Some(error) = self.failure.get() {
            return Err(error);
        }
        self.try_append(lines).map_err(|source| self.failure.note(&self.path, &source))
    }

    fn try_append(&mut self, lines: &[S::Line]) -> io::Result<()> {
        let encoded = encode(lines)?;
        self.file.write_all(&encoded)?;
        self.bytes += encoded.len();
        if self.bytes > self.bytes_max {
            (self.file, self.bytes) = rewrite(&self.path, &read::<S>(&self.path)?)?;
            self.bytes_max = bytes_max(self.bytes);
        }
        Ok(())
    }
}

impl DataFailure {
    /// Waits for the first error.
    pub(crate) async fn wait(&self) -> DataError {
        let mut errors = self.0.subscribe();
        loop {
            let error = errors.borrow_and_update().clone();
            if let Some(error) = error {
                return error;
            }
            errors.changed().await.expect("this holds the sender");
        }
    }

    fn get(&self) -> Option<DataError> {
        self.0.borrow().clone()
    }

    /// Notes an error, unless there was one before.
    pub(crate) fn note(&self, path: &Path, source: &io::Error) -> DataError {
        let error = DataError { path: path.to_owned(), reason: source.to_string() };
        self.0.send_if_modified(|first| {
            let is_first = first.is_none();
            if is_first {
                *first = Some(error.clone());
            }
            is_first
        });
        error
    }
}

fn bytes_max(bytes: usize) -> usize {
    BYTES_MAX.max(bytes.saturating_mul(2))
}

fn read<S: State>(path: &Path) -> io::Result<S> {
    let bytes = fs::read(path)?;
    let complete = bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or_default();
    let mut state = S::default();
    for (place, line) in bytes[..complete].split(|byte| *byte == b'\n').enumerate() {
        // An empty file has one empty line.
        if line.is_empty() {
            continue;
        }
        let line = serde_json::from_slice(line).map_err(|error| {
            let text = format!("{}, line {}: {error}", path.display(), place + 1);
            io::Error::new(io::ErrorKind::InvalidData, text)
        })?;
        state.add(line);
    }
    Ok(state)
}

/// Replaces the file. Returns it, open at its end, and its size.
fn rewrite<S: State>(path: &Path, state: &S) -> io::Result<(File, usize)> {
    let encoded = encode(&state.lines())?;
    let new = path.with_extension("jsonl.new");
    let mut file =
        OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(&encoded)?;
    // The new file is complete before it replaces the old one, even if the machine stops.
    file.sync_all()?;
    fs::rename(&new, path)?;
    Ok((file, encoded.len()))
}

fn encode<L: Serialize>(lines: &[L]) -> io::Result<Vec<u8>> {
    let mut encoded = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut encoded, line)?;
        encoded.push(b'\n');
    }
    Ok(encoded)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    /// The last three numbers.
    #[derive(Debug, Default, PartialEq)]
    struct LastThree(Vec<u32>);

    impl State for LastThree {
        type Line = u32;

        fn add(&mut self, line: u32) {
            self.0.push(line);
            self.0.drain(..self.0.len().saturating_sub(3));
        }

        fn lines(&self) -> Vec<u32> {
            self.0.clone()
        }
    }

    fn directory() -> PathBuf {
        std::env::temp_dir().join(uuid::Uuid::new_v4().to_string())
    }

    fn open(directory: &Path) -> io::Result<(LineFile<LastThree>, LastThree)> {
        LineFile::open(directory, "numbers.jsonl", &DataFailure::default())
    }

    #[test]
    fn the_next_run_has_the_state_and_a_rewritten_file() {
        let directory = directory();
        let (mut file, state) = open(&directory).unwrap();
        assert_eq!(state, LastThree::default());
        file.append(&[1, 2]).unwrap();
        file.append(&[3, 4]).unwrap();

        let (_, state) = open(&directory).unwrap();

        assert_eq!(state.0, [2, 3, 4]);
        assert_eq!(fs::read_to_string(directory.join("numbers.jsonl")).unwrap(), "2\n3\n4\n");
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn a_part_of_a_last_line_is_ignored_another_invalid_line_is_an_error() {
        let directory = directory();
        open(&directory).unwrap();
        for (text, kept) in [("1\n2\n34", &[1, 2][..]), ("1", &[]), ("1\n", &[1])] {
            fs::write(directory.join("numbers.jsonl"), text).unwrap();
            assert_eq!(open(&directory).unwrap().1.0, kept, "{text:?}");
        }
        fs::write(directory.join("numbers.jsonl"), "1\n{\n3\n").unwrap();
        let error = open(&directory).unwrap_err().to_string();
        assert!(error.contains("numbers.jsonl, line 2: "), "{error}");
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn a_file_that_has_grown_too_large_is_rewritten_and_continued() {
        let directory = directory();
        let (mut file, _) = open(&directory).unwrap();
        file.bytes_max = 10;
        for number in 1..=5 {
            file.append(&[number]).unwrap();
        }
        assert_eq!(file.bytes, 10);
        file.append(&[6]).unwrap();
        assert_eq!((file.bytes, file.bytes_max), (6, BYTES_MAX));
        file.append(&[7]).unwrap();
        let text = fs::read_to_string(directory.join("numbers.jsonl")).unwrap();
        assert_eq!(text, "4\n5\n6\n7\n");
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn the_first_error_ends_the_writing_and_is_reported() {
        let directory = directory();
        let failure = DataFailure::default();
        let (mut file, _) =
            LineFile::<LastThree>::open(&directory, "numbers.jsonl", &failure).unwrap();
        assert!(failure.wait().now_or_never().is_none());
        let read_only = File::open(directory.join("numbers.jsonl")).unwrap();
        let writable = std::mem::replace(&mut file.file, read_only);

        let error = file.append(&[1]).unwrap_err().to_string();

        assert!(error.contains("numbers.jsonl cannot be written: "), "{error}");
        assert_eq!(failure.wait().now_or_never().unwrap().to_string(), error);
        file.file = writable;
        assert_eq!(file.append(&[2]).unwrap_err().to_string(), error);
        fs::remove_dir_all(directory).unwrap();
    }
}
