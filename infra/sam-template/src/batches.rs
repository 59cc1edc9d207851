//! The batches of event sources: their size, and the response that reports failed items.

use serde_json::Value;

/// The maximum bytes of an event and of a response: Lambda's limit for synchronous invocations.
pub const PAYLOAD_BYTES_MAX: usize = 6 * 1024 * 1024 + 100;

/// The number of first records, by their bytes, whose event is within Lambda's limit. Lambda closes a
/// batch there. At least one: a single record is always delivered.
pub fn fitting(sizes: impl Iterator<Item = usize>) -> usize {
    let mut bytes = r#"{"Records":[]}"#.len();
    let fits = |size: &usize| {
        bytes += size + ",".len();
        bytes <= PAYLOAD_BYTES_MAX
    };
    sizes.take_while(fits).count().max(1)
}

/// The places of the failed items in the batch, in order, given the identifiers of its items.
///
/// A queue may deliver a message twice while Lambda gathers a batch. The response names the message,
/// so both of its places have failed.
///
/// As on Lambda, a response or a list without anything is success, and an invalid response means
/// that the whole batch has failed.
///
/// # Errors
/// If the response is invalid: the reason.
pub fn failed_items(
    response: &Value,
    identifiers: &[impl AsRef<str>],
) -> Result<Vec<usize>, String> {
    let invalid = |reason: &str| Err(format!("not a partial batch response: {reason}"));
    let failures = match response {
        Value::Null => return Ok(Vec::new()),
        Value::Object(fields) => match fields.get("batchItemFailures") {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(failures)) => failures,
            Some(_) => return invalid("`batchItemFailures` is not a list"),
        },
        _ => return invalid("it is not an object"),
    };
    let mut failed = Vec::new();
    for failure in failures {
        let Some(identifier) = failure.get("itemIdentifier").and_then(Value::as_str) else {
            return invalid("a failure has no text `itemIdentifier`");
        };
        let before = failed.len();
        for (place, known) in identifiers.iter().enumerate() {
            if known.as_ref() == identifier {
                failed.push(place);
            }
        }
        if failed.len() == before {
            return Err(format!("no item `{identifier}` in the batch"));
        }
    }
    failed.sort_unstable();
    failed.dedup();
    Ok(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(response: &str) -> Result<Vec<usize>, String> {
        failed_items(&serde_json::from_str(response).unwrap(), &["a", "b", "c"])
    }

    #[test]
    fn a_batch_ends_before_the_payload_limit_and_has_a_record() {
        let third = PAYLOAD_BYTES_MAX / 3;
        let rest = PAYLOAD_BYTES_MAX - 2 * third - 17;
        assert_eq!(fitting([third, third, rest, 1].into_iter()), 3);
        assert_eq!(fitting([third, third, rest + 1, 1].into_iter()), 2);
        assert_eq!(fitting([PAYLOAD_BYTES_MAX, 1].into_iter()), 1);
    }

    #[test]
    fn the_named_items_have_failed() {
        let cases: [(&str, &[usize]); 7] = [
            ("null", &[]),
            ("{}", &[]),
            (r#"{"batchItemFailures": []}"#, &[]),
            (r#"{"batchItemFailures": null}"#, &[]),
            (r#"{"batchItemFailures": [{"itemIdentifier": "b"}]}"#, &[1]),
            (
                r#"{"batchItemFailures": [{"itemIdentifier": "c"}, {"itemIdentifier": "a"}]}"#,
                &[0, 2],
            ),
            (r#"{"batchItemFailures": [{"itemIdentifier": "b"}, {"itemIdentifier": "b"}]}"#, &[1]),
        ];
        for (response, expected) in cases {
            assert_eq!(failed(response), Ok(expected.to_vec()), "{response}");
        }
    }

    #[test]
    fn a_failed_message_that_the_batch_has_twice_has_failed_at_both_places() {
        let failures =
            r#"{"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "a"}]}"#;
        let response = serde_json::from_str(failures).unwrap();
        assert_eq!(failed_items(&response, &["a", "b", "a"]), Ok(vec![0, 2]));
    }

    #[test]
    fn an_invalid_response_is_an_error_with_the_reason() {
        let cases = [
            ("1", "it is not an object"),
            ("[null]", "it is not an object"),
            (r#"{"batchItemFailures": 1}"#, "`batchItemFailures` is not a list"),
            (r#"{"batchItemFailures": ["a"]}"#, "a failure has no text `itemIdentifier`"),
            (
                r#"{"batchItemFailures": [{"itemIdentifier": null}]}"#,
                "a failure has no text `itemIdentifier`",
            ),
            (
                r#"{"batchItemFailures": [{"messageId": "a"}]}"#,
                "a failure has no text `itemIdentifier`",
            ),
            (r#"{"batchItemFailures": [{"itemIdentifier": "z"}]}"#, "no item `z` in the batch"),
            (r#"{"batchItemFailures": [{"itemIdentifier": ""}]}"#, "no item `` in the batch"),
        ];
        for (response, expected) in cases {
            let reason = failed(response).unwrap_err();
            assert!(reason.ends_with(expected), "{response}: {reason}");
        }
    }
}
