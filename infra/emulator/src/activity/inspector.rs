//! The socket by which a function's lifecycle reports its stages: one JSON object a line.
//!
//! Its path is in `LIFECYCLE_INSPECTOR` of every process. It is in a new directory that only this
//! user can open, and is removed with the platform. A line that is too long or of an unknown type is
//! ignored, so that functions of another version can connect.

use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::handle::Activity;
use super::reported::Line;

/// The most bytes of a line.
const LINE_BYTES_MAX: u64 = 256 * 1024;

/// The most connections: each process has one.
const CONNECTIONS_MAX: usize = 1_000;

/// The open socket. Dropping it ends its tasks and removes its directory.
#[derive(Debug)]
pub(crate) struct Inspector {
    directory: PathBuf,
    _tasks: JoinSet<()>,
}

/// Receives the reports of lines that are ignored.
pub(crate) type Report = Arc<dyn Fn(&str) + Send + Sync>;

impl Inspector {
    /// Opens the socket of a platform's records. `report` gets one sentence about the first line
    /// that is ignored.
    ///
    /// # Errors
    /// If the directory or the socket cannot be created.
    pub(crate) fn open(activity: &Activity, report: Report) -> io::Result<Self> {
        // The path of a socket has at most some hundred bytes: the name is short.
        let name = Uuid::new_v4().simple().to_string();
        let directory = std::env::temp_dir().join(format!("lambda-{}", &name[..16]));
        std::fs::DirBuilder::new().mode(0o700).create(&directory)?;
        let path = directory.join("inspector");
        let listener = UnixListener::bind(&path).inspect_err(|_| remove(&directory))?;
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, activity.clone(), report));
        // The first socket of the records is the only one.
        let _ = activity.shared.inspector.set(path.display().to_string());
        Ok(Self { directory, _tasks: tasks })
    }
}

impl Drop for Inspector {
    fn drop(&mut self) {
        remove(&self.directory);
    }
}

fn remove(directory: &Path) {
    // A directory that is left over is empty but for a closed socket.
    let _ = std::fs::remove_dir_all(directory);
}

async fn accept(listener: UnixListener, activity: Activity, report: Report) {
    let ignored = Arc::new(AtomicBool::new(false));
    let mut readers = JoinSet::new();
    loop {
        let (stream, _) = crate::accept::accepted(|| listener.accept()).await;
        while readers.try_join_next().is_some() {}
        if readers.len() < CONNECTIONS_MAX {
            let (report, ignored) = (Arc::clone(&report), Arc::clone(&ignored));
            readers.spawn(read(stream, activity.clone(), report, ignored));
        }
    }
}

async fn read(stream: UnixStream, activity: Activity, report: Report, ignored: Arc<AtomicBool>) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while let Ok(Some(is_whole)) = next_line(&mut reader, &mut line).await {
        let sentence = match serde_json::from_slice(&line) {
            _ if !is_whole => "a record of the inspector is too long; it is ignored".to_owned(),
            Ok(Line::Unknown) => {
                "the inspector does not know the type of a record; it is ignored".to_owned()
            }
            Ok(known) => {
                activity.inspected(known, line.len());
                continue;
            }
            Err(error) => format!("a record of the inspector is invalid; it is ignored: {error}"),
        };
        if !ignored.swap(true, Ordering::Relaxed) {
            report(&sentence);
        }
    }
}

/// Reads the next line. Returns whether it is whole, or else too long; `None` at the end.
async fn next_line(
    reader: &mut (impl AsyncBufRead + Unpin),
    line: &mut Vec<u8>,
) -> io::Result<Option<bool>> {
    line.clear();
    let read = (&mut *reader).take(LINE_BYTES_MAX).read_until(b'\n', line).await?;
    if read == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        return Ok(Some(true));
    }
    // Skip the rest in parts, so that no line is held whole.
    let mut rest = Vec::new();
    while rest.last() != Some(&b'\n') {
        rest.clear();
        let read = (&mut *reader).take(LINE_BYTES_MAX).read_until(b'\n', &mut rest).await?;
        if read == 0 {
            return Ok(None);
        }
    }
    Ok(Some(false))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn a_line_that_is_too_long_is_skipped() {
        let limit = usize::try_from(LINE_BYTES_MAX).unwrap();
        let text = format!("{}\nshort\n", "x".repeat(limit * 2 + 7));
        let mut reader = text.as_bytes();
        let mut line = Vec::new();

        assert_eq!(next_line(&mut reader, &mut line).await.unwrap(), Some(false));
        assert_eq!(next_line(&mut reader, &mut line).await.unwrap(), Some(true));
        assert_eq!(line, b"short\n");
        assert_eq!(next_line(&mut reader, &mut line).await.unwrap(), None);
    }

    #[tokio::test]
    async fn the_directory_is_private_and_is_removed_at_the_end() {
        let activity = Activity::default();
        let inspector = Inspector::open(&activity, Arc::new(|_: &str| {})).unwrap();
        let path = PathBuf::from(activity.inspector().unwrap());
        let directory = path.parent().unwrap();

        let mode = std::fs::metadata(directory).unwrap().permissions().mode();

        assert_eq!(mode & 0o777, 0o700);
        assert!(path.exists());
        drop(inspector);
        assert!(!directory.exists());
    }
}
