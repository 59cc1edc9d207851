//! Reads a function's answer to a batch.

use serde_json::Value as Json;

/// The indexes of the failed items, in order.
///
/// As on Lambda, an answer or a list without anything is success.
///
/// # Errors
/// If the answer is invalid, so that the whole batch has failed: the reason.
pub(super) fn failed(answer: &Json, identifiers: &[String]) -> Result<Vec<usize>, String> {
    let failures = match answer {
        Json::Null => return Ok(Vec::new()),
        Json::Object(fields) => match fields.get("batchItemFailures") {
            None | Some(Json::Null) => return Ok(Vec::new()),
            Some(Json::Array(failures)) => failures,
            Some(_) => return Err("not a partial batch response".to_owned()),
        },
        _ => return Err("not a partial batch response".to_owned()),
    };
    let mut failed = Vec::new();
    for failure in failures {
        let identifier = failure["itemIdentifier"].as_str().unwrap_or_default();
        let place = identifiers.iter().position(|known| known == identifier);
        failed.push(place.ok_or_else(|| format!("no item `{identifier}` in the batch"))?);
    }
    failed.sort_unstable();
    failed.dedup();
    Ok(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_items_failed_and_an_invalid_answer_fails_all() {
        let identifiers = ["a", "b", "c"].map(str::to_owned);
        for (answer, expected) in [
            ("null", Some(vec![])),
            ("{}", Some(vec![])),
            (r#"{"batchItemFailures": null}"#, Some(vec![])),
            (
                r#"{"batchItemFailures": [{"itemIdentifier": "c"}, {"itemIdentifier": "a"}]}"#,
                Some(vec![0, 2]),
            ),
            (r#"{"batchItemFailures": [{"itemIdentifier": "z"}]}"#, None),
            (r#"{"batchItemFailures": [{"itemIdentifier": ""}]}"#, None),
            (r#"{"batchItemFailures": [{"messageId": "a"}]}"#, None),
            (r#"{"batchItemFailures": 1}"#, None),
            ("1", None),
        ] {
            let parsed: Json = serde_json::from_str(answer).unwrap();
            assert_eq!(failed(&parsed, &identifiers).ok(), expected, "{answer}");
        }
    }
}
