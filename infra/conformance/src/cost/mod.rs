//! Counts requests on the local platform, which runs the functions as they are deployed.
//!
//! Scheduled functions do not run there, and each request waits until the deferred work of the
//! previous one is done. So the counts belong to the request alone. The first requests of each kind
//! are not counted: they start the functions, and fill their caches.

mod articles;
mod callbacks;
mod catalogue;
mod orders;
mod people;
mod system;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use clap::Args;
use demo::seed::PASSWORD;
use emulator::Platform;
use emulator::options::Options;
use hyper::{Method, StatusCode};
use serde_json::Value;
use tokio::time::{Instant, sleep};
use tooling::counts::{COUNTS, Counts, Request, Use};
use tooling::http::{Client, HttpResponse, sign_in};
use tooling::{Error, say};

/// The number of uncounted requests of each kind.
const WARM_UPS: u32 = 2;

/// The work is done after this time without a new count.
const QUIET: Duration = Duration::from_millis(300);

/// The time limit for deferred work: a message may be delayed by half a minute.
const DONE_MAX: Duration = Duration::from_mins(2);

/// The demo users that sign in.
const PEOPLE: [&str; 6] = ["customer", "writer", "editor", "editor2", "merchant", "admin"];

/// Counts the use of requests, and writes infra/costs.json.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The number of requests of each kind; more than 20 would exceed the limits on mails.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=20))]
    samples: u32,

    /// Counts with the functions of the last build.
    #[arg(long)]
    no_build: bool,
}

/// Counts every route, and writes the counts. Prints those that differ from the previous ones.
///
/// # Errors
/// If the platform does not start, or a request fails.
pub(crate) fn run(workspace: &Path, arguments: &Arguments) -> Result<(), Error> {
    let before = Counts::read(&workspace.join(COUNTS));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let counted = count(workspace, arguments.samples, !arguments.no_build);
    let counts = runtime.block_on(counted)?;
    for change in before.map(|before| counts.changes(&before)).unwrap_or_default() {
        say(&change);
    }
    counts.write(&workspace.join(COUNTS))
}

async fn count(workspace: &Path, samples: u32, build: bool) -> Result<Counts, Error> {
    let options = Options {
        port: 0,
        control_port: 0,
        demo: true,
        template: Some(workspace.join("template.yaml")),
        no_build: !build,
        without_schedules: true,
        // Raises the exact limits alone: how limits are counted stays as deployed.
        parameters: vec![("ExactRateLimit".to_owned(), "1000000".to_owned())],
        ..Options::default()
    };
    let platform = demo::start(options).await?;
    let counted = every_route(&platform, samples).await;
    platform.stop().await;
    counted
}

async fn every_route(platform: &Platform, samples: u32) -> Result<Counts, Error> {
    // The object service is made quick: no count depends on its latency.
    let quick = serde_json::from_str(r#"{"objects": {"takesMs": [5, 5]}}"#)?;
    platform.standins().set_faults(&quick)?;
    platform.stores().switch_meter_on();
    let mut lab = Lab::new(platform, samples).await?;
    system::count(&mut lab).await?;
    people::count(&mut lab).await?;
    catalogue::count(&mut lab).await?;
    orders::count(&mut lab).await?;
    articles::count(&mut lab).await?;
    callbacks::count(&mut lab).await?;
    for (metric, sets) in platform.telemetry().label_sets() {
        lab.counts.label_sets.insert(metric, u32::try_from(sets)?);
    }
    Ok(lab.counts)
}

/// A platform, and its counts so far.
struct Lab<'a> {
    platform: &'a Platform,
    client: Client,
    tokens: BTreeMap<&'static str, String>,
    /// Products that can be ordered.
    products: Vec<String>,
    counts: Counts,
}

/// A request to make.
struct Ask {
    method: Method,
    path: String,
    token: Option<String>,
    headers: Vec<(&'static str, String)>,
    body: Option<Value>,
}

/// When to wait for the requests' deferred work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    /// After the last request only: requests in quick succession.
    Last,
    /// After each request.
    Each,
    /// After each request, and after the last also for delayed messages.
    Delayed,
}

impl<'a> Lab<'a> {
    async fn new(platform: &'a Platform, samples: u32) -> Result<Self, Error> {
        let client = Client::new();
        let mut tokens = BTreeMap::new();
        for person in PEOPLE {
            tokens.insert(person, sign_in(&client, &platform.api_url(), person, PASSWORD).await?);
        }
        let counts = Counts { samples, ..Counts::default() };
        Ok(Self { platform, client, tokens, products: Vec::new(), counts })
    }

    /// The number of requests of a kind.
    fn asked(&self) -> u32 {
        self.counts.samples + WARM_UPS
    }

    /// A request with a demo user's token, or without one for an unknown name.
    fn by(&self, person: &str, method: Method, path: &str) -> Ask {
        let token = self.tokens.get(person).cloned();
        Ask { method, path: path.to_owned(), token, headers: Vec::new(), body: None }
    }

    /// All requests of a kind, each made from its number.
    fn each(&self, ask: impl Fn(u32) -> Ask) -> Vec<Ask> {
        (0..self.asked()).map(ask).collect()
    }

    /// Makes requests, and counts all but the warm-ups.
    async fn count(
        &mut self,
        name: &str,
        expected: StatusCode,
        until: Until,
        asks: Vec<Ask>,
    ) -> Result<Vec<HttpResponse>, Error> {
        let (answers, caused, samples) = self.caused(name, expected, until, asks).await?;
        let mut request = caused.mean(samples);
        // Whether its verdict is cached is chance, so the authorizer is counted separately.
        request.functions.remove(system::AUTHORIZER);
        let total = request.total();
        say(&format!(
            "{name}: {:.2} invocations, {:.2} writes",
            total.invocations, total.write_units
        ));
        self.counts.requests.insert(name.to_owned(), request);
        Ok(answers)
    }

    /// Makes requests. Returns the responses, the use without warm-ups, and the number of samples.
    async fn caused(
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

    async fn ask(&self, ask: &Ask) -> Result<HttpResponse, Error> {
        let url = format!("{}{}", self.platform.api_url(), ask.path);
        let headers: Vec<_> = ask.headers.iter().map(|(name, it)| (*name, it.as_str())).collect();
        let token = ask.token.as_deref();
        self.client.call_with(ask.method.clone(), &url, token, &headers, ask.body.as_ref()).await
    }

    /// Waits until counts have been stable for a while, and no message waits.
    async fn done(&self, delayed: bool) -> Result<(), Error> {
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
    fn used(&self) -> Request {
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
    fn with(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    fn header(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}

/// A field of a response's data, as text.
fn told(answer: &HttpResponse, name: &str) -> Result<String, Error> {
    let body: Value = serde_json::from_slice(&answer.body)?;
    let told = body["data"][name].as_str().ok_or_else(|| format!("no {name} in {body}"))?;
    Ok(told.to_owned())
}

/// A field of the data of each of these responses.
fn all_told(answers: &[HttpResponse], name: &str) -> Result<Vec<String>, Error> {
    answers.iter().map(|answer| told(answer, name)).collect()
}
