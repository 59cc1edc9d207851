//! The cost of a request, counted against its caller's limit.

use std::sync::Arc;

use tokio::time::timeout;

use super::super::deferred::EXCHANGE_MAX;
use super::super::shared::Shared;
use super::request_log::RequestLog;
use crate::background::{self, Spawned};
use crate::endpoint::Endpoint;
use crate::error::{RequestError, ServiceError};
use crate::http::Request;
use crate::limit::{Counted, Counting, Limit};
use crate::route::Route;
use crate::telemetry::inspector::{Judge, Stage, of_limit};

/// The rate limit of one caller at one endpoint.
pub(super) struct Meter<'a> {
    shared: &'a Arc<Shared>,
    limit: Limit,
    cost_max: u32,
    route: Route,
    caller: String,
    /// Whether a body follows, whose parsing might end the process.
    has_body: bool,
}

impl<'a> Meter<'a> {
    pub(super) fn new<E: Endpoint>(
        shared: &'a Arc<Shared>,
        request: &Request,
        caller: String,
    ) -> Self {
        let mut limit = E::LIMIT;
        let settings = &shared.settings;
        // An exact limit prevents guessing, so the general quota does not apply to it.
        let quota = match limit.counting {
            Counting::Exact => settings.exact_rate_limit,
            Counting::Approximate => settings.rate_limit,
            Counting::Off => None,
        };
        if let Some(quota) = quota {
            // The deployment's quota counts requests: each request must be possible once.
            limit.quota = quota.max(E::COST_MAX);
        }
        let has_body = !request.body.is_empty();
        Self { shared, limit, cost_max: E::COST_MAX, route: E::ROUTE, caller, has_body }
    }

    /// Counts the cost; an error if the caller is over the limit.
    pub(super) async fn charge(&self, cost: u32, log: &mut RequestLog) -> Result<(), RequestError> {
        if self.limit.is_off() {
            return Ok(());
        }
        log.inspection.enter(Stage::Limit);
        let Shared { limiter, adapter, .. } = &**self.shared;
        let counted = Counted { route: &self.route, caller: &self.caller };
        let standing = limiter.admit(&**adapter, &self.limit, counted, cost, log.at).await;
        log.standing = Some(standing);
        log.inspection.verdict(Judge::Limit, standing.admitted, || of_limit(&standing));
        if standing.is_first && self.has_body {
            // Otherwise a body that ends the process could be sent repeatedly without being
            // counted. A slower exchange goes on meanwhile.
            let mut exchange = self.exchange();
            if timeout(EXCHANGE_MAX, &mut exchange).await.is_err() {
                log.telling.push(exchange);
            }
        } else if standing.is_due {
            // Concurrent with the work, so that the client does not wait.
            log.telling.push(self.exchange());
        }
        standing.enforce()
    }

    /// Begins an exchange of counts.
    fn exchange(&self) -> Spawned<bool> {
        let shared = Arc::clone(self.shared);
        background::spawn(async move { shared.limiter.exchange(&*shared.adapter).await })
    }

    /// Counts the cost beyond the first unit, which was counted on arrival.
    pub(super) async fn charge_rest(
        &self,
        cost: u32,
        log: &mut RequestLog,
    ) -> Result<(), RequestError> {
        if cost > self.cost_max {
            let message = format!(
                "the request costs {cost}, but the endpoint declares at most {}",
                self.cost_max
            );
            return Err(ServiceError::internal(message).into());
        }
        match cost.saturating_sub(1) {
            0 => Ok(()),
            rest => self.charge(rest, log).await,
        }
    }
}
