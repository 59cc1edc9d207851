//! JSON for alert services.

use serde_json::Value;

use crate::Upstream;

/// JSON to post to an alert service. The adapter adds the path and the credentials, so it has to know the
/// service.
///
/// On AWS it knows `aws::alerts::SLACK`, `DATADOG` and `NEW_RELIC`, in a function that was built with
/// `Aws::notifiers`; a post to any other upstream is an error. Call others through `Aws::upstream`, in
/// stage 6 of an endpoint or of a consumer.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    /// An id that is the same in every attempt to send this.
    pub id: String,
    /// The service.
    pub upstream: Upstream,
    /// The body.
    pub json: Value,
}
