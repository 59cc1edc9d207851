//! The configuration of a function.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// A function that is ready to run.
#[derive(Debug, Clone)]
pub struct FunctionConfig {
    /// Its name in the template.
    pub logical_id: String,
    /// Its physical name, which the process gets as `AWS_LAMBDA_FUNCTION_NAME`.
    pub name: String,
    /// The program.
    pub binary: PathBuf,
    /// Its handler in the template, which the process gets as `_HANDLER`.
    pub handler: String,
    /// The template's environment variables, resolved.
    pub variables: BTreeMap<String, String>,
    /// The access key that identifies the function to the stores.
    pub access_key_id: String,
    /// The endpoint of `DynamoDB`, SQS, Secrets Manager and SES.
    pub services_endpoint: String,
    /// The timeout of one invocation.
    pub timeout: Duration,
    /// Memory in MB, reported to the function and not enforced.
    pub memory_mb: u32,
    /// Reserved concurrency: the maximum number of concurrent invocations, if set.
    pub reserved_concurrency: Option<u32>,
    /// The invocations that one environment serves at once: 1, or more for Lambda Managed
    /// Instances.
    pub invocations_per_environment: usize,
}
