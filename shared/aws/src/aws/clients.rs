//! The clients of AWS services, each made at its first use.

use std::time::Duration;

#[cfg(feature = "mail")]
use aws_smithy_types::retry::RetryConfig;

use super::{Aws, timeouts};
use crate::endpoints::Service;

/// Messages are sent when no client waits any more, and a message that is given up is lost. So a
/// slow queue gets more time, within the invocation's remaining time.
const SEND_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(4);
const SEND_TIMEOUT: Duration = Duration::from_secs(9);
/// SES takes no idempotency token, so a second attempt after a time-out could send a second mail. A
/// mail therefore gets one attempt. A record whose attempt fails returns through its queue. The
/// consumers that send mail have 20 s.
#[cfg(feature = "mail")]
const MAIL_TIMEOUT: Duration = Duration::from_secs(10);

impl Aws {
    pub(crate) fn dynamodb(&self) -> &aws_sdk_dynamodb::Client {
        self.0.dynamodb.get_or_init(|| {
            let mut config = aws_sdk_dynamodb::config::Builder::from(&self.0.sdk)
                .endpoint_url(Service::DynamoDb.url(self.configuration()));
            config.set_retry_partition(self.retry_partition());
            aws_sdk_dynamodb::Client::from_conf(config.build())
        })
    }

    pub(crate) fn sqs(&self) -> &aws_sdk_sqs::Client {
        self.0.sqs.get_or_init(|| {
            let mut config = aws_sdk_sqs::config::Builder::from(&self.0.sdk)
                .endpoint_url(Service::Sqs.url(self.configuration()))
                .timeout_config(timeouts(SEND_ATTEMPT_TIMEOUT, SEND_TIMEOUT));
            config.set_retry_partition(self.retry_partition());
            aws_sdk_sqs::Client::from_conf(config.build())
        })
    }

    pub(crate) fn secrets_manager(&self) -> &aws_sdk_secretsmanager::Client {
        self.0.secrets_manager.get_or_init(|| {
            let mut config = aws_sdk_secretsmanager::config::Builder::from(&self.0.sdk)
                .endpoint_url(Service::SecretsManager.url(self.configuration()));
            config.set_retry_partition(self.retry_partition());
            aws_sdk_secretsmanager::Client::from_conf(config.build())
        })
    }

    #[cfg(feature = "mail")]
    pub(crate) fn ses(&self) -> &aws_sdk_sesv2::Client {
        self.0.ses.get_or_init(|| {
            let config = aws_sdk_sesv2::config::Builder::from(&self.0.sdk)
                .endpoint_url(Service::Ses.url(self.configuration()))
                .retry_config(RetryConfig::disabled())
                .timeout_config(timeouts(MAIL_TIMEOUT, MAIL_TIMEOUT))
                .build();
            aws_sdk_sesv2::Client::from_conf(config)
        })
    }
}
