//! The error responses that the platform gives in a service's place, in that service's format.

use axum::body::Body;
use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use serde_json::{Value, json};

use super::call::{Call, Store};
use super::fault_injector::InjectedError;
use super::policy::Denial;
use super::sqs::Refused;

/// Services that once used the query protocol repeat the error code in this header.
const QUERY_ERROR: HeaderName = HeaderName::from_static("x-amzn-query-error");

/// The response to a call that fails by fault injection.
pub(super) fn refused(call: &Call, refusal: InjectedError) -> Response {
    let (status, code, message) = match (call.store, refusal) {
        (Store::Tables, _) => return refused_by_table(call, refusal),
        (Store::Queues, InjectedError::Failed) => (500, "InternalFailure", "An internal error."),
        (Store::Queues, _) => (400, "RequestThrottled", "The request was throttled."),
        (Store::Secrets, InjectedError::Failed) => {
            (500, "InternalServiceError", "An internal error.")
        }
        (Store::Secrets, _) => (400, "ThrottlingException", "Rate exceeded"),
        (Store::Mail, InjectedError::Failed) => {
            (500, "InternalServiceErrorException", "It failed.")
        }
        (Store::Mail, _) => (429, "TooManyRequestsException", "Maximum sending rate exceeded."),
    };
    error(call.store, status, code, message)
}

/// The response to a call that SQS rejects and the embedded queue would accept.
pub(super) fn refused_by_queue(refused: &Refused) -> Response {
    let kind = format!("{}{}", namespace(Store::Queues), refused.code);
    let kind = kind.replace("AWS.SimpleQueueService.", "");
    let body = json!({"__type": kind, "message": refused.message});
    answer(Store::Queues, 400, refused.code, &body)
}

/// A response of the queues.
pub(super) fn of_queue(body: &Value) -> Response {
    succeeded(Store::Queues, body)
}

/// A response of a service without an error.
pub(super) fn succeeded(store: Store, body: &Value) -> Response {
    let response = Response::builder().header(CONTENT_TYPE, content_type(store));
    response.body(Body::from(body.to_string())).expect("the content type is valid")
}

/// The response to a call that no policy allows, or that one denies.
pub(super) fn denied(store: Store, denial: &Denial) -> Response {
    let status = match store {
        Store::Queues | Store::Mail => 403,
        Store::Tables | Store::Secrets => 400,
    };
    error(store, status, "AccessDeniedException", &not_authorized(denial))
}

/// The message about an action that no policy allows, or that one denies.
pub(super) fn not_authorized(denial: &Denial) -> String {
    let Denial { principal, action, resource, is_explicit } = denial;
    let reason = if *is_explicit {
        "with an explicit deny in an identity-based policy".to_owned()
    } else {
        format!("because no identity-based policy allows the {action} action")
    };
    format!(
        "User: {principal} is not authorized to perform: {action} on resource: {resource} {reason}"
    )
}

/// The response to a call of no emulated service.
pub(super) fn unknown() -> Response {
    error(Store::Tables, 400, "UnknownOperationException", "The platform has no such operation.")
}

/// The response to a call without a signature.
pub(super) fn unsigned(store: Store) -> Response {
    let message = "A call must be signed with an access key.";
    error(store, 403, "MissingAuthenticationTokenException", message)
}

/// The response to a body over the limit.
pub(super) fn too_large() -> Response {
    error(Store::Tables, 413, "RequestEntityTooLargeException", "The request is too large.")
}

/// The response when the embedded store cannot be reached.
pub(super) fn unreachable(store: Store, reason: &str) -> Response {
    error(store, 500, "InternalServerError", reason)
}

fn refused_by_table(call: &Call, refusal: InjectedError) -> Response {
    const THROTTLED: &str = "Throughput exceeds the current capacity of your table or index. \
         DynamoDB is automatically scaling your table or index so please try again shortly.";
    const CONFLICT: &str = "Transaction is ongoing for the item";

    let transaction = call.operation == "TransactWriteItems";
    match refusal {
        InjectedError::Failed => {
            error(call.store, 500, "InternalServerError", "Internal server error")
        }
        InjectedError::Throttled if transaction => cancelled(call, "ThrottlingError", THROTTLED),
        InjectedError::Throttled => error(call.store, 400, "ThrottlingException", THROTTLED),
        InjectedError::Conflict if transaction => cancelled(call, "TransactionConflict", CONFLICT),
        InjectedError::Conflict => error(call.store, 400, "TransactionConflictException", CONFLICT),
    }
}

/// A cancelled transaction has one reason per item. Here the first item fails.
fn cancelled(call: &Call, code: &str, message: &str) -> Response {
    let mut codes = vec![code];
    codes.resize(call.accesses.len().max(1), "None");
    let mut reasons: Vec<Value> = codes.iter().map(|code| json!({"Code": code})).collect();
    reasons[0]["Message"] = message.into();
    let summary = format!(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
        codes.join(", ")
    );
    let body = json!({
        "__type": format!("{}TransactionCanceledException", namespace(call.store)),
        "Message": summary,
        "CancellationReasons": reasons,
    });
    answer(call.store, 400, "TransactionCanceledException", &body)
}

fn error(store: Store, status: u16, code: &str, message: &str) -> Response {
    let kind = format!("{}{code}", namespace(store));
    answer(store, status, code, &json!({"__type": kind, "message": message}))
}

fn namespace(store: Store) -> &'static str {
    match store {
        Store::Tables => "com.amazonaws.dynamodb.v20120810#",
        Store::Queues => "com.amazonaws.sqs#",
        Store::Secrets | Store::Mail => "",
    }
}

fn answer(store: Store, status: u16, code: &str, body: &Value) -> Response {
    let response = Response::builder().status(status).header(CONTENT_TYPE, content_type(store));
    let response = match store {
        Store::Queues => {
            let fault = if status < 500 { "Sender" } else { "Receiver" };
            // The query protocol has this one code without its suffix.
            let code = if code == "AccessDeniedException" { "AccessDenied" } else { code };
            response.header(QUERY_ERROR, format!("{code};{fault}"))
        }
        Store::Mail => response.header("x-amzn-errortype", code),
        Store::Tables | Store::Secrets => response,
    };
    response.body(Body::from(body.to_string())).expect("literal statuses and codes are valid")
}

fn content_type(store: Store) -> &'static str {
    match store {
        Store::Tables | Store::Queues => "application/x-amz-json-1.0",
        Store::Secrets => "application/x-amz-json-1.1",
        Store::Mail => "application/json",
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    #[tokio::test]
    async fn a_denial_names_the_missing_allow_or_the_explicit_deny() {
        for (is_explicit, expected) in [
            (false, "because no identity-based policy allows the dynamodb:PutItem action"),
            (true, "with an explicit deny in an identity-based policy"),
        ] {
            let denial = Denial {
                principal: "arn:user".to_owned(),
                action: "dynamodb:PutItem".to_owned(),
                resource: "arn:table".to_owned(),
                is_explicit,
            };
            let body = denied(Store::Tables, &denial).into_body();
            let body: Value =
                serde_json::from_slice(&to_bytes(body, usize::MAX).await.unwrap()).unwrap();
            let message = body["message"].as_str().unwrap();
            assert!(message.ends_with(&format!("on resource: arn:table {expected}")), "{message}");
        }
    }
}
