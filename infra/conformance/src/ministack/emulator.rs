//! The process of ministack.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use house::tools;
use sam_template::REGION;
use tooling::Error;
use tooling::context::Context;

/// The time limit for its start.
const START_MAX: Duration = Duration::from_mins(1);

/// The time limit for the end of its functions.
const STOP_MAX: Duration = Duration::from_secs(20);

const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A running ministack; it ends when this value is dropped.
pub(crate) struct Emulator {
    process: Child,
    pub(crate) endpoint: String,
}

impl Emulator {
    /// Starts ministack on a free port of 127.0.0.1. Its output goes to `log`.
    ///
    /// # Errors
    /// If it cannot be installed, or does not respond.
    pub(crate) fn start(workspace: &Path, log: &Path) -> Result<Self, Error> {
        let program = tools::installed(workspace, "ministack")?.join("ministack");
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let endpoint = format!("http://127.0.0.1:{port}");
        let said = fs_err::File::create(log)?.into_parts().0;
        let process = Command::new(program)
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("LAMBDA_EXECUTOR", "local")
            .env("MINISTACK_REGION", REGION)
            .env("AWS_ENDPOINT_URL", &endpoint)
            .stdin(Stdio::null())
            .stdout(said.try_clone()?)
            .stderr(said)
            .spawn()
            .context(|| "ministack")?;
        let mut emulator = Self { process, endpoint };
        let end = Instant::now() + START_MAX;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if Instant::now() > end || emulator.process.try_wait()?.is_some() {
                return Err(format!("ministack does not respond; see {}", log.display()).into());
            }
            pause();
        }
        Ok(emulator)
    }
}

impl Drop for Emulator {
    /// Sends SIGTERM, so that it ends its functions, and kills it at the time limit.
    fn drop(&mut self) {
        let id = self.process.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        let end = Instant::now() + STOP_MAX;
        while Instant::now() < end {
            if self.process.try_wait().is_ok_and(|ended| ended.is_some()) {
                return;
            }
            pause();
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "nothing else runs on this thread")]
fn pause() {
    std::thread::sleep(LOOK_EVERY);
}
