//! One exchange with an upstream, on behalf of one request.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lifecycle::effects::{Condition, Write, text};
use lifecycle::record::{IndexKey, Key, Record, Table};
use lifecycle::{Moment, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::redaction::redacted;
use crate::syntax::{id, words};
use crate::tables::{BY_PENDING, COMMUNICATIONS};

/// How long records are kept.
const KEPT_S: i64 = 30 * 24 * 60 * 60;

/// The headers that are kept. Any other may be a secret.
const HEADERS: [&str; 8] = [
    "accept-language",
    "content-length",
    "content-type",
    "date",
    "retry-after",
    "x-partner-id",
    "x-request-id",
    "server",
];

/// Who asked what of whom, when, and what came of it.
///
/// It is written twice: before the upstream is asked, when it is pending, and when it is over.
/// One that stays pending tells of a function that did not live to see the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Communication {
    /// Its id.
    pub communication_id: CommunicationId,
    /// The request that it was for.
    pub request_id: String,
    /// Who asked, as they call themselves.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// Our own route: `GET /partner/products`.
    pub route: String,
    /// Which upstream was to be asked.
    pub upstream: String,
    /// Its address.
    pub address: String,
    /// What came of it.
    pub outcome: Outcome,
    /// The status that the upstream answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How long it took, in milliseconds, repetitions and tokens included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// What was said to it.
    pub request: Said,
    /// What it said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Said>,
    /// When the record may be forgotten, in seconds since 1970.
    pub expires_at: i64,
}

id! {
    /// The id of a communication.
    CommunicationId
}

words! {
    /// What came of a communication.
    Outcome {
        /// Nobody knows yet.
        Pending = "PENDING",
        /// What was wanted.
        Answered = "ANSWERED",
        /// The upstream said no.
        Refused = "REFUSED",
        /// The upstream did not answer, or not with what it should.
        Failed = "FAILED",
        /// The upstream was not asked: it has failed too often.
        CutOff = "CUT_OFF",
        /// Nobody will ever know.
        Abandoned = "ABANDONED",
    }
}

/// What one side said, without what may be secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Said {
    /// Some of the headers.
    pub headers: BTreeMap<String, String>,
    /// The SHA-256 of the body, in base64url: who has the body can tell that this is it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_sha256: Option<String>,
    /// The first KiB of the body, with what may be secret taken out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_beginning: Option<String>,
}

impl Said {
    /// What is kept of these headers and this body.
    pub fn of<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>, body: &[u8]) -> Self {
        let headers = headers.into_iter().filter(|(name, _)| HEADERS.contains(name));
        let (hash, beginning) = if body.is_empty() {
            (None, None)
        } else {
            (Some(URL_SAFE_NO_PAD.encode(Sha256::digest(body))), Some(redacted(body)))
        };
        Self {
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            body_sha256: hash,
            body_beginning: beginning,
        }
    }
}

/// How a communication ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// What came of it.
    pub outcome: Outcome,
    /// The status that the upstream answered, and what it said.
    pub answer: Option<(u16, Said)>,
    /// How long it took, in milliseconds.
    pub latency_ms: Option<u64>,
}

impl Communication {
    /// One that begins now: who asks, on which route of ours, which upstream, and at which address.
    pub fn begin(
        moment: &Moment,
        request_id: String,
        who: &str,
        route: String,
        (upstream, address): (&str, String),
        request: Said,
    ) -> Self {
        Self {
            communication_id: moment.id("communication").into(),
            request_id,
            who: who.to_owned(),
            at: moment.now(),
            route,
            upstream: upstream.to_owned(),
            address,
            outcome: Outcome::Pending,
            status: None,
            latency_ms: None,
            request,
            response: None,
            expires_at: moment.now().plus_seconds(KEPT_S).as_seconds(),
        }
    }

    /// It, ended.
    #[must_use]
    pub fn ended(self, ending: Ending) -> Self {
        let Ending { outcome, answer, latency_ms } = ending;
        let (status, response) = answer.unzip();
        Self { outcome, status, latency_ms, response, ..self }
    }

    /// Notes that nobody will ever know what came of it, unless somebody does by then.
    pub fn abandon(self) -> Write {
        let abandoned = Self { outcome: Outcome::Abandoned, ..self };
        let pending = text(Outcome::Pending.as_str());
        Write::put(&abandoned).when(Condition::Equals("outcome", pending))
    }
}

impl Record for Communication {
    const TABLE: Table = COMMUNICATIONS;

    fn key(&self) -> Key {
        Key::new(self.communication_id)
    }

    fn indexed(&self) -> Vec<IndexKey> {
        let (id, at) = (self.communication_id, self.at);
        let place = || IndexKey::spread(BY_PENDING, id, format!("{at}#{id}"));
        (self.outcome == Outcome::Pending).then(place).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::{communication, moment};

    #[test]
    fn only_what_is_pending_is_in_the_index() {
        let pending = communication();
        assert_eq!(pending.indexed().len(), 1);
        for outcome in [Outcome::Answered, Outcome::CutOff, Outcome::Abandoned] {
            let ending = Ending { outcome, answer: None, latency_ms: None };
            assert!(pending.clone().ended(ending).indexed().is_empty(), "{outcome:?}");
        }
    }

    #[test]
    fn a_record_is_kept_for_thirty_days() {
        assert_eq!(communication().expires_at - moment().now().as_seconds(), 2_592_000);
    }

    #[test]
    fn headers_are_kept_only_if_they_are_known_to_be_harmless() {
        let headers = [("authorization", "Bearer t"), ("x-request-id", "r"), ("set-cookie", "s")];
        let said = Said::of(headers, b"{}");
        assert_eq!(said.headers.keys().collect::<Vec<_>>(), ["x-request-id"]);
        let of_empty_object = "RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o";
        assert_eq!(said.body_sha256.as_deref(), Some(of_empty_object));
        assert_eq!(Said::of([], b"").body_sha256, None);
    }
}
