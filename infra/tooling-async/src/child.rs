//! Ending asynchronous children.

use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::timeout;
use tooling::Error;
use tooling::context::Context;

/// The time limit for a process to end.
const END_LIMIT: Duration = Duration::from_secs(30);

/// Sends SIGTERM, so that the process also ends its children, and waits until it has ended.
///
/// # Errors
///
/// If it had already ended, or does not end in time.
pub async fn end(process: &mut Child) -> Result<(), Error> {
    let id = process.id().ok_or("the process has already ended")?;
    Command::new("kill").arg(id.to_string()).status().await.context(|| "kill")?;
    let ended = timeout(END_LIMIT, process.wait()).await;
    ended.map_err(|_| format!("process {id} does not end within {END_LIMIT:?}"))??;
    Ok(())
}
