//! One process that serves several requests at once, as on Lambda Managed Instances.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use emulator::faults::{Faults, StoreFault};
use emulator::options::Options;
use futures::future::join_all;
use uuid::{Uuid, uuid};

use crate::harness::{Refused, fresh_platform};

/// Products of the demo.
const LAMP: Uuid = uuid!("00000000-0000-7000-8000-000000000101");
const TEAPOT: Uuid = uuid!("00000000-0000-7000-8000-000000000102");

#[tokio::test]
async fn one_process_serves_eight_requests_at_once() {
    let invocations_per_environment = BTreeMap::from([("GetProductFunction".to_owned(), 8)]);
    let options = Options { invocations_per_environment, demo: true, ..Options::default() };
    let Some(api) = fresh_platform(options).await else { return };
    let control = api.control().unwrap();
    api.client().get_product(LAMP.into()).await.unwrap();
    control.inject(&Faults::default().table("ProductsTable", StoreFault::delay_ms(500))).await;

    let begun = Instant::now();
    let answers = join_all((0..8).map(|_| api.client().get_product(Uuid::new_v4().into()))).await;

    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "served one after the other: {:?}",
        begun.elapsed()
    );
    let refusals = answers.into_iter().map(|answer| answer.refused(404, "NOT_FOUND"));
    let ids: HashSet<_> = refusals.map(|refusal| refusal.request_id).collect();
    assert_eq!(ids.len(), 8, "each has its own id");
    let invocations = control.invocations("GetProductFunction").await;
    let environments: HashSet<_> =
        invocations.iter().map(|invocation| invocation["environment"].as_str().unwrap()).collect();
    assert_eq!((invocations.len(), environments.len()), (9, 1));
}

#[tokio::test]
async fn eight_concurrent_cache_misses_read_the_table_once() {
    let invocations_per_environment = BTreeMap::from([("GetProductFunction".to_owned(), 8)]);
    let options = Options { invocations_per_environment, demo: true, ..Options::default() };
    let Some(api) = fresh_platform(options).await else { return };
    let control = api.control().unwrap();
    api.client().get_product(LAMP.into()).await.unwrap();
    let reads = async || {
        let labels = [r#"function="GetProductFunction""#, r#"operation="GetItem""#];
        control.metric("store_calls_total", &labels).await
    };
    let before = reads().await;
    control.inject(&Faults::default().table("ProductsTable", StoreFault::delay_ms(300))).await;

    let answers = join_all((0..8).map(|_| api.client().get_product(TEAPOT.into()))).await;

    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert!((reads().await - before - 1.0).abs() < f64::EPSILON, "one read");
}
