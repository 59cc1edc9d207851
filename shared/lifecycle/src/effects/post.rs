//! JSON for third-party services.

use serde_json::Value;

use crate::Upstream;

/// JSON to post to a third-party service. The adapter adds the path and the credentials.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    /// An id that is the same in every attempt to send this.
    pub id: String,
    /// The service.
    pub upstream: Upstream,
    /// The body.
    pub json: Value,
}
