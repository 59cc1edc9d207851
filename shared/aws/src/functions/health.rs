//! The health check: one real call to each dependency.

use std::marker::PhantomData;
use std::time::Duration;

use futures::future::join_all;
use http::{HeaderValue, header};
use lifecycle::prelude::*;
use lifecycle::resource::Action;
use lifecycle::{Query, ServiceError};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{Aws, Cache, CachePolicy};

/// The health check of a service: its route, and the dependencies that it probes.
///
/// ```no_run
/// use aws::functions::HealthCheck;
/// use lifecycle::prelude::*;
/// use lifecycle::record::TableName;
///
/// fn main() -> ExitCode {
///     aws::functions::health::<LibraryHealth>()
/// }
///
/// struct LibraryHealth;
///
/// impl HealthCheck for LibraryHealth {
///     const DEPENDENCIES: Resources = &[Resource::Table(BOOKS, &[GetItem])];
/// }
///
/// const BOOKS: TableName = TableName::new("books");
/// ```
pub trait HealthCheck: Send + Sync + 'static {
    /// The route.
    const ROUTE: Route = Route::get("/healthcheck");

    /// The rate limit of one source address. With [`Limit::OFF`] the function needs no table of
    /// limits; one round of probes serves all requests of a second all the same.
    const LIMIT: Limit = Limit::DEFAULT;

    /// The dependencies to probe: a table with [`GetItem`], a queue as [`Resource::ReadAttributes`],
    /// and a secret as [`Resource::Secret`]. Another kind of resource, or a table without
    /// [`GetItem`], does not compile.
    const DEPENDENCIES: Resources;
}

/// Serves the health check. It is public; one round of probes serves all requests of a second.
///
/// The response is 200 with `{"status": "OK"}`, or 503 with `{"status": "UNAVAILABLE",
/// "unavailable": ["queue"]}`: the kinds of the dependencies whose probe failed. The log has the
/// errors.
pub fn health<H: HealthCheck>() -> ExitCode {
    const {
        assert!(
            are_probed(H::DEPENDENCIES),
            "only tables with GetItem, queues and secrets are probed"
        );
    };
    crate::serve(|aws| GetHealth::<H> {
        aws: aws.clone(),
        last: Cache::new("health", KEPT),
        check: PhantomData,
    })
}

struct GetHealth<H> {
    aws: Aws,
    last: Cache<(), Health>,
    check: PhantomData<fn() -> H>,
}

/// One round of probes serves all requests of a second: any client may ask, and a round makes a
/// call to each dependency.
const KEPT: CachePolicy = CachePolicy {
    found: Duration::from_secs(1),
    missing: Duration::ZERO,
    stale: Duration::ZERO,
    entries_max: 1,
};

impl<H: HealthCheck> Query for GetHealth<H> {
    // 1. Routing
    const ROUTE: Route = H::ROUTE;

    // 2. Authentication
    type Caller = Anyone;

    // 3. Authorization, before anything is read
    const ACCESS: Access<NoRole> = Access::Public;

    const LIMIT: Limit = H::LIMIT;

    const RESOURCES: Resources = H::DEPENDENCIES;

    // 4. Deserialisation
    type Input = ();

    // 5. Syntax validation
    type Command = ();

    // 6. Retrieval: one real call to each, in parallel. A failed call is a fact, not a fault.
    type Facts = Health;

    async fn retrieve(&self, permit: &Permit<Anyone>, (): &()) -> Retrieved<Health> {
        let probed = self.last.get(&(), async || {
            let dependencies = H::DEPENDENCIES.iter();
            let probes: Vec<_> =
                dependencies.map(|dependency| probe(&self.aws, permit, dependency)).collect();
            Ok(Some(Health::of(join_all(probes).await)))
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

/// Probes a dependency. Returns its kind with the result.
async fn probe(
    aws: &Aws,
    permit: &Permit<Anyone>,
    dependency: &'static Resource,
) -> (&'static str, Result<(), ServiceError>) {
    match *dependency {
        Resource::Table(table, _) => ("table", aws.probe_table(permit, table).await),
        Resource::ReadAttributes(queue) => ("queue", aws.probe_queue(permit, queue).await),
        Resource::Secret(name) => ("secret", aws.probe_secret(permit, name).await),
        _ => ("other", Err(ServiceError::internal("only tables, queues and secrets are probed"))),
    }
}

/// Whether a probe exists for each of the dependencies.
const fn are_probed(dependencies: Resources) -> bool {
    let mut index = 0;
    while index < dependencies.len() {
        let is_probed = match &dependencies[index] {
            Resource::Table(_, actions) => has_get_item(actions),
            Resource::ReadAttributes(_) | Resource::Secret(_) => true,
            _ => false,
        };
        if !is_probed {
            return false;
        }
        index += 1;
    }
    true
}

/// Whether a table may be read by the probe.
const fn has_get_item(actions: &[Action]) -> bool {
    let mut index = 0;
    while index < actions.len() {
        if matches!(actions[index], Action::GetItem) {
            return true;
        }
        index += 1;
    }
    false
}

// The API description has the comments of these types and fields.
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
    fn of(probes: impl IntoIterator<Item = (&'static str, Result<(), ServiceError>)>) -> Self {
        let mut unavailable = Vec::new();
        for (dependency, probe) in probes {
            if let Err(fault) = probe {
                let error: &dyn std::error::Error = &fault;
                tracing::error!(dependency, error, "the probe of a dependency failed");
                if !unavailable.contains(&dependency) {
                    unavailable.push(dependency);
                }
            }
        }
        let status = if unavailable.is_empty() { Status::Ok } else { Status::Unavailable };
        Self { status, unavailable }
    }
}

#[cfg(test)]
mod tests {
    use lifecycle::record::TableName;
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

    #[test]
    fn a_kind_is_named_once_when_the_probes_of_two_queues_fail() {
        let failed = || ("queue", Err(ServiceError::TimedOut));
        assert_eq!(Health::of([failed(), failed()]).unavailable, ["queue"]);
    }

    struct Unlimited;

    impl HealthCheck for Unlimited {
        const LIMIT: Limit = Limit::OFF;
        const DEPENDENCIES: Resources = &[Resource::Secret("keys")];
    }

    #[test]
    fn a_check_without_a_limit_needs_no_table() {
        let described = lifecycle::describe::endpoint::<GetHealth<Unlimited>>();
        assert_eq!(described["resources"]["tables"], json!({}));
    }

    #[test]
    fn only_tables_queues_and_secrets_are_probed() {
        assert!(are_probed(&[Resource::Secret("keys")]));
        assert!(!are_probed(&[Resource::Secret("keys"), Resource::Mail]));
    }

    #[test]
    fn a_table_is_probed_with_get_item_only() {
        const BOOKS: TableName = TableName::new("books");
        assert!(are_probed(&[Resource::Table(BOOKS, &[Action::Query, GetItem])]));
        assert!(!are_probed(&[Resource::Table(BOOKS, &[Action::Query])]));
        assert!(!are_probed(&[Resource::Table(BOOKS, &[])]));
    }
}
