//! The address of a platform's control address, as a command's argument.

use std::fmt;
use std::str::FromStr;

use http::Uri;
use http::uri::Scheme;

/// The control address of a platform with the default options.
pub(super) const DEFAULT: &str = "http://127.0.0.1:3001";

/// `http://HOST:PORT`. It has no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ControlUrl {
    authority: String,
}

impl ControlUrl {
    /// The host and the port.
    pub(super) fn authority(&self) -> &str {
        &self.authority
    }
}

impl FromStr for ControlUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("expected an address such as {DEFAULT}");
        let uri: Uri = text.parse().map_err(|_| expected())?;
        let authority = uri.authority().filter(|it| !it.as_str().contains('@'));
        let authority = authority.ok_or_else(expected)?;
        if uri.scheme() != Some(&Scheme::HTTP) || uri.path() != "/" || uri.query().is_some() {
            return Err(expected());
        }
        let port = authority.port_u16().unwrap_or(80);
        Ok(Self { authority: format!("{}:{port}", authority.host()) })
    }
}

impl fmt::Display for ControlUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_the_scheme_http_a_host_and_no_path() {
        for (text, authority) in [
            (DEFAULT, "127.0.0.1:3001"),
            ("http://localhost:4001/", "localhost:4001"),
            ("http://[::1]:3001", "[::1]:3001"),
            ("http://localhost", "localhost:80"),
        ] {
            let url: ControlUrl = text.parse().unwrap();
            assert_eq!(url.authority(), authority, "{text}");
            assert_eq!(url.to_string(), format!("http://{authority}"));
        }
        for text in [
            "",
            "127.0.0.1:3001",
            "3001",
            "https://127.0.0.1:3001",
            "http://127.0.0.1:3001/logs",
            "http://127.0.0.1:3001/?a=b",
            "http://user@127.0.0.1:3001",
        ] {
            let error = text.parse::<ControlUrl>().unwrap_err();
            assert!(error.contains("such as http://127.0.0.1:3001"), "{text}: {error}");
        }
    }
}
