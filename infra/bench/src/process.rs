//! A process, and the kernel's statistics of it.

use fs_err::{self as fs, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tooling::Error;
use tooling::context::Context;

use tokio::process::{Child, Command};
use tooling_async::child;

/// The number of a log's last bytes that are shown.
const LAST_WORDS_BYTES: usize = 2_000;

/// A process that ends when this value is dropped.
pub(super) struct Process {
    child: Child,
    id: u32,
    log: PathBuf,
}

impl Process {
    /// Starts a command with only these environment variables.
    pub(super) fn start(
        command: std::process::Command,
        variables: Vec<(String, String)>,
        log: &Path,
    ) -> Result<Self, Error> {
        let output = File::create(log)?.into_parts().0;
        let program = command.get_program().to_owned();
        let child = Command::from(command)
            .env_clear()
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let id = child.id().ok_or("it ended at once")?;
        Ok(Self { child, id, log: log.to_owned() })
    }

    pub(super) fn id(&self) -> u32 {
        self.id
    }

    /// The CPU time of its threads, in the kernel and in user space. The scheduler counts
    /// nanoseconds; `utime` and `stime` count ticks of ten milliseconds.
    pub(super) fn cpu_time(&self) -> Result<Duration, Error> {
        let mut total = Duration::ZERO;
        for thread in fs::read_dir(format!("/proc/{}/task", self.id))? {
            let times = fs::read_to_string(thread?.path().join("schedstat"))?;
            let on_core = times.split_whitespace().next().ok_or("schedstat is empty")?;
            let on_core = on_core.parse().context(|| format!("schedstat {times:?}"))?;
            total += Duration::from_nanos(on_core);
        }
        Ok(total)
    }

    /// Its peak memory, in 10⁶ bytes.
    pub(super) fn peak_mb(&self) -> Result<f64, Error> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|peak| peak.trim().strip_suffix(" kB")).ok_or("no VmHWM")?;
        let kib: f64 = kib.trim().parse().context(|| format!("VmHWM {kib:?}"))?;
        Ok(kib * 1_024.0 / 1_000_000.0)
    }

    /// Ends it and waits for its end.
    pub(super) async fn stop(mut self) -> Result<(), Error> {
        Ok(self.child.kill().await?)
    }

    /// Asks it to end, and waits for its end.
    pub(super) async fn end(mut self) -> Result<(), Error> {
        child::end(&mut self.child).await
    }

    /// The end of its output.
    pub(super) fn last_words(&self) -> String {
        let said = fs::read(&self.log).unwrap_or_default();
        let last = &said[said.len().saturating_sub(LAST_WORDS_BYTES)..];
        String::from_utf8_lossy(last).trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_process_is_measured_and_ended() {
        let log = std::env::temp_dir().join(format!("bench-test-{}", std::process::id()));
        let process = Process::start(std::process::Command::new("/bin/cat"), Vec::new(), &log);
        // Its input is empty, so it ends soon, but it has not been waited for.
        let process = process.unwrap();
        assert!(process.cpu_time().is_ok());
        process.stop().await.unwrap();
        fs::remove_file(log).unwrap();
    }
}
