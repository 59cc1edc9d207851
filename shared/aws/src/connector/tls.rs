//! TLS, and the roots that it trusts.

use std::fs;
use std::sync::Arc;

use lifecycle::error::BoxError;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// The roots of Amazon Trust Services, which publishes them for this purpose.
const AMAZON_ROOTS: &[u8] = include_bytes!("../../roots/amazon.pem");
/// The name of the only protocol within TLS.
const HTTP_1_1: &[u8] = b"http/1.1";

/// Certificates that connections trust. Cheap to clone.
pub(crate) type Roots = Arc<RootCertStore>;

/// The configuration of TLS connections.
pub(super) struct Tls(Arc<ClientConfig>);

impl Tls {
    /// TLS 1.2 and 1.3, to servers whose certificates these roots sign.
    pub(super) fn trusting(roots: Roots) -> Self {
        let provider = Arc::new(ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has cipher suites of both versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        Self(Arc::new(config))
    }

    /// Returns a connector that opens connections with TLS. They resume the sessions of earlier
    /// connections.
    pub(super) fn connector(&self) -> TlsConnector {
        TlsConnector::from(Arc::clone(&self.0))
    }
}

/// The roots that connections to AWS trust: Amazon's, or those of the file that `AWS_CA_BUNDLE`
/// names.
///
/// # Errors
///
/// When the bundle cannot be read, holds no certificate, or one that cannot be read.
pub(crate) fn aws_roots(ca_bundle: Option<&str>) -> Result<Roots, BoxError> {
    let Some(path) = ca_bundle else {
        return Ok(Arc::new(read(AMAZON_ROOTS).expect("the embedded certificates are readable")));
    };
    let bundle = fs::read(path).map_err(|error| format!("AWS_CA_BUNDLE: {error}"))?;
    let roots = read(&bundle).map_err(|error| format!("AWS_CA_BUNDLE: {error}"))?;
    if roots.is_empty() {
        return Err("AWS_CA_BUNDLE holds no certificate".into());
    }
    Ok(Arc::new(roots))
}

/// The operating system's roots. Without any, each connection fails, with a warning in the log.
pub(super) fn public_roots() -> Roots {
    let loaded = rustls_native_certs::load_native_certs();
    for error in &loaded.errors {
        tracing::warn!(%error, "some of the system's root certificates cannot be loaded");
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(loaded.certs);
    if roots.is_empty() {
        tracing::warn!("there are no root certificates; every connection to a public host fails");
    }
    Arc::new(roots)
}

fn read(pem: &[u8]) -> Result<RootCertStore, BoxError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate?)?;
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_roots_are_five_readable_certificates() {
        assert_eq!(aws_roots(None).unwrap().len(), 5);
    }

    #[test]
    fn a_ca_bundle_without_certificates_is_an_error() {
        let error = aws_roots(Some("/dev/null")).expect_err("the file is empty");
        assert_eq!(error.to_string(), "AWS_CA_BUNDLE holds no certificate");
        let error = aws_roots(Some("/nonexistent")).expect_err("the file does not exist");
        assert!(error.to_string().starts_with("AWS_CA_BUNDLE: "), "{error}");
    }

    #[test]
    fn a_certificate_that_cannot_be_read_is_an_error() {
        let file = std::env::temp_dir().join(format!("roots-{}.pem", std::process::id()));
        fs::write(&file, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
        let error = aws_roots(file.to_str()).expect_err("three zeros are no certificate");
        fs::remove_file(&file).unwrap();
        assert!(error.to_string().starts_with("AWS_CA_BUNDLE: "), "{error}");
    }
}
