//! The changes that a listener has not received yet.

use std::collections::BTreeSet;

use super::Store;
use crate::activity::build::{self, RawRow};
use crate::activity::limits::{NEWS_MAX, ROWS_OF_CHANGE_MAX};
use crate::activity::record::Root;
use crate::activity::redaction::Redaction;
use crate::activity::view::RequestRow;

/// A change of the records.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// The rows of new or changed requests, at most 500.
    Requests(Vec<RequestRow>),
    /// The ids of requests, or of invocations without one, whose journey changed.
    Journeys(Vec<String>),
    /// The number of changes that were left out, because the listener was too slow.
    Dropped(u64),
}

/// A change that was taken with the lock of the records. Its texts are redacted without it.
pub(in crate::activity) enum Taken {
    Rows(Vec<RawRow>),
    Other(Change),
}

impl Taken {
    pub(in crate::activity) fn redacted(self, redaction: &Redaction) -> Change {
        match self {
            Self::Rows(rows) => {
                Change::Requests(rows.into_iter().map(|row| row.redacted(redaction)).collect())
            }
            Self::Other(change) => change,
        }
    }
}

/// The changes that a listener has not received yet.
#[derive(Debug, Default)]
pub(in crate::activity) struct News {
    /// The number of the listener.
    pub(in crate::activity) listener: u64,
    /// The numbers of changed requests.
    requests: BTreeSet<u64>,
    /// The ids of changed journeys.
    journeys: BTreeSet<String>,
    /// Whether the last change had rows: journeys are next, if there are any.
    had_rows: bool,
    dropped: u64,
}

impl News {
    pub(in crate::activity) fn of(listener: u64) -> Self {
        Self { listener, ..Self::default() }
    }

    fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.journeys.is_empty() && self.dropped == 0
    }

    fn add_request(&mut self, number: u64) {
        if self.requests.len() < NEWS_MAX || self.requests.contains(&number) {
            self.requests.insert(number);
        } else {
            self.dropped += 1;
        }
    }

    fn add_journey(&mut self, id: &str) {
        if self.journeys.contains(id) {
            return;
        }
        if self.journeys.len() < NEWS_MAX {
            self.journeys.insert(id.to_owned());
        } else {
            self.dropped += 1;
        }
    }
}

impl Store {
    /// Whether a listener has news.
    pub(in crate::activity) fn has_news(&self) -> bool {
        self.listeners.iter().any(|listener| !listener.is_empty())
    }

    /// Notes that the row of a request, and its journey, changed.
    pub(in crate::activity) fn changed_request(&mut self, number: u64) {
        for listener in &mut self.listeners {
            listener.add_request(number);
        }
        self.changed_journeys(&[Root::Request(number)]);
    }

    /// Notes that the journeys from these roots changed.
    pub(in crate::activity) fn changed_journeys(&mut self, roots: &[Root]) {
        if self.listeners.is_empty() {
            return;
        }
        for root in roots {
            let id = match root {
                Root::Request(number) => self.requests.get(number).map(|it| &it.id),
                Root::Invocation(number) => self.invocations.get(number).map(|it| &it.id),
            };
            if let Some(id) = id {
                for listener in &mut self.listeners {
                    listener.add_journey(id);
                }
            }
        }
    }

    /// Notes that an invocation changed: its request, if it has one, and the journeys.
    pub(in crate::activity) fn changed_invocation(&mut self, number: u64) {
        if self.listeners.is_empty() {
            return;
        }
        let Some(invocation) = self.invocations.get(&number) else { return };
        let roots = invocation.roots.clone();
        for root in &roots {
            if let Root::Request(request) = root
                && self.requests.get(request).is_some_and(|it| it.invocation == Some(number))
            {
                for listener in &mut self.listeners {
                    listener.add_request(*request);
                }
            }
        }
        self.changed_journeys(&roots);
    }

    /// Takes the next change for a listener.
    pub(in crate::activity) fn take_news(&mut self, listener: u64) -> Option<Taken> {
        let news = self.listeners.iter_mut().find(|news| news.listener == listener)?;
        if news.dropped > 0 {
            return Some(Taken::Other(Change::Dropped(std::mem::take(&mut news.dropped))));
        }
        let is_turn_of_journeys = std::mem::take(&mut news.had_rows) && !news.journeys.is_empty();
        if !news.requests.is_empty() && !is_turn_of_journeys {
            news.had_rows = true;
            let count = news.requests.len().min(ROWS_OF_CHANGE_MAX);
            let numbers: Vec<u64> = news.requests.iter().take(count).copied().collect();
            for number in &numbers {
                news.requests.remove(number);
            }
            let rows = numbers.iter().filter_map(|number| self.requests.get(number));
            let rows = rows.map(|request| {
                RawRow::of(request, build::invocation_of(request, &self.invocations))
            });
            return Some(Taken::Rows(rows.collect()));
        }
        let journeys = std::mem::take(&mut news.journeys);
        let journeys: Vec<String> = journeys.into_iter().collect();
        (!journeys.is_empty()).then_some(Taken::Other(Change::Journeys(journeys)))
    }
}
