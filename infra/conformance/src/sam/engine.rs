//! A separate container engine, which leaves an existing engine unchanged.

use fs_err::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tooling::Error;
use tooling::context::Context;
use tooling_async::child;

use tokio::process::{Child, Command};
use tokio::time::sleep;

/// The time limit for the engine's start.
const START_LIMIT: Duration = Duration::from_secs(30);
/// The number of lines shown from the engine's last output.
const LAST_WORDS: usize = 3;

/// The device of the engine's bridge network.
const BRIDGE: &str = "docker0";

/// A running engine; the caller must end it.
pub(super) struct Engine {
    daemon: Child,
    folder: PathBuf,
    /// Whether this engine creates the bridge device. The daemon does not delete it.
    makes_bridge: bool,
}

/// The reason why there is no engine.
pub(super) struct Unavailable(pub(super) String);

impl<E: Into<Error>> From<E> for Unavailable {
    fn from(error: E) -> Self {
        Self(error.into().to_string())
    }
}

impl Engine {
    /// Starts the engine without firewall rules: containers have no internet access, and reach this
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

    /// The variable that makes tools use this engine, and its value.
    pub(super) fn variable(&self) -> (&'static str, String) {
        ("DOCKER_HOST", address(&self.folder))
    }

    /// The output of a docker command.
    pub(super) async fn said(&self, arguments: &[&str]) -> Result<String, Error> {
        let (name, value) = self.variable();
        let said = Command::new("docker").args(arguments).env(name, value).output().await;
        let said = said.context(|| format!("docker {arguments:?}"))?;
        if said.status.success() {
            return Ok(String::from_utf8(said.stdout)?.trim().to_owned());
        }
        Err(format!("docker {arguments:?}: {}", String::from_utf8_lossy(&said.stderr)).into())
    }

    /// Ends the engine. Deletes its folder and the device that it created, so that the next run has
    /// the same start.
    pub(super) async fn end(mut self) -> Result<(), Error> {
        child::end(&mut self.daemon).await?;
        if self.makes_bridge && device(BRIDGE).exists() {
            // Without this program, the device remains; it does no harm.
            let _ = Command::new("ip").args(["link", "delete", BRIDGE]).status().await;
        }
        Ok(fs_err::remove_dir_all(&self.folder)?)
    }
}

/// The path of a network device in sysfs.
fn device(name: &str) -> PathBuf {
    std::path::Path::new("/sys/class/net").join(name)
}

/// The address of a socket in the temporary folder: socket paths must be short.
fn address(folder: &std::path::Path) -> String {
    format!("unix://{}", folder.join("socket").display())
}
