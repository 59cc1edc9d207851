//! The state of an authorizer's cache, for the control address. An identity, which is a token, is
//! shown as a part of its hash.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{AuthorizerDecision, Entry};

/// An authorizer with its cache.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizerReport {
    /// The logical id of the API.
    pub api: String,
    /// Its name in the API.
    pub authorizer: String,
    /// The logical id of its function.
    pub function: String,
    /// The caching time of a decision, in seconds; 0 without a cache.
    pub cache_ttl_s: u64,
    /// The number of decisions from the cache, and from running calls for the same identity.
    pub hits: u64,
    /// The number of calls.
    pub misses: u64,
    /// The cached decisions and running calls, newest first.
    pub entries: Vec<CachedDecision>,
}

/// A cached decision, or a running call.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CachedDecision {
    /// The beginning of the SHA-256 of the identity.
    pub identity: String,
    /// The decision.
    pub decision: DecisionKind,
    /// The context that the function gets, if the decision allows the request.
    pub context: Value,
    /// When the authorizer was called.
    pub since: Timestamp,
    /// When the decision expires; `None` while the call runs.
    pub until: Option<Timestamp>,
    /// The number of requests that have used it, besides the first one.
    pub hits: u64,
}

/// The kind of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum DecisionKind {
    /// The call runs.
    Running,
    /// The request may pass.
    Allowed,
    /// A policy decides for each method.
    Policy,
    /// The request is denied.
    Denied,
    /// The authorizer failed. This is not cached.
    Failed,
}

impl CachedDecision {
    pub(super) fn of(identity: &[String], entry: &Entry) -> Self {
        let (decision, context) = match entry.decision.peek() {
            None => (DecisionKind::Running, Value::Null),
            Some(AuthorizerDecision::Allowed(context)) => (DecisionKind::Allowed, context.clone()),
            Some(AuthorizerDecision::Policy(_)) => (DecisionKind::Policy, Value::Null),
            Some(AuthorizerDecision::Forbidden) => (DecisionKind::Denied, Value::Null),
            Some(AuthorizerDecision::Unauthorized | AuthorizerDecision::Failed) => {
                (DecisionKind::Failed, Value::Null)
            }
        };
        let (since, until, hits) = (entry.since, entry.until, entry.hits);
        Self { identity: fingerprint(identity), decision, context, since, until, hits }
    }
}

/// A part of a hash: enough to distinguish identities, and too short to recover one.
fn fingerprint(identity: &[String]) -> String {
    let [a, b, c, d, ..]: [u8; 32] = Sha256::digest(identity.join("\n")).into();
    format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use serde_json::json;

    use super::*;

    fn entry(decision: AuthorizerDecision) -> Entry {
        let decision = async { decision }.boxed().shared();
        Entry { decision, until: None, since: Timestamp::UNIX_EPOCH, hits: 2 }
    }

    #[tokio::test]
    async fn a_decision_is_shown_with_a_hash_of_its_identity() {
        let identity = ["Bearer secret-token".to_owned()];
        let allowed = entry(AuthorizerDecision::Allowed(json!({"sub": "ada"})));
        assert_eq!(CachedDecision::of(&identity, &allowed).decision, DecisionKind::Running);
        allowed.decision.clone().await;

        let shown = CachedDecision::of(&identity, &allowed);

        assert_eq!((shown.decision, shown.hits), (DecisionKind::Allowed, 2));
        let json = serde_json::to_value(&shown).unwrap();
        assert_eq!(
            (&json["context"]["sub"], &json["decision"]),
            (&json!("ada"), &json!("allowed"))
        );
        assert_eq!(shown.identity.len(), 8);
        assert!(!json.to_string().contains("secret-token"), "{json}");
        let other = CachedDecision::of(&["Bearer other".to_owned()], &allowed);
        assert_ne!(other.identity, shown.identity);
    }
}
