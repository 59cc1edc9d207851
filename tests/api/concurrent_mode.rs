//! One process that serves several requests at once, as on Lambda Managed Instances.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use futures::future::join_all;
use local::options::Options;
use serde_json::json;
use uuid::Uuid;

use crate::harness::own;

#[tokio::test]
async fn eight_requests_are_served_in_one_process_at_once() {
    let invocations_per_environment = BTreeMap::from([("GetProductFunction".to_owned(), 8)]);
    let options = Options { invocations_per_environment, demo: true, ..Options::default() };
    let Some(api) = own(options).await else { return };
    let control = api.control().unwrap();
    let lamp = "/products/00000000-0000-7000-8000-000000000101";
    api.get(lamp).send().await.data(200);
    control.faults(&json!({ "tables": { "ProductsTable": { "delayMs": 500 } } })).await;

    let begun = Instant::now();
    let paths: Vec<_> = (0..8).map(|_| format!("/products/{}", Uuid::new_v4())).collect();
    let answers = join_all(paths.iter().map(|path| api.get(path).send())).await;

    assert!(begun.elapsed() < Duration::from_secs(2), "one after the other: {:?}", begun.elapsed());
    let ids: HashSet<_> = answers.iter().map(|answer| answer.header("x-request-id")).collect();
    assert_eq!(ids.len(), 8, "each has its own id");
    for answer in &answers {
        answer.error(404, "NOT_FOUND");
    }
    let invocations = control.invocations("GetProductFunction").await;
    let environments: HashSet<_> =
        invocations.iter().map(|invocation| invocation["environment"].as_str().unwrap()).collect();
    assert_eq!((invocations.len(), environments.len()), (9, 1));
}

#[tokio::test]
async fn eight_who_miss_the_cache_at_once_read_the_table_once() {
    let invocations_per_environment = BTreeMap::from([("GetProductFunction".to_owned(), 8)]);
    let options = Options { invocations_per_environment, demo: true, ..Options::default() };
    let Some(api) = own(options).await else { return };
    let control = api.control().unwrap();
    api.get("/products/00000000-0000-7000-8000-000000000101").send().await.data(200);
    let reads = async || {
        let labels = [r#"function="GetProductFunction""#, r#"operation="GetItem""#];
        control.metric("store_calls_total", &labels).await
    };
    let before = reads().await;
    control.faults(&json!({ "tables": { "ProductsTable": { "delayMs": 300 } } })).await;

    let table = "/products/00000000-0000-7000-8000-000000000102";
    let answers = join_all((0..8).map(|_| api.get(table).send())).await;

    for answer in &answers {
        answer.data(200);
    }
    assert!((reads().await - before - 1.0).abs() < f64::EPSILON, "one read");
}
