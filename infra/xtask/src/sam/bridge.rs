//! The way from containers to the services of this machine's loopback.

use std::net::Ipv4Addr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::engine::Engine;
use crate::descriptions::Error;

/// Passes connections on from the engine's bridge to the same ports of the loopback, for as long
/// as it lives.
pub(super) struct Bridge {
    address: Ipv4Addr,
    passing: JoinSet<()>,
}

impl Bridge {
    pub(super) async fn of(engine: &Engine) -> Result<Self, Error> {
        let gateway = "{{(index .IPAM.Config 0).Gateway}}";
        let address = engine.said(&["network", "inspect", "bridge", "--format", gateway]).await?;
        Ok(Self { address: address.parse()?, passing: JoinSet::new() })
    }

    /// An address of the loopback, `http://127.0.0.1:4000`, as containers reach it.
    pub(super) async fn to(&mut self, url: &str) -> Result<String, Error> {
        let Some(port) = url.strip_prefix("http://127.0.0.1:") else { return Ok(url.to_owned()) };
        let port: u16 = port.trim_end_matches('/').parse()?;
        match TcpListener::bind((self.address, port)).await {
            Ok(listener) => drop(self.passing.spawn(pass_on(listener, port))),
            // It is passed on already.
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(error.into()),
        }
        Ok(format!("http://{}:{port}", self.address))
    }
}

async fn pass_on(listener: TcpListener, port: u16) {
    let mut connections = JoinSet::new();
    while let Ok((mut outer, _)) = listener.accept().await {
        connections.spawn(async move {
            if let Ok(mut inner) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
                // Either side may leave at any time.
                let _ = copy_bidirectional(&mut outer, &mut inner).await;
            }
        });
    }
}
