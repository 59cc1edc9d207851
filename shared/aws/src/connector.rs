//! The HTTP connectors that the clients share, each with its pool, TLS and time-outs.
//!
//! A TLS handshake is most of a cold start, so the AWS clients share one pool, and the binary
//! contains all that TLS needs. The cryptography is `ring`, which starts without gathering entropy.
//! The trusted roots are the five that every AWS endpoint chains to: parsing them takes
//! microseconds, parsing the system's bundle milliseconds.

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
/// Limit for every response. It matters where no shorter limit of the call applies.
const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// The roots of Amazon Trust Services, which publishes them for this purpose.
const AMAZON_ROOTS: &[u8] = include_bytes!("../roots/amazon.pem");

/// The connector for AWS. If `AWS_CA_BUNDLE` is set, the file's roots are trusted instead of
/// Amazon's.
///
/// # Errors
///
/// When the bundle cannot be read or holds no certificate.
pub(crate) fn for_aws(ca_bundle: Option<&str>) -> Result<SharedHttpConnector, BoxError> {
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
    Ok(build(TrustStore::empty().with_pem_certificate(roots)))
}

/// The connector for all hosts outside AWS. It trusts the operating system's roots. Loading them
/// takes milliseconds, so it is built only for a function that calls such a host.
pub(crate) fn for_others() -> SharedHttpConnector {
    build(TrustStore::default())
}

fn build(trust: TrustStore) -> SharedHttpConnector {
    let context = TlsContext::builder()
        .with_trust_store(trust)
        .build()
        .expect("a TLS context with only a trust store is always valid");
    let settings = HttpConnectorSettings::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
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
        assert!(for_aws(None).is_ok());
    }

    #[test]
    fn a_ca_bundle_without_certificates_is_an_error() {
        let error = for_aws(Some("/dev/null")).expect_err("the file is empty");
        assert_eq!(error.to_string(), "AWS_CA_BUNDLE holds no certificate");
        let error = for_aws(Some("/nonexistent")).expect_err("the file does not exist");
        assert!(error.to_string().starts_with("AWS_CA_BUNDLE: "), "{error}");
    }
}
