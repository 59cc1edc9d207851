//! Secrets: none is in an answer, a log line, a message, an item or an alert.

use std::sync::LazyLock;

use serde_json::Value;
use simulation::world::{Event, Happened, Oracle, View};

use crate::opening::key_secrets;
use crate::people::SECRET;

pub(super) const NAME: &str = "no secret in any output";

/// The beginning of a stored password, and of the claims of a token.
const HASH: &str = "$argon2id";
const CLAIMS: &str = ".eyJ";

/// Checks each output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Secrets;

impl Oracle for Secrets {
    fn name(&self) -> &str {
        NAME
    }

    fn observe(&mut self, event: &Event, _view: &View<'_>) -> Result<(), String> {
        match &event.what {
            Happened::Answered { headers, body, .. } => {
                clean("an answer", body, &[SECRET, HASH])?;
                headers
                    .iter()
                    .try_for_each(|(_, value)| clean("a header", value, &[SECRET, HASH, CLAIMS]))
            }
            Happened::Line { line, .. } => {
                clean("a log line", &line.to_string(), &[SECRET, HASH, CLAIMS])
            }
            // The functions share tokens by their table.
            Happened::Called { operation, body, .. }
                if operation.starts_with("DynamoDB") && !body.contains("TokensTable") =>
            {
                clean("an item", body, &[SECRET, CLAIMS])
            }
            Happened::Called { operation, body, .. }
                if operation.starts_with("AmazonSQS") || is_alert(operation) =>
            {
                clean("a message", body, &[SECRET, HASH, CLAIMS])
            }
            _ => Ok(()),
        }
    }

    fn at_rest(&mut self, view: &View<'_>) -> Result<(), String> {
        for mail in view.mails() {
            clean("a mail", mail.text.as_deref().unwrap_or_default(), &[SECRET, HASH, CLAIMS])?;
        }
        // A token of a mail is as good as a password.
        let texts = view.mails().iter().filter_map(|mail| mail.text.as_deref());
        let tokens = texts.filter_map(|text| text.split("\"token\": \"").nth(1)?.split('"').next());
        let tokens: Vec<&str> = tokens.collect();
        for event in view.trace().events() {
            let output = match &event.what {
                Happened::Line { line, .. } => line.to_string(),
                Happened::Answered { body, .. } => body.clone(),
                _ => continue,
            };
            clean("a log line or an answer", &output, &tokens)?;
        }
        Ok(())
    }
}

fn is_alert(operation: &str) -> bool {
    ["slack.", "datadog.", "new_relic."].iter().any(|host| operation.contains(host))
}

/// The private parts of the first keys.
static PRIVATE: LazyLock<Vec<String>> = LazyLock::new(|| {
    let [(_, signing), _] = key_secrets();
    let signing: Value = serde_json::from_str(signing).unwrap_or_default();
    let parts = [&signing["privateKey"], &signing["next"]["privateKey"]];
    parts.iter().filter_map(|part| part.as_str().map(str::to_owned)).collect()
});

fn clean(what: &str, text: &str, secrets: &[&str]) -> Result<(), String> {
    let private = PRIVATE.iter().map(String::as_str);
    match secrets.iter().copied().chain(private).find(|secret| text.contains(secret)) {
        None => Ok(()),
        Some(secret) => {
            let at = text.find(secret).unwrap_or_default();
            let shown: String = text[at..].chars().take(40).collect();
            Err(format!("{what} has a secret: {shown}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_a_hash_a_token_or_a_key_is_found() {
        assert_eq!(PRIVATE.len(), 2);
        for text in ["my S3CR3T-horse", "$argon2id$v=19", "eyJh.eyJz.sig", PRIVATE[0].as_str()] {
            clean("a line", text, &[SECRET, HASH, CLAIMS]).unwrap_err();
        }
        assert!(clean("a line", "nothing", &[SECRET, HASH, CLAIMS]).is_ok());
    }
}
