//! Calls a Lambda authorizer and caches its result.

mod report;
#[cfg(test)]
mod tests;
mod uses;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use http::HeaderMap;
use http::request::Parts;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;

pub use self::report::{AuthorizerReport, CachedDecision, DecisionKind};
use self::uses::Uses;
use super::event::Exchange;
use super::failure::Failure;
use super::policy::AuthorizerPolicy;
use super::rest_event::query;
use crate::activity::{Authorization, Cause};
use crate::control::Telemetry;
use crate::functions::{Functions, InvokeError};
use sam_template::AuthorizerFormat;

/// The timeout of an authorizer.
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// The maximum number of cached results.
const CACHE_MAX: usize = 10_000;

/// The result of an authorizer.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum AuthorizerDecision {
    /// The request may pass, with this context.
    Allowed(Value),
    /// The policy of a REST API's authorizer decides, for each method.
    Policy(AuthorizerPolicy),
    /// The request is denied.
    Forbidden,
    /// The request has no identity; the authorizer is not invoked.
    Unauthorized,
    /// The authorizer failed. Only a REST API treats its message `Unauthorized` as a 401.
    Failed,
}

/// One authorizer and its cache.
pub(super) struct Authorizer {
    name: String,
    settings: sam_template::Authorizer,
    functions: Functions,
    telemetry: Arc<Telemetry>,
    /// By identity: cached results, and running invocations.
    cache: Mutex<HashMap<Vec<String>, Entry>>,
    uses: Uses,
}

struct Entry {
    decision: Shared<BoxFuture<'static, AuthorizerDecision>>,
    /// Set once the decision is known and may be cached.
    until: Option<Timestamp>,
    since: Timestamp,
    hits: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SimpleResponse {
    is_authorized: bool,
    #[serde(default)]
    context: Value,
}

impl Authorizer {
    pub(super) fn new(
        name: &str,
        settings: sam_template::Authorizer,
        functions: Functions,
        telemetry: Arc<Telemetry>,
    ) -> Self {
        let name = name.to_owned();
        let (cache, uses) = (Mutex::default(), Uses::default());
        Self { name, settings, functions, telemetry, cache, uses }
    }

    /// The context from the authorizer.
    ///
    /// # Errors
    /// The reason why the request may not pass.
    pub(super) async fn authorize(
        self: &Arc<Self>,
        exchange: &Exchange<'_>,
    ) -> Result<Value, Failure> {
        let began = Instant::now();
        let (decision, cached) = match self.identity(exchange.parts) {
            Some(identity) => self.decision(identity, exchange).await,
            None => (AuthorizerDecision::Unauthorized, false),
        };
        let admitted = match decision {
            AuthorizerDecision::Allowed(context) => Ok(context),
            AuthorizerDecision::Policy(policy) => {
                policy.context(&exchange.method_arn()).ok_or(Failure::Forbidden)
            }
            AuthorizerDecision::Forbidden => Err(Failure::Forbidden),
            AuthorizerDecision::Unauthorized => Err(Failure::Unauthorized),
            AuthorizerDecision::Failed => Err(Failure::Authorizer),
        };
        let refusal = admitted.as_ref().err().and_then(|failure| failure.refusal());
        let authorization = Authorization {
            name: &self.name,
            allowed: admitted.is_ok(),
            cached,
            reason: refusal.map_or("The authorizer admits the request.", |(_, reason)| reason),
            took: began.elapsed(),
            context: admitted.as_ref().ok(),
        };
        self.functions.activity().request_authorized(exchange.request_id, &authorization);
        admitted
    }

    /// The values that identify the caller, or `None` if one is missing or empty.
    fn identity(&self, parts: &Parts) -> Option<Vec<String>> {
        let mut identity = in_headers(&self.settings.identity_headers, &parts.headers)?;
        identity.extend(in_query(&self.settings.identity_query_strings, parts)?);
        Some(identity)
    }

    /// The decision on an identity: from the cache, from another request's running call, or from a
    /// new call; and whether it was there already.
    ///
    /// AWS may invoke the authorizer several times for concurrent requests. Here it is once, so
    /// that tests can count. Without a caching time, a decision is only for its own request.
    async fn decision(
        self: &Arc<Self>,
        identity: Vec<String>,
        exchange: &Exchange<'_>,
    ) -> (AuthorizerDecision, bool) {
        if self.settings.cache_ttl.is_zero() {
            self.miss();
            let (event, cause) = self.question(&identity, exchange);
            return (self.invoke(event, cause).await, false);
        }
        let (decision, is_known) = {
            let now = self.functions.clock().now();
            let mut cache = self.lock();
            let known = cache.get_mut(&identity).filter(|entry| entry.is_usable(now));
            if let Some(entry) = known {
                entry.hits += 1;
                self.uses.hit();
                self.count("authorizer_cache_hits_total");
                (entry.decision.clone(), true)
            } else {
                self.miss();
                let (event, cause) = self.question(&identity, exchange);
                let asked = Arc::clone(self).ask(identity.clone(), event, cause).boxed().shared();
                // If its clients disconnect, the call must end without them: otherwise a later
                // request gets an old decision as a new one.
                tokio::spawn(asked.clone());
                make_room(&mut cache, now);
                let (decision, until) = (asked.clone(), None);
                cache.insert(identity, Entry { decision, until, since: now, hits: 0 });
                (asked, false)
            }
        };
        (decision.await, is_known)
    }

    /// The event for the authorizer, and its cause.
    fn question(&self, identity: &[String], exchange: &Exchange<'_>) -> (Bytes, Cause) {
        let event = match self.settings.format {
            AuthorizerFormat::Token => exchange.token_event(identity),
            AuthorizerFormat::Request => exchange.rest_authorizer_event(),
            _ => exchange.authorizer_event(identity),
        };
        (Bytes::from(event.to_string()), Cause::Authorizer(exchange.request_id.into()))
    }

    /// Invokes the function.
    async fn invoke(&self, event: Bytes, cause: Cause) -> AuthorizerDecision {
        // Use a separate task: it records the result also after the time limit.
        let (functions, function) = (self.functions.clone(), self.settings.function.clone());
        let invocation =
            tokio::spawn(async move { functions.invoke_for(&function, event, cause).await });
        match timeout(TIME_LIMIT, invocation).await {
            Ok(Ok(result)) => match self.settings.format {
                AuthorizerFormat::Token | AuthorizerFormat::Request => read_policy(result),
                _ => read(result),
            },
            Ok(Err(_)) | Err(_) => AuthorizerDecision::Failed,
        }
    }

    /// Invokes the function and sets the caching time: a denial as long as a permission, a failure
    /// not at all.
    async fn ask(
        self: Arc<Self>,
        identity: Vec<String>,
        event: Bytes,
        cause: Cause,
    ) -> AuthorizerDecision {
        let decision = self.invoke(event, cause).await;
        let is_kept = matches!(
            decision,
            AuthorizerDecision::Allowed(_)
                | AuthorizerDecision::Policy(_)
                | AuthorizerDecision::Forbidden
        );
        let mut cache = self.lock();
        if is_kept {
            let until = self.functions.clock().now() + self.settings.cache_ttl;
            if let Some(entry) = cache.get_mut(&identity) {
                entry.until = Some(until);
            }
        } else {
            cache.remove(&identity);
        }
        decision
    }

    fn miss(&self) {
        self.uses.miss();
        self.count("authorizer_cache_misses_total");
    }

    fn count(&self, metric: &str) {
        self.telemetry.count(metric, &[("authorizer", &self.name)]);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Vec<String>, Entry>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its state. Expired decisions are left out.
    pub(super) fn report(&self, api: &str) -> AuthorizerReport {
        let now = self.functions.clock().now();
        let cache = self.lock();
        let usable = cache.iter().filter(|(_, entry)| entry.is_usable(now));
        let entries = usable.map(|(identity, entry)| CachedDecision::of(identity, entry));
        let mut entries: Vec<CachedDecision> = entries.collect();
        drop(cache);
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.since));
        AuthorizerReport {
            api: api.to_owned(),
            authorizer: self.name.clone(),
            function: self.settings.function.clone(),
            cache_ttl_s: self.settings.cache_ttl.as_secs(),
            hits: self.uses.hits(),
            misses: self.uses.misses(),
            entries,
        }
    }
}

impl Entry {
    fn is_usable(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| until > now)
    }
}

/// Drops expired entries; if that is not enough, the next ones to expire.
fn make_room(cache: &mut HashMap<Vec<String>, Entry>, now: Timestamp) {
    if cache.len() < CACHE_MAX {
        return;
    }
    cache.retain(|_, entry| entry.is_usable(now));
    if cache.len() >= CACHE_MAX {
        let kept = cache.iter().filter_map(|(identity, entry)| Some((entry.until?, identity)));
        if let Some(identity) = kept.min().map(|(_, identity)| identity.clone()) {
            cache.remove(&identity);
        }
    }
}

/// The values of the identity's headers, or `None` if one is missing or empty. Repeated headers are
/// joined by commas. Bytes that are not text are replaced, not omitted: the rest must not pass for
/// the whole value.
fn in_headers(names: &[String], headers: &HeaderMap) -> Option<Vec<String>> {
    let values = names.iter().map(|name| {
        let all = headers.get_all(name).iter();
        let all: Vec<_> = all.map(|it| String::from_utf8_lossy(it.as_bytes())).collect();
        Some(all.join(",")).filter(|value| !value.is_empty())
    });
    values.collect()
}

/// The values of the identity's query parameters, or `None` if one is missing or empty. They are
/// lists in JSON, so that different queries never are the same identity.
fn in_query(names: &[String], parts: &Parts) -> Option<Vec<String>> {
    let given = query(parts.uri.query().unwrap_or_default());
    let values = names.iter().map(|name| {
        let all = given.get(name).filter(|all| all.iter().any(|value| !value.is_empty()))?;
        Some(json!(all).to_string())
    });
    values.collect()
}

fn read(result: Result<Bytes, InvokeError>) -> AuthorizerDecision {
    match result {
        Ok(payload) => match serde_json::from_slice::<SimpleResponse>(&payload) {
            Ok(response) if response.is_authorized => AuthorizerDecision::Allowed(response.context),
            Ok(_) => AuthorizerDecision::Forbidden,
            Err(_) => AuthorizerDecision::Failed,
        },
        Err(_) => AuthorizerDecision::Failed,
    }
}

/// The decision of a REST API's authorizer.
fn read_policy(result: Result<Bytes, InvokeError>) -> AuthorizerDecision {
    match result {
        Ok(payload) => {
            let policy = serde_json::from_slice(&payload);
            policy.map_or(AuthorizerDecision::Failed, AuthorizerDecision::Policy)
        }
        Err(InvokeError::FunctionError { message, .. }) if message == "Unauthorized" => {
            AuthorizerDecision::Unauthorized
        }
        Err(_) => AuthorizerDecision::Failed,
    }
}
