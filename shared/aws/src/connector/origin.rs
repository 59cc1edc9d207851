//! The scheme, host and port of a request.

use aws_smithy_types::body::SdkBody;
use http::header::HOST;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Uri};
use lifecycle::error::BoxError;

/// The scheme, host and port of a request. Requests of one origin share connections.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    scheme: Scheme,
    authority: Authority,
}

impl Origin {
    /// The origin of a URI.
    ///
    /// # Errors
    ///
    /// When the URI is not absolute, or neither `http` nor `https`.
    pub(super) fn of(uri: &Uri) -> Result<Self, BoxError> {
        match (uri.scheme(), uri.authority()) {
            (Some(scheme), Some(authority))
                if *scheme == Scheme::HTTPS || *scheme == Scheme::HTTP =>
            {
                Ok(Self { scheme: scheme.clone(), authority: authority.clone() })
            }
            _ => Err("its URL has neither the scheme http nor https".into()),
        }
    }

    /// Whether its connections use TLS.
    pub(super) fn is_secure(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// The host, without the brackets of an IPv6 address.
    pub(super) fn host(&self) -> &str {
        let host = self.authority.host();
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }

    /// The port.
    pub(super) fn port(&self) -> u16 {
        self.authority.port_u16().unwrap_or(self.default_port())
    }

    fn default_port(&self) -> u16 {
        if self.is_secure() { 443 } else { 80 }
    }

    /// Puts a request into the form that a server of this origin gets: the path alone, and the host in
    /// its header (RFC 9112, 3.2.1). A header that the request has stays: it may be signed.
    ///
    /// # Errors
    ///
    /// When the host cannot be the value of a header.
    pub(super) fn address(&self, request: &mut Request<SdkBody>) -> Result<(), BoxError> {
        if !request.headers().contains_key(HOST) {
            let host = HeaderValue::from_str(&self.host_header())?;
            request.headers_mut().insert(HOST, host);
        }
        let path = request.uri().path_and_query().cloned();
        let path = path.unwrap_or_else(|| PathAndQuery::from_static("/"));
        *request.uri_mut() = Uri::from(path);
        Ok(())
    }

    /// The host as the SDK signs it: without a user, and without the usual port.
    fn host_header(&self) -> String {
        let host = self.authority.host();
        match self.authority.port_u16() {
            Some(port) if port != self.default_port() => format!("{host}:{port}"),
            _ => host.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addressed(url: &'static str, host: Option<&'static str>) -> (String, String) {
        let mut request = Request::get(url).body(SdkBody::empty()).unwrap();
        if let Some(host) = host {
            request.headers_mut().insert(HOST, HeaderValue::from_static(host));
        }
        Origin::of(request.uri()).unwrap().address(&mut request).unwrap();
        let host = request.headers()[HOST].to_str().unwrap().to_owned();
        (request.uri().to_string(), host)
    }

    #[test]
    fn a_request_has_its_path_and_its_host_without_the_usual_port() {
        for (url, path, host) in [
            ("https://sqs.eu-west-1.amazonaws.com", "/", "sqs.eu-west-1.amazonaws.com"),
            ("https://example.com:443/a?b=c", "/a?b=c", "example.com"),
            ("http://example.com:80/", "/", "example.com"),
            ("http://example.com:443/", "/", "example.com:443"),
            ("http://user:secret@127.0.0.1:9000/a", "/a", "127.0.0.1:9000"),
            ("http://[::1]:9000/a", "/a", "[::1]:9000"),
        ] {
            assert_eq!(addressed(url, None), (path.to_owned(), host.to_owned()), "{url}");
        }
    }

    #[test]
    fn a_host_header_that_a_request_has_stays() {
        let (_, host) = addressed("http://127.0.0.1:9000/", Some("signed.example.com"));
        assert_eq!(host, "signed.example.com");
    }

    #[test]
    fn an_address_of_ipv6_has_no_brackets() {
        let origin = Origin::of(&Uri::from_static("https://[::1]/")).unwrap();
        assert_eq!((origin.host(), origin.port(), origin.is_secure()), ("::1", 443, true));
    }

    #[test]
    fn a_url_without_a_host_or_of_another_protocol_is_an_error() {
        for url in ["/path", "ftp://example.com/"] {
            assert!(Origin::of(&Uri::from_static(url)).is_err(), "{url}");
        }
    }
}
