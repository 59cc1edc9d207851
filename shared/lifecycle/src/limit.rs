//! Rate limits: how often one caller, or one address, may ask.

mod memory;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

pub use self::memory::Memory;
use crate::Timestamp;
use crate::failure::{Failure, Fault};
use crate::hash::short_hash_of;
use crate::platform::{Count, Counter, Platform};
use crate::record::Table;
use crate::telemetry::line::metric;
use crate::telemetry::log::print;

/// Where counts are kept; its time to live is `expiresAt`.
pub const LIMITS: Table = Table::new("limits");

/// A number of requests in a window of time; of what they cost, where an endpoint says more than
/// one ([`Endpoint::cost`](crate::Endpoint::cost)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// How it is counted.
    pub counting: Counting,
    /// How many requests, or how much of their cost.
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
    /// In memory, the counts exchanged through the store beside the work: costs the answer
    /// nothing. An execution environment exchanges whenever it has a sixtieth of the quota to
    /// tell, and with its first request, so that one which dies of each request has told them.
    /// Each may let through about a sixtieth beyond the quota.
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
    /// Whether the others are to be told of the count now.
    pub(crate) is_due: bool,
    /// Whether it is the first count of this process.
    pub(crate) is_first: bool,
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

    /// Whether the headers belong on an answer: on that of another limit, which says by
    /// `Retry-After` when it ends, these would contradict it.
    pub(crate) fn explains(&self, failure: Option<&Failure>) -> bool {
        !(self.admitted && matches!(failure, Some(Failure::Fault(Fault::Limited { .. }))))
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
    /// What is counted exactly, while the store does not count.
    exact: Memory,
    /// Whether a request was counted before in this process.
    has_counted: AtomicBool,
}

/// Whom a request is counted for, and by which route.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted<'a> {
    pub(crate) route: &'a str,
    pub(crate) caller: &'a str,
}

/// A part of time in which requests are counted.
#[derive(Debug, Clone, Copy)]
struct Span {
    number: i64,
    ends_at: i64,
}

/// One caller's count in one window of time.
#[derive(Debug, Clone, Copy)]
struct Window {
    span: Span,
    /// As far as it is known here, what was counted here included.
    total: u32,
    /// What was counted here and nobody else knows yet.
    untold: u32,
    /// What is on its way to the others.
    in_flight: u32,
    told_from: u32,
    /// Whether the first count is told as it is.
    at_once: bool,
}

impl Window {
    fn is_due(&self) -> bool {
        self.untold >= self.told_from || (self.at_once && self.untold > 0)
    }
}

impl Limiter {
    /// The most callers that are kept in memory.
    const CALLERS_MAX: usize = 10_000;

    pub(crate) fn new(service: &str) -> Self {
        Self {
            service: service.to_owned(),
            windows: Mutex::default(),
            exact: Memory::default(),
            has_counted: AtomicBool::new(false),
        }
    }

    /// As if a request had been counted before.
    #[cfg(test)]
    pub(crate) fn count_first(&self) {
        self.has_counted.store(true, Ordering::Relaxed);
    }

    /// Counts what a request costs. When the store cannot be reached, the request passes where
    /// counts are approximate; where they are exact, each execution environment counts by itself up
    /// to the same quota.
    pub(crate) async fn admit(
        &self,
        platform: &dyn Platform,
        limit: &Limit,
        counted: Counted<'_>,
        cost: u32,
        now: Timestamp,
    ) -> Standing {
        let window_s = limit.window.as_secs().max(1);
        let length = i64::try_from(window_s).unwrap_or(i64::MAX);
        let number = now.as_seconds().div_euclid(length);
        let span = Span { number, ends_at: (number + 1).saturating_mul(length) };
        let reset_s = u64::try_from(span.ends_at - now.as_seconds()).unwrap_or(0);
        let caller = hidden(counted);
        let is_first = limit.counting == Counting::Approximate
            && !self.has_counted.swap(true, Ordering::Relaxed);
        let (total, admitted, is_due) = match limit.counting {
            Counting::Exact => {
                let amount = i32::try_from(cost).unwrap_or(i32::MAX);
                let counter = counter(&caller, span, amount, Some(limit.quota));
                match platform.count(&counter).await {
                    Ok(Count::Total(total)) => (total, true, false),
                    Ok(Count::Exceeded) => (limit.quota, false, false),
                    Err(fault) => {
                        self.unavailable(fault, "requests are counted in memory alone");
                        match self.exact.count(&counter, limit.quota, now) {
                            Some(total) => (total, true, false),
                            None => (limit.quota, false, false),
                        }
                    }
                }
            }
            Counting::Approximate => self.count_here(caller, limit, span, cost, is_first),
        };
        let remaining = limit.quota.saturating_sub(total);
        Standing { quota: limit.quota, window_s, remaining, reset_s, admitted, is_due, is_first }
    }

    /// What is counted now, whether this was, and whether the others are to be told.
    fn count_here(
        &self,
        caller: String,
        limit: &Limit,
        span: Span,
        cost: u32,
        at_once: bool,
    ) -> (u32, bool, bool) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= Self::CALLERS_MAX && !windows.contains_key(&caller) {
            windows.retain(|_, window| window.span.number >= span.number);
            if windows.len() >= Self::CALLERS_MAX {
                windows.clear();
            }
        }
        let told_from = limit.exchanged_from();
        let new = Window { span, told_from, at_once, total: 0, untold: 0, in_flight: 0 };
        let window = windows.entry(caller).or_insert(new);
        if window.span.number != span.number {
            *window = new;
        }
        match window.total.checked_add(cost).filter(|total| *total <= limit.quota) {
            None => (window.total, false, false),
            Some(total) => {
                window.total = total;
                window.untold = window.untold.saturating_add(cost);
                (total, true, window.is_due())
            }
        }
    }

    /// Exchanges the counts that are worth telling with the other execution environments.
    pub(crate) async fn exchange(&self, platform: &dyn Platform) {
        self.tell(platform, self.due(Window::is_due, |window| window.untold)).await;
    }

    /// Exchanges all counts that the others may not know of: what is on its way from a process
    /// that is stuck may not have left it.
    pub(crate) async fn exchange_all(&self, platform: &dyn Platform) {
        let all = |window: &Window| window.untold.saturating_add(window.in_flight);
        self.tell(platform, self.due(|window| all(window) > 0, all)).await;
    }

    async fn tell(&self, platform: &dyn Platform, due: Vec<(String, Span, u32)>) {
        for (caller, span, amount) in due {
            let told = i32::try_from(amount).unwrap_or(i32::MAX);
            let counter = counter(&caller, span, told, None);
            let total = match platform.count(&counter).await {
                Ok(Count::Total(total)) => Some(total),
                Ok(Count::Exceeded) => None,
                Err(fault) => {
                    self.unavailable(fault, "requests pass without being counted");
                    None
                }
            };
            self.learn(&caller, span.number, amount, total);
        }
    }

    /// Counts and how much of each is to be told, taken as on their way.
    fn due(
        &self,
        wanted: impl Fn(&Window) -> bool,
        amount: impl Fn(&Window) -> u32,
    ) -> Vec<(String, Span, u32)> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let due = windows.iter_mut().filter(|(_, window)| wanted(window));
        due.map(|(caller, window)| {
            let amount = amount(window);
            window.in_flight = window.in_flight.saturating_add(window.untold);
            window.untold = 0;
            window.at_once = false;
            (caller.clone(), window.span, amount)
        })
        .collect()
    }

    /// Logs, and counts, that the store does not count.
    fn unavailable(&self, fault: Fault, what_holds: &str) {
        tracing::warn!(error = %Failure::Fault(fault), "{what_holds}");
        let labels = [("type", "RATE_LIMITER_UNAVAILABLE"), ("service", self.service.as_str())];
        print(&metric(&self.service, Timestamp::now(), &labels, "errors_total", "Count", 1));
    }

    /// What has arrived is not on its way any more, nor what is lost.
    fn learn(&self, caller: &str, number: i64, told: u32, total: Option<u32>) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(window) = windows.get_mut(caller).filter(|window| window.span.number == number)
        {
            window.in_flight = window.in_flight.saturating_sub(told);
            if let Some(total) = total {
                let here = window.untold.saturating_add(window.in_flight);
                window.total = total.saturating_add(here);
            }
        }
    }
}

/// A caller as the store may know it. The hash has no key: it keeps addresses out of logs and
/// backups, and not from an operator who may read the table and tries them all. A key would have
/// to be fetched before the first request of each process is counted.
fn hidden(counted: Counted<'_>) -> String {
    short_hash_of([counted.route, counted.caller].map(str::as_bytes))
}

fn counter(caller: &str, span: Span, amount: i32, maximum: Option<u32>) -> Counter {
    let expires_at = Timestamp::from_millis(span.ends_at.saturating_mul(1000)).plus_seconds(60);
    Counter { key: format!("rate#{caller}#{}", span.number), amount, maximum, expires_at }
}
