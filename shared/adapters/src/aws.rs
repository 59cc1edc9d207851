//! AWS as one value: cheap to clone, built from the environment, its clients made when first used.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::{BehaviorVersion, IdentityCache, StalledStreamProtectionConfig};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use futures::future::BoxFuture;
use lifecycle::failure::BoxError;
use lifecycle::record::Table;
use lifecycle::uses::Use;

use crate::configuration::Configuration;
use crate::connector;
use crate::endpoints::Service;
use crate::notifiers::Notifiers;
use crate::tokens::outside::{self, OutsideIssuer};

/// The first try and two more, with full jitter between them.
const ATTEMPTS_MAX: u32 = 3;
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const LONGEST_BACKOFF: Duration = Duration::from_secs(1);
/// A healthy call takes milliseconds; one that takes this long is better tried again.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1500);
/// All attempts together: less than any function's own time-out, so that there is time left to
/// say what happened.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(4);
/// Messages leave when no client waits any more, and one that is given up is lost: a slow queue is
/// waited for. What is left of the invocation bounds it all the same.
const SEND_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(4);
const SEND_TIMEOUT: Duration = Duration::from_secs(9);
/// SES takes no idempotency token: a second attempt after a time-out may be a second mail. So a mail
/// gets one attempt, and more time than SES ever needs. A record whose attempt fails comes again
/// through its queue. The consumers that write mails have 20 s.
const MAIL_TIMEOUT: Duration = Duration::from_secs(10);

/// Tables, queues, secrets and mail, for the things that one function uses.
#[derive(Clone)]
pub struct Aws(Arc<Inner>);

struct Inner {
    configuration: Configuration,
    outside_issuers: Result<Vec<OutsideIssuer>, String>,
    connector: SharedHttpConnector,
    others: OnceLock<SharedHttpConnector>,
    sdk: SdkConfig,
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    sqs: OnceLock<aws_sdk_sqs::Client>,
    secrets_manager: OnceLock<aws_sdk_secretsmanager::Client>,
    ses: OnceLock<aws_sdk_sesv2::Client>,
    notifiers: OnceLock<Notifiers>,
    preparations: Mutex<Preparations>,
}

/// What is to be done while the function starts.
#[derive(Default)]
pub(crate) struct Preparations {
    pub(crate) work: Vec<BoxFuture<'static, ()>>,
    /// The tables that the work reads, each over a connection of its own.
    pub(crate) tables: Vec<Table>,
}

impl Aws {
    /// Reads what the uses need from the process's environment. No connection is made yet.
    ///
    /// Credentials, region and addresses come from the variables that Lambda sets, without the
    /// SDK's chain of providers: looking for profiles, containers and instance metadata costs a
    /// cold start more than everything else the function does.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`](crate::ConfigError) that names every variable that is missing, or what
    /// is wrong with the file that `AWS_CA_BUNDLE` names.
    pub fn connect(uses: &[Use]) -> Result<Self, BoxError> {
        Self::connect_with(uses, |name| std::env::var(name).ok())
    }

    /// As [`Aws::connect`], with an environment of your own making.
    ///
    /// # Errors
    ///
    /// As [`Aws::connect`].
    pub fn connect_with(
        uses: &[Use],
        environment: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Result<Self, BoxError> {
        let configuration = Configuration::read(uses, Box::new(environment))?;
        let outside_issuers = outside::read(&configuration);
        let connector = connector::for_aws(configuration.ca_bundle.as_deref())?;
        let sdk = sdk_config(&configuration, connector.clone());
        Ok(Self(Arc::new(Inner {
            configuration,
            outside_issuers,
            connector,
            others: OnceLock::new(),
            sdk,
            dynamodb: OnceLock::new(),
            sqs: OnceLock::new(),
            secrets_manager: OnceLock::new(),
            ses: OnceLock::new(),
            notifiers: OnceLock::new(),
            preparations: Mutex::default(),
        })))
    }

    /// Where the API answers, without a slash at the end: `https://api.example.com`.
    ///
    /// # Panics
    ///
    /// When [`Use::PublicUrl`] is not among the uses that the endpoint declares.
    pub fn public_url(&self) -> String {
        let url = self.configuration().public_url.as_deref();
        let url = url.unwrap_or_else(|| panic!("the public address is not declared as used"));
        url.trim_end_matches('/').to_owned()
    }

    pub(crate) fn configuration(&self) -> &Configuration {
        &self.0.configuration
    }

    /// Whose tokens are accepted beside our own, or what is wrong with `ISSUERS`. That ends no
    /// function: our own tokens have nothing to do with it.
    pub(crate) fn outside_issuers(&self) -> &Result<Vec<OutsideIssuer>, String> {
        &self.0.outside_issuers
    }

    /// Leaves something to be done while the function starts.
    pub(crate) fn prepare(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.preparations().work.push(Box::pin(work));
    }

    /// Leaves a table to be read while the function starts: requests find what was read, and the
    /// connection that it came over.
    pub(crate) fn prepare_read(
        &self,
        table: Table,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let mut preparations = self.preparations();
        preparations.work.push(Box::pin(work));
        preparations.tables.push(table);
    }

    /// What was left to be done; it is there to be taken once.
    pub(crate) fn take_preparations(&self) -> Preparations {
        mem::take(&mut *self.preparations())
    }

    fn preparations(&self) -> MutexGuard<'_, Preparations> {
        self.0.preparations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connector that the AWS clients share.
    pub(crate) fn connector(&self) -> &SharedHttpConnector {
        &self.0.connector
    }

    /// The connector for hosts that are not AWS's.
    pub(crate) fn others(&self) -> &SharedHttpConnector {
        self.0.others.get_or_init(connector::for_others)
    }

    /// Whoever takes notices, once the consumer that writes them has asked for them.
    pub(crate) fn notifiers_kept(&self) -> &OnceLock<Notifiers> {
        &self.0.notifiers
    }

    pub(crate) fn dynamodb(&self) -> &aws_sdk_dynamodb::Client {
        self.0.dynamodb.get_or_init(|| {
            let config = aws_sdk_dynamodb::config::Builder::from(&self.0.sdk)
                .endpoint_url(Service::DynamoDb.url(self.configuration()))
                .build();
            aws_sdk_dynamodb::Client::from_conf(config)
        })
    }

    pub(crate) fn sqs(&self) -> &aws_sdk_sqs::Client {
        self.0.sqs.get_or_init(|| {
            let timeouts = TimeoutConfig::builder()
                .operation_attempt_timeout(SEND_ATTEMPT_TIMEOUT)
                .operation_timeout(SEND_TIMEOUT)
                .build();
            let config = aws_sdk_sqs::config::Builder::from(&self.0.sdk)
                .endpoint_url(Service::Sqs.url(self.configuration()))
                .timeout_config(timeouts)
                .build();
            aws_sdk_sqs::Client::from_conf(config)
        })
    }

    pub(crate) fn secrets_manager(&self) -> &aws_sdk_secretsmanager::Client {
        self.0.secrets_manager.get_or_init(|| {
            let config = aws_sdk_secretsmanager::config::Builder::from(&self.0.sdk)
                .endpoint_url(Service::SecretsManager.url(self.configuration()))
                .build();
            aws_sdk_secretsmanager::Client::from_conf(config)
        })
    }

    pub(crate) fn ses(&self) -> &aws_sdk_sesv2::Client {
        self.0.ses.get_or_init(|| {
            let timeouts = TimeoutConfig::builder()
                .operation_attempt_timeout(MAIL_TIMEOUT)
                .operation_timeout(MAIL_TIMEOUT)
                .build();
            let config = aws_sdk_sesv2::config::Builder::from(&self.0.sdk)
                .endpoint_url(Service::Ses.url(self.configuration()))
                .retry_config(RetryConfig::disabled())
                .timeout_config(timeouts)
                .build();
            aws_sdk_sesv2::Client::from_conf(config)
        })
    }
}

/// What all clients have in common.
fn sdk_config(configuration: &Configuration, connector: SharedHttpConnector) -> SdkConfig {
    let retries = RetryConfig::standard()
        .with_max_attempts(ATTEMPTS_MAX)
        .with_initial_backoff(FIRST_BACKOFF)
        .with_max_backoff(LONGEST_BACKOFF);
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    SdkConfig::builder()
        // Pinned: another version of the SDK must not change how we behave.
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(configuration.region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(configuration.credentials.clone()))
        // They never change while the process lives, so there is nothing to cache.
        .identity_cache(IdentityCache::no_cache())
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .retry_config(retries)
        .timeout_config(timeouts)
        // Answers are small, and the time-outs above bound them already.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build()
}
