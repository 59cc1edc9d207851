//! `GET /healthcheck`: whether the system works, by a probe of each dependency.

use std::time::Duration;

use aws::{Aws, Cache, CachePolicy, VERIFICATION_KEYS};
use domain::resources::{EMAILS, USERS};
use http::{HeaderValue, header};
use lifecycle::prelude::*;
use lifecycle::{Query, ServiceError};
use schemars::JsonSchema;
use serde::Serialize;

fn main() -> ExitCode {
    aws::serve(|aws| GetHealth { aws: aws.clone(), last: Cache::new("health", KEPT) })
}

struct GetHealth {
    aws: Aws,
    last: Cache<(), Health>,
}

/// One round of probes serves all requests of a second: any client may ask, and a round makes three
/// calls.
const KEPT: CachePolicy = CachePolicy {
    found: Duration::from_secs(1),
    missing: Duration::ZERO,
    stale: Duration::ZERO,
    entries_max: 1,
};

impl Query for GetHealth {
    // 1. Routing
    const ROUTE: Route = Route::get("/healthcheck");

    // 2. Authentication
    type Caller = Anyone;

    // 3. Authorization, before anything is read
    const ACCESS: Access<NoRole> = Access::Public;

    const RESOURCES: Resources = &[
        Resource::Table(USERS, &[GetItem]),
        Resource::ReadAttributes(EMAILS),
        Resource::Secret(VERIFICATION_KEYS),
    ];

    // 4. Deserialisation
    type Input = ();

    // 5. Syntax validation
    type Command = ();

    // 6. Retrieval: one real call to each, in parallel. A failed call is a fact, not a fault.
    type Facts = Health;

    async fn retrieve(&self, permit: &Permit<Anyone>, (): &()) -> Retrieved<Health> {
        let probed = self.last.get(&(), async || {
            let (table, queue, secret) = futures::join!(
                self.aws.probe_table(permit, USERS),
                self.aws.probe_queue(permit, EMAILS),
                self.aws.probe_secret(permit, VERIFICATION_KEYS),
            );
            Ok(Some(Health::of([("table", table), ("queue", queue), ("secret", secret)])))
        });
        let health = Box::pin(probed).await?.value;
        health
            .map(|health| Health::clone(&health))
            .ok_or_else(|| RetrieveError::internal("no probe"))
    }

    // 3b. Authorization: the health is public
    const ALLOW: Allow<Self> = Allow::Always;

    // 7. and 8. A query decides nothing and changes nothing.

    // 9. Response
    type Reply = Result<reply::Ok<Bare<Health>>, reply::ServiceUnavailable<Bare<Health>>>;

    fn reply(health: Health) -> Self::Reply {
        match health.status {
            Status::Ok => Ok(reply::Ok::of(Bare(health))),
            Status::Unavailable => Err(reply::ServiceUnavailable::of(Bare(health))
                .header(header::RETRY_AFTER, HeaderValue::from(KEPT.found.as_secs()))),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
struct Health {
    status: Status,
    /// The dependencies whose probe failed: `table`, `queue` or `secret`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    unavailable: Vec<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(rename = "HealthStatus")]
enum Status {
    Ok,
    Unavailable,
}

impl Health {
    /// The response names the failed dependencies; the log also has the errors.
    fn of(probes: [(&'static str, Result<(), ServiceError>); 3]) -> Self {
        let mut unavailable = Vec::new();
        for (dependency, probe) in probes {
            if let Err(fault) = probe {
                let error: &dyn std::error::Error = &fault;
                tracing::error!(dependency, error, "the probe of a dependency failed");
                unavailable.push(dependency);
            }
        }
        let status = if unavailable.is_empty() { Status::Ok } else { Status::Unavailable };
        Self { status, unavailable }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn health_is_ok_when_all_probes_succeed() {
        let health = Health::of([("table", Ok(())), ("queue", Ok(())), ("secret", Ok(()))]);
        assert_eq!(serde_json::to_value(health).unwrap(), json!({ "status": "OK" }));
    }

    #[test]
    fn a_failed_probe_is_unavailable_and_named() {
        let health = Health::of([
            ("table", Ok(())),
            ("queue", Err(ServiceError::TimedOut)),
            ("secret", Ok(())),
        ]);
        let shown = serde_json::to_value(health).unwrap();
        assert_eq!(shown, json!({ "status": "UNAVAILABLE", "unavailable": ["queue"] }));
    }
}
