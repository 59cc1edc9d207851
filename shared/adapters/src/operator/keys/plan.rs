//! What is to be done next to rotate the keys: a pure function of where they stand.

use std::time::Duration;

use lifecycle::Timestamp;
use lifecycle::caller::LEEWAY_S;
use serde::Deserialize;

use crate::secrets;
use crate::tokens::{LIFETIME_S, PUBLISHED_S};

/// How long things have to be waited for.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    /// From when a public key is published until everybody has it.
    pub known_after: Duration,
    /// From when a key signs no more until its last token has ended.
    pub ended_after: Duration,
}

impl Default for Waits {
    /// Functions read their secrets again when they have held them for five minutes, and whoever
    /// has the published keys from us may keep them for as long again. A function that cannot read
    /// the secret goes on signing for an hour, and its last token lives as long as any. Each with
    /// a minute for clocks and for calls under way.
    fn default() -> Self {
        let minute = Duration::from_mins(1);
        let leeway = Duration::from_secs(LEEWAY_S.unsigned_abs());
        let lifetime = Duration::from_secs(LIFETIME_S.into());
        Self {
            known_after: secrets::FRESH + Duration::from_secs(PUBLISHED_S) + minute,
            ended_after: secrets::USABLE + lifetime + leeway + minute,
        }
    }
}

/// One step of a rotation. Keys go by their `kid`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A key left the set: the last of its tokens has ended.
    Drop(String),
    /// A fresh key was made, and signs nothing yet.
    Make,
    /// The fresh key's public part joined the set.
    Publish(String),
    /// Nothing: not everybody has the fresh key before that time.
    Wait(Timestamp),
    /// The fresh key signs from now on.
    Promote(String),
    /// These keys sign no more. It is the last step.
    Retire(Vec<String>),
}

/// Why there is nothing to be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A third key would have to leave the set, and its tokens would stop working.
    #[error(
        "tokens of the key {kid}, which was replaced last, may live until {until}; rotate then"
    )]
    StillAlive {
        /// The key.
        kid: String,
        /// When its last token has ended.
        until: Timestamp,
    },
    /// Whatever signs now, nobody can verify it.
    #[error("the key {0} that signs is not among those that verify")]
    Unverified(String),
}

/// Where the keys stand.
#[derive(Debug)]
pub(super) struct Standing {
    /// The key that signs.
    pub(super) signing: String,
    /// A key that was made to sign next.
    pub(super) pending: Option<String>,
    /// The keys that verify.
    pub(super) keys: Vec<Known>,
}

/// A key that verifies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Known {
    pub(super) kid: String,
    /// Since when; not known of a key that no rotation has published.
    pub(super) published_at: Option<Timestamp>,
    /// Since when it signs no more.
    pub(super) retired_at: Option<Timestamp>,
}

impl Standing {
    /// The next step. Each leads to another standing, so that a rotation that was interrupted
    /// goes on where it was.
    pub(super) fn next(&self, now: Timestamp, waits: &Waits) -> Result<Step, Refusal> {
        let others = || self.keys.iter().filter(|key| !self.is_in_use(&key.kid));
        if !self.keys.iter().any(|key| key.kid == self.signing) {
            return Err(Refusal::Unverified(self.signing.clone()));
        }
        let replaced: Vec<_> = others().filter(|key| key.retired_at.is_none()).collect();
        if !replaced.is_empty() {
            return Ok(Step::Retire(replaced.iter().map(|key| key.kid.clone()).collect()));
        }
        if let Some((key, retired)) = others().find_map(|key| Some((key, key.retired_at?))) {
            let (kid, until) = (key.kid.clone(), after(retired, waits.ended_after));
            let ended = until <= now;
            return if ended {
                Ok(Step::Drop(kid))
            } else {
                Err(Refusal::StillAlive { kid, until })
            };
        }
        let Some(pending) = self.pending.clone() else { return Ok(Step::Make) };
        let published = self.keys.iter().find(|key| key.kid == pending);
        Ok(match published.and_then(|key| key.published_at) {
            None => Step::Publish(pending),
            Some(at) if now < after(at, waits.known_after) => {
                Step::Wait(after(at, waits.known_after))
            }
            Some(_) => Step::Promote(pending),
        })
    }

    fn is_in_use(&self, kid: &str) -> bool {
        self.signing == kid || self.pending.as_deref() == Some(kid)
    }
}

fn after(time: Timestamp, wait: Duration) -> Timestamp {
    time.plus_seconds(i64::try_from(wait.as_secs()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAITS: Waits =
        Waits { known_after: Duration::from_secs(10), ended_after: Duration::from_secs(100) };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn key(kid: &str, published: Option<i64>, retired: Option<i64>) -> Known {
        let (published_at, retired_at) = (published.map(at), retired.map(at));
        Known { kid: kid.to_owned(), published_at, retired_at }
    }

    fn next(pending: Option<&str>, keys: Vec<Known>, now: i64) -> Result<Step, Refusal> {
        let pending = pending.map(str::to_owned);
        Standing { signing: "signs".to_owned(), pending, keys }.next(at(now), &WAITS)
    }

    #[test]
    fn each_standing_has_its_next_step_whatever_was_interrupted_before() {
        let signs = || key("signs", None, None);
        let kid = |kid: &str| kid.to_owned();
        for (pending, keys, now, step) in [
            (None, vec![signs()], 0, Step::Make),
            (Some("next"), vec![signs()], 0, Step::Publish(kid("next"))),
            (Some("next"), vec![signs(), key("next", None, None)], 0, Step::Publish(kid("next"))),
            (Some("next"), vec![signs(), key("next", Some(0), None)], 9, Step::Wait(at(10))),
            (
                Some("next"),
                vec![signs(), key("next", Some(0), None)],
                10,
                Step::Promote(kid("next")),
            ),
            (None, vec![key("old", Some(0), None), signs()], 10, Step::Retire(vec![kid("old")])),
            (None, vec![key("old", Some(0), Some(10)), signs()], 110, Step::Drop(kid("old"))),
        ] {
            assert_eq!(next(pending, keys.clone(), now), Ok(step), "{pending:?} {keys:?} at {now}");
        }
    }

    #[test]
    fn a_key_whose_tokens_may_live_is_not_dropped_for_a_third() {
        let keys = vec![key("old", Some(0), Some(10)), key("signs", None, None)];
        let alive = Refusal::StillAlive { kid: "old".to_owned(), until: at(110) };
        assert_eq!(next(None, keys, 109), Err(alive));
    }

    #[test]
    fn what_signs_and_cannot_be_verified_is_not_made_worse() {
        let unverified = Refusal::Unverified("signs".to_owned());
        assert_eq!(next(None, vec![key("other", None, None)], 0), Err(unverified));
    }

    #[test]
    fn the_waits_outlast_all_that_is_held_in_memory_and_every_token() {
        let Waits { known_after, ended_after } = Waits::default();
        assert!(known_after >= secrets::FRESH + Duration::from_secs(PUBLISHED_S));
        assert!(ended_after > secrets::USABLE + Duration::from_secs(LIFETIME_S.into()));
    }
}
