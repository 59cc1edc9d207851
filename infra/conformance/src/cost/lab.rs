//! Requests to the local platform, and the use that they cause.

use std::collections::BTreeMap;
use std::time::Duration;

use demo::seed::PASSWORD;
use emulator::Platform;
use house::counts::{Counts, Request, Use};
use hyper::{Method, StatusCode};
use serde_json::Value;
use tokio::time::{Instant, sleep};
use tooling::{Error, say};
use tooling_async::http::{Client, HttpResponse, sign_in};

/// The number of uncounted requests of each kind.
const WARM_UPS: u32 = 2;

/// The work is done after this time without a new count.
const QUIET: Duration = Duration::from_millis(300);

/// The time limit for deferred work: a message may be delayed by half a minute.
const DONE_MAX: Duration = Duration::from_mins(2);

/// The demo users that sign in.
const PEOPLE: [&str; 6] = ["customer", "writer", "editor", "editor2", "merchant", "admin"];

/// The authorizer's function.
pub(super) const AUTHORIZER: &str = "AuthorizerFunction";

/// A platform, and its counts so far.
pub(super) struct Lab<'a> {
    pub(super) platform: &'a Platform,
    pub(super) client: Client,
    pub(super) tokens: BTreeMap<&'static str, String>,
    /// Products that can be ordered.
    pub(super) products: Vec<String>,
    pub(super) counts: Counts,
}

/// A request to make.
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) token: Option<String>,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
}

/// When to wait for the requests' deferred work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// After the last request only: requests in quick succession.
    Last,
    /// After each request.
    Each,
    /// After each request, and after the last also for delayed messages.
    Delayed,
}

impl<'a> Lab<'a> {
    pub(super) async fn new(platform: &'a Platform, samples: u32) -> Result<Self, Error> {
        let client = Client::new();
        let mut tokens = BTreeMap::new();
        for person in PEOPLE {
            tokens.insert(person, sign_in(&client, &platform.api_url(), person, PASSWORD).await?);
        }
        let counts = Counts { samples, ..Counts::default() };
        Ok(Self { platform, client, tokens, products: Vec::new(), counts })
    }

    /// The number of requests of a kind.
    pub(super) fn asked(&self) -> u32 {
        self.counts.samples + WARM_UPS
    }

    /// A request with a demo user's token, or without one for an unknown name.
    pub(super) fn by(&self, person: &str, method: Method, path: &str) -> Ask {
        let token = self.tokens.get(person).cloned();
        Ask { method, path: path.to_owned(), token, headers: Vec::new(), body: None }
    }

    /// All requests of a kind, each made from its number.
    pub(super) fn each(&self, ask: impl Fn(u32) -> Ask) -> Vec<Ask> {
        (0..self.asked()).map(ask).collect()
    }

    /// Makes requests, and counts all but the warm-ups.
    pub(super) async fn count(
        &mut self,
        name: &str,
        expected: StatusCode,
        until: Until,
        asks: Vec<Ask>,
    ) -> Result<Vec<HttpResponse>, Error> {
        let (answers, caused, samples) = self.caused(name, expected, until, asks).await?;
        let mut request = caused.mean(samples);
        // Whether its verdict is cached is chance, so the authorizer is counted separately.
        request.functions.remove(AUTHORIZER);
        let total = request.total();
        say(&format!(
            "{name}: {:.2} invocations, {:.2} writes",
            total.invocations, total.write_units
        ));
        self.counts.requests.insert(name.to_owned(), request);
        Ok(answers)
    }

    /// Makes requests. Returns the responses, the use without warm-ups, and the number of samples.
    pub(super) async fn caused(
        &self,
        name: &str,
        expected: StatusCode,
        until: Until,
        asks: Vec<Ask>,
    ) -> Result<(Vec<HttpResponse>, Request, u32), Error> {
        // So few requests have no warm-ups: their functions are warm already.
        let warm_ups = if asks.len() > WARM_UPS as usize { WARM_UPS as usize } else { 0 };
        let samples = u32::try_from(asks.len() - warm_ups)?;
        let (mut answers, mut before) = (Vec::new(), None);
        for (number, ask) in asks.into_iter().enumerate() {
            if number == warm_ups {
                self.done(until == Until::Delayed).await?;
                before = Some(self.used());
            }
            let answer = self.ask(&ask).await.map_err(|error| format!("{name}: {error}"))?;
            if answer.status != expected {
                let body = String::from_utf8_lossy(&answer.body);
                return Err(format!("{name}: {} {body}", answer.status).into());
            }
            answers.push(answer);
            if until != Until::Last {
                self.done(false).await?;
            }
        }
        self.done(until == Until::Delayed).await?;
        let before = before.ok_or("no requests to count")?;
        Ok((answers, since(&before, &self.used()), samples))
    }

    pub(super) async fn ask(&self, ask: &Ask) -> Result<HttpResponse, Error> {
        let url = format!("{}{}", self.platform.api_url(), ask.path);
        let headers: Vec<_> = ask.headers.iter().map(|(name, it)| (*name, it.as_str())).collect();
        let token = ask.token.as_deref();
        self.client.call_with(ask.method.clone(), &url, token, &headers, ask.body.as_ref()).await
    }

    /// Waits until counts have been stable for a while, and no message waits.
    pub(super) async fn done(&self, delayed: bool) -> Result<(), Error> {
        let end = Instant::now() + DONE_MAX;
        let (mut seen, mut since) = (self.used(), Instant::now());
        while Instant::now() < end {
            sleep(QUIET / 10).await;
            let now = self.used();
            if now != seen {
                (seen, since) = (now, Instant::now());
            } else if since.elapsed() >= QUIET && self.waiting(delayed).await? == 0 {
                return Ok(());
            }
        }
        Err("the deferred work of a request does not end".into())
    }

    /// The number of waiting messages, without dead-letter queues.
    async fn waiting(&self, delayed: bool) -> Result<u64, Error> {
        let queues = self.platform.stores().queues().await?;
        let queues = queues.iter().filter(|queue| queue.dead_letter_queue.is_some());
        let waiting = queues
            .map(|queue| queue.visible + queue.in_flight + if delayed { queue.delayed } else { 0 });
        Ok(waiting.sum())
    }

    /// The use since the platform's start.
    pub(super) fn used(&self) -> Request {
        let mut functions: BTreeMap<String, Use> = BTreeMap::new();
        for (function, counts) in self.platform.functions().counts() {
            functions.entry(function).or_default().invocations = whole(counts.invocations);
        }
        for (function, consumed) in self.platform.stores().consumed() {
            let used = functions.entry(function).or_default();
            used.calls = whole(consumed.calls);
            used.sqs_requests = whole(consumed.sqs_requests);
            (used.read_units, used.write_units) = (consumed.read_units, consumed.write_units);
        }
        for (function, bytes) in self.platform.telemetry().log_bytes() {
            functions.entry(function).or_default().log_bytes = whole(bytes);
        }
        let calls = self.platform.stores().calls();
        let mails = calls.iter().filter(|(kind, _)| kind.service == "ses" && kind.status == 200);
        Request { functions, mails: whole(mails.map(|(_, count)| count).sum()) }
    }
}

fn since(before: &Request, after: &Request) -> Request {
    let functions = after.functions.iter().map(|(function, used)| {
        let then = before.functions.get(function).copied().unwrap_or_default();
        (function.clone(), *used - then)
    });
    Request { functions: functions.collect(), mails: after.mails - before.mails }
}

#[expect(clippy::cast_precision_loss, reason = "no run counts to 2^53")]
fn whole(count: u64) -> f64 {
    count as f64
}

impl Ask {
    pub(super) fn with(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}

/// A field of a response's data, as text.
pub(super) fn told(answer: &HttpResponse, name: &str) -> Result<String, Error> {
    let body: Value = serde_json::from_slice(&answer.body)?;
    let told = body["data"][name].as_str().ok_or_else(|| format!("no {name} in {body}"))?;
    Ok(told.to_owned())
}

/// A field of the data of each of these responses.
pub(super) fn all_told(answers: &[HttpResponse], name: &str) -> Result<Vec<String>, Error> {
    answers.iter().map(|answer| told(answer, name)).collect()
}
