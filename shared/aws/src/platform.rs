//! The lifecycle's ports on AWS.

use async_trait::async_trait;
use lifecycle::ServiceError;
use lifecycle::effects::{Mail, Post, QueueName};
use lifecycle::ports::{
    Adapter, CommitError, Count, Counter, DeadLetter, Mailer, Outgoing, Queues, Store, Telemetry,
    Transaction, Upstreams, VisibilityChange,
};
use lifecycle::record::{Key, TableName};
use serde_dynamo::Item;

use crate::Aws;
use crate::dynamodb::expressions::plain;
use crate::sqs::all_failed;

#[async_trait]
impl Store for Aws {
    async fn commit(&self, transaction: &Transaction) -> Result<(), CommitError> {
        let commit = self.linked().commit()?;
        commit(self, transaction).await
    }

    async fn read(&self, table: TableName, key: &Key) -> Result<Option<Item>, ServiceError> {
        let item = self.get_item(table, key, true).await?;
        Ok(item.map(plain))
    }

    async fn count(&self, counter: &Counter) -> Result<Count, ServiceError> {
        let count = self.linked().count()?;
        count(self, counter).await
    }
}

#[async_trait]
impl Queues for Aws {
    async fn send(&self, messages: &[Outgoing]) -> Vec<(usize, ServiceError)> {
        if let Some(adapter) = self.in_memory() {
            return adapter.send(messages).await;
        }
        match self.linked().queues() {
            Ok(queues) => queues.send(self, messages).await,
            Err(error) => all_failed(0..messages.len(), error),
        }
    }

    async fn change_visibility(
        &self,
        queue: QueueName,
        hidden: &[VisibilityChange],
    ) -> Result<(), ServiceError> {
        if let Some(adapter) = self.in_memory() {
            return adapter.change_visibility(queue, hidden).await;
        }
        self.linked().queues()?.change_visibility(self, queue, hidden).await
    }

    async fn dead_letter(&self, letter: &DeadLetter) -> Result<(), ServiceError> {
        if let Some(adapter) = self.in_memory() {
            return adapter.dead_letter(letter).await;
        }
        self.linked().queues()?.dead_letter(self, letter).await
    }
}

#[async_trait]
impl Mailer for Aws {
    async fn mail(&self, mail: &Mail) -> Result<(), ServiceError> {
        if let Some(adapter) = self.in_memory() {
            return adapter.mail(mail).await;
        }
        self.linked().mail()?.mail(self, mail).await
    }
}

#[async_trait]
impl Upstreams for Aws {
    async fn post(&self, post: &Post) -> Result<(), ServiceError> {
        if let Some(adapter) = self.in_memory() {
            return adapter.post(post).await;
        }
        let alerts = self.alerts().get().ok_or_else(|| {
            ServiceError::internal("notifiers are not configured for this function")
        })?;
        alerts.deliver(post).await
    }
}

#[async_trait]
impl Telemetry for Aws {
    async fn export(
        &self,
        url: &str,
        headers: &[(String, String)],
        json: Vec<u8>,
    ) -> Result<(), ServiceError> {
        self.post_json(url, headers, json).await
    }
}

#[async_trait]
impl Adapter for Aws {
    async fn warm(&self) {
        self.open_connections().await;
    }
}
