//! One connection, and its errors.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_smithy_runtime_api::client::connection::ConnectionMetadata;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ErrorKind;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use lifecycle::since::Since;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::origin::Origin;

/// A connection that waited longer is not used: its server is likely to have closed it.
pub(super) const WAITING_MAX: Duration = Duration::from_secs(90);

/// The bytes of a connection, with TLS or without it. One type for both, so that the code of HTTP is
/// linked once.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for S {}

/// An open connection, for one request at a time.
pub(super) struct Connection {
    pub(super) sender: SendRequest<SdkBody>,
    server: Option<SocketAddr>,
    /// Whether the SDK has asked for another connection, after an error of the server.
    is_poisoned: Arc<AtomicBool>,
    waits_since: Since,
}

impl Connection {
    /// Opens a connection to a server.
    ///
    /// # Errors
    ///
    /// When the host has no address, refuses the connection, or has another certificate.
    pub(super) async fn open(origin: &Origin, tls: &TlsConnector) -> Result<Self, ConnectorError> {
        let stream = TcpStream::connect((origin.host(), origin.port())).await.map_err(io_error)?;
        // Requests are small, so send packets at once.
        stream.set_nodelay(true).map_err(io_error)?;
        let server = stream.peer_addr().ok();
        let stream: Box<dyn Stream> = if origin.is_secure() {
            let name = ServerName::try_from(origin.host().to_owned());
            let name = name.map_err(|error| ConnectorError::user(error.into()))?;
            Box::new(tls.connect(name, stream).await.map_err(io_error)?)
        } else {
            Box::new(stream)
        };
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(failed)?;
        tokio::spawn(async move {
            // The request under way gets the error.
            let _ = connection.await;
        });
        let (is_poisoned, waits_since) = (Arc::default(), Since::now());
        Ok(Self { sender, server, is_poisoned, waits_since })
    }

    /// Whether it can be used for another request.
    pub(super) fn is_usable(&self) -> bool {
        !self.sender.is_closed()
            && !self.is_poisoned.load(Ordering::Relaxed)
            && self.waits_since.elapsed() < WAITING_MAX
    }

    /// The connection, which begins to wait.
    pub(super) fn waiting(self) -> Self {
        Self { waits_since: Since::now(), ..self }
    }

    /// The connection for the SDK, which may poison it: then it serves no other request.
    pub(super) fn metadata(&self) -> ConnectionMetadata {
        let is_poisoned = Arc::clone(&self.is_poisoned);
        let mut metadata = ConnectionMetadata::builder()
            .proxied(false)
            .poison_fn(move || is_poisoned.store(true, Ordering::Relaxed));
        metadata.set_remote_addr(self.server);
        metadata.build()
    }
}

fn io_error(error: io::Error) -> ConnectorError {
    ConnectorError::io(error.into())
}

/// The error of a request, in the SDK's kinds: they decide whether it is retried.
pub(super) fn failed(error: hyper::Error) -> ConnectorError {
    if error.is_timeout() {
        ConnectorError::timeout(error.into())
    } else if error.is_user() {
        ConnectorError::user(error.into())
    } else if error.is_closed() || error.is_canceled() || is_of_io(&error) {
        ConnectorError::io(error.into())
    } else if error.is_incomplete_message() {
        // The server closed the connection instead of responding.
        ConnectorError::other(error.into(), Some(ErrorKind::TransientError))
    } else {
        ConnectorError::other(error.into(), None)
    }
}

fn is_of_io(error: &hyper::Error) -> bool {
    let mut causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.any(<dyn Error>::is::<io::Error>)
}
