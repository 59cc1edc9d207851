//! Rate limits: how often one caller, or one address, may ask.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::Timestamp;
use crate::failure::{Failure, Fault};
use crate::hash::short_hash_of;
use crate::platform::{Count, Counter, Platform};
use crate::record::Table;
use crate::telemetry::line::metric;
use crate::telemetry::log::print;

/// Where counts are kept; its time to live is `expiresAt`.
pub const LIMITS: Table = Table::new("limits");

/// A number of requests in a window of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// How it is counted.
    pub counting: Counting,
    /// How many requests.
    pub quota: u32,
    /// In which time; windows begin at whole multiples of it.
    pub window: Duration,
}

/// How requests are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// By one conditional update before anything else is done: never overshoots, and costs a
    /// round trip. For where guessing pays.
    Exact,
    /// In memory, the counts exchanged through the store after the answer: costs the answer
    /// nothing. An execution environment exchanges whenever it has a sixtieth of the quota to
    /// tell, so each may let through about that much beyond the quota, and no more.
    Approximate,
}

/// The usual window.
pub const MINUTE: Duration = Duration::from_mins(1);

impl Limit {
    /// 600 a minute, counted approximately.
    pub const DEFAULT: Self = Self::approximate(600, MINUTE);

    /// Counted approximately.
    pub const fn approximate(quota: u32, window: Duration) -> Self {
        Self { counting: Counting::Approximate, quota, window }
    }

    /// Counted exactly.
    pub const fn exact(quota: u32, window: Duration) -> Self {
        Self { counting: Counting::Exact, quota, window }
    }

    /// How much may be counted before it is exchanged.
    fn exchanged_from(&self) -> u32 {
        (self.quota / 60).max(1)
    }
}

/// Where a caller stands with a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    quota: u32,
    window_s: u64,
    remaining: u32,
    reset_s: u64,
    pub(crate) admitted: bool,
}

impl Standing {
    /// `RateLimit` and `RateLimit-Policy` (IETF draft-ietf-httpapi-ratelimit-headers).
    pub(crate) fn add_to(&self, headers: &mut HeaderMap) {
        let (quota, window_s, left, reset_s) =
            (self.quota, self.window_s, self.remaining, self.reset_s);
        let values = [
            (HeaderName::from_static("ratelimit"), format!("\"default\";r={left};t={reset_s}")),
            (
                HeaderName::from_static("ratelimit-policy"),
                format!("\"default\";q={quota};w={window_s}"),
            ),
        ];
        for (name, value) in values {
            headers.extend(HeaderValue::from_str(&value).ok().map(|value| (name, value)));
        }
    }

    /// `Ok` for those who may go on.
    pub(crate) fn enforce(&self) -> Result<(), Fault> {
        let retry_after_s = u32::try_from(self.reset_s).unwrap_or(u32::MAX);
        if self.admitted { Ok(()) } else { Err(Fault::Limited { retry_after_s }) }
    }
}

/// Counts requests.
#[derive(Debug)]
pub(crate) struct Limiter {
    service: String,
    windows: Mutex<HashMap<String, Window>>,
}

/// One caller's count in one window of time.
#[derive(Debug, Clone, Copy, Default)]
struct Window {
    number: i64,
    /// As far as it is known here, what was counted here included.
    total: u32,
    /// What was counted here and nobody else knows yet.
    untold: u32,
    ends_at: i64,
    told_from: u32,
}

impl Limiter {
    /// The most callers that are kept in memory.
    const CALLERS_MAX: usize = 10_000;

    pub(crate) fn new(service: &str) -> Self {
        Self { service: service.to_owned(), windows: Mutex::default() }
    }

    /// Counts a request. When the store cannot be reached, the request passes.
    pub(crate) async fn admit(
        &self,
        platform: &dyn Platform,
        limit: &Limit,
        route: &str,
        caller: &str,
        now: Timestamp,
    ) -> Standing {
        let window_s = limit.window.as_secs().max(1);
        let length = i64::try_from(window_s).unwrap_or(i64::MAX);
        let number = now.as_seconds().div_euclid(length);
        let ends_at = (number + 1).saturating_mul(length);
        let reset_s = u64::try_from(ends_at - now.as_seconds()).unwrap_or(0);
        let caller = hidden(route, caller);
        let total = match limit.counting {
            Counting::Exact => {
                let counter = counter(&caller, number, 1, Some(limit.quota), ends_at);
                match platform.count(&counter).await {
                    Ok(Count::Total(total)) => Some(total),
                    Ok(Count::Exceeded) => None,
                    Err(fault) => {
                        self.passes(fault);
                        Some(0)
                    }
                }
            }
            Counting::Approximate => self.count_here(caller, limit, number, ends_at),
        };
        let remaining = limit.quota.saturating_sub(total.unwrap_or(limit.quota));
        Standing { quota: limit.quota, window_s, remaining, reset_s, admitted: total.is_some() }
    }

    fn count_here(&self, caller: String, limit: &Limit, number: i64, ends_at: i64) -> Option<u32> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= Self::CALLERS_MAX && !windows.contains_key(&caller) {
            windows.retain(|_, window| window.number >= number);
            if windows.len() >= Self::CALLERS_MAX {
                windows.clear();
            }
        }
        let told_from = limit.exchanged_from();
        let window = windows.entry(caller).or_default();
        if window.number != number {
            *window = Window { number, ends_at, told_from, ..Window::default() };
        }
        if window.total >= limit.quota {
            return None;
        }
        window.total += 1;
        window.untold += 1;
        Some(window.total)
    }

    /// Exchanges counts with the other execution environments. Called after the answer.
    pub(crate) async fn exchange(&self, platform: &dyn Platform) {
        for (caller, window) in self.due() {
            let untold = i32::try_from(window.untold).unwrap_or(i32::MAX);
            let counter = counter(&caller, window.number, untold, None, window.ends_at);
            match platform.count(&counter).await {
                Ok(Count::Total(total)) => self.learn(&caller, window.number, total),
                Ok(Count::Exceeded) => {}
                Err(fault) => self.passes(fault),
            }
        }
    }

    /// The counts worth telling, taken as told.
    fn due(&self) -> Vec<(String, Window)> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let due = windows.iter_mut().filter(|(_, window)| window.untold >= window.told_from.max(1));
        due.map(|(caller, window)| {
            let told = *window;
            window.untold = 0;
            (caller.clone(), told)
        })
        .collect()
    }

    /// Requests are not turned away because they cannot be counted; that is counted instead.
    fn passes(&self, fault: Fault) {
        tracing::warn!(error = %Failure::Fault(fault), "requests pass without being counted");
        let labels = [("type", "RATE_LIMITER_UNAVAILABLE"), ("service", self.service.as_str())];
        print(&metric(&self.service, Timestamp::now(), &labels, "errors_total", "Count", 1));
    }

    fn learn(&self, caller: &str, number: i64, total: u32) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(window) = windows.get_mut(caller).filter(|window| window.number == number) {
            window.total = total.saturating_add(window.untold);
        }
    }
}

/// A caller as the store may know it: an address is nobody's business.
fn hidden(route: &str, caller: &str) -> String {
    short_hash_of([route, caller].map(str::as_bytes))
}

fn counter(caller: &str, number: i64, amount: i32, maximum: Option<u32>, ends_at: i64) -> Counter {
    let expires_at = Timestamp::from_millis(ends_at.saturating_mul(1000)).plus_seconds(60);
    Counter { key: format!("rate#{caller}#{number}"), amount, maximum, expires_at }
}
