//! All ports together.

use async_trait::async_trait;

use super::mailer::Mailer;
use super::queues::Queues;
use super::store::Store;
use super::telemetry::Telemetry;
use super::upstreams::Upstreams;

/// An adapter: one type that implements all ports.
#[async_trait]
pub trait Adapter: Store + Queues + Mailer + Upstreams + Telemetry {
    /// Opens the connections that the first request will need. Called once, during init, when the
    /// processor is not throttled and no client waits. A failure is harmless.
    async fn warm(&self) {}
}
