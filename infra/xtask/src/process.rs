//! Other programs, and their ending in good order.

use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::context::Context;
use crate::descriptions::Error;

/// How long a process may take to end.
const END_LIMIT: Duration = Duration::from_secs(30);

/// Runs a command to its end.
///
/// # Errors
///
/// Where it cannot be run, or does not succeed.
pub(crate) fn succeeded(command: &mut std::process::Command) -> Result<(), Error> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}").into()),
        Err(error) => Err(format!("{command:?}: {error}").into()),
    }
}

/// Tells a process to end, so that it ends what it has started, and waits until it has.
///
/// # Errors
///
/// Where it has ended by itself, or does not end.
pub(crate) async fn end(process: &mut Child) -> Result<(), Error> {
    let id = process.id().ok_or("the process has ended by itself")?;
    Command::new("kill").arg(id.to_string()).status().await.context(|| "kill")?;
    let ended = timeout(END_LIMIT, process.wait()).await;
    ended.map_err(|_| format!("process {id} does not end within {END_LIMIT:?}"))??;
    Ok(())
}
