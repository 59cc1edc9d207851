//! Tables, queues and operations that fail for some time: every request of a function to them.

use std::collections::BTreeMap;
use std::fmt;

use crate::Millis;
use crate::random::Random;

/// A part of AWS that can fail.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// A table or a queue, by its name.
    Resource(String),
    /// An operation that names neither.
    Operation(String),
}

/// Formats the name.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Resource(name) | Self::Operation(name)) = self;
        f.write_str(name)
    }
}

impl Part {
    /// Whether a request needs it.
    fn is_in(&self, operation: &str, body: &str) -> bool {
        match self {
            Self::Resource(name) => names(body, name),
            Self::Operation(name) => operation == name,
        }
    }
}

/// Whether the body of a request names a table, or has a queue's URL.
pub(super) fn names(body: &str, resource: &str) -> bool {
    let mut places = body.match_indices(resource);
    places.any(|(start, _)| {
        let (before, after) = (&body[..start], &body[start + resource.len()..]);
        before.ends_with(['"', '/']) && after.starts_with('"')
    })
}

/// How the requests fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outage {
    /// They are refused, since there are too many.
    Overload,
    /// They are refused, since the service is not available.
    Unavailable,
    /// They have no answer.
    Silence,
}

impl Outage {
    pub(super) fn draw(random: &mut impl Random) -> Self {
        const ALL: [Outage; 3] = [Outage::Overload, Outage::Unavailable, Outage::Silence];
        ALL[random.index(ALL.len())]
    }
}

/// The outages of a world.
#[derive(Debug, Default)]
pub(super) struct Outages(BTreeMap<Part, (Outage, Millis)>);

impl Outages {
    /// Begins an outage. It takes the place of an earlier one of the same part.
    pub(super) fn begin(&mut self, part: Part, outage: Outage, until: Millis) {
        self.0.insert(part, (outage, until));
    }

    /// How a request fails, if a part that it needs does.
    pub(super) fn of(&self, now: Millis, operation: &str, body: &[u8]) -> Option<Outage> {
        if self.0.is_empty() {
            return None;
        }
        let body = String::from_utf8_lossy(body);
        let mut outages = self.0.iter().filter(|(_, (_, until))| now < *until);
        outages.find(|(part, _)| part.is_in(operation, &body)).map(|(_, (outage, _))| *outage)
    }

    /// Ends all.
    pub(super) fn end(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEND: &str = "AmazonSQS.SendMessage";
    const TO_MAILS: &[u8] = br#"{"QueueUrl":"https://sqs.x.amazonaws.com/1/Mails"}"#;

    #[test]
    fn an_outage_is_of_one_queue_or_table_and_ends() {
        let mut outages = Outages::default();
        outages.begin(Part::Resource("Mails".to_owned()), Outage::Silence, Millis(10));

        assert_eq!(outages.of(Millis(9), SEND, TO_MAILS), Some(Outage::Silence));
        assert_eq!(outages.of(Millis(10), SEND, TO_MAILS), None);
        let others: [&[u8]; 2] = [
            br#"{"QueueUrl":"https://sqs.x.amazonaws.com/1/MailsOfOthers"}"#,
            br#"{"QueueUrl":"https://sqs.x.amazonaws.com/1/OldMails"}"#,
        ];
        for other in others {
            assert_eq!(outages.of(Millis(9), SEND, other), None);
        }
        outages.begin(Part::Resource("Orders".to_owned()), Outage::Overload, Millis(10));
        let write = br#"{"TransactItems":[{"Put":{"TableName":"Orders"}}]}"#;
        let read = br#"{"RequestItems":{"Orders":{"Keys":[]}}}"#;
        for body in [&write[..], &read[..]] {
            assert_eq!(outages.of(Millis(9), "any", body), Some(Outage::Overload));
        }
        outages.end();
        assert_eq!(outages.of(Millis(9), SEND, TO_MAILS), None);
    }

    #[test]
    fn an_operation_without_table_and_queue_has_its_own_outage() {
        let mut outages = Outages::default();
        let read = "secretsmanager.GetSecretValue";
        outages.begin(Part::Operation(read.to_owned()), Outage::Unavailable, Millis(10));

        assert_eq!(outages.of(Millis(9), read, b"{}"), Some(Outage::Unavailable));
        assert_eq!(outages.of(Millis(9), SEND, TO_MAILS), None);
    }
}
