//! Checks that a deployment works, without an account and without a change.

use crate::harness::shared_platform;

#[tokio::test]
async fn a_deployment_is_healthy_and_publishes_its_keys() {
    let api = shared_platform().await;
    let health = api.get("/healthcheck").send().await;
    assert_eq!(health.status, 200, "{health:?}");
    let keys = api.client().get_jwks().await.unwrap().data;
    let count = keys["keys"].as_array().map_or(0, Vec::len);
    assert!(count > 0, "sign-in needs a key: {keys:?}");
}
