//! The sources from which a user has signed in before.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lifecycle::Timestamp;
use lifecycle::record::{Key, Record, TableName};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Email;
use crate::resources::USERS;

/// The latest source addresses from which the owner of an e-mail address has signed in, as hashes.
/// They are still admitted while attackers guess the password from other sources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownSources {
    /// The e-mail address, in the form by which addresses are compared.
    pub email: String,
    /// The sources; the latest one comes last.
    pub sources: Vec<KnownSource>,
    /// When TTL may delete them, in seconds since 1970.
    pub expires_at: i64,
}

/// A source address, and the time of its last sign-in, to the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownSource {
    hash: String,
    seen_at: Timestamp,
}

impl KnownSources {
    /// The maximum number of sources.
    const SOURCES_MAX: usize = 10;
    /// How long a source is known: 90 days.
    const TTL_S: i64 = 90 * 24 * 60 * 60;
    /// The age at which a source's time is updated: one day.
    const FRESH_S: i64 = 24 * 60 * 60;

    /// The key of the sources of an account.
    pub fn key_of(email: &Email) -> Key {
        Key::new(format_args!("sources#{}", email.folded()))
    }

    /// Whether the user has signed in from this source.
    pub fn has(&self, source: &str, now: Timestamp) -> bool {
        self.seen(source).is_some_and(|seen_at| now < seen_at.plus_seconds(Self::TTL_S))
    }

    /// The sources after a sign-in from this one; `None` if its time needs no update.
    pub fn after(known: Option<Self>, email: &Email, source: &str, now: Timestamp) -> Option<Self> {
        let email = email.folded();
        let known = known.unwrap_or(Self { email, sources: Vec::new(), expires_at: 0 });
        if known.seen(source).is_some_and(|seen_at| now < seen_at.plus_seconds(Self::FRESH_S)) {
            return None;
        }
        let hash = hash(&known.email, source);
        let mut sources = known.sources;
        sources.retain(|other| other.hash != hash);
        sources.drain(..sources.len().saturating_sub(Self::SOURCES_MAX - 1));
        sources.push(KnownSource { hash, seen_at: now });
        let expires_at = now.plus_seconds(Self::TTL_S).as_seconds();
        Some(Self { email: known.email, sources, expires_at })
    }

    fn seen(&self, source: &str) -> Option<Timestamp> {
        let hash = hash(&self.email, source);
        self.sources.iter().find(|known| known.hash == hash).map(|known| known.seen_at)
    }
}

impl Record for KnownSources {
    const TABLE: TableName = USERS;
    const KEY_IS_PERSONAL: bool = true;

    fn key(&self) -> Key {
        Key::new(format_args!("sources#{}", self.email))
    }
}

/// The hash of account and source, so that it does not reveal accounts with the same source.
fn hash(email: &str, source: &str) -> String {
    let digest =
        Sha256::new().chain_update(email).chain_update([0]).chain_update(source).finalize();
    URL_SAFE_NO_PAD.encode(digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::moment;

    #[test]
    fn a_source_is_known_for_90_days_and_updated_once_a_day() {
        let (now, email) = (moment().now(), email());
        let known = KnownSources::after(None, &email, "192.0.2.1", now).unwrap();
        assert_eq!(known.key(), KnownSources::key_of(&email));
        assert!(known.has("192.0.2.1", now) && !known.has("192.0.2.2", now));
        let end = now.plus_seconds(90 * 86_400);
        assert!(known.has("192.0.2.1", end.plus_seconds(-1)) && !known.has("192.0.2.1", end));
        assert_eq!(known.expires_at, end.as_seconds());
        let later = |seconds| {
            let now = now.plus_seconds(seconds);
            KnownSources::after(Some(known.clone()), &email, "192.0.2.1", now)
        };
        assert_eq!(later(86_399), None);
        assert_eq!(later(86_400).unwrap().sources.len(), 1);
    }

    #[test]
    fn the_latest_ten_sources_are_kept_as_hashes() {
        let mut known = None;
        for n in 0..12 {
            let now = moment().now().plus_seconds(n);
            known = KnownSources::after(known, &email(), &format!("192.0.2.{n}"), now);
        }
        let known = known.unwrap();
        let has = |n: u8| known.has(&format!("192.0.2.{n}"), moment().now());
        assert_eq!((known.sources.len(), has(1), has(2), has(11)), (10, false, true, true));
        assert!(!serde_json::to_string(&known).unwrap().contains("192.0.2"));
    }

    fn email() -> Email {
        "Ann@example.com".to_owned().try_into().unwrap()
    }
}
