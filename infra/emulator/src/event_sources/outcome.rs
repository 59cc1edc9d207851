//! Interprets a function's response to a batch.

use bytes::Bytes;
use sam_template::batches::failed_items;
use serde_json::Value;

/// The indices of the failed records, in order, given the batch's identifiers; all others
/// succeeded.
///
/// # Errors
/// If the response is invalid, so that the whole batch counts as failed: the reason.
pub(super) fn failed(answer: &Bytes, identifiers: &[&str]) -> Result<Vec<usize>, String> {
    // As on Lambda, an empty response is success.
    if answer.is_empty() {
        return Ok(Vec::new());
    }
    let response: Value = serde_json::from_slice(answer)
        .map_err(|error| format!("not a partial batch response: {error}"))?;
    failed_items(&response, identifiers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_response_is_success_and_one_that_is_not_json_fails_all() {
        let read = |answer: &'static str| failed(&Bytes::from_static(answer.as_bytes()), &["a"]);

        assert_eq!(read(""), Ok(vec![]));
        assert_eq!(read(r#"{"batchItemFailures": [{"itemIdentifier": "a"}]}"#), Ok(vec![0]));
        let reason = read("not json").unwrap_err();
        assert!(reason.starts_with("not a partial batch response: "), "{reason}");
    }
}
