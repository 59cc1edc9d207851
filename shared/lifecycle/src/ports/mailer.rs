//! The port to e-mail.

use async_trait::async_trait;

use crate::effects::Mail;
use crate::error::ServiceError;

/// Sends e-mails.
#[async_trait]
pub trait Mailer: Send + Sync + 'static {
    /// Sends an e-mail.
    async fn mail(&self, mail: &Mail) -> Result<(), ServiceError>;
}
