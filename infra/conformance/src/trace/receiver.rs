//! Rotel, an OTLP receiver (Apache-2.0), which prints the decoded spans.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use house::tools;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};
use tooling::Error;
use tooling_async::child;

use super::spans::{self, Span};

/// The time limit for its start.
const START_LIMIT: Duration = Duration::from_secs(20);

/// A running receiver.
pub(super) struct Receiver {
    process: Child,
    port: u16,
    /// The file with its output.
    printed: PathBuf,
}

impl Receiver {
    /// Starts the receiver of `infra/tools/rotel.txt` on free ports.
    pub(super) async fn start(workspace: &Path) -> Result<Self, Error> {
        let programs = tools::installed(workspace, "rotel")?;
        let agent = agent_beside(&programs)?;
        let printed = programs.with_file_name("spans.txt");
        let (http, grpc) = (free_port()?, free_port()?);
        let output = fs_err::File::create(&printed)?.into_parts().0;
        let process = Command::new(agent)
            .arg("start")
            .args(["--otlp-http-endpoint", &format!("127.0.0.1:{http}")])
            .args(["--otlp-grpc-endpoint", &format!("127.0.0.1:{grpc}")])
            .args(["--exporter", "blackhole"])
            .args(["--debug-log", "traces", "--debug-log-verbosity", "detailed"])
            .stdin(Stdio::null())
            .stderr(output.try_clone()?)
            .stdout(output)
            .kill_on_drop(true)
            .spawn()?;
        let end = Instant::now() + START_LIMIT;
        while TcpStream::connect(("127.0.0.1", http)).await.is_err() {
            if Instant::now() > end {
                return Err(format!("rotel does not listen: {}", printed.display()).into());
            }
            sleep(Duration::from_millis(50)).await;
        }
        Ok(Self { process, port: http, printed })
    }

    /// The URL for spans.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The decoded spans.
    pub(super) fn spans(&self) -> Result<Vec<Span>, Error> {
        Ok(spans::printed(&fs_err::read_to_string(&self.printed)?))
    }

    pub(super) async fn stop(mut self) -> Result<(), Error> {
        child::end(&mut self.process).await
    }
}

/// The path of the program in the package: `lib/python3.11/site-packages/rotel/rotel-agent`.
fn agent_beside(programs: &Path) -> Result<PathBuf, Error> {
    let libraries = programs.with_file_name("lib");
    for version in fs_err::read_dir(&libraries)? {
        let agent = version?.path().join("site-packages/rotel/rotel-agent");
        if agent.is_file() {
            return Ok(agent);
        }
    }
    Err(format!("no rotel-agent below {}", libraries.display()).into())
}

fn free_port() -> Result<u16, Error> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
