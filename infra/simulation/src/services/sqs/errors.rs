//! The errors of SQS.

use crate::services::wire::AwsError;

pub(super) fn no_queue() -> AwsError {
    let message = "The specified queue does not exist.";
    AwsError::new("QueueDoesNotExist", message)
        .or_in_query("AWS.SimpleQueueService.NonExistentQueue")
}

pub(super) fn invalid_value(message: impl Into<String>) -> AwsError {
    AwsError::new("InvalidParameterValue", message).or_in_query("InvalidParameterValue")
}

pub(super) fn missing(parameter: &str) -> AwsError {
    let message = format!("The request must contain the parameter {parameter}.");
    AwsError::new("MissingParameter", message).or_in_query("MissingParameter")
}

pub(super) fn invalid_contents() -> AwsError {
    AwsError::new("InvalidMessageContents", "Invalid characters found in the message.")
        .or_in_query("InvalidMessageContents")
}

pub(super) fn invalid_handle(handle: &str) -> AwsError {
    AwsError::new(
        "ReceiptHandleIsInvalid",
        format!("The input receipt handle \"{handle}\" is not a valid receipt handle."),
    )
    .or_in_query("ReceiptHandleIsInvalid")
}

pub(super) fn expired_handle(handle: &str) -> AwsError {
    invalid_value(format!(
        "Value {handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has \
         expired."
    ))
}

pub(super) fn gone(handle: &str) -> AwsError {
    invalid_value(format!(
        "Value {handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or \
         is not available for visibility timeout change."
    ))
}

pub(super) fn not_in_flight() -> AwsError {
    AwsError::new("MessageNotInflight", "The specified message isn't in flight.")
        .or_in_query("AWS.SimpleQueueService.MessageNotInflight")
}

pub(super) fn over_limit() -> AwsError {
    AwsError { status: 403, ..AwsError::new("OverLimit", "Too many messages are in flight.") }
        .or_in_query("OverLimit")
}

/// The error of an entry of a batch that the queue could not perform.
pub(super) fn not_performed() -> AwsError {
    AwsError { status: 500, ..AwsError::new("InternalError", "The entry was not performed.") }
}

pub(super) fn out_of_range(value: i64, parameter: &str, reason: &str) -> AwsError {
    invalid_value(format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}"))
}

pub(super) fn empty_batch() -> AwsError {
    AwsError::new("EmptyBatchRequest", "There should be at least one entry in the request.")
        .or_in_query("AWS.SimpleQueueService.EmptyBatchRequest")
}

pub(super) fn too_many_entries(count: usize) -> AwsError {
    let message = format!("Maximum number of entries per request are 10. You have sent {count}.");
    AwsError::new("TooManyEntriesInBatchRequest", message)
        .or_in_query("AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
}

pub(super) fn repeated_id(id: &str) -> AwsError {
    AwsError::new("BatchEntryIdsNotDistinct", format!("Id {id} repeated."))
        .or_in_query("AWS.SimpleQueueService.BatchEntryIdsNotDistinct")
}

pub(super) fn invalid_id() -> AwsError {
    let message = "A batch entry id can only contain alphanumeric characters, hyphens and \
                   underscores. It can be at most 80 characters long.";
    AwsError::new("InvalidBatchEntryId", message)
        .or_in_query("AWS.SimpleQueueService.InvalidBatchEntryId")
}

pub(super) fn too_long_batch(bytes: usize) -> AwsError {
    let message =
        format!("Batch requests cannot be longer than 1048576 bytes. You have sent {bytes} bytes.");
    AwsError::new("BatchRequestTooLong", message)
        .or_in_query("AWS.SimpleQueueService.BatchRequestTooLong")
}
