//! Messages that cannot be understood.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use lifecycle::Fault;
use lifecycle::effects::Queue;
use sha2::{Digest, Sha256};

use super::batches::{is_fifo, string_attribute};
use crate::Aws;
use crate::faults::fault;

/// A reason is for people to read.
const REASON_CHARS_MAX: usize = 1000;

impl Aws {
    /// The message goes to the dead-letter queue with the reason beside it, in the attribute
    /// `reason`.
    pub(super) async fn bury_message(
        &self,
        queue: Queue,
        body: &str,
        reason: &str,
    ) -> Result<(), Fault> {
        let name = queue.name();
        let url = self.configuration().dead_letters(queue).ok_or_else(|| {
            Fault::internal(format!("the dead letters of queue {name} are not among the uses"))
        })?;
        let reason: String = transmissible(reason).chars().take(REASON_CHARS_MAX).collect();
        let mut request = self
            .sqs()
            .send_message()
            .queue_url(url)
            .message_body(transmissible(body))
            .message_attributes("reason", string_attribute(&reason));
        if is_fifo(url) {
            let digest = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(body));
            request = request.message_group_id("buried").message_deduplication_id(digest);
        }
        request.send().await.map_err(|error| fault("SendMessage", name, error))?;
        Ok(())
    }
}

/// The text without the characters that SQS refuses (those that XML 1.0 has no place for).
fn transmissible(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => c,
            _ => char::REPLACEMENT_CHARACTER,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_sqs_refuses_are_replaced() {
        assert_eq!(transmissible("a\u{0}b\tc\u{ffff}"), "a\u{fffd}b\tc\u{fffd}");
    }
}
