//! What a function's answer to a batch means.

use bytes::Bytes;
use serde::Deserialize;

/// What became of a batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// These did not succeed, by their place in the batch and in its order; all others did.
    Failed(Vec<usize>),
    /// The answer makes no sense, so that the whole batch counts as failed.
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

/// Reads the answer of a function that reports batch item failures, given the batch's identifiers.
/// As Lambda has it, no answer and an empty list mean success, and anything that cannot be
/// understood means that everything failed.
pub(super) fn read(answer: &Bytes, identifiers: &[&str]) -> Outcome {
    if answer.is_empty() {
        return Outcome::Failed(Vec::new());
    }
    let response: Option<PartialResponse> = match serde_json::from_slice(answer) {
        Ok(response) => response,
        Err(error) => return Outcome::Nonsense(format!("no partial batch response: {error}")),
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
    fn only_what_is_named_failed_and_what_cannot_be_understood_failed_altogether() {
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
