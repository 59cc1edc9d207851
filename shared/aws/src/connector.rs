//! The HTTP connectors that the clients share, each with its pool, TLS and time-outs.
//!
//! AWS's services answer HTTP/1.1, and a Lambda function makes few calls at a time. So a connector
//! speaks nothing else: it has no HTTP/2, no proxies, and one small pool. Its parts are hyper's
//! HTTP/1.1 client and rustls. The SDK's connector brings HTTP/2 into every function, and a slower way
//! through its pool into every call.
//!
//! A TLS handshake is most of a cold start, so the AWS clients share one pool, and the binary
//! contains all that TLS needs. The cryptography is `ring`, which starts without gathering entropy.
//! The trusted roots are the five that every AWS endpoint chains to: parsing them takes
//! microseconds, parsing the system's bundle milliseconds.
//!
//! SES has a pool apart: a connector has one read time-out for all its requests, and SES may take
//! longer than the other services.

mod body;
mod client;
mod connection;
mod origin;
mod pool;
#[cfg(test)]
mod tests;
mod tls;

use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;

use self::client::Client;
pub(crate) use self::client::NotConnected;
use self::tls::Tls;
#[cfg(feature = "testing")]
pub(crate) use self::tls::no_roots;
pub(crate) use self::tls::{Roots, aws_roots};

/// Limit for every response, except SES's. It matters where no shorter limit of the call applies.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// The connector that the AWS clients share.
pub(crate) fn for_aws(roots: Roots) -> SharedHttpConnector {
    build(roots, READ_TIMEOUT)
}

/// The connector for SES, whose response may take this long.
pub(crate) fn for_mail(roots: Roots, read_timeout: Duration) -> SharedHttpConnector {
    build(roots, read_timeout)
}

/// The connector for all hosts outside AWS. It trusts the operating system's roots. Loading them
/// takes milliseconds, so it is built only for a function that calls such a host.
pub(crate) fn for_others() -> SharedHttpConnector {
    build(tls::public_roots(), READ_TIMEOUT)
}

fn build(roots: Roots, read_timeout: Duration) -> SharedHttpConnector {
    SharedHttpConnector::new(Client::new(&Tls::trusting(roots), read_timeout))
}
