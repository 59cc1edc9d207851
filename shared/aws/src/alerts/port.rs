//! The port behind which the alert services are.

use async_trait::async_trait;
use lifecycle::ServiceError;
use lifecycle::effects::Post;

use crate::Aws;

/// Delivers an alert to its receiver.
#[async_trait]
pub(crate) trait DeliverAlert: Send + Sync {
    /// Makes one attempt. If it fails, the queue delivers the alert again.
    async fn deliver(&self, post: &Post) -> Result<(), ServiceError>;
}

impl Aws {
    /// Delivers an alert to the services that the function asked for.
    pub(crate) async fn post_to_notifiers(&self, post: &Post) -> Result<(), ServiceError> {
        let alerts = self.alerts().get().ok_or_else(|| {
            ServiceError::internal("notifiers are not configured for this function")
        })?;
        alerts.deliver(post).await
    }
}
