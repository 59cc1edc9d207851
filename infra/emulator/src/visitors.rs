//! Rejects requests to the platform's own addresses that a web page makes through its visitor's
//! browser.
//!
//! The addresses are on loopback and have no authentication: every process of this machine may call
//! them. A browser is such a process and runs untrusted code. Three checks detect its requests:
//!
//! - After DNS rebinding, a page's own domain name points to 127.0.0.1. `Host` then has that name.
//! - A page of another origin is detected by `Origin` or by `Sec-Fetch-Site`.
//! - Without a CORS preflight, a page cannot send a body as JSON.

use std::net::{IpAddr, Ipv6Addr};

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, ORIGIN, TRANSFER_ENCODING};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderName, StatusCode};
use serde_json::json;

/// The host names that an address accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hosts {
    /// Loopback only: `localhost` or a loopback address.
    Loopback,
    /// `localhost` or any numeric address: containers reach this machine by one. DNS rebinding
    /// needs a name, and no name is accepted.
    Figures,
}

/// The reason why a request is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turned {
    /// The status of the response.
    pub(crate) status: StatusCode,
    /// The message, one sentence.
    pub(crate) reason: &'static str,
}

impl Turned {
    const fn away(reason: &'static str) -> Self {
        Self { status: StatusCode::FORBIDDEN, reason }
    }
}

impl IntoResponse for Turned {
    fn into_response(self) -> Response {
        (self.status, axum::Json(json!({"error": self.reason}))).into_response()
    }
}

/// Middleware for the control address, which accepts only JSON bodies.
pub(crate) async fn at_control(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let admitted = admit(&parts, Hosts::Loopback).and_then(|()| is_json(&parts.headers));
    match admitted {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(turned) => turned.into_response(),
    }
}

/// Middleware for an address that processes and containers call.
pub(crate) async fn at_service(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match admit(&parts, Hosts::Figures) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(turned) => turned.into_response(),
    }
}

/// Returns an error if the request comes from a page of another origin.
pub(crate) fn admit(request: &Parts, hosts: Hosts) -> Result<(), Turned> {
    const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
    let headers = &request.headers;
    let mut named = headers.get_all(HOST).iter().map(|host| host.to_str().ok());
    // HTTP/2 has the authority instead of `Host`.
    let authority = || request.uri.authority().map(Authority::as_str);
    let host = match (named.next(), named.next()) {
        (Some(host), None) => host,
        (None, None) => authority(),
        _ => return Err(Turned::away("a request names one Host")),
    };
    let Some(host) = host.filter(|host| is_ours(host, hosts)) else {
        return Err(Turned::away(match hosts {
            Hosts::Loopback => "the Host must be localhost or a loopback address",
            Hosts::Figures => "the Host must be localhost or a numeric address",
        }));
    };
    let is_own = |origin: &http::HeaderValue| {
        let origin = origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://"));
        origin.is_some_and(|origin| origin.eq_ignore_ascii_case(host))
    };
    if !headers.get_all(ORIGIN).iter().all(is_own) {
        return Err(Turned::away("pages of another Origin are not served"));
    }
    if headers.get_all(SITE).iter().any(|site| site.as_bytes().eq_ignore_ascii_case(b"cross-site"))
    {
        return Err(Turned::away("pages of another site are not served"));
    }
    Ok(())
}

/// Whether the body, if any, has a JSON media type.
fn is_json(headers: &HeaderMap) -> Result<(), Turned> {
    let is_empty = headers.get_all(CONTENT_LENGTH).iter().all(|length| length == "0");
    if is_empty && !headers.contains_key(TRANSFER_ENCODING) {
        return Ok(());
    }
    let types: Vec<_> = headers.get_all(CONTENT_TYPE).iter().collect();
    let media_type = match types[..] {
        [only] => only.to_str().unwrap_or_default().split(';').next().unwrap_or_default(),
        _ => "",
    };
    // An HTML form can send neither media type; a page needs a preflight for both.
    let media_type = media_type.trim().to_ascii_lowercase();
    if matches!(&*media_type, "application/json" | "application/merge-patch+json") {
        return Ok(());
    }
    let reason = "a body must be sent as application/json or application/merge-patch+json";
    Err(Turned { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, reason })
}

fn is_ours(host: &str, hosts: Hosts) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    // Rejects `user@127.0.0.1`, and `127.0.0.1:` followed by an invalid port.
    let bare = authority.host();
    let is_port =
        |port: &str| port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    if !host.strip_prefix(bare).is_some_and(|rest| rest.is_empty() || is_port(rest)) {
        return false;
    }
    let bracketed = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = match bracketed {
        Some(inner) => inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => bare.parse::<IpAddr>().ok(),
    };
    match (address, hosts) {
        (Some(address), Hosts::Loopback) => address.to_canonical().is_loopback(),
        (Some(_), Hosts::Figures) => true,
        (None, _) => bare.eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_localhost_and_numeric_hosts_are_accepted() {
        use Hosts::{Figures, Loopback};
        for (host, loopback, figures) in [
            ("127.0.0.1:3001", true, true),
            ("127.0.0.1", true, true),
            ("127.8.9.10:1", true, true),
            ("localhost:3001", true, true),
            ("LocalHost", true, true),
            ("[::1]:3001", true, true),
            ("[::ffff:127.0.0.1]:3001", true, true),
            ("172.17.0.1:4000", false, true),
            ("[fe80::1]:4000", false, true),
            ("10.0.0.1", false, true),
            ("attacker.example", false, false),
            ("attacker.example:3001", false, false),
            ("127.0.0.1.attacker.example", false, false),
            ("127.0.0.1.nip.io:3001", false, false),
            ("localhost.attacker.example", false, false),
            ("localhost.", false, false),
            ("user@127.0.0.1", false, false),
            ("127.0.0.1@attacker.example", false, false),
            ("127.0.0.1:", false, false),
            ("127.0.0.1:x", false, false),
            ("127.1", false, false),
            ("2130706433", false, false),
            ("0x7f.0.0.1", false, false),
            ("::1", false, false),
            ("", false, false),
            ("a b", false, false),
        ] {
            assert_eq!(is_ours(host, Loopback), loopback, "{host}");
            assert_eq!(is_ours(host, Figures), figures, "{host}");
        }
    }

    #[test]
    fn a_request_from_a_page_of_another_origin_is_rejected() {
        for (headers, taken) in [
            (&[("host", "127.0.0.1:3001")][..], true),
            (&[("host", "127.0.0.1:3001"), ("origin", "http://127.0.0.1:3001")], true),
            (&[("host", "127.0.0.1:3001"), ("sec-fetch-site", "same-origin")], true),
            (&[("host", "127.0.0.1:3001"), ("sec-fetch-site", "none")], true),
            (&[("host", "127.0.0.1:3001"), ("sec-fetch-site", "Cross-Site")], false),
            (&[("host", "127.0.0.1:3001"), ("origin", "https://attacker.example")], false),
            (&[("host", "127.0.0.1:3001"), ("origin", "http://localhost:3001")], false),
            (&[("host", "127.0.0.1:3001"), ("origin", "http://127.0.0.1:8080")], false),
            (&[("host", "127.0.0.1:3001"), ("origin", "https://127.0.0.1:3001")], false),
            (&[("host", "127.0.0.1:3001"), ("origin", "null")], false),
            (&[("host", "127.0.0.1:3001"), ("origin", "")], false),
            (
                &[
                    ("host", "127.0.0.1:3001"),
                    ("origin", "http://127.0.0.1:3001"),
                    ("origin", "https://attacker.example"),
                ],
                false,
            ),
            (&[("host", "127.0.0.1:3001"), ("host", "attacker.example")], false),
            (&[("host", "127.0.0.1:3001"), ("host", "127.0.0.1:3001")], false),
            (&[], false),
        ] {
            let mut request = http::Request::get("/mailbox");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let (parts, ()) = request.body(()).unwrap().into_parts();
            for hosts in [Hosts::Loopback, Hosts::Figures] {
                assert_eq!(admit(&parts, hosts).is_ok(), taken, "{headers:?}");
            }
        }
    }

    #[test]
    fn only_a_json_body_is_accepted() {
        for (headers, taken) in [
            (&[][..], true),
            (&[("content-length", "0")], true),
            (&[("content-length", "0"), ("content-type", "text/plain")], true),
            (&[("content-length", "2"), ("content-type", "application/json")], true),
            (&[("content-length", "2"), ("content-type", "Application/JSON; charset=utf-8")], true),
            (&[("transfer-encoding", "chunked"), ("content-type", "application/json")], true),
            (&[("content-length", "2"), ("content-type", "application/merge-patch+json")], true),
            (&[("content-length", "2")], false),
            (&[("transfer-encoding", "chunked")], false),
            (&[("content-length", "2"), ("content-type", "text/plain")], false),
            (&[("content-length", "2"), ("content-type", "text/plain; application/json")], false),
            (
                &[("content-length", "2"), ("content-type", "application/x-www-form-urlencoded")],
                false,
            ),
            (&[("content-length", "2"), ("content-type", "application/jsonp")], false),
            (
                &[
                    ("content-length", "2"),
                    ("content-type", "application/json"),
                    ("content-type", "text/plain"),
                ],
                false,
            ),
        ] {
            let headers: HeaderMap = headers
                .iter()
                .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
                .fold(HeaderMap::new(), |mut all, (name, value)| {
                    all.append(name, value);
                    all
                });
            assert_eq!(is_json(&headers).is_ok(), taken, "{headers:?}");
        }
    }
}
