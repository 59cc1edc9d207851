//! The audit record of one call to an upstream.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lifecycle::newtypes::{uuid_id, wire_enum};
use lifecycle::record::{IndexKey, Key, Record, TableName};
use lifecycle::{Moment, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::redaction::redacted;
use crate::resources::{BY_PENDING, COMMUNICATIONS};

/// How long records are kept.
const KEPT_S: i64 = 30 * 24 * 60 * 60;

/// The headers that are stored. Any other may be a secret.
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

/// An audit record of a call to an upstream: the caller, the request, the response and the outcome.
///
/// It is written twice: as pending before the call, and complete after it. A record that stays
/// pending shows that the function ended before the call did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpstreamCall {
    /// Its id.
    pub communication_id: CommunicationId,
    /// The id of the API request that the call was for.
    pub request_id: String,
    /// The caller, by the id that it gives itself.
    pub who: String,
    /// When the call began.
    pub at: Timestamp,
    /// The API's route: `GET /partner/products`.
    pub route: String,
    /// The logical name of the upstream.
    pub upstream: String,
    /// Its address.
    pub address: String,
    /// The outcome of the call.
    pub outcome: Outcome,
    /// The status of the upstream's response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The duration of the call in milliseconds, including retries and token requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// The request.
    pub request: LoggedMessage,
    /// The response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<LoggedMessage>,
    /// When TTL may delete the record, in seconds since 1970.
    pub expires_at: i64,
}

uuid_id! {
    /// The id of a communication.
    CommunicationId
}

wire_enum! {
    /// The outcome of a communication.
    Outcome {
        /// It is not known yet.
        Pending = "PENDING",
        /// The response was as requested.
        Answered = "ANSWERED",
        /// The upstream refused the request.
        Refused = "REFUSED",
        /// The upstream did not respond, or its response was unusable.
        Failed = "FAILED",
        /// The upstream was not called, since it has failed too often.
        CutOff = "CUT_OFF",
        /// The function ended before the call did.
        Abandoned = "ABANDONED",
    }
}

/// A request or a response, without possible secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoggedMessage {
    /// Some of the headers.
    pub headers: BTreeMap<String, String>,
    /// The SHA-256 of the body, in base64url: a given body can be compared with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_sha256: Option<String>,
    /// The first KiB of the body, without possible secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_beginning: Option<String>,
}

impl LoggedMessage {
    /// The stored part of these headers and this body.
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

/// The end of a communication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// The outcome of the call.
    pub outcome: Outcome,
    /// The status and the stored part of the upstream's response.
    pub answer: Option<(u16, LoggedMessage)>,
    /// The duration of the call in milliseconds.
    pub latency_ms: Option<u64>,
}

impl UpstreamCall {
    /// The pending record of a call that begins now, with its route, its upstream and its address.
    pub fn begin(
        moment: &Moment,
        request_id: String,
        who: &str,
        route: String,
        (upstream, address): (&str, String),
        request: LoggedMessage,
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

    /// The record of the ended call.
    #[must_use]
    pub fn ended(self, ending: Ending) -> Self {
        let Ending { outcome, answer, latency_ms } = ending;
        let (status, response) = answer.unzip();
        Self { outcome, status, latency_ms, response, ..self }
    }
}

impl Record for UpstreamCall {
    const TABLE: TableName = COMMUNICATIONS;

    fn key(&self) -> Key {
        Key::new(self.communication_id)
    }

    fn indexed(&self) -> Vec<IndexKey> {
        let (id, at) = (self.communication_id, self.at);
        let place = || IndexKey::sharded(BY_PENDING, id, format!("{at}#{id}"));
        (self.outcome == Outcome::Pending).then(place).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::{communication, moment};

    #[test]
    fn only_a_pending_record_is_in_the_index() {
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
    fn only_headers_known_to_be_harmless_are_stored() {
        let headers = [("authorization", "Bearer t"), ("x-request-id", "r"), ("set-cookie", "s")];
        let said = LoggedMessage::of(headers, b"{}");
        assert_eq!(said.headers.keys().collect::<Vec<_>>(), ["x-request-id"]);
        let of_empty_object = "RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o";
        assert_eq!(said.body_sha256.as_deref(), Some(of_empty_object));
        assert_eq!(LoggedMessage::of([], b"").body_sha256, None);
    }
}
