//! Forwards connections from containers to services on this machine's loopback.

use std::net::Ipv4Addr;

use emulator::accept::accepted;
use serde::Deserialize;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tooling::Error;
use tooling::context::Context;

use super::engine::Engine;

/// Forwards connections from the engine's bridge to the same ports on loopback, until it is
/// dropped.
pub(super) struct Bridge {
    address: Ipv4Addr,
    passing: JoinSet<()>,
}

impl Bridge {
    pub(super) async fn of(engine: &Engine) -> Result<Self, Error> {
        let configuration = "{{json .IPAM.Config}}";
        let asked = ["network", "inspect", "bridge", "--format", configuration];
        let answered = engine.said(&asked).await?;
        let address = gateway(&answered)?;
        Ok(Self { address, passing: JoinSet::new() })
    }

    /// The URL by which containers reach a loopback URL such as `http://127.0.0.1:4000`.
    pub(super) async fn to(&mut self, url: &str) -> Result<String, Error> {
        let Some(port) = url.strip_prefix("http://127.0.0.1:") else { return Ok(url.to_owned()) };
        let port = port.trim_end_matches('/').parse().context(|| format!("the port of {url:?}"))?;
        match TcpListener::bind((self.address, port)).await {
            Ok(listener) => drop(self.passing.spawn(pass_on(listener, port))),
            // The port is already forwarded.
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
            Err(error) => {
                let address = self.address;
                return Err(format!("listening on the bridge at {address}:{port}: {error}").into());
            }
        }
        Ok(format!("http://{}:{port}", self.address))
    }
}

/// A subnet of the bridge network, in the output of `docker network inspect`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Subnet {
    #[serde(default)]
    subnet: String,
    #[serde(default)]
    gateway: String,
}

/// The address of this machine on the engine's bridge.
///
/// An engine that has just created its bridge names only the subnet. By Docker's rule, its address
/// is the first one. An engine that finds an earlier run's bridge names both.
fn gateway(configuration: &str) -> Result<Ipv4Addr, Error> {
    let failed = || format!("the engine's bridge network, {configuration}");
    let subnets: Option<Vec<Subnet>> = serde_json::from_str(configuration).context(failed)?;
    let subnets = subnets.unwrap_or_default();
    // IPv6 subnets do not parse, and are not needed.
    let named = subnets.iter().find_map(|it| it.gateway.split('/').next()?.parse().ok());
    let first = || subnets.iter().find_map(|it| first_address(&it.subnet));
    named.or_else(first).ok_or_else(|| format!("{}: it has no IPv4 address", failed()).into())
}

/// The first host address of a subnet such as `172.17.0.0/16`.
fn first_address(subnet: &str) -> Option<Ipv4Addr> {
    let (network, length) = subnet.split_once('/')?;
    let network: Ipv4Addr = network.parse().ok()?;
    let length: u32 = length.parse().ok().filter(|length| (1..=30).contains(length))?;
    let mask = u32::MAX << (u32::BITS - length);
    Some(Ipv4Addr::from_bits((network.to_bits() & mask) + 1))
}

async fn pass_on(listener: TcpListener, port: u16) {
    let mut connections = JoinSet::new();
    loop {
        let (mut outer, _) = accepted(|| listener.accept()).await;
        connections.spawn(async move {
            if let Ok(mut inner) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
                // Either side may close the connection at any time.
                let _ = copy_bidirectional(&mut outer, &mut inner).await;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateway_is_the_named_one_or_the_first_address_of_the_subnet() {
        let cases = [
            // An engine on its first run, and an engine that finds its bridge.
            (r#"[{"Subnet":"172.17.0.0/16"}]"#, "172.17.0.1"),
            (r#"[{"Subnet":"172.17.0.0/16","Gateway":"172.17.0.1"}]"#, "172.17.0.1"),
            (r#"[{"Subnet":"172.17.0.0/16","Gateway":""}]"#, "172.17.0.1"),
            (r#"[{"Subnet":"10.9.8.0/24","Gateway":"10.9.8.254"}]"#, "10.9.8.254"),
            // A network that is given by the bridge's own address.
            (r#"[{"Subnet":"192.168.5.77/20"}]"#, "192.168.0.1"),
            (
                r#"[{"Subnet":"fd00::/80","Gateway":"fd00::1"},{"Subnet":"10.0.4.0/22"}]"#,
                "10.0.4.1",
            ),
        ];
        for (configuration, expected) in cases {
            assert_eq!(gateway(configuration).unwrap().to_string(), expected, "{configuration}");
        }
    }

    #[test]
    fn a_bridge_without_an_address_is_an_error_with_the_output() {
        for configuration in
            ["", "null", "[]", "[{}]", r#"[{"Subnet":"x/16"}]"#, r#"[{"Subnet":"10.0.0.0/0"}]"#]
        {
            let error = gateway(configuration).unwrap_err().to_string();
            let expected = format!("the engine's bridge network, {configuration}: ");
            assert!(error.starts_with(&expected), "{error}");
        }
    }
}
