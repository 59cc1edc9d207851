//! The process group of an environment: its process and the children. It ends with the
//! environment, and with the platform, even if the platform is killed.

use std::io;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

/// Waits until its standard input is closed, then kills its process group.
const GUARD: &str = "while read -r _; do :; done; kill -9 0";

/// The process group of an environment. All of its processes are killed when it is dropped.
///
/// Its leader is a guard that reads from a pipe. This process holds the writing end; the kernel
/// closes it even if the platform is killed.
pub(super) struct Group {
    /// Its end is awaited only after this is dropped. Until then the kernel gives its id to no other
    /// process.
    guard: Child,
}

impl Group {
    /// Starts the guard.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(super) fn start() -> io::Result<Self> {
        let guard = Command::new("/bin/sh")
            .args(["-c", GUARD])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(Self { guard })
    }

    /// The group's id, in which new processes start.
    ///
    /// # Errors
    /// If it has none.
    pub(super) fn id(&self) -> io::Result<i32> {
        self.leader().map(Pid::as_raw_pid).ok_or_else(|| io::Error::other("the guard has no id"))
    }

    fn leader(&self) -> Option<Pid> {
        self.guard.id().and_then(|id| Pid::from_raw(id.cast_signed()))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.leader() {
            // This fails only if all of its processes have ended.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustix::process::kill_process;
    use tokio::time::timeout;

    use super::*;

    fn sleeper(group: &Group) -> Child {
        let mut sleep = Command::new("sleep");
        sleep.arg("60").process_group(group.id().unwrap()).kill_on_drop(true).spawn().unwrap()
    }

    async fn is_killed(mut sleeper: Child) -> bool {
        let status = timeout(Duration::from_secs(5), sleeper.wait()).await.unwrap().unwrap();
        !status.success()
    }

    #[tokio::test]
    async fn the_groups_processes_end_with_the_group() {
        let group = Group::start().unwrap();
        let sleeper = sleeper(&group);

        drop(group);

        assert!(is_killed(sleeper).await);
    }

    #[tokio::test]
    async fn the_groups_processes_end_with_the_group_even_if_its_guard_was_killed() {
        let group = Group::start().unwrap();
        let sleeper = sleeper(&group);
        kill_process(group.leader().unwrap(), Signal::KILL).unwrap();

        drop(group);

        assert!(is_killed(sleeper).await);
    }

    #[tokio::test]
    async fn the_groups_processes_end_when_the_pipe_of_its_guard_is_closed() {
        let mut group = Group::start().unwrap();
        let sleeper = sleeper(&group);

        group.guard.stdin = None;

        assert!(is_killed(sleeper).await);
    }
}
