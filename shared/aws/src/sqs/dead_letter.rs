//! Messages that cannot be parsed go to the dead-letter queue.

use lifecycle::ServiceError;
use lifecycle::ports::DeadLetter;

use super::batches::{BYTES_MAX, is_fifo, string_attribute, transmissible};
use crate::Aws;
use crate::errors::fault;

/// Operators read the reason. A longer one is cut.
const REASON_CHARS_MAX: usize = 1000;
/// SQS also counts the name and type of the reason's attribute.
const REASON_OVERHEAD_BYTES: usize = "reason".len() + "String".len();

impl Aws {
    /// Sends the message to the dead-letter queue, with the reason in the attribute `reason`.
    pub(crate) async fn bury_message(&self, letter: &DeadLetter) -> Result<(), ServiceError> {
        let name = letter.queue.name();
        let url = self.configuration().dead_letters(letter.queue).ok_or_else(|| {
            ServiceError::internal(format!("RESOURCES lacks the dead-letter queue of {name}"))
        })?;
        let (body, reason) = content(&letter.body, &letter.reason);
        let mut request = self.sqs().send_message().queue_url(url).message_body(body);
        if !reason.is_empty() {
            request = request.message_attributes("reason", string_attribute(&reason));
        }
        if is_fifo(url) {
            // The ids are those of SQS, or a hash.
            request = request.message_group_id(&letter.group).message_deduplication_id(&letter.id);
        }
        request.send().await.map_err(|error| fault("SendMessage", name, error))?;
        Ok(())
    }
}

/// The body and the reason in a form that SQS accepts: rejected characters escaped, and together
/// within its limit. An empty body, which SQS rejects, becomes an empty JSON string.
fn content(body: &str, reason: &str) -> (String, String) {
    let body = if body.is_empty() { "\"\"" } else { body };
    let body = cut(&transmissible(body), BYTES_MAX).to_owned();
    let reason: String = transmissible(reason).chars().take(REASON_CHARS_MAX).collect();
    let left = BYTES_MAX.saturating_sub(body.len() + REASON_OVERHEAD_BYTES);
    let reason = cut(&reason, left).to_owned();
    (body, reason)
}

/// The beginning of a text, at most `bytes_max` bytes long.
fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_is_within_the_limits_of_sqs() {
        let too_long = "ä".repeat(BYTES_MAX);
        let full = "x".repeat(BYTES_MAX);
        for (body, reason, expected) in [
            ("{}", "why", ("{}", "why")),
            ("", "EOF while parsing", ("\"\"", "EOF while parsing")),
            ("a\u{0}\u{ffff}", "\u{fffe}", ("a\\u0000\\uffff", "\\ufffe")),
            (&too_long, "why", (&too_long[..BYTES_MAX], "")),
            (&full, "why", (&full, "")),
        ] {
            let (body, reason) = content(body, reason);
            assert!((body.as_str(), reason.as_str()) == expected);
        }
    }
}
