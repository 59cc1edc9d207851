//! The counted use of requests: written by the measurement, and read for the cost of requests.

use std::collections::BTreeMap;
use std::ops::{Add, AddAssign, Sub};
use std::path::Path;

use serde::{Deserialize, Serialize};

use tooling::context::{Context, Error};

/// The share by which a count may differ from the previous one without being reported.
const TOLERANCE: f64 = 0.1;

/// The remedy for a route without counts.
const MAKE_IT: &str = "add the request in infra/conformance/src/cost, then run cargo xtask cost";

/// The file with the counts.
pub const COUNTS: &str = "infra/costs.json";

/// The content of `infra/costs.json`: means over the samples of each request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// How often each request was made.
    pub samples: u32,
    /// The authorizer, for a token that it has not seen.
    pub authorizer: Use,
    /// By route, or by route and case: `GET /products/{productId}, from the cache`.
    pub requests: BTreeMap<String, Request>,
    /// How many sets of labels each of our metrics has after all of them.
    pub label_sets: BTreeMap<String, u32>,
}

/// The use of one request, including its deferred work.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// By the function's logical id, without the authorizer.
    pub functions: BTreeMap<String, Use>,
    /// Mails.
    pub mails: f64,
}

/// The use of a function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Use {
    /// Invocations.
    pub invocations: f64,
    /// Calls of stores, queues, secrets and mail.
    pub calls: f64,
    /// Read units of the tables.
    pub read_units: f64,
    /// Write units of the tables.
    pub write_units: f64,
    /// Requests that the function itself makes of SQS.
    pub sqs_requests: f64,
    /// Its output: log lines, which include the metrics.
    pub log_bytes: f64,
}

impl Counts {
    /// The counts of a file.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn read(path: &Path) -> Result<Self, Error> {
        serde_json::from_slice(&fs_err::read(path)?).context(|| path.display())
    }

    /// Writes the counts to a file.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let text = serde_json::to_string_pretty(self)?;
        Ok(fs_err::write(path, text + "\n")?)
    }

    /// The request that was counted under this name.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn request(&self, name: &str) -> Result<&Request, Error> {
        self.requests.get(name).ok_or_else(|| format!("{name} was not counted").into())
    }

    /// The names under which a route was counted, the route itself first.
    pub fn cases<'a>(&'a self, route: &'a str) -> impl Iterator<Item = &'a str> {
        self.requests.keys().map(String::as_str).filter(move |name| route_of(name) == route)
    }

    /// Routes without counts, and counts without a route.
    pub fn strangers(&self, routes: &[String]) -> Vec<String> {
        let missing = routes.iter().filter(|route| !self.requests.contains_key(*route));
        let missing = missing.map(|route| format!("{route} has no counts: {MAKE_IT}"));
        let gone = self.requests.keys();
        let gone = gone.filter(|name| !routes.iter().any(|route| route == route_of(name)));
        missing.chain(gone.map(|name| format!("{name} has counts and is no route"))).collect()
    }

    /// The counts that differ from the previous ones by more than a tenth, one sentence each.
    pub fn changes(&self, before: &Self) -> Vec<String> {
        let named = self.requests.iter().filter_map(|(name, now)| {
            before.requests.get(name).map(|then| (name, then.total(), now.total()))
        });
        named
            .flat_map(|(name, then, now)| {
                then.named().into_iter().zip(now.named()).filter_map(
                    move |((what, then), (_, now))| {
                        let differ = (now - then).abs() > TOLERANCE * then.max(1.0);
                        differ.then(|| format!("{name}: {what} {now} instead of {then}"))
                    },
                )
            })
            .collect()
    }
}

/// The route of a name of counts.
fn route_of(name: &str) -> &str {
    name.split_once(", ").map_or(name, |(route, _)| route)
}

impl Request {
    /// The use of all its functions together.
    pub fn total(&self) -> Use {
        self.functions.values().fold(Use::default(), |total, used| total + *used)
    }

    /// The mean of so many requests. It is rounded to the precision that runs reproduce.
    #[must_use]
    pub fn mean(&self, samples: u32) -> Self {
        let functions = self.functions.iter();
        let functions = functions
            .map(|(function, used)| (function.clone(), used.mean(samples)))
            .filter(|(_, used)| *used != Use::default());
        Self { functions: functions.collect(), mails: mean(self.mails, samples) }
    }
}

impl Use {
    /// The mean of so many, log bytes as a whole number.
    #[must_use]
    pub fn mean(&self, samples: u32) -> Self {
        Self {
            invocations: mean(self.invocations, samples),
            calls: mean(self.calls, samples),
            read_units: mean(self.read_units, samples),
            write_units: mean(self.write_units, samples),
            sqs_requests: mean(self.sqs_requests, samples),
            log_bytes: (self.log_bytes / f64::from(samples)).round(),
        }
    }

    fn named(&self) -> [(&'static str, f64); 6] {
        [
            ("invocations", self.invocations),
            ("calls", self.calls),
            ("read units", self.read_units),
            ("write units", self.write_units),
            ("requests of SQS", self.sqs_requests),
            ("bytes of log", self.log_bytes),
        ]
    }

    fn with(self, other: Self, each: impl Fn(f64, f64) -> f64) -> Self {
        Self {
            invocations: each(self.invocations, other.invocations),
            calls: each(self.calls, other.calls),
            read_units: each(self.read_units, other.read_units),
            write_units: each(self.write_units, other.write_units),
            sqs_requests: each(self.sqs_requests, other.sqs_requests),
            log_bytes: each(self.log_bytes, other.log_bytes),
        }
    }
}

impl Add for Use {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.with(other, |one, other| one + other)
    }
}

impl AddAssign for Use {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Use {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.with(other, |one, other| one - other)
    }
}

/// A mean to two places.
fn mean(total: f64, samples: u32) -> f64 {
    (total * 100.0 / f64::from(samples)).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(requests: &[(&str, f64)]) -> Counts {
        let request = |invocations| Request {
            functions: [("F".to_owned(), Use { invocations, ..Use::default() })].into(),
            mails: 0.0,
        };
        let requests = requests.iter().map(|(name, it)| ((*name).to_owned(), request(*it)));
        Counts { requests: requests.collect(), ..Counts::default() }
    }

    #[test]
    fn a_route_without_counts_and_counts_without_a_route_are_found() {
        let counts = counts(&[("GET /a", 1.0), ("GET /a, again", 1.0), ("GET /gone", 1.0)]);
        let found = counts.strangers(&["GET /a".to_owned(), "GET /b".to_owned()]);
        let expected = [
            format!("GET /b has no counts: {MAKE_IT}"),
            "GET /gone has counts and is no route".to_owned(),
        ];
        assert_eq!(found, expected);
        assert_eq!(counts.cases("GET /a").collect::<Vec<_>>(), ["GET /a", "GET /a, again"]);
    }

    #[test]
    fn a_count_that_differs_by_more_than_a_tenth_is_reported() {
        let (before, after) = (counts(&[("GET /a", 6.4)]), counts(&[("GET /a", 7.2)]));
        assert_eq!(after.changes(&before), ["GET /a: invocations 7.2 instead of 6.4"]);
        assert_eq!(counts(&[("GET /a", 6.9)]).changes(&before), [""; 0]);
    }

    #[test]
    fn a_mean_has_two_places() {
        let used = Use { invocations: 23.0, log_bytes: 10_001.0, ..Use::default() };
        let mean = used.mean(7);
        assert_eq!((mean.invocations, mean.log_bytes), (3.29, 1_429.0));
    }
}
