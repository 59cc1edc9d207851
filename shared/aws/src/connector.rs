//! The HTTP connectors that the clients share, each with its pool and TLS. They limit the time of
//! opening a connection; a caller limits the whole call.
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

mod body;
mod client;
mod connection;
mod origin;
mod pool;
#[cfg(test)]
mod tests;
mod tls;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;

use self::client::Client;
pub(crate) use self::client::NotConnected;
pub(crate) use self::tls::aws_roots;
use self::tls::{Roots, Tls};

/// A connector that trusts these roots.
pub(crate) fn trusting(roots: Roots) -> SharedHttpConnector {
    SharedHttpConnector::new(Client::new(&Tls::trusting(roots)))
}

/// The connector for all hosts outside AWS. It trusts the operating system's roots. Loading them
/// takes milliseconds, so it is built only for a function that calls such a host.
pub(crate) fn for_others() -> SharedHttpConnector {
    trusting(tls::public_roots())
}
