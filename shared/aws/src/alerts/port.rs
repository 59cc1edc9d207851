//! The port behind which the alert services are.

use async_trait::async_trait;
use lifecycle::ServiceError;
use lifecycle::effects::Post;

/// Delivers an alert to its receiver.
#[async_trait]
pub(crate) trait DeliverAlert: Send + Sync {
    /// Makes one attempt. If it fails, the queue delivers the alert again.
    async fn deliver(&self, post: &Post) -> Result<(), ServiceError>;
}
