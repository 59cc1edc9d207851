//! A Lambda authorizer and the cache of its results.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value as Json;
use tokio::time::timeout;

use super::answer::Failure;
use super::event::Exchange;
use crate::Millis;
use crate::world::lambda::Lambda;
use crate::world::state::{World, lock};
use crate::world::trace::Cause;

/// The time limit of an authorizer.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// The context of an allowed identity, or none of a denied one, and the end of its time.
type Cached = (Option<Json>, Millis);

/// An authorizer.
pub(super) struct Authorizer {
    settings: sam_template::Authorizer,
    /// The results by identity.
    cache: Mutex<BTreeMap<Vec<String>, Cached>>,
}

impl Authorizer {
    pub(super) fn new(settings: &sam_template::Authorizer) -> Self {
        Self { settings: settings.clone(), cache: Mutex::default() }
    }

    /// The context from the authorizer.
    ///
    /// Concurrent requests without a cached result each invoke it, as on AWS.
    ///
    /// # Errors
    /// The reason why the request may not pass.
    pub(super) async fn authorize(
        &self,
        world: &World,
        lambda: &Arc<Lambda>,
        exchange: &Exchange<'_>,
    ) -> Result<Json, Failure> {
        let identity = self.identity(exchange).ok_or(Failure::Unauthorized)?;
        let known = lock(&self.cache).get(&identity).cloned();
        if let Some((context, _)) = known.filter(|(_, until)| *until > world.now()) {
            return context.ok_or(Failure::Forbidden);
        }
        let event = exchange.authorizer_event(&identity);
        let cause = Cause::Authorizer(exchange.request_id.to_owned());
        let invoked = lambda.invoke(&self.settings.function, &event, cause);
        let Ok(Ok(payload)) = timeout(TIME_LIMIT, invoked).await else {
            return Err(Failure::Authorizer);
        };
        let is_authorized = payload["isAuthorized"].as_bool().ok_or(Failure::Authorizer)?;
        let context = is_authorized.then(|| payload["context"].clone());
        let ttl = Millis::of(self.settings.cache_ttl);
        if ttl > Millis(0) {
            lock(&self.cache).insert(identity, (context.clone(), world.now() + ttl));
        }
        context.ok_or(Failure::Forbidden)
    }

    /// The values of the identity's headers, or `None` if one is missing or empty.
    fn identity(&self, exchange: &Exchange<'_>) -> Option<Vec<String>> {
        let values = self.settings.identity_headers.iter().map(|name| {
            let headers = exchange.request.headers.iter();
            let all = headers.filter(|(known, _)| known.eq_ignore_ascii_case(name));
            let all: Vec<&str> = all.map(|(_, value)| value.as_str()).collect();
            Some(all.join(",")).filter(|value| !value.is_empty())
        });
        values.collect()
    }
}
