//! The AWS configuration and clients of one function. Each client is made at its first use.

mod clients;
#[cfg(feature = "testing")]
mod in_memory;
#[cfg(feature = "testing")]
mod simulated;

use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::retry::{RetryPartition, TokenBucket};
use aws_sdk_dynamodb::config::{BehaviorVersion, IdentityCache, StalledStreamProtectionConfig};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use futures::future::BoxFuture;
use lifecycle::ports::Adapter;
use lifecycle::record::TableName;

use crate::alerts::port::DeliverAlert;
use crate::auth::tokens::trusted_issuers::{self, OutsideIssuer};
use crate::config::Configuration;
use crate::connector;
use crate::endpoints::ENDPOINT_URL;
use crate::linked::Linked;

/// The first attempt and two retries, with full jitter between them.
const ATTEMPTS_MAX: u32 = 3;
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const LONGEST_BACKOFF: Duration = Duration::from_secs(1);
/// A healthy call takes milliseconds, so a call this slow is retried.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1500);
/// Limit for all attempts together. It is less than any function's time-out, so that time is left
/// to report the failure.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(4);

/// The tables, queues, secrets and mail that one function uses. Cheap to clone.
#[derive(Clone)]
pub struct Aws(Arc<Inner>);

struct Inner {
    linked: Linked<Aws>,
    configuration: Configuration,
    outside_issuers: Result<Vec<OutsideIssuer>, String>,
    connector: SharedHttpConnector,
    others: OnceLock<SharedHttpConnector>,
    sdk: SdkConfig,
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    sqs: OnceLock<aws_sdk_sqs::Client>,
    secrets_manager: OnceLock<aws_sdk_secretsmanager::Client>,
    #[cfg(feature = "mail")]
    ses: OnceLock<aws_sdk_sesv2::Client>,
    alerts: OnceLock<Box<dyn DeliverAlert>>,
    preparations: Mutex<Preparations>,
    in_memory: Option<Arc<dyn Adapter>>,
    /// Whether the function is simulated: others are in the same process.
    is_simulated: bool,
}

/// The work to run while the function starts.
#[derive(Default)]
pub(crate) struct Preparations {
    pub(crate) work: Vec<BoxFuture<'static, ()>>,
    /// The tables that the work reads, each over a separate connection.
    pub(crate) tables: Vec<TableName>,
}

impl Aws {
    pub(crate) fn of(
        configuration: Configuration,
        connector: SharedHttpConnector,
        linked: Linked<Self>,
    ) -> Self {
        Self(Arc::new(Inner::new(configuration, connector, linked)))
    }

    /// The public URL of the API, without a slash at the end: `https://api.example.com`.
    ///
    /// # Panics
    ///
    /// When the function's `RESOURCES` lacks
    /// [`Resource::PublicUrl`](lifecycle::resource::Resource::PublicUrl).
    pub fn public_url(&self) -> String {
        let url = self.configuration().public_url.as_deref();
        let url = url.unwrap_or_else(|| panic!("RESOURCES lacks the public URL"));
        url.trim_end_matches('/').to_owned()
    }

    /// The value of a variable that
    /// [`Resource::Variable`](lifecycle::resource::Resource::Variable) declares, such as the name of a
    /// bucket.
    ///
    /// # Panics
    ///
    /// When the function's `RESOURCES` lacks the variable.
    pub fn variable(&self, name: &str) -> &str {
        let value = self.configuration().declared_variable(name);
        value.unwrap_or_else(|| panic!("RESOURCES lacks the variable {name}"))
    }

    /// The configuration for the client of any other AWS service. It shares region, credentials,
    /// connections, time-outs and retries with the clients of this crate: three attempts of 1.5 s
    /// each, and 4 s for all. A client may be given other ones.
    ///
    /// `AWS_ENDPOINT_URL_<SERVICE>` and `AWS_ENDPOINT_URL` apply, as in every SDK. A name of
    /// profiles, a file of credentials and other settings of the SDK's chain are not read.
    ///
    /// Make the client once, where the endpoint is built. Its calls belong in stage 6, where a
    /// [`Permit`](lifecycle::Permit) proves that the caller was admitted; nothing enforces that
    /// here. [`service_error`](crate::service_error) maps their errors. Declare the permissions by
    /// [`Resource::Other`](lifecycle::resource::Resource::Other). For a simulation, give the client an
    /// [`Aws::retry_partition`].
    ///
    /// ```
    /// use aws::{Aws, service_error};
    /// use lifecycle::{Permit, RetrieveError, Retrieved};
    ///
    /// /// The same with `aws_sdk_s3`, which also presigns requests.
    /// struct Backups(aws_sdk_dynamodb::Client);
    ///
    /// impl Backups {
    ///     fn of(aws: &Aws) -> Self {
    ///         let mut config = aws_sdk_dynamodb::config::Builder::from(&aws.sdk_config());
    ///         config.set_retry_partition(aws.retry_partition());
    ///         Self(aws_sdk_dynamodb::Client::from_conf(config.build()))
    ///     }
    ///
    ///     async fn count<C>(&self, _: &Permit<C>) -> Retrieved<usize> {
    ///         let answer = self.0.list_backups().send().await;
    ///         let answer = answer.map_err(|error| service_error("ListBackups", "backups", error));
    ///         Ok(answer.map_err(RetrieveError::from)?.backup_summaries().len())
    ///     }
    /// }
    /// ```
    pub fn sdk_config(&self) -> SdkConfig {
        self.0.sdk.to_builder().service_config(EndpointUrls(self.clone())).build()
    }

    /// A retry quota for one client on [`Aws::sdk_config`], as in its example. `None` outside of
    /// simulations: the clients of a service share the SDK's quota in the process.
    ///
    /// The process of a simulation has many execution environments. With one quota, the time at which an
    /// environment stops its retries would depend on the others, and on other runs.
    pub fn retry_partition(&self) -> Option<RetryPartition> {
        if !self.0.is_simulated {
            return None;
        }
        // The costs of the SDK's retry specification 2.1.
        let quota = TokenBucket::builder().retry_cost(14).throttling_retry_cost(5);
        let quota = quota.timeout_retry_cost(14).build();
        Some(RetryPartition::custom("environment").token_bucket(quota).build())
    }

    /// The calls of the ports that this function makes.
    pub(crate) fn linked(&self) -> Linked<Self> {
        self.0.linked
    }

    pub(crate) fn configuration(&self) -> &Configuration {
        &self.0.configuration
    }

    /// The outside issuers whose tokens are accepted, or the error in `ISSUERS`. Such an error
    /// stops no function: our own tokens do not depend on it.
    pub(crate) fn outside_issuers(&self) -> &Result<Vec<OutsideIssuer>, String> {
        &self.0.outside_issuers
    }

    /// Adds work about a value to run while the function starts, unless the value is gone by then.
    pub(crate) fn prepare<T, F>(
        &self,
        value: &Arc<T>,
        work: impl FnOnce(Arc<T>) -> F + Send + 'static,
    ) where
        T: Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        // The value holds this one, which holds the work: a strong reference would keep all three
        // of a function that is built and never starts.
        let value = Arc::downgrade(value);
        self.preparations().work.push(Box::pin(async move {
            if let Some(value) = value.upgrade() {
                work(value).await;
            }
        }));
    }

    /// As [`Aws::prepare`], for work that reads a table. Requests then find the value, and the
    /// connection that the read opened.
    pub(crate) fn prepare_read<T, F>(
        &self,
        table: TableName,
        value: &Arc<T>,
        work: impl FnOnce(Arc<T>) -> F + Send + 'static,
    ) where
        T: Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        self.prepare(value, work);
        self.preparations().tables.push(table);
    }

    /// Loads the trusted roots of hosts that are not AWS's while the function starts, since that
    /// takes milliseconds.
    pub(crate) fn prepare_public_roots(&self) {
        self.prepare(&self.0, |inner| async move {
            Self(inner).public_roots_connector();
        });
    }

    /// Returns the added work, once.
    pub(crate) fn take_preparations(&self) -> Preparations {
        mem::take(&mut *self.preparations())
    }

    /// Whether this value and its clones are gone when the result is called.
    #[cfg(test)]
    pub(crate) fn is_freed(&self) -> impl Fn() -> bool + use<> {
        let inner = Arc::downgrade(&self.0);
        move || inner.strong_count() == 0
    }

    fn preparations(&self) -> MutexGuard<'_, Preparations> {
        self.0.preparations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connector that the AWS clients share.
    pub(crate) fn connector(&self) -> &SharedHttpConnector {
        &self.0.connector
    }

    /// The connector for hosts that are not AWS's.
    pub(crate) fn public_roots_connector(&self) -> &SharedHttpConnector {
        self.0.others.get_or_init(connector::for_others)
    }

    /// The adapter of a test, which writes, messages and mail go to instead of AWS. Reads go through
    /// the connector.
    pub(crate) fn in_memory(&self) -> Option<&dyn Adapter> {
        self.0.in_memory.as_deref()
    }

    /// The alert services, once the consumer that writes alerts has asked for them.
    pub(crate) fn alerts(&self) -> &OnceLock<Box<dyn DeliverAlert>> {
        &self.0.alerts
    }
}

impl Inner {
    fn new(
        configuration: Configuration,
        connector: SharedHttpConnector,
        linked: Linked<Aws>,
    ) -> Self {
        Self {
            linked,
            outside_issuers: trusted_issuers::read(&configuration),
            sdk: sdk_config(&configuration, connector.clone()),
            configuration,
            connector,
            others: OnceLock::new(),
            dynamodb: OnceLock::new(),
            sqs: OnceLock::new(),
            secrets_manager: OnceLock::new(),
            #[cfg(feature = "mail")]
            ses: OnceLock::new(),
            alerts: OnceLock::new(),
            preparations: Mutex::default(),
            in_memory: None,
            is_simulated: false,
        }
    }
}

/// The endpoint URLs of other services, from the variables that every AWS SDK reads.
struct EndpointUrls(Aws);

impl LoadServiceConfig for EndpointUrls {
    /// The environment names the service: `("S3", "AWS_ENDPOINT_URL")` is `AWS_ENDPOINT_URL_S3`.
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        if key.env() != ENDPOINT_URL {
            return None;
        }
        let service = key.service_id().to_uppercase().replace([' ', '-'], "_");
        let configuration = self.0.configuration();
        let own = configuration.variable(&format!("{ENDPOINT_URL}_{service}"));
        own.or_else(|| configuration.variable(ENDPOINT_URL))
    }
}

/// Does not show the configuration, which has credentials.
impl fmt::Debug for EndpointUrls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EndpointUrls")
    }
}

/// The limits of one attempt, and of all attempts together.
pub(crate) fn timeouts(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(attempt).operation_timeout(operation).build()
}

/// The configuration that all clients share.
fn sdk_config(configuration: &Configuration, connector: SharedHttpConnector) -> SdkConfig {
    let retries = RetryConfig::standard()
        .with_max_attempts(ATTEMPTS_MAX)
        .with_initial_backoff(FIRST_BACKOFF)
        .with_max_backoff(LONGEST_BACKOFF);
    SdkConfig::builder()
        // Pinned: another version of the SDK must not change how we behave.
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(configuration.region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(configuration.credentials.clone()))
        // The credentials never change while the process lives, so there is nothing to cache.
        .identity_cache(IdentityCache::no_cache())
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .retry_config(retries)
        .timeout_config(timeouts(ATTEMPT_TIMEOUT, OPERATION_TIMEOUT))
        // Responses are small, and the time-outs above already bound them.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build()
}
