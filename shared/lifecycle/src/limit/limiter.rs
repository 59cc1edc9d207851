//! Counts of requests, in memory and in the store.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::memory::Memory;
use super::quota::{Counting, Limit};
use super::status::RateLimitStatus;
use crate::error::{RequestError, ServiceError};
use crate::hash::short_hash_of;
use crate::ports::{Count, Counter, Store};
use crate::route::Route;
use crate::telemetry::line::metric;
use crate::telemetry::log::print_all;
use crate::{Timestamp, clock};

/// The error type of limits that the store cannot count; an alarm reads it.
pub(super) const RATE_LIMITER_UNAVAILABLE: &str = "RATE_LIMITER_UNAVAILABLE";

/// Counts requests of one route.
#[derive(Debug)]
pub(crate) struct Limiter {
    service: String,
    /// By caller.
    windows: Mutex<HashMap<String, CountedCaller>>,
    /// The exact counts while the store is unavailable.
    exact: Memory,
    /// Whether this process has counted a request before.
    has_counted: AtomicBool,
}

/// The caller that a request is counted for, and the route.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted<'a> {
    pub(crate) route: &'a Route,
    pub(crate) caller: &'a str,
}

/// A caller in memory.
#[derive(Debug)]
struct CountedCaller {
    /// Its key in the store. It is a hash, so it is made once.
    key: String,
    window: Window,
}

/// Counts to exchange.
#[derive(Debug)]
struct Due {
    caller: String,
    key: String,
    span: Span,
    amount: u32,
}

/// A window of time in which requests are counted.
#[derive(Debug, Clone, Copy)]
struct Span {
    number: i64,
    ends_at: i64,
}

/// The count of one caller in one window.
#[derive(Debug, Clone, Copy)]
struct Window {
    span: Span,
    /// The known total, including the local counts.
    total: u32,
    /// Local counts that are not exchanged yet.
    untold: u32,
    /// Counts in an exchange that has not finished.
    in_flight: u32,
    told_from: u32,
    /// Whether the first count is exchanged at once.
    at_once: bool,
}

impl Window {
    fn is_due(&self) -> bool {
        self.untold >= self.told_from || (self.at_once && self.untold > 0)
    }
}

impl Limiter {
    /// The maximum number of callers in memory.
    const CALLERS_MAX: usize = 10_000;

    pub(crate) fn new(service: &str) -> Self {
        Self {
            service: service.to_owned(),
            windows: Mutex::default(),
            exact: Memory::default(),
            has_counted: AtomicBool::new(false),
        }
    }

    /// Marks the first request as counted.
    #[cfg(test)]
    pub(crate) fn count_first(&self) {
        self.has_counted.store(true, Ordering::Relaxed);
    }

    /// Counts the cost of a request. If the store is unavailable, approximate counting admits the
    /// request; exact counting continues in this environment's memory, with the same quota.
    pub(crate) async fn admit(
        &self,
        store: &dyn Store,
        limit: &Limit,
        counted: Counted<'_>,
        cost: u32,
        now: Timestamp,
    ) -> RateLimitStatus {
        let window_s = limit.window.as_secs().max(1);
        let length = i64::try_from(window_s).unwrap_or(i64::MAX);
        let number = now.as_seconds().div_euclid(length);
        let span = Span { number, ends_at: (number + 1).saturating_mul(length) };
        let reset_s = u64::try_from(span.ends_at - now.as_seconds()).unwrap_or(0);
        let is_first = limit.counting == Counting::Approximate
            && !self.has_counted.swap(true, Ordering::Relaxed);
        let (total, admitted, is_due) = match limit.counting {
            Counting::Exact => {
                let amount = i32::try_from(cost).unwrap_or(i32::MAX);
                let counter = counter(&hidden(counted), span, amount, Some(limit.quota));
                match store.count(&counter).await {
                    Ok(Count::Total(total)) => (total, true, false),
                    Ok(Count::Exceeded) => (limit.quota, false, false),
                    Err(fault) => {
                        self.unavailable(fault, "rate limit store unavailable; counting in memory");
                        match self.exact.count(&counter, limit.quota, now) {
                            Some(total) => (total, true, false),
                            None => (limit.quota, false, false),
                        }
                    }
                }
            }
            Counting::Approximate => self.count_here(counted, limit, span, cost, is_first),
            Counting::Off => (0, true, false),
        };
        let remaining = limit.quota.saturating_sub(total);
        RateLimitStatus {
            quota: limit.quota,
            window_s,
            remaining,
            reset_s,
            admitted,
            is_due,
            is_first,
        }
    }

    /// Returns the total, whether the request is admitted, and whether an exchange is due.
    fn count_here(
        &self,
        counted: Counted<'_>,
        limit: &Limit,
        span: Span,
        cost: u32,
        at_once: bool,
    ) -> (u32, bool, bool) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let told_from = limit.exchanged_from();
        let new = Window { span, told_from, at_once, total: 0, untold: 0, in_flight: 0 };
        if !windows.contains_key(counted.caller) {
            if windows.len() >= Self::CALLERS_MAX {
                windows.retain(|_, counted| counted.window.span.number >= span.number);
            }
            if windows.len() >= Self::CALLERS_MAX {
                windows.clear();
            }
            let added = CountedCaller { key: hidden(counted), window: new };
            windows.insert(counted.caller.to_owned(), added);
        }
        let counted = windows.get_mut(counted.caller).expect("an absent caller was added");
        let window = &mut counted.window;
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

    /// Exchanges the counts that are due with the other execution environments. Returns whether the
    /// store took all of them.
    pub(crate) async fn exchange(&self, store: &dyn Store) -> bool {
        self.tell(store, self.due(Window::is_due, |window| window.untold)).await
    }

    /// Exchanges all local counts, including those in flight: a stuck process may not have sent
    /// them.
    pub(crate) async fn exchange_all(&self, store: &dyn Store) -> bool {
        let all = |window: &Window| window.untold.saturating_add(window.in_flight);
        self.tell(store, self.due(|window| all(window) > 0, all)).await
    }

    async fn tell(&self, store: &dyn Store, due: Vec<Due>) -> bool {
        let mut is_complete = true;
        for Due { caller, key, span, amount } in due {
            let told = i32::try_from(amount).unwrap_or(i32::MAX);
            let counter = counter(&key, span, told, None);
            let total = match store.count(&counter).await {
                Ok(Count::Total(total)) => Some(total),
                Ok(Count::Exceeded) => None,
                Err(fault) => {
                    self.unavailable(fault, "rate limit store unavailable; counts not exchanged");
                    is_complete = false;
                    None
                }
            };
            self.learn(&caller, span.number, amount, total);
        }
        is_complete
    }

    /// Returns the counts to exchange, and marks them as in flight.
    fn due(&self, wanted: impl Fn(&Window) -> bool, amount: impl Fn(&Window) -> u32) -> Vec<Due> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let due = windows.iter_mut().filter(|(_, counted)| wanted(&counted.window));
        let due = due.map(|(caller, CountedCaller { key, window })| {
            let amount = amount(window);
            window.in_flight = window.in_flight.saturating_add(window.untold);
            window.untold = 0;
            window.at_once = false;
            Due { caller: caller.clone(), key: key.clone(), span: window.span, amount }
        });
        let mut due: Vec<Due> = due.collect();
        // A simulation makes the same calls in each run.
        due.sort_unstable_by(|one, other| one.caller.cmp(&other.caller));
        due
    }

    /// Logs and counts that the store is unavailable.
    fn unavailable(&self, fault: ServiceError, what_holds: &str) {
        tracing::warn!(error = %RequestError::ServiceError(fault), "{what_holds}");
        let labels = [("type", RATE_LIMITER_UNAVAILABLE), ("service", self.service.as_str())];
        print_all([metric(&self.service, clock::now(), &labels, "errors_total", "Count", 1)]);
    }

    /// Ends an exchange, whether it succeeded or failed.
    fn learn(&self, caller: &str, number: i64, told: u32, total: Option<u32>) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let window = windows.get_mut(caller).map(|counted| &mut counted.window);
        if let Some(window) = window.filter(|window| window.span.number == number) {
            window.in_flight = window.in_flight.saturating_sub(told);
            if let Some(total) = total {
                let here = window.untold.saturating_add(window.in_flight);
                window.total = total.saturating_add(here);
            }
        }
    }
}

/// The key of a caller in the store. The hash has no secret: it keeps addresses out of logs and
/// backups. An operator with access to the table could still find an address by trying all. A
/// secret would have to be fetched before the first request of each process is counted.
fn hidden(counted: Counted<'_>) -> String {
    let route = format!("{} {}", counted.route.method, counted.route.path);
    short_hash_of([route.as_str(), counted.caller].map(str::as_bytes))
}

fn counter(key: &str, span: Span, amount: i32, maximum: Option<u32>) -> Counter {
    let expires_at = Timestamp::from_millis(span.ends_at.saturating_mul(1000)).plus_seconds(60);
    Counter { key: format!("rate#{key}#{}", span.number), amount, maximum, expires_at }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTE: Route = Route::get("/time");
    const LIMIT: Limit = Limit::approximate(100, crate::limit::MINUTE);

    fn total_of(limiter: &Limiter, caller: &str, window: i64) -> u32 {
        let span = Span { number: window, ends_at: (window + 1) * 60 };
        limiter.count_here(Counted { route: &ROUTE, caller }, &LIMIT, span, 1, false).0
    }

    #[test]
    fn beyond_10_000_callers_those_of_earlier_windows_are_forgotten_first() {
        let limiter = Limiter::new("notes");
        for number in 1..Limiter::CALLERS_MAX {
            total_of(&limiter, &number.to_string(), 1);
        }
        assert_eq!(total_of(&limiter, "ada", 2), 1);
        assert_eq!(limiter.windows.lock().unwrap().len(), Limiter::CALLERS_MAX);
        assert_eq!(total_of(&limiter, "bob", 2), 1);
        assert_eq!(total_of(&limiter, "ada", 2), 2);
        assert_eq!(limiter.windows.lock().unwrap().len(), 2);
    }

    #[test]
    fn beyond_10_000_callers_of_one_window_all_are_forgotten() {
        let limiter = Limiter::new("notes");
        for number in 0..Limiter::CALLERS_MAX {
            total_of(&limiter, &number.to_string(), 1);
        }
        assert_eq!(total_of(&limiter, "0", 1), 2);
        assert_eq!([total_of(&limiter, "ada", 1), total_of(&limiter, "0", 1)], [1, 1]);
    }
}
