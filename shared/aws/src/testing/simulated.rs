//! The HTTP connector of simulated functions, and the SDK without its own randomness and clock.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_smithy_async::time::TimeSource;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use http::{Request, Response};
use lifecycle::{clock, random};

use super::canonical::canonical;

/// Answers all HTTP requests of a simulated function: those to AWS, and those to other hosts.
#[async_trait]
pub trait AsyncRespond: Send + Sync + 'static {
    /// Answers a request. It may take any time: the function has the time-outs of the real
    /// connector and of the SDK. Then it drops the future, although the request may have had its
    /// effect.
    ///
    /// The request has its whole URL. Requests to AWS have the same bytes in each run with one seed:
    ///
    /// - `authorization` ends after `Credential=…`, which names the access key, the region and the
    ///   service: `AWS4-HMAC-SHA256 Credential=key/20270115/eu-central-1/dynamodb/aws4_request`. A
    ///   `GET` of an address without it opens a connection before the first request; any answer will
    ///   do.
    /// - `amz-sdk-request` has the number of the attempt, from 1. Versions, random ids and the
    ///   session token are left out.
    /// - The members of JSON objects are in alphabetical order.
    ///
    /// # Errors
    ///
    /// A failure without a response.
    async fn respond(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, ConnectorFailure>;
}

/// Why a request has no response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectorFailure {
    /// No connection could be opened: the request had no effect.
    #[error("connection refused")]
    Refused,
    /// The connection broke. The request may have had its effect.
    #[error("connection reset")]
    Reset,
    /// The response took too long. The request may have had its effect.
    #[error("read timed out")]
    TimedOut,
}

/// The connector of simulated functions. Clones share the responses.
#[derive(Clone)]
pub struct Connector(Arc<dyn AsyncRespond>);

/// The HTTP connector of a simulation.
///
/// [`Connector::scope`] sets it for the `main` of a function, so that [`Aws::connect`] uses it.
/// Everything else of this crate is as on AWS: commits, batches, retries, caches, breakers.
///
/// [`Aws::connect`]: crate::Aws::connect
///
/// ```
/// use std::process::ExitCode;
/// use std::sync::Arc;
///
/// use async_trait::async_trait;
/// use aws::testing::{AsyncRespond, ConnectorFailure, connector};
/// use http::{Request, Response};
/// # use lifecycle::prelude::*;
/// use lifecycle::testing::simulated::start;
///
/// /// A network in which no connection can be opened.
/// struct Down;
///
/// #[async_trait]
/// impl AsyncRespond for Down {
///     async fn respond(
///         &self,
///         _: Request<Vec<u8>>,
///     ) -> Result<Response<Vec<u8>>, ConnectorFailure> {
///         Err(ConnectorFailure::Refused)
///     }
/// }
///
/// # struct Greet;
/// # impl lifecycle::Query for Greet {
/// #     const ROUTE: Route = Route::get("/greeting");
/// #     type Caller = Anyone;
/// #     const ACCESS: Access<NoRole> = Access::Public;
/// #     const LIMIT: Limit = Limit::OFF;
/// #     const RESOURCES: Resources = &[];
/// #     type Input = ();
/// #     type Command = ();
/// #     type Facts = u8;
/// #     async fn retrieve(&self, _: &Permit<Anyone>, (): &()) -> Retrieved<u8> {
/// #         Ok(1)
/// #     }
/// #     const ALLOW: Allow<Self> = Allow::Always;
/// #     type Reply = reply::Ok<u8>;
/// #     fn reply(found: u8) -> reply::Ok<u8> {
/// #         reply::Ok::of(found)
/// #     }
/// # }
/// fn main_of_greet() -> ExitCode {
///     aws::serve(|_| Greet)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let variables = |name: &str| match name {
///     "AWS_REGION" => Some("eu-central-1".to_owned()),
///     "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("simulated".to_owned()),
///     _ => None,
/// };
/// let network = connector(Down);
/// let greet = network.scope(|| start(Arc::new(variables), main_of_greet)).unwrap();
/// assert_eq!(greet.kind(), "endpoint");
/// greet.initialise().await;
/// # }
/// ```
pub fn connector(respond: impl AsyncRespond) -> Connector {
    Connector(Arc::new(respond))
}

thread_local! {
    static CURRENT: RefCell<Option<Connector>> = const { RefCell::new(None) };
}

impl Connector {
    /// Calls `start`, which starts a simulated function with this connector.
    pub fn scope<T>(&self, start: impl FnOnce() -> T) -> T {
        let _before = Before(CURRENT.replace(Some(self.clone())));
        start()
    }

    /// The connector of the function that this thread starts.
    pub(crate) fn current() -> Option<Self> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// The connector in the SDK's type.
    pub(crate) fn shared(&self) -> SharedHttpConnector {
        SharedHttpConnector::new(Responses(Arc::clone(&self.0)))
    }
}

/// The connector before a scope, restored at its end, also after a panic.
struct Before(Option<Connector>);

impl Drop for Before {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

struct Responses(Arc<dyn AsyncRespond>);

impl HttpConnector for Responses {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let respond = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move {
            seed_jitter();
            let request =
                request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            let request = canonical(request.map(|body| body.bytes().unwrap_or_default().to_vec()));
            let response = respond.respond(request).await;
            // The SDK draws the pause before a retry next.
            seed_jitter();
            let response = response.map_err(ConnectorError::from)?;
            HttpResponse::try_from(response.map(SdkBody::from))
                .map_err(|error| ConnectorError::user(error.into()))
        })
    }
}

/// The SDK draws the jitter of its retries from `fastrand`'s generator of the thread.
pub(crate) fn seed_jitter() {
    fastrand::seed(random::up_to(u64::MAX));
}

impl From<ConnectorFailure> for ConnectorError {
    fn from(failure: ConnectorFailure) -> Self {
        match failure {
            ConnectorFailure::Refused => Self::io(failure.into()).never_connected(),
            ConnectorFailure::Reset => Self::io(failure.into()),
            ConnectorFailure::TimedOut => Self::timeout(failure.into()),
        }
    }
}

/// The clock of the functions, for signatures and for the SDK's own limits.
#[derive(Debug)]
pub(crate) struct SimulatedTime;

impl TimeSource for SimulatedTime {
    fn now(&self) -> SystemTime {
        let millis = u64::try_from(clock::now().as_millis()).unwrap_or(0);
        SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl fmt::Debug for Responses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Responses")
    }
}
