//! The roots of an effect: of a written item, or of a sent message or mail.

use super::Store;
use crate::activity::cause::Cause;
use crate::activity::record::Root;

/// The shortest id of a request or a message that is looked for in a text. A client may choose the
/// id of its request.
const ID_BYTES_MIN: usize = 4;

/// The shortest key of a stream record that is looked for: shorter ones, such as `PROFILE`, are not
/// unique.
const KEY_BYTES_MIN: usize = 16;

impl Store {
    /// The roots of an effect, by the roots and the cause of its invocation and by its text. Only a
    /// batch has several roots. The first of these that exist:
    ///
    /// - the requests whose request id is in the text;
    /// - the roots of the messages and stream records whose ids are in the text;
    /// - the requests that sent an event about an aggregate in the text, with the roots that are no
    ///   request;
    /// - the roots without a request id: the text would have the id of another one;
    /// - all.
    pub(in crate::activity) fn roots_by_text(
        &self,
        roots: &[Root],
        cause: Option<&Cause>,
        text: &[u8],
    ) -> Vec<Root> {
        if roots.len() < 2 {
            return roots.to_vec();
        }
        let request_id = |root: &Root| {
            let Root::Request(number) = root else { return None };
            self.requests.get(number)?.request_id.as_deref()
        };
        let kept = |keep: &dyn Fn(&Root) -> bool| -> Vec<Root> {
            roots.iter().copied().filter(|root| keep(root)).collect()
        };
        let named = kept(&|root| request_id(root).is_some_and(|id| has(text, id, ID_BYTES_MIN)));
        if !named.is_empty() {
            return named;
        }
        let causing = cause.map(|cause| self.roots_in_text(cause, text)).unwrap_or_default();
        let causing = kept(&|root| causing.contains(root));
        if !causing.is_empty() {
            return causing;
        }
        let about = kept(&|root| match root {
            Root::Request(number) => {
                let mut own = self.aggregates.iter().filter(|(_, request)| *request == number);
                own.any(|(aggregate, _)| has(text, aggregate, ID_BYTES_MIN))
            }
            Root::Invocation(_) => true,
        });
        if about.iter().any(|root| matches!(root, Root::Request(_))) {
            return about;
        }
        let nameless = kept(&|root| request_id(root).is_none());
        if nameless.is_empty() { roots.to_vec() } else { nameless }
    }

    /// The roots of the messages and stream records of a cause whose ids are in the text.
    fn roots_in_text(&self, cause: &Cause, text: &[u8]) -> Vec<Root> {
        let mut roots = Vec::new();
        match cause {
            Cause::Messages { messages, .. } => {
                for (id, _) in messages {
                    let number = self.by_message.get(id.as_str());
                    let Some(message) = number.and_then(|it| self.messages.get(it)) else {
                        continue;
                    };
                    let ids = [Some(id.as_str()), message.event_id.as_deref()];
                    if ids.into_iter().flatten().any(|id| has(text, id, ID_BYTES_MIN)) {
                        roots.extend_from_slice(&message.roots);
                    }
                }
            }
            Cause::Records { table, records, .. } => {
                for item in records {
                    let number = self.by_row.get(&(table.clone(), item.number.clone()));
                    let Some(row) = number.and_then(|it| self.rows.get(it)) else { continue };
                    // The sort key, or the only key.
                    let key = item.key.rsplit(" = ").next().unwrap_or_default();
                    if has(text, key, KEY_BYTES_MIN) {
                        roots.extend_from_slice(&row.roots);
                    }
                }
            }
            _ => {}
        }
        roots
    }
}

/// Whether a text has an id of at least so many bytes as a whole word.
fn has(text: &[u8], id: &str, bytes_min: usize) -> bool {
    let id = id.as_bytes();
    let is_other = |byte: &u8| !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'_');
    id.len() >= bytes_min.max(1)
        && text.windows(id.len()).enumerate().any(|(at, window)| {
            window == id
                && text[..at].last().is_none_or(is_other)
                && text.get(at + id.len()).is_none_or(is_other)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_as_a_whole_word() {
        assert!(has(b"{\\\"requestId\\\":\\\"req-1\\\"}", "req-1", 4));
        assert!(has(b"inbox#mails#req-1", "req-1", 4));
        assert!(!has(b"req-10", "req-1", 4) && !has(b"areq-1", "req-1", 4));
        assert!(!has(b"a b", "a", 4) && !has(b"", "", 0));
    }
}
