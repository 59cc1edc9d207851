//! The port to a telemetry collector.

use async_trait::async_trait;

use crate::error::ServiceError;

/// Exports telemetry.
#[async_trait]
pub trait Telemetry: Send + Sync + 'static {
    /// Posts JSON to a telemetry collector.
    async fn export(
        &self,
        url: &str,
        headers: &[(String, String)],
        json: Vec<u8>,
    ) -> Result<(), ServiceError>;
}
