//! The one place that maps SDK errors to faults.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::ErrorKind;
use lifecycle::ServiceError;
use lifecycle::error::BoxError;

/// The error codes by which AWS services report throttling: the ones that the SDK retries, that of an
/// overloaded service, and that of SQS if KMS throttles.
const THROTTLES: [&str; 16] = [
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "KMS.ThrottlingException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "ServiceUnavailable",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

/// The error codes by which AWS services report that they waited too long for the request.
const TIME_OUTS: [&str; 2] = ["RequestTimeout", "RequestTimeoutException"];

/// A retry is worth trying after a second: most throttling has ended by then.
pub(crate) const RETRY_AFTER_S: u32 = 1;

/// A failed AWS call and its resource. The cause is in the error chain.
#[derive(Debug, thiserror::Error)]
#[error("{operation} on {resource} failed")]
struct CallFailed {
    operation: &'static str,
    resource: String,
    source: BoxError,
}

/// Maps an SDK error to a fault. Throttling, server errors, broken connections and time-outs mean
/// that the dependency is unavailable for now. Every other error is our own fault, most often a
/// missing permission.
///
/// A call that timed out is unavailable too, and not [`ServiceError::TimedOut`]. That error means
/// that the request itself has no time left, and carries no cause.
pub(crate) fn fault<E>(
    operation: &'static str,
    resource: &str,
    error: SdkError<E, HttpResponse>,
) -> ServiceError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let passing = is_passing(&error);
    let failed = CallFailed { operation, resource: resource.to_owned(), source: error.into() };
    if passing { unavailable(failed) } else { ServiceError::internal(failed) }
}

/// Maps the error of a client on [`Aws::sdk_config`](crate::Aws::sdk_config), as the clients of
/// this crate do. `operation` and `resource` are for the log, such as `GetObject` and `uploads`.
///
/// Throttling, server errors, broken connections and time-outs mean that the service is unavailable
/// for now: the request is a 503. Every other error is a 500. A service matches the errors that it
/// expects, such as a missing object, before it calls this.
pub fn service_error<E>(
    operation: &'static str,
    resource: &str,
    error: SdkError<E, HttpResponse>,
) -> ServiceError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    fault(operation, resource, error)
}

/// The fault for a dependency that is unavailable for now.
pub(crate) fn unavailable(source: impl Into<BoxError>) -> ServiceError {
    ServiceError::Unavailable { retry_after_s: RETRY_AFTER_S, source: source.into() }
}

/// Whether an AWS error code means throttling.
pub(crate) fn is_throttle(code: &str) -> bool {
    THROTTLES.contains(&code)
}

fn is_passing<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    match error {
        // A response error is a response that broke off.
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
        SdkError::DispatchFailure(failure) => {
            // A connection that the server closed instead of responding is transient.
            let is_transient = failure.as_other() == Some(ErrorKind::TransientError);
            failure.is_io() || failure.is_timeout() || is_transient
        }
        SdkError::ServiceError(answer) => {
            let passes = |code: &str| is_throttle(code) || TIME_OUTS.contains(&code);
            answer.raw().status().is_server_error() || answer.err().code().is_some_and(passes)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::operation::get_item::GetItemError;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;

    use super::*;

    fn answered(status: u16, code: &str) -> SdkError<GetItemError, HttpResponse> {
        let metadata = ErrorMetadata::builder().code(code).message("inner text").build();
        let raw = HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::empty());
        SdkError::service_error(GetItemError::generic(metadata), raw)
    }

    #[test]
    fn throttling_and_5xx_are_unavailable_and_the_rest_is_internal() {
        for (status, code, passes) in [
            (400, "ThrottlingException", true),
            (400, "ProvisionedThroughputExceededException", true),
            (400, "KMS.ThrottlingException", true),
            (400, "RequestTimeout", true),
            (500, "InternalServerError", true),
            (503, "ServiceUnavailable", true),
            (400, "AccessDeniedException", false),
            (400, "ResourceNotFoundException", false),
        ] {
            let fault = fault("GetItem", "users", answered(status, code));
            assert_eq!(matches!(fault, ServiceError::Unavailable { .. }), passes, "{code}");
            assert_eq!(matches!(fault, ServiceError::Internal(_)), !passes, "{code}");
        }
    }

    #[test]
    fn a_broken_connection_and_a_time_out_are_unavailable() {
        type Error = SdkError<GetItemError, HttpResponse>;
        let broken = Error::dispatch_failure(ConnectorError::io("reset".into()));
        assert!(matches!(fault("GetItem", "users", broken), ServiceError::Unavailable { .. }));
        let late = Error::timeout_error("late");
        assert!(matches!(fault("GetItem", "users", late), ServiceError::Unavailable { .. }));
        let closed = ConnectorError::other("closed".into(), Some(ErrorKind::TransientError));
        let closed = Error::dispatch_failure(closed);
        assert!(matches!(fault("GetItem", "users", closed), ServiceError::Unavailable { .. }));
        let raw = HttpResponse::new(StatusCode::try_from(200).unwrap(), SdkBody::empty());
        let cut = Error::response_error("cut", raw);
        assert!(matches!(fault("GetItem", "users", cut), ServiceError::Unavailable { .. }));
    }

    #[test]
    fn a_fault_keeps_the_whole_chain_of_causes() {
        let fault = fault("GetItem", "users", answered(400, "AccessDeniedException"));
        let mut chain = Vec::new();
        let mut next: Option<&dyn std::error::Error> = Some(&fault);
        while let Some(error) = next {
            chain.push(error.to_string());
            next = error.source();
        }
        let chain = chain.join(": ");
        assert!(chain.contains("GetItem on users failed"), "{chain}");
        assert!(chain.contains("AccessDeniedException"), "{chain}");
    }
}
