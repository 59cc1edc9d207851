//! The source of a request, for rate limits of callers who are not signed in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::HeaderMap;

use crate::hash::hash_of;

/// The header with which a trusted proxy proves that the request came through it.
pub(crate) const PROOF: &str = "x-origin-verify";

/// The key for all requests whose source is not an address.
const UNKNOWN: &str = "unknown";

/// The trusted proxies before API Gateway, such as a CDN.
///
/// Each appends the address of its client to `X-Forwarded-For`. So the real client address is found
/// by counting from the right; forged entries are to the left of it. A request without the secret
/// did not come through the proxies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TrustedHops {
    /// The number of proxies. If 0, the peer address of API Gateway is the source.
    pub(crate) count: usize,
    /// The secret that the nearest proxy sends. Without one, no `X-Forwarded-For` is trusted.
    pub(crate) secret: Option<String>,
}

impl TrustedHops {
    /// Returns the source, as rate limits count it.
    pub(crate) fn source_of(&self, peer: &str, headers: &HeaderMap) -> String {
        let forwarded = if self.count > 0 && self.have_sent(headers) {
            self.forwarded_for(peer, headers)
        } else {
            None
        };
        counted(forwarded.as_deref().unwrap_or(peer))
    }

    /// Compares hashes, so that the duration does not depend on the secret.
    fn have_sent(&self, headers: &HeaderMap) -> bool {
        let Some(secret) = &self.secret else { return false };
        let mut proofs = headers.get_all(PROOF).iter();
        let sent =
            |proof: &http::HeaderValue| hash_of([proof.as_bytes()]) == hash_of([secret.as_bytes()]);
        proofs.next().is_some_and(sent) && proofs.next().is_none()
    }

    /// The address of the outermost proxy's client. The last entry is API Gateway's own: the peer.
    fn forwarded_for(&self, peer: &str, headers: &HeaderMap) -> Option<String> {
        let lines = headers.get_all("x-forwarded-for").iter();
        let lines = lines.map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned());
        let list = lines.collect::<Vec<_>>().join(",");
        let mut entries: Vec<&str> = list.split(',').map(str::trim).collect();
        if entries.last().is_some_and(|last| address(last) == address(peer)) {
            entries.pop();
        }
        let place = entries.len().checked_sub(self.count)?;
        entries.get(place).map(|entry| (*entry).to_owned())
    }
}

/// Returns a source as rate limits count it: an IPv4 address, or the /64 of an IPv6 address. A /64
/// is the smallest network of one customer. IPv4 addresses inside IPv6 addresses count as IPv4.
pub(crate) fn counted(source: &str) -> String {
    match address(source) {
        None => UNKNOWN.to_owned(),
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => {
            let network = |[a, b, c, d, ..]: [u16; 8]| Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0);
            inner(address).map_or_else(
                || format!("{}/64", network(address.segments())),
                |address| address.to_string(),
            )
        }
    }
}

/// Parses an address in any usual form: in brackets, with a zone, with a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    if let Some((inside, _)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address(inside);
    }
    let text = text.split_once('%').map_or(text, |(address, _)| address);
    let without_port = || {
        text.split_once(':').and_then(|(host, port)| {
            port.parse::<u16>().is_ok().then(|| host.parse::<Ipv4Addr>().ok()).flatten()
        })
    };
    text.parse().ok().or_else(|| without_port().map(IpAddr::V4))
}

/// Returns the IPv4 address inside an IPv6 address: mapped (RFC 4291), translated (RFC 6052), or of
/// a 6to4 network (RFC 3056).
fn inner(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(of(high, low))
        }
        [0x2002, high, low, ..] => Some(of(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_spelling_of_a_source_counts_as_one() {
        for (source, expected) in [
            ("192.0.2.1", "192.0.2.1"),
            (" 192.0.2.1 ", "192.0.2.1"),
            ("192.0.2.1:4711", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("::FFFF:c000:0201", "192.0.2.1"),
            ("0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"),
            ("[::ffff:192.0.2.1]:443", "192.0.2.1"),
            ("64:ff9b::192.0.2.1", "192.0.2.1"),
            ("2002:c000:201::1", "192.0.2.1"),
            ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
            ("2001:DB8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
            ("2001:0db8:0001:0002:0000:0000:0000:0003", "2001:db8:1:2::/64"),
            ("[2001:db8:1:2::1]:443", "2001:db8:1:2::/64"),
            ("[2001:db8:1:2::1]", "2001:db8:1:2::/64"),
            ("fe80::1%eth0", "fe80::/64"),
            ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
            ("::1", "::/64"),
            ("", "unknown"),
            ("unknown", "unknown"),
            ("192.0.2.256", "unknown"),
            ("192.0.2.1, 192.0.2.2", "unknown"),
        ] {
            assert_eq!(counted(source), expected, "{source}");
        }
    }

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn the_source_behind_trusted_hops_is_counted_from_the_right() {
        let one = TrustedHops { count: 1, secret: Some("s3cret".to_owned()) };
        let two = TrustedHops { count: 2, ..one.clone() };
        let none = TrustedHops { count: 0, ..one.clone() };
        let unproven = TrustedHops { secret: None, ..one.clone() };
        let (client, edge, peer) = ("198.51.100.7", "203.0.113.1", "203.0.113.9");
        for (hops, proof, forwarded, expected) in [
            (&one, Some("s3cret"), format!("{client}, {peer}"), client),
            (&one, Some("s3cret"), format!("192.0.2.66, {client}, {peer}"), client),
            (&one, Some("s3cret"), format!("{client},{peer}"), client),
            (&one, Some("s3cret"), client.to_owned(), client),
            (&one, Some("s3cret"), format!("2001:db8::1, {peer}"), "2001:db8::/64"),
            (&one, Some("s3cret"), format!("gibberish, {peer}"), "unknown"),
            (&one, Some("s3cret"), peer.to_owned(), peer),
            (&two, Some("s3cret"), format!("192.0.2.66, {client}, {edge}, {peer}"), client),
            (&two, Some("s3cret"), format!("{edge}, {peer}"), peer),
            (&one, Some("guess"), format!("{client}, {peer}"), peer),
            (&one, None, format!("{client}, {peer}"), peer),
            (&none, Some("s3cret"), format!("{client}, {peer}"), peer),
            (&none, Some("s3cret"), client.to_owned(), peer),
            (&unproven, Some(""), format!("{client}, {peer}"), peer),
        ] {
            let mut sent = headers(&[("x-forwarded-for", &forwarded)]);
            if let Some(proof) = proof {
                sent.insert(PROOF, proof.parse().unwrap());
            }
            assert_eq!(hops.source_of(peer, &sent), expected, "{hops:?} {proof:?} {forwarded}");
        }
    }

    #[test]
    fn two_proofs_are_refused() {
        let hops = TrustedHops { count: 1, secret: Some("s3cret".to_owned()) };
        let sent = headers(&[
            ("x-forwarded-for", "198.51.100.7, 203.0.113.9"),
            (PROOF, "guess"),
            (PROOF, "s3cret"),
        ]);
        assert_eq!(hops.source_of("203.0.113.9", &sent), "203.0.113.9");
    }
}
