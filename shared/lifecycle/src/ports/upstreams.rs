//! The port to third-party services.

use async_trait::async_trait;

use crate::effects::Post;
use crate::error::ServiceError;

/// Posts to third-party services.
#[async_trait]
pub trait Upstreams: Send + Sync + 'static {
    /// Posts JSON to a third-party service.
    async fn post(&self, post: &Post) -> Result<(), ServiceError>;
}
