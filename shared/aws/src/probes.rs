//! Health probes of the dependencies: one real call each, without caches, within one second.

use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use lifecycle::effects::QueueName;
use lifecycle::record::{Key, TableName};
use lifecycle::{Permit, ServiceError};

use crate::Aws;
use crate::errors::fault;

/// How long the probe of a dependency may take, retries included.
const PROBE_MAX: Duration = Duration::from_secs(1);

async fn within_limit(
    probe: impl Future<Output = Result<(), ServiceError>>,
) -> Result<(), ServiceError> {
    tokio::time::timeout(PROBE_MAX, probe).await.unwrap_or(Err(ServiceError::TimedOut))
}

impl Aws {
    /// Probes a table: reads a key that no item has.
    ///
    /// # Errors
    ///
    /// When the table cannot be read.
    pub async fn probe_table<C>(
        &self,
        _: &Permit<C>,
        table: TableName,
    ) -> Result<(), ServiceError> {
        let key = if table.is_sorted() {
            Key::sorted("healthcheck", "healthcheck")
        } else {
            Key::new("healthcheck")
        };
        within_limit(async { self.get_item(table, &key, false).await.map(drop) }).await
    }

    /// Probes a queue: reads its ARN.
    ///
    /// # Errors
    ///
    /// When the call fails, or the function's `RESOURCES` lacks the queue.
    pub async fn probe_queue<C>(
        &self,
        _: &Permit<C>,
        queue: QueueName,
    ) -> Result<(), ServiceError> {
        let name = queue.name();
        let url = self.configuration().queue(queue);
        let url =
            url.ok_or_else(|| ServiceError::internal(format!("RESOURCES lacks the queue {name}")))?;
        let request = self.sqs().get_queue_attributes().queue_url(url);
        let request = request.attribute_names(QueueAttributeName::QueueArn);
        within_limit(async {
            let answered = request.send().await;
            answered.map(drop).map_err(|error| fault("GetQueueAttributes", name, error))
        })
        .await
    }

    /// Probes a secret: reads it and discards the value.
    ///
    /// # Errors
    ///
    /// When the secret cannot be read, or the function's `RESOURCES` lacks it.
    pub async fn probe_secret<C>(
        &self,
        _: &Permit<C>,
        name: &'static str,
    ) -> Result<(), ServiceError> {
        within_limit(async { self.secret_text(name).await.map(drop) }).await
    }
}
