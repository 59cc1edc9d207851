//! The HTTP connectors that the clients share, each with its pool, TLS and time-outs.
//!
//! A TLS handshake is most of a cold start, so the AWS clients share one pool, and the binary
//! contains all that TLS needs. The cryptography is `ring`, which starts without gathering entropy.
//! The trusted roots are the five that every AWS endpoint chains to: parsing them takes
//! microseconds, parsing the system's bundle milliseconds.
//!
//! SES has a pool apart: a connector has one read time-out for all its requests, and SES may take
//! longer than the other services.

use std::fs;
use std::time::Duration;

use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpConnector};
use lifecycle::error::BoxError;

/// A host that does not accept the connection within this time is tried again or given up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Limit for every response, except SES's. It matters where no shorter limit of the call applies.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// The roots of Amazon Trust Services, which publishes them for this purpose.
const AMAZON_ROOTS: &[u8] = include_bytes!("../roots/amazon.pem");

/// The roots that connections to AWS trust: Amazon's, or those of the file that `AWS_CA_BUNDLE`
/// names.
///
/// # Errors
///
/// When the bundle cannot be read or holds no certificate.
pub(crate) fn aws_roots(ca_bundle: Option<&str>) -> Result<TrustStore, BoxError> {
    let roots = match ca_bundle {
        None => AMAZON_ROOTS.to_vec(),
        Some(path) => {
            let bundle = fs::read(path).map_err(|error| format!("AWS_CA_BUNDLE: {error}"))?;
            if !bundle.windows(27).any(|window| window == b"-----BEGIN CERTIFICATE-----") {
                return Err("AWS_CA_BUNDLE holds no certificate".into());
            }
            bundle
        }
    };
    Ok(TrustStore::empty().with_pem_certificate(roots))
}

/// The connector that the AWS clients share.
pub(crate) fn for_aws(roots: TrustStore) -> SharedHttpConnector {
    build(roots, READ_TIMEOUT)
}

/// The connector for SES, whose response may take this long.
pub(crate) fn for_mail(roots: TrustStore, read_timeout: Duration) -> SharedHttpConnector {
    build(roots, read_timeout)
}

/// The connector for all hosts outside AWS. It trusts the operating system's roots. Loading them
/// takes milliseconds, so it is built only for a function that calls such a host.
pub(crate) fn for_others() -> SharedHttpConnector {
    build(TrustStore::default(), READ_TIMEOUT)
}

fn build(trust: TrustStore, read_timeout: Duration) -> SharedHttpConnector {
    let context = TlsContext::builder()
        .with_trust_store(trust)
        .build()
        .expect("a TLS context with only a trust store is always valid");
    let settings = HttpConnectorSettings::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(read_timeout)
        .build();
    let connector = Connector::builder()
        .tls_provider(Provider::rustls(CryptoMode::Ring))
        .tls_context(context)
        .connector_settings(settings)
        .sleep_impl(TokioSleep::new())
        .build();
    SharedHttpConnector::new(connector)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_roots_are_five_readable_certificates() {
        let certificates = AMAZON_ROOTS.split(|byte| *byte == b'\n');
        let begins = certificates.filter(|line| *line == b"-----BEGIN CERTIFICATE-----").count();
        assert_eq!(begins, 5);
        let _ = for_aws(aws_roots(None).unwrap());
    }

    #[test]
    fn a_ca_bundle_without_certificates_is_an_error() {
        let error = aws_roots(Some("/dev/null")).expect_err("the file is empty");
        assert_eq!(error.to_string(), "AWS_CA_BUNDLE holds no certificate");
        let error = aws_roots(Some("/nonexistent")).expect_err("the file does not exist");
        assert!(error.to_string().starts_with("AWS_CA_BUNDLE: "), "{error}");
    }
}
