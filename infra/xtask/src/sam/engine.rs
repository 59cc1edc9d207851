//! A container engine of our own, which leaves an engine that is there alone.

use fs_err::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::context::Context;
use crate::descriptions::Error;
use crate::process;

/// How long the engine may take to start.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How much is shown of what the engine said last, in lines.
const LAST_WORDS: usize = 3;

/// The device of the engine's bridge network.
const BRIDGE: &str = "docker0";

/// An engine that runs; it has to be ended.
pub(super) struct Engine {
    daemon: Child,
    folder: PathBuf,
    /// Whether this engine makes the bridge's device. The daemon leaves it behind.
    makes_bridge: bool,
}

/// Why there is no engine.
pub(super) struct Unavailable(pub(super) String);

impl<E: Into<Error>> From<E> for Unavailable {
    fn from(error: E) -> Self {
        Self(error.into().to_string())
    }
}

impl Engine {
    /// Starts the engine. It touches no firewall rules: containers have no way out, and reach this
    /// machine over the bridge.
    pub(super) async fn start() -> Result<Self, Unavailable> {
        for program in ["dockerd", "docker", "busybox"] {
            let known = Command::new("which").arg(program).stdout(Stdio::null()).status().await;
            if !known.is_ok_and(|status| status.success()) {
                return Err(Unavailable(format!("{program} is not installed")));
            }
        }
        let makes_bridge = !device(BRIDGE).exists();
        let folder = std::env::temp_dir().join(format!("engine-{}", std::process::id()));
        fs_err::create_dir_all(&folder)?;
        let log = File::create(folder.join("log"))?.into_parts().0;
        let daemon = Command::new("dockerd")
            .args(["--iptables=false", "--ip6tables=false", "--ip-forward=false"])
            .arg("--ip-masq=false")
            .arg("--data-root")
            .arg(folder.join("data"))
            .arg("--exec-root")
            .arg(folder.join("exec"))
            .arg("--pidfile")
            .arg(folder.join("pid"))
            .arg("--host")
            .arg(address(&folder))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .context(|| "dockerd")?;
        let mut engine = Self { daemon, folder, makes_bridge };
        match engine.answers().await {
            Ok(()) => Ok(engine),
            Err(unavailable) => {
                engine.daemon.kill().await?;
                fs_err::remove_dir_all(&engine.folder)?;
                Err(unavailable)
            }
        }
    }

    async fn answers(&mut self) -> Result<(), Unavailable> {
        let begun = Instant::now();
        while self.said(&["version"]).await.is_err() {
            if self.daemon.try_wait()?.is_some() || begun.elapsed() > START_LIMIT {
                let log = fs_err::read_to_string(self.folder.join("log")).unwrap_or_default();
                let lines: Vec<_> = log.lines().rev().take(LAST_WORDS).collect();
                return Err(Unavailable(lines.into_iter().rev().collect::<Vec<_>>().join("; ")));
            }
            sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// The variable that leads tools to this engine, and its value.
    pub(super) fn variable(&self) -> (&'static str, String) {
        ("DOCKER_HOST", address(&self.folder))
    }

    /// What docker says when it is told this.
    pub(super) async fn said(&self, arguments: &[&str]) -> Result<String, Error> {
        let (name, value) = self.variable();
        let said = Command::new("docker").args(arguments).env(name, value).output().await;
        let said = said.context(|| format!("docker {arguments:?}"))?;
        if said.status.success() {
            return Ok(String::from_utf8(said.stdout)?.trim().to_owned());
        }
        Err(format!("docker {arguments:?}: {}", String::from_utf8_lossy(&said.stderr)).into())
    }

    /// Ends the engine and removes its folder and the device that it made, so that the next run
    /// finds the machine as this one did.
    pub(super) async fn end(mut self) -> Result<(), Error> {
        process::end(&mut self.daemon).await?;
        if self.makes_bridge && device(BRIDGE).exists() {
            // A machine without this program keeps the device, which does no harm.
            let _ = Command::new("ip").args(["link", "delete", BRIDGE]).status().await;
        }
        Ok(fs_err::remove_dir_all(&self.folder)?)
    }
}

/// Where the kernel shows a network device.
fn device(name: &str) -> PathBuf {
    std::path::Path::new("/sys/class/net").join(name)
}

/// A socket in the temporary folder: paths of sockets have to be short.
fn address(folder: &std::path::Path) -> String {
    format!("unix://{}", folder.join("socket").display())
}
