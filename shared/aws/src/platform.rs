//! The lifecycle's port on AWS.

use async_trait::async_trait;
use lifecycle::ServiceError;
use lifecycle::effects::{Mail, Post, QueueName};
use lifecycle::platform::{
    CommitError, Count, Counter, Outgoing, Platform, Transaction, VisibilityChange,
};
use lifecycle::record::{Key, TableName};
use serde_dynamo::Item;

use crate::Aws;
use crate::dynamodb::expressions::plain;

#[async_trait]
impl Platform for Aws {
    async fn commit(&self, transaction: &Transaction) -> Result<(), CommitError> {
        self.commit_transaction(transaction).await
    }

    async fn read(&self, table: TableName, key: &Key) -> Result<Option<Item>, ServiceError> {
        let item = self.get_item(table, key, true).await?;
        Ok(item.map(plain))
    }

    async fn count(&self, counter: &Counter) -> Result<Count, ServiceError> {
        self.add_to_counter(counter).await
    }

    async fn send(&self, messages: &[Outgoing]) -> Vec<(usize, ServiceError)> {
        self.send_messages(messages).await
    }

    async fn change_visibility(
        &self,
        queue: QueueName,
        hidden: &[VisibilityChange],
    ) -> Result<(), ServiceError> {
        self.hide_messages(queue, hidden).await
    }

    async fn dead_letter(
        &self,
        queue: QueueName,
        body: &str,
        reason: &str,
    ) -> Result<(), ServiceError> {
        self.bury_message(queue, body, reason).await
    }

    async fn mail(&self, mail: &Mail) -> Result<(), ServiceError> {
        self.send_mail(mail).await
    }

    async fn post(&self, post: &Post) -> Result<(), ServiceError> {
        self.post_to_notifiers(post).await
    }

    async fn export(
        &self,
        url: &str,
        headers: &[(String, String)],
        json: Vec<u8>,
    ) -> Result<(), ServiceError> {
        self.post_json(url, headers, json).await
    }

    async fn warm(&self) {
        self.open_connections().await;
    }
}
