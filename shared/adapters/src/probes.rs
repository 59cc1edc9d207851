//! Whether what we depend on is there: one real call each, past every cache.

use aws_sdk_sqs::types::QueueAttributeName;
use lifecycle::effects::Queue;
use lifecycle::record::{Key, Table};
use lifecycle::{Fault, Permit};

use crate::Aws;
use crate::faults::fault;

impl Aws {
    /// Reads a key that no item has.
    ///
    /// # Errors
    ///
    /// When the table does not answer.
    pub async fn probe_table<C>(&self, _: &Permit<C>, table: Table) -> Result<(), Fault> {
        self.get_item(table, &Key::new("healthcheck"), false).await?;
        Ok(())
    }

    /// Asks a queue for its ARN.
    ///
    /// # Errors
    ///
    /// When the queue does not answer, or is not among the uses.
    pub async fn probe_queue<C>(&self, _: &Permit<C>, queue: Queue) -> Result<(), Fault> {
        let name = queue.name();
        let url = self.configuration().queue(queue);
        let url =
            url.ok_or_else(|| Fault::internal(format!("queue {name} is not among the uses")))?;
        let request = self.sqs().get_queue_attributes().queue_url(url);
        let request = request.attribute_names(QueueAttributeName::QueueArn);
        request.send().await.map_err(|error| fault("GetQueueAttributes", name, error))?;
        Ok(())
    }

    /// Reads a secret and forgets it.
    ///
    /// # Errors
    ///
    /// When Secrets Manager does not answer, or the secret is not among the uses.
    pub async fn probe_secret<C>(&self, _: &Permit<C>, name: &'static str) -> Result<(), Fault> {
        self.secret_text(name).await?;
        Ok(())
    }
}
