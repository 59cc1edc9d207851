//! The lock of a data directory: two platforms would use different queues and keys with one set of
//! tables.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::private;
use crate::services::error::StartError;

/// The locked file. Its name begins like the database's, so that its permissions are kept, too.
const FILE_NAME: &str = "tables.sqlite.lock";

/// How long a platform waits for the end of the one before.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(50);

/// Locks a directory, which is created if needed. The lock ends with the file.
///
/// # Errors
/// If the directory cannot be used, or another platform has locked it.
pub(crate) async fn lock_directory(directory: &Path) -> Result<File, StartError> {
    let unusable = |source| StartError::Data { path: directory.to_owned(), source };
    let path = directory.join(FILE_NAME);
    private::prepare(directory, &path).map_err(unusable)?;
    let file = OpenOptions::new().append(true).open(&path).map_err(unusable)?;
    let end = Instant::now() + PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
            Err(TryLockError::WouldBlock) if Instant::now() >= end => {
                return Err(StartError::DataInUse(directory.to_owned()));
            }
            Err(TryLockError::WouldBlock) => sleep(PAUSE).await,
        }
    }
}
