//! Whether, and when, a request to an upstream is sent again.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::StatusCode;
use lifecycle::random;

use super::{Response, UpstreamError};

/// How often a request is sent again.
const RETRIES_MAX: u32 = 2;
/// The first pause is at most this long; it doubles.
const FIRST_PAUSE_MS: u64 = 100;
/// The cost of a retry. Each request earns 1.
const COST: u32 = 10;
/// Maximum savings: enough for ten retries in a row.
const SAVED_MAX: u32 = 10 * COST;
/// The most that one client can spend of them at once.
const SHARE_MAX: u32 = SAVED_MAX / 2;
/// The number of shares.
const SHARES: usize = 16;

/// The pause before the next attempt, with full jitter and at least as long as the upstream asks;
/// `None` when this response is the last.
pub(super) fn pause(answer: &Result<Response, UpstreamError>, retries: u32) -> Option<Duration> {
    let asked = match answer {
        Ok(answer) if passes(answer.status) => answer.retry_after_s().unwrap_or(0),
        Err(UpstreamError::Connection { .. }) => 0,
        _ => return None,
    };
    let jitter = Duration::from_millis(random::up_to(FIRST_PAUSE_MS << retries));
    (retries < RETRIES_MAX).then(|| Duration::from_secs(asked.into()) + jitter)
}

/// Whether a request with this status may succeed soon.
fn passes(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}

/// A budget for retries: an overloaded upstream must not get three times the requests. A client can
/// spend at most half of the common savings, plus the earnings of that client.
#[derive(Debug)]
pub(super) struct Budget {
    saved: AtomicU32,
    /// Clients with the same hash share one entry.
    shares: [AtomicU32; SHARES],
}

impl Default for Budget {
    fn default() -> Self {
        Self { saved: SAVED_MAX.into(), shares: [const { AtomicU32::new(SHARE_MAX) }; SHARES] }
    }
}

impl Budget {
    /// Counts a request.
    pub(super) fn earn(&self, client: Option<&str>) {
        change(&self.saved, |saved| Some(SAVED_MAX.min(saved + 1)));
        if let Some(share) = self.share(client) {
            change(share, |saved| Some(SHARE_MAX.min(saved + 1)));
        }
    }

    /// Takes the cost of a retry. Returns false if the budget is too small.
    pub(super) fn spend(&self, client: Option<&str>) -> bool {
        let share = self.share(client);
        if !share.is_none_or(|share| change(share, |saved| saved.checked_sub(COST))) {
            return false;
        }
        let is_enough = change(&self.saved, |saved| saved.checked_sub(COST));
        if let (false, Some(share)) = (is_enough, share) {
            change(share, |saved| Some(SHARE_MAX.min(saved + COST)));
        }
        is_enough
    }

    fn share(&self, client: Option<&str>) -> Option<&AtomicU32> {
        let mut hash = DefaultHasher::new();
        client?.hash(&mut hash);
        let slot = usize::try_from(hash.finish() % SHARES as u64).unwrap_or_default();
        Some(&self.shares[slot])
    }
}

fn change(saved: &AtomicU32, change: impl FnMut(u32) -> Option<u32>) -> bool {
    saved.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change).is_ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::{DATE, RETRY_AFTER};

    use super::*;

    #[test]
    fn a_429_or_5xx_is_retried_twice_and_not_before_retry_after() {
        for (status, retry_after, retries, at_least_s) in [
            (503, None, 0, Some(0)),
            (500, None, 1, Some(0)),
            (429, Some("2"), 0, Some(2)),
            (503, Some("tomorrow"), 0, Some(0)),
            (503, Some("Sun, 06 Nov 1994 08:49:40 GMT"), 0, Some(3)),
            (503, Some("Sun, 06 Nov 1994 08:00:00 GMT"), 0, Some(0)),
            (503, None, 2, None),
            (404, None, 0, None),
            (200, Some("1"), 0, None),
        ] {
            let pause = pause(&Ok(answer(status, retry_after)), retries);
            assert_eq!(pause.map(|pause| pause.as_secs()), at_least_s, "{status} {retries}");
            let longest = Duration::from_millis(at_least_s.unwrap_or(0) * 1000 + 200);
            assert!(pause.is_none_or(|pause| pause <= longest), "{pause:?}");
        }
        let within = Duration::from_secs(5);
        let late = UpstreamError::TimedOut { upstream: "test", within };
        assert_eq!(pause(&Err(late), 0), None);
    }

    #[test]
    fn in_the_long_run_one_request_in_ten_is_a_retry() {
        let budget = Budget::default();
        let retries = (0..1000).filter(|_| {
            budget.earn(None);
            budget.spend(None)
        });
        assert_eq!(retries.count(), 109, "ten from the savings, the others earned by 999 requests");
    }

    #[test]
    fn a_failing_client_leaves_the_others_their_retries() {
        let budget = Budget::default();
        let retries_of = |client| {
            budget.earn(Some(client));
            (0..RETRIES_MAX).filter(|_| budget.spend(Some(client))).count()
        };
        let spent: usize = (0..100).map(|_| retries_of("192.0.2.1")).sum();
        assert_eq!(spent, 14, "five from the savings, the others earned by its 100 requests");
        assert_eq!(retries_of("192.0.2.2"), 2);
    }

    #[test]
    fn retry_after_is_read_in_every_form() {
        for (said, seconds) in [
            ("120", Some(120)),
            ("0", Some(0)),
            ("1.5", Some(2)),
            ("99999999999999999999999", Some(3600)),
            ("Sun, 06 Nov 1994 08:49:40 GMT", Some(3)),
            ("Sunday, 06-Nov-94 08:49:40 GMT", Some(3)),
            ("Sun Nov  6 08:49:40 1994", Some(3)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("Sat, 06 Nov 2094 08:00:00 GMT", Some(3600)),
            ("-1", None),
            ("1.2.3", None),
            ("", None),
            ("tomorrow", None),
        ] {
            assert_eq!(answer(429, Some(said)).retry_after_s(), seconds, "{said}");
        }
        let mut undated = answer(429, Some("Sun, 06 Nov 1994 08:49:40 GMT"));
        undated.headers.remove(DATE);
        assert_eq!(undated.retry_after_s(), Some(0), "it counts from our own clock");
    }

    fn answer(status: u16, retry_after: Option<&str>) -> Response {
        let date = Some((DATE, HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT")));
        let asked = retry_after.map(|value| (RETRY_AFTER, value.parse().unwrap()));
        Response {
            upstream: "test",
            status: StatusCode::from_u16(status).unwrap(),
            headers: date.into_iter().chain(asked).collect(),
            body: Vec::new(),
        }
    }
}
