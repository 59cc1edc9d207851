//! The process group of all environments. It ends with the platform, even if the platform is
//! killed.

use std::io;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};

use tokio::process::{Child, Command};

/// Waits until its standard input is closed, then kills its process group.
const GUARD: &str = "while read -r _; do :; done; kill -9 0";

/// The process group of all environments.
///
/// Its leader is a guard that reads from a pipe. This process holds the writing end; the kernel
/// closes it even if the platform is killed.
#[derive(Default)]
pub(super) struct Group {
    guard: Mutex<Option<Child>>,
}

impl Group {
    /// The group's id, in which new processes start.
    ///
    /// # Errors
    /// If the guard cannot be started.
    pub(super) fn id(&self) -> io::Result<i32> {
        let mut guard = self.guard.lock().unwrap_or_else(PoisonError::into_inner);
        // Replace a guard that was killed.
        let id = guard.as_mut().and_then(|guard| {
            let is_running = matches!(guard.try_wait(), Ok(None));
            guard.id().filter(|_| is_running)
        });
        if let Some(id) = id {
            return Ok(id.cast_signed());
        }
        let started = Command::new("/bin/sh")
            .args(["-c", GUARD])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let id = started.id().ok_or_else(|| io::Error::other("the guard ended at once"))?;
        *guard = Some(started);
        Ok(id.cast_signed())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn the_groups_processes_end_with_the_group() {
        let group = Group::default();
        let mut sleeper = Command::new("sleep")
            .arg("60")
            .process_group(group.id().unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();

        drop(group);

        let status = timeout(Duration::from_secs(5), sleeper.wait()).await.unwrap().unwrap();
        assert!(!status.success());
    }
}
