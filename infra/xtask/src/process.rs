//! Running and ending other programs.

use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::context::Context;
use crate::descriptions::Error;

/// The time limit for a process to end.
const END_LIMIT: Duration = Duration::from_secs(30);

/// Runs a command and waits for its end.
///
/// # Errors
///
/// If it cannot run, or fails.
pub(crate) fn succeeded(command: &mut std::process::Command) -> Result<(), Error> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}").into()),
        Err(error) => Err(format!("{command:?}: {error}").into()),
    }
}

/// Sends SIGTERM, so that the process also ends its children, and waits until it has ended.
///
/// # Errors
///
/// If it had already ended, or does not end in time.
pub(crate) async fn end(process: &mut Child) -> Result<(), Error> {
    let id = process.id().ok_or("the process has already ended")?;
    Command::new("kill").arg(id.to_string()).status().await.context(|| "kill")?;
    let ended = timeout(END_LIMIT, process.wait()).await;
    ended.map_err(|_| format!("process {id} does not end within {END_LIMIT:?}"))??;
    Ok(())
}
