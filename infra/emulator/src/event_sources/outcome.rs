//! Interprets a function's response to a batch.

use bytes::Bytes;
use serde::Deserialize;

/// The result of a batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The indices of the failed records, in order; all others succeeded.
    Failed(Vec<usize>),
    /// The response is invalid, so the whole batch counts as failed.
    Nonsense(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialResponse {
    batch_item_failures: Option<Vec<Failure>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

/// Parses the response of a function that reports batch item failures, given the batch's
/// identifiers. As on Lambda, an empty response or list means success, and an invalid response
/// means that the whole batch failed.
pub(super) fn read(answer: &Bytes, identifiers: &[&str]) -> Outcome {
    if answer.is_empty() {
        return Outcome::Failed(Vec::new());
    }
    let response: Option<PartialResponse> = match serde_json::from_slice(answer) {
        Ok(response) => response,
        Err(error) => return Outcome::Nonsense(format!("not a partial batch response: {error}")),
    };
    let failures = response.and_then(|response| response.batch_item_failures).unwrap_or_default();
    let mut failed = Vec::new();
    for Failure { item_identifier } in failures {
        let place = identifiers.iter().position(|identifier| *identifier == item_identifier);
        match place {
            Some(place) => failed.push(place),
            None => return Outcome::Nonsense(format!("no item `{item_identifier}` in the batch")),
        }
    }
    failed.sort_unstable();
    failed.dedup();
    Outcome::Failed(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_items_failed_and_an_invalid_response_fails_all() {
        let cases = [
            ("", Some(vec![])),
            ("null", Some(vec![])),
            ("{}", Some(vec![])),
            (r#"{"batchItemFailures": []}"#, Some(vec![])),
            (r#"{"batchItemFailures": null}"#, Some(vec![])),
            (r#"{"batchItemFailures": [{"itemIdentifier": "b"}]}"#, Some(vec![1])),
            (
                r#"{"batchItemFailures": [{"itemIdentifier": "c"}, {"itemIdentifier": "a"}]}"#,
                Some(vec![0, 2]),
            ),
            (r#"{"batchItemFailures": [{"itemIdentifier": "z"}]}"#, None),
            (r#"{"batchItemFailures": [{"itemIdentifier": ""}]}"#, None),
            (r#"{"batchItemFailures": [{"itemIdentifier": null}]}"#, None),
            (r#"{"batchItemFailures": [{"messageId": "a"}]}"#, None),
            ("not json", None),
        ];
        for (answer, expected) in cases {
            let outcome = read(&Bytes::from_static(answer.as_bytes()), &["a", "b", "c"]);
            match expected {
                Some(failed) => assert_eq!(outcome, Outcome::Failed(failed), "{answer}"),
                None => assert!(matches!(outcome, Outcome::Nonsense(_)), "{answer}"),
            }
        }
    }
}
