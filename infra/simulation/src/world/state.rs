//! The state that all parts of a world share: time, services, faults, the trace and the oracles.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value as Json;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout_at};

use super::faults::{Fault, FaultMix};
use super::names::Names;
use super::oracle::{Oracle, View};
use super::outages::{Outage, Outages, Part};
use super::records::Records;
use super::report::Failure;
use super::streams::Streams;
use super::trace::{Event, Happened, Trace};
use super::written::Written;
use crate::Millis;
use crate::random::{Random, Seeded};
use crate::services::{CallId, Called, Services, WireRequest, WireResponse};

/// The time at which each world begins: 2026-01-01T00:00:00Z.
pub const BEGINNING: Millis = Millis(1_767_225_600_000);

/// The caller that is no function: event sources and operators.
pub(super) const PLATFORM: &str = "platform";

/// The failures of one oracle that a run reports.
const FAILURES_MAX: usize = 5;

/// The shared state of a world.
///
/// No lock is held across an await point, and [`World::record`] is called without any.
pub(super) struct World {
    pub(super) streams: Streams,
    pub(super) names: Names,
    pub(super) services: Mutex<Services>,
    pub(super) mix: Mutex<FaultMix>,
    outages: Mutex<Outages>,
    began: Instant,
    random: Mutex<Seeded>,
    /// The calls in progress.
    waiting: Mutex<BTreeMap<CallId, oneshot::Sender<WireResponse>>>,
    /// The next event of the services may be another.
    changed: Notify,
    pub(super) written: Written,
    trace: Mutex<Trace>,
    oracles: Mutex<Vec<Box<dyn Oracle>>>,
    seen: Mutex<Records>,
    failures: Mutex<Vec<Failure>>,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    calls: u64,
    steps: u64,
    /// The invocations, deliveries and calls in progress.
    busy: u64,
}

impl World {
    /// Call it within the runtime: the time begins now.
    pub(super) fn new(
        streams: Streams,
        names: Names,
        services: Services,
        mix: FaultMix,
        oracles: Vec<Box<dyn Oracle>>,
    ) -> Self {
        Self {
            streams,
            names,
            services: Mutex::new(services),
            mix: Mutex::new(mix),
            outages: Mutex::default(),
            began: Instant::now(),
            random: Mutex::new(streams.of("services")),
            waiting: Mutex::default(),
            changed: Notify::new(),
            written: Written::default(),
            trace: Mutex::default(),
            oracles: Mutex::new(oracles),
            seen: Mutex::default(),
            failures: Mutex::default(),
            counts: Mutex::default(),
        }
    }

    /// The time.
    pub(super) fn now(&self) -> Millis {
        BEGINNING + Millis::of(self.began.elapsed())
    }

    /// A time as the runtime knows it.
    pub(super) fn instant(&self, at: Millis) -> Instant {
        self.began + at.since(BEGINNING).as_duration()
    }

    /// Whether a fault happens; if so, it is recorded with its place.
    pub(super) fn draws(&self, fault: Fault, place: &str, random: &mut impl Random) -> bool {
        let chance = lock(&self.mix).chance(fault);
        let happens = random.happens(chance);
        if happens {
            self.record(Happened::Drawn { fault, place: place.to_owned() });
        }
        happens
    }

    /// Overloads a table for some time: it refuses all requests of functions.
    pub(super) fn overload(&self, table: &str, time: Millis) {
        self.record(Happened::Overloaded { table: table.to_owned(), time: time.0 });
        let (table, until) = (Part::Resource(table.to_owned()), self.now() + time);
        lock(&self.outages).begin(table, Outage::Overload, until);
    }

    /// Draws whether one of the parts of AWS that a request needs fails from now on, and for how long.
    pub(super) fn draw_outage(&self, operation: &str, body: &[u8], random: &mut impl Random) {
        let (chance, time_max) = {
            let mix = lock(&self.mix);
            (mix.chance(Fault::Outage), mix.outage_max)
        };
        if !random.happens(chance) {
            return;
        }
        let body = String::from_utf8_lossy(body);
        let named: Vec<&str> = self.names.named_in(&body).collect();
        let part = match named.get(random.index(named.len())) {
            Some(name) => Part::Resource((*name).to_owned()),
            None => Part::Operation(operation.to_owned()),
        };
        let (outage, time) = (Outage::draw(random), random.up_to(time_max));
        let place = format!("{part}: {outage:?} for {} ms", time.0);
        self.record(Happened::Drawn { fault: Fault::Outage, place });
        lock(&self.outages).begin(part, outage, self.now() + time);
    }

    /// How a request fails now, if a part of AWS that it needs does.
    pub(super) fn outage_of(&self, operation: &str, body: &[u8]) -> Option<Outage> {
        lock(&self.outages).of(self.now(), operation, body)
    }

    /// Ends all faults. The services keep their freedom: it is no fault, and AWS always has it.
    pub(super) fn end_faults(&self) {
        let mut mix = lock(&self.mix);
        *mix = mix.ended();
        drop(mix);
        lock(&self.outages).end();
        self.record(Happened::Settling);
    }

    /// Records an event, and shows it to the oracles.
    pub(super) fn record(&self, what: Happened) {
        let number = lock(&self.trace).add(self.now(), what);
        self.consult(
            |oracle, view| oracle.observe(&view.trace.events()[number], view),
            Some(number),
        );
    }

    /// Asks the oracles about the world at rest.
    pub(super) fn check_at_rest(&self) {
        self.consult(|oracle, view| oracle.at_rest(view), None);
    }

    /// Reports a failure that the world itself has found.
    pub(super) fn fail(&self, oracle: &str, reason: String) {
        self.found(vec![(oracle.to_owned(), reason)], None);
    }

    fn consult(
        &self,
        check: impl Fn(&mut dyn Oracle, &View<'_>) -> Result<(), String>,
        event: Option<usize>,
    ) {
        let mut found = Vec::new();
        {
            let (mut oracles, now) = (lock(&self.oracles), self.now());
            let mut records = lock(&self.seen);
            let (services, trace) = (lock(&self.services), lock(&self.trace));
            let (names, records) = (&self.names, RefCell::new(&mut *records));
            let view = View { now, services: &services, trace: &trace, names, records };
            // One that panics is not asked again: its state is half changed.
            oracles.retain_mut(|oracle| {
                let checked = super::panic::caught(|| check(&mut **oracle, &view));
                let is_kept = checked.is_ok();
                let reason = checked.unwrap_or_else(Err).err();
                found.extend(reason.map(|reason| (oracle.name().to_owned(), reason)));
                is_kept
            });
        }
        self.found(found, event);
    }

    /// Adds the findings of oracles about an event, by its number in the trace.
    fn found(&self, found: Vec<(String, String)>, event: Option<usize>) {
        let at = self.now();
        for (oracle, reason) in found {
            let mut failures = lock(&self.failures);
            let known = failures.iter().filter(|failure| failure.oracle == oracle);
            let is_known = known.clone().any(|failure| failure.reason == reason);
            if is_known || known.count() >= FAILURES_MAX {
                continue;
            }
            let event = event.map(|number| lock(&self.trace).events()[number].clone());
            let request = event.and_then(|event| self.request_of(&event));
            let (name, text) = (oracle.clone(), reason.clone());
            failures.push(Failure { oracle: name, reason: text, at, request });
            drop(failures);
            // Not shown to the oracles: one that fails at each event would never end.
            lock(&self.trace).add(at, Happened::Found { oracle, reason });
        }
    }

    /// The request of an event, or of its invocation.
    fn request_of(&self, event: &Event) -> Option<String> {
        let invocation = match &event.what {
            Happened::Requested { request, .. }
            | Happened::Routed { request, .. }
            | Happened::Answered { request, .. }
            | Happened::Unanswered { request, .. } => return Some(request.clone()),
            Happened::Invoked { cause, .. } => return cause.request().map(str::to_owned),
            Happened::Returned { invocation, .. } | Happened::Failed { invocation, .. } => {
                invocation
            }
            Happened::Called { invocation, .. } | Happened::Line { invocation, .. } => {
                invocation.as_ref()?
            }
            Happened::Performed { call, .. } | Happened::Broken { call, .. } => {
                return lock(&self.trace).request_of_call(*call);
            }
            _ => return None,
        };
        lock(&self.trace).request_of_invocation(invocation)
    }

    /// Performs a call of a service, without a network.
    pub(super) async fn call(&self, request: WireRequest<'_>) -> WireResponse {
        let called = {
            let (mut services, mut random) = (lock(&self.services), lock(&self.random));
            services.call(self.now(), &mut *random, request)
        };
        lock(&self.counts).steps += 1;
        self.changed.notify_one();
        self.count_records();
        match called {
            Called::AtOnce(response) => response,
            Called::CompletesAt(_, id) => {
                let (sender, receiver) = oneshot::channel();
                lock(&self.waiting).insert(id, sender);
                let mut waiting = Waiting { world: self, id: Some(id) };
                let response = receiver.await;
                waiting.id = None;
                // The sender is dropped only at the end of the world.
                response.unwrap_or(WireResponse { status: 500, headers: vec![], body: vec![] })
            }
        }
    }

    /// Performs a call of a service as the platform.
    ///
    /// # Errors
    /// The body of the service's error.
    pub(super) async fn ask(&self, target: &str, body: &Json) -> Result<Json, Json> {
        let body = body.to_string();
        let (caller, target, body) = (PLATFORM, Some(target), body.as_bytes());
        let response = self.call(WireRequest { caller, target, path: "/", body }).await;
        if response.status == 200 { Ok(response.json()) } else { Err(response.json()) }
    }

    /// Moves the messages that are in a dead-letter queue to another queue. Returns their number.
    pub(super) async fn redrive(&self, from: &str, to: &str) -> usize {
        // A consumer may bring a message back at once: the move ends nevertheless.
        let most = lock(&self.services).messages(from).len();
        let (from, to) = (super::names::queue_url(from), super::names::queue_url(to));
        let mut moved = BTreeSet::new();
        while moved.len() < most {
            let receive = serde_json::json!({
                "QueueUrl": from, "MaxNumberOfMessages": 1, "WaitTimeSeconds": 1,
                "MessageAttributeNames": ["All"], "AttributeNames": ["All"],
            });
            let received = self.ask("AmazonSQS.ReceiveMessage", &receive).await;
            let received = received.unwrap_or_default();
            let messages = received["Messages"].as_array().cloned().unwrap_or_default();
            if messages.is_empty() {
                break;
            }
            for message in messages {
                let mut send = serde_json::json!({
                    "QueueUrl": to, "MessageBody": message["Body"],
                });
                if let Some(attributes) = message.get("MessageAttributes") {
                    send["MessageAttributes"] = attributes.clone();
                }
                for name in ["MessageGroupId", "MessageDeduplicationId"] {
                    if let Some(value) = message["Attributes"].get(name) {
                        send[name] = value.clone();
                    }
                }
                if self.ask("AmazonSQS.SendMessage", &send).await.is_ok() {
                    moved.insert(message["MessageId"].to_string());
                    let delete = serde_json::json!({
                        "QueueUrl": from, "ReceiptHandle": message["ReceiptHandle"],
                    });
                    // A failed delete is a duplicate, as on AWS.
                    let _ = self.ask("AmazonSQS.DeleteMessage", &delete).await;
                }
            }
        }
        moved.len()
    }

    /// Performs the events of the services when they are due, until the task is dropped.
    pub(super) async fn run_services(self: Arc<Self>) {
        loop {
            let next = lock(&self.services).next_event_at();
            match next {
                None => self.changed.notified().await,
                Some(at) if at > self.now() => {
                    let earlier = timeout_at(self.instant(at), self.changed.notified());
                    if earlier.await.is_ok() {
                        continue;
                    }
                }
                Some(_) => {}
            }
            let finished = {
                let (mut services, mut random) = (lock(&self.services), lock(&self.random));
                services.advance(self.now(), &mut *random)
            };
            for (id, response) in finished {
                let sender = lock(&self.waiting).remove(&id);
                // A caller that is gone does not need it.
                let _ = sender.map(|sender| sender.send(response));
            }
            self.count_records();
            tokio::task::yield_now().await;
        }
    }

    fn count_records(&self) {
        let records = lock(&self.services).stream_records();
        self.written.set(records);
    }

    /// The number of the next call of a function.
    pub(super) fn next_call(&self) -> u64 {
        let mut counts = lock(&self.counts);
        counts.calls += 1;
        counts.calls
    }

    /// Marks work in progress, until the value is dropped.
    pub(super) fn busy(self: &Arc<Self>) -> Busy {
        lock(&self.counts).busy += 1;
        Busy(Arc::clone(self))
    }

    /// Whether no work is in progress.
    pub(super) fn is_idle(&self) -> bool {
        lock(&self.counts).busy == 0
    }

    /// The steps, the failures, and the trace, which the world has no more.
    pub(super) fn results(&self) -> (u64, Vec<Failure>, Trace) {
        let (mut failures, mut trace) = (lock(&self.failures), lock(&self.trace));
        (lock(&self.counts).steps, std::mem::take(&mut failures), std::mem::take(&mut trace))
    }
}

/// Work in progress.
pub(super) struct Busy(Arc<World>);

impl Drop for Busy {
    fn drop(&mut self) {
        lock(&self.0.counts).busy -= 1;
    }
}

/// A call whose caller waits.
struct Waiting<'a> {
    world: &'a World,
    id: Option<CallId>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            lock(&self.world.waiting).remove(&id);
            lock(&self.world.services).abandon(id);
        }
    }
}

/// Locks a mutex. A panic of one task does not spoil the state: tasks change it in one step.
pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
