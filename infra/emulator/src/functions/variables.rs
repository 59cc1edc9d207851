//! The environment variables of a function's process: Lambda's own, the template's, and the service
//! endpoints. The platform's own variables are not inherited.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::config::FunctionConfig;
use super::function::Function;
use sam_template::REGION;

/// The variables that a template may set otherwise. Lambda's others are reserved.
const DEFAULTS: [(&str, &str); 3] =
    [("LANG", "en_US.UTF-8"), ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin"), ("TZ", ":UTC")];

/// All variables of one environment's process.
pub(super) fn of(
    function: &Function,
    environment: &str,
    runtime_api: SocketAddr,
) -> BTreeMap<String, String> {
    let deployment = &function.deployment;
    let clock_offset_s = function.clock.offset_s();
    let name = &deployment.name;
    let task_root = deployment.binary.parent().map(|path| path.display().to_string());
    let lambda = [
        ("AWS_DEFAULT_REGION", REGION.to_owned()),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", deployment.memory_mb.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", VERSION.to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}")),
        ("AWS_LAMBDA_LOG_STREAM_NAME", format!("local/[{VERSION}]{environment}")),
        ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string()),
        ("AWS_SESSION_TOKEN", environment.to_owned()),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime".to_owned()),
        ("LAMBDA_TASK_ROOT", task_root.unwrap_or_default()),
        ("_HANDLER", deployment.handler.clone()),
    ];
    let defaults = DEFAULTS.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut all = BTreeMap::from(defaults);
    all.extend(everywhere(deployment));
    all.extend(lambda.map(|(name, value)| (name.to_owned(), value)));
    if clock_offset_s > 0 {
        // A function obeys the offset only with this mark, which AWS does not let a template set.
        all.insert("AWS_EXECUTION_ENV".to_owned(), "emulator".to_owned());
        all.insert("CLOCK_OFFSET_S".to_owned(), clock_offset_s.to_string());
    }
    if let Some(inspector) = function.activity.inspector() {
        all.insert("LIFECYCLE_INSPECTOR".to_owned(), inspector.to_owned());
    }
    if deployment.invocations_per_environment > 1 {
        let concurrency = deployment.invocations_per_environment.to_string();
        all.insert("AWS_LAMBDA_MAX_CONCURRENCY".to_owned(), concurrency);
    }
    all
}

/// The variables that the function needs wherever it runs: the template's, the service endpoints,
/// and its credentials.
pub(super) fn everywhere(deployment: &FunctionConfig) -> BTreeMap<String, String> {
    let identity = [
        ("AWS_ACCESS_KEY_ID", deployment.access_key_id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_REGION", REGION),
    ];
    let services = ["DYNAMODB", "SECRETS_MANAGER", "SESV2", "SQS"];
    let mut all = deployment.variables.clone();
    all.extend(identity.map(|(name, value)| (name.to_owned(), value.to_owned())));
    all.extend(services.map(|service| {
        (format!("AWS_ENDPOINT_URL_{service}"), deployment.services_endpoint.clone())
    }));
    all
}

/// The unpublished version.
pub(super) const VERSION: &str = "$LATEST";
