//! The HTTP endpoint of all emulated services. Each call is attributed to a function and checked
//! against its policy. Then faults are injected, and the call is made, counted and recorded.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::response::Parts;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use super::call::{BODY_BYTES_MAX, Call, Caller, Resource, Store};
use super::counts::CallCounts;
use super::dynamodb::Tables;
use super::error_responses;
use super::fault_injector::{FaultInjector, InjectedError, Injection};
use super::lines::DataFailure;
use super::meter::{self, Meter};
use super::physical_names::{Names, TableName};
use super::policy::{CallAccesses, Policies};
use super::secrets::Secrets;
use super::ses::{FeedbackRoutes, Mailbox};
use super::sqs::Queues;
use crate::activity::{Activity, CallEnd, CallStart, OpenCall};
use crate::clock::Clock;
use crate::faults::FaultPoint;

/// The delay of the response to a killed process: the signal must take effect before the process
/// can read the response.
const DEATH: Duration = Duration::from_secs(1);

/// The response to a call whose process has been killed.
const KILLED: &str = "the caller has been killed";

/// The functions' processes, as an interface for the stores.
pub trait Environments: Send + Sync {
    /// Adds an event to this execution environment's timeline.
    fn note(&self, environment: &str, what: &str);

    /// Kills this execution environment's process, without cleanup.
    fn kill(&self, environment: &str);

    /// The one-shot fault that a call meets, by its execution environment, its hash, and whether it
    /// is at a place. By default there is none.
    fn next_fault(
        &self,
        _environment: &str,
        _call: &dyn Fn() -> u64,
        _is_met: &dyn Fn(&FaultPoint) -> bool,
    ) -> Option<FaultPoint> {
        None
    }
}

/// The emulated services, and the state that every call updates.
pub(super) struct ServiceEndpoint {
    pub(super) tables: Tables,
    pub(super) queues: Queues,
    pub(super) secrets: Secrets,
    pub(super) mailbox: Mailbox,
    pub(super) feedback: FeedbackRoutes,
    pub(super) names: Arc<Names>,
    pub(super) policies: Policies,
    pub(super) faults: FaultInjector,
    pub(super) counts: CallCounts,
    pub(super) meter: Meter,
    pub(super) clock: Clock,
    pub(super) activity: Activity,
    pub(super) failure: DataFailure,
    /// Notified of every write to a table that has a stream.
    pub(super) writes: HashMap<String, watch::Sender<()>>,
    /// Set once the functions exist: they need the stores first.
    pub(super) environments: OnceLock<Weak<dyn Environments>>,
}

/// Handles one HTTP request of any emulated service.
pub(super) async fn answer(State(door): State<Arc<ServiceEndpoint>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        return error_responses::too_large();
    };
    let Some(mut call) = Call::read(&door.names, &parts.uri, &parts.headers, body) else {
        return error_responses::unknown();
    };
    if !is_signed(&parts.headers) {
        return error_responses::unsigned(call.store);
    }
    let title = format!("{} {} {}", call.store.name(), call.operation, call.resources());
    let title = title.trim_end();
    door.note(&call, &format!("{title} called"));
    call.is_watched = call.caller.is_some() && door.activity.has_listeners();
    let mut open = door.record_start(&mut call);
    let handled = door.admit(&call, parts.headers, &mut open).await;
    let response = door.record_end(&call, handled, &mut open).await;
    door.counts.count(&call, response.status());
    door.note(&call, &format!("{title} answered {}", response.status().as_u16()));
    response
}

/// Whether a call has a signature, as every SDK call has. It is not verified; its access key
/// identifies the caller.
fn is_signed(headers: &HeaderMap) -> bool {
    let mut signatures = headers.get_all(header::AUTHORIZATION).iter();
    let signed = signatures.next().and_then(|value| value.to_str().ok());
    let is_one = |value: &str| value.starts_with("AWS4-") && value.contains("Credential=");
    signed.is_some_and(is_one) && signatures.next().is_none()
}

/// The response to a call, and the platform's part in it.
pub(super) struct Handled {
    pub(super) response: Response,
    /// The actions that the policy denied, with their resources.
    pub(super) denials: Vec<(String, String)>,
    /// The fault that was injected.
    pub(super) fault: Option<String>,
}

impl ServiceEndpoint {
    /// Records that a function's call begins.
    fn record_start(&self, call: &mut Call) -> OpenCall {
        let Some(Caller { environment, .. }) = &call.caller else { return OpenCall::ignored() };
        let (names, accesses) = (Arc::clone(&self.names), Arc::clone(&call.accesses));
        self.activity.call_begins(CallStart {
            environment: environment.clone(),
            service: call.store.name(),
            operation: call.operation.clone(),
            resources: call.resource_names().into_iter().map(str::to_owned).collect(),
            accesses: Arc::new(CallAccesses { names, accesses }),
            body: call.body.clone(),
            writes: std::mem::take(&mut call.writes),
        })
    }

    /// Records the end of a call, and returns its response.
    async fn record_end(&self, call: &Call, handled: Handled, open: &mut OpenCall) -> Response {
        let Handled { response, denials, fault } = handled;
        let (head, body) = whole(response).await;
        self.meter.count(call, &body);
        self.note_end(call, (head, body), denials, fault, open)
    }

    /// Records the end of a call with its whole response, which it returns.
    fn note_end(
        &self,
        call: &Call,
        (mut head, mut body): (Parts, Bytes),
        denials: Vec<(String, String)>,
        fault: Option<String>,
        open: &mut OpenCall,
    ) -> Response {
        let units = self.take_units(call, &mut head, &mut body);
        if call.store == Store::Secrets {
            self.learn_secret(&call.body);
            self.learn_secret(&body);
        }
        let (status, response) = (head.status.as_u16(), body.clone());
        self.activity.call_ends(open, CallEnd { status, response, denials, fault, units });
        Response::from_parts(head, Body::from(body))
    }

    /// The units of an answer. They are removed from it if only a watcher has asked for them.
    fn take_units(&self, call: &Call, head: &mut Parts, body: &mut Bytes) -> Option<(f64, f64)> {
        const NAME: &str = "ConsumedCapacity";

        call.caller.as_ref()?;
        if call.store != Store::Tables || !call.is_watched && !self.meter.is_on() {
            return None;
        }
        let mut answer: Value = serde_json::from_slice(body).ok()?;
        let units = meter::units(call, &answer)?;
        if self.meter.hides(call) {
            answer.as_object_mut()?.remove(NAME);
            *body = Bytes::from(answer.to_string());
            describe_body(&mut head.headers, body);
        }
        Some(units)
    }

    /// No text may show the value of a secret that a body has.
    fn learn_secret(&self, body: &[u8]) {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        if let Some(value) = body["SecretString"].as_str() {
            self.activity.learn_secret(value);
        }
    }

    async fn admit(&self, call: &Call, headers: HeaderMap, open: &mut OpenCall) -> Handled {
        if let Some(denial) = self.policies.denial(&self.names, call) {
            if call.is_batch_of_statements() {
                return self.admit_batch(call, headers, open).await;
            }
            let response = error_responses::denied(call.store, &denial);
            let denials = vec![(denial.action, denial.resource)];
            return Handled { response, denials, fault: None };
        }
        self.carry_out(call, headers, open).await
    }

    /// Handles a call that the policy allows.
    pub(super) async fn carry_out(
        &self,
        call: &Call,
        headers: HeaderMap,
        open: &mut OpenCall,
    ) -> Handled {
        let mut strike = self.faults.inject(call);
        if let Some(met) = self.next_fault(call) {
            strike.add(&met);
        }
        let fault = described(&strike);
        let response = self.strike(call, headers, strike, open).await;
        Handled { response, denials: Vec::new(), fault }
    }

    /// Handles a call with these faults.
    async fn strike(
        &self,
        call: &Call,
        headers: HeaderMap,
        strike: Injection,
        open: &mut OpenCall,
    ) -> Response {
        if !strike.delay.is_zero() {
            tokio::time::sleep(strike.delay).await;
        }
        if let Some(refusal) = strike.refusal {
            return error_responses::refused(call, refusal);
        }
        // A killed process closes its connection, so that nothing runs after the kill: the end is
        // recorded before.
        if strike.kill_before_commit {
            let response = error_responses::unreachable(call.store, KILLED);
            self.note_end(call, whole(response).await, Vec::new(), described(&strike), open);
            return self.kill(call).await;
        }
        let response = self.hand_on(call, headers).await;
        if strike.kill_after_commit && response.status().is_success() {
            // The write was made even if its caller gets an error.
            self.note_end(call, whole(response).await, Vec::new(), described(&strike), open);
            return self.kill(call).await;
        }
        response
    }

    async fn hand_on(&self, call: &Call, headers: HeaderMap) -> Response {
        let body = call.body.clone();
        match call.store {
            Store::Queues => self.queues.call(&call.operation, body).await,
            Store::Secrets => self.secrets.call(&call.operation, body).await,
            Store::Mail => {
                let (response, told) = self.mailbox.send(&self.names, &self.feedback, &body);
                for event in told {
                    self.tell(&event).await;
                }
                response
            }
            Store::Tables => {
                let body = self.torn(call).unwrap_or(body);
                let body = self.meter.asking(call, &body).unwrap_or(body);
                let (operation, is_usual) = (&call.operation, call.is_usual);
                let answered = self.tables.answer(operation, is_usual, headers, body).await;
                self.tell_readers(call);
                answered.unwrap_or_else(|error| {
                    error_responses::unreachable(call.store, &error.to_string())
                })
            }
        }
    }

    /// Sends an event to the queues of the matching rules.
    async fn tell(&self, event: &Value) {
        let queues = self.feedback.queues(event).filter_map(|queue| self.names.queue(queue));
        for queue in queues {
            // As on AWS, SES ignores failures of its event delivery.
            let _ = self.queues.send(queue, &event.to_string()).await;
        }
    }

    /// The body of a function's transaction without the writes that the fault removes. Each is
    /// replaced by a check that always holds, so that cancellation reasons keep their order.
    fn torn(&self, call: &Call) -> Option<Bytes> {
        if call.caller.is_none() || call.operation != "TransactWriteItems" {
            return None;
        }
        let torn = self.faults.dropped_writes();
        if torn.is_empty() {
            return None;
        }
        let tables = torn.iter().filter_map(|table| self.names.table(table));
        let tables: Vec<&TableName> = tables.collect();
        let mut body: Value = serde_json::from_slice(&call.body).ok()?;
        let writes = body["TransactItems"].as_array_mut()?;
        for write in writes {
            let action = write.as_object()?.values().next()?.clone();
            let of_write = tables.iter().find(|table| action["TableName"] == *table.name);
            if let Some(TableName { name, partition_key, sort_key, .. }) = of_write {
                let item = if action["Key"].is_null() { &action["Item"] } else { &action["Key"] };
                let key: Map<String, Value> = [partition_key]
                    .into_iter()
                    .chain(sort_key)
                    .filter_map(|part| Some((part.clone(), item.get(part)?.clone())))
                    .collect();
                *write = json!({ "ConditionCheck": {
                    "TableName": name, "Key": key,
                    "ConditionExpression": "attribute_exists(#key) OR attribute_not_exists(#key)",
                    "ExpressionAttributeNames": { "#key": partition_key },
                }});
            }
        }
        Some(Bytes::from(body.to_string()))
    }

    /// Wakes the readers of the streams of all tables that a call may have written to.
    fn tell_readers(&self, call: &Call) {
        if !call.is_commit() {
            return;
        }
        for access in &*call.accesses {
            if let Resource::Table(table) = &access.resource {
                self.tell_readers_of(table);
            }
        }
    }

    pub(super) fn tell_readers_of(&self, table: &str) {
        if let Some(readers) = self.writes.get(table) {
            readers.send_replace(());
        }
    }

    async fn kill(&self, call: &Call) -> Response {
        if let (Some(environments), Some(caller)) = (self.environments(), &call.caller) {
            environments.kill(&caller.environment);
        }
        tokio::time::sleep(DEATH).await;
        error_responses::unreachable(call.store, KILLED)
    }

    /// The one-shot fault that a function's call meets.
    fn next_fault(&self, call: &Call) -> Option<FaultPoint> {
        let (environments, caller) = (self.environments()?, call.caller.as_ref()?);
        let is_met = |place: &FaultPoint| call.is_at(place);
        environments.next_fault(&caller.environment, &|| call.content_hash(), &is_met)
    }

    fn note(&self, call: &Call, what: &str) {
        if let (Some(environments), Some(caller)) = (self.environments(), &call.caller) {
            environments.note(&caller.environment, what);
        }
    }

    fn environments(&self) -> Option<Arc<dyn Environments>> {
        self.environments.get()?.upgrade()
    }
}

/// A response with its body. Those of the embedded services are complete and bounded.
pub(super) async fn whole(response: Response) -> (Parts, Bytes) {
    let (head, body) = response.into_parts();
    (head, to_bytes(body, BODY_BYTES_MAX).await.unwrap_or_default())
}

/// The injected faults in words; `None` if there are none.
fn described(strike: &Injection) -> Option<String> {
    let mut faults = Vec::new();
    if !strike.delay.is_zero() {
        faults.push(format!("delayed by {} ms", strike.delay.as_millis()));
    }
    let refusal = strike.refusal.map(|refusal| match refusal {
        InjectedError::Throttled => "throttled",
        InjectedError::Failed => "failed",
        InjectedError::Conflict => "conflict of transactions",
    });
    faults.extend(refusal.map(str::to_owned));
    if strike.refusal.is_none() && strike.kill_before_commit {
        faults.push("the process was killed before the write".to_owned());
    } else if strike.refusal.is_none() && strike.kill_after_commit {
        faults.push("the process was killed after the write".to_owned());
    }
    (!faults.is_empty()).then(|| faults.join(", "))
}

/// Corrects the headers that were of a longer body.
pub(super) fn describe_body(headers: &mut HeaderMap, body: &[u8]) {
    headers.remove(header::CONTENT_LENGTH);
    if let Some(checksum) = headers.get_mut("x-amz-crc32") {
        *checksum = crc32fast::hash(body).into();
    }
}
