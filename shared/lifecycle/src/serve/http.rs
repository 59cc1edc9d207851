//! The nine stages of a request, in order.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use http::header;
use tokio::time::timeout_at;
use uuid::Uuid;

use super::after::{Aftermath, Tertiary};
use super::lambda::{self, Answer, Handled, Invocation};
use super::response::REQUEST_ID;
use super::{Request, Response, Shared};
use crate::backoff::random_up_to;
use crate::caller::{Caller, SignIn};
use crate::commit::{Cause, Outcome, commit, outgoing};
use crate::effects::Effects;
use crate::endpoint::Endpoint;
use crate::failure::{Failure, Fault, Violations};
use crate::finding::{Finding, not_verified};
use crate::idempotency::{IntentKey, LEDGER, Remembered};
use crate::input::Input;
use crate::limit::Standing;
use crate::record::Record;
use crate::telemetry::line::{Line, Stages, lines_of_noted};
use crate::telemetry::{Observations, TraceContext, observed, otlp};
use crate::{Deadline, Moment, Permit, Timestamp};

/// How often stages 6 to 8 run when the facts keep moving.
const ATTEMPTS_MAX: u32 = 5;

/// Serves one endpoint.
pub(crate) struct Handler<E> {
    pub(crate) endpoint: E,
    pub(crate) shared: Arc<Shared>,
}

#[async_trait]
impl<E: Endpoint> lambda::Handler for Handler<E> {
    async fn handle(&self, invocation: Invocation) -> Handled {
        let mut tale = Tale::begin();
        let request = Request::from_event(&invocation.event);
        let request_id = request_id(request.as_ref().ok());
        let trace = trace(request.as_ref().ok(), invocation.x_ray.as_deref());
        let observations = Observations::of(request_id.clone(), Some(trace.clone()));
        let cause = Cause { request_id: request_id.clone(), traceparent: Some(trace.to_string()) };

        let (request, done) = match request {
            Err(violations) => (None, Err(Failure::Invalid(violations))),
            Ok(request) => {
                let stages = self.stages(&request, invocation.deadline, &cause, &mut tale);
                let guarded = guarded(invocation.deadline, stages);
                let done = observed(Arc::clone(&observations), guarded).await;
                (Some(request), done)
            }
        };

        let failure = done.as_ref().err();
        let code = failure.map(|failure| failure.answer().code);
        let error = failure.filter(|failure| failure.answer().status.is_server_error());
        let error = error.map(ToString::to_string);
        let done = done.unwrap_or_else(|failure| {
            Done::just(Response::of_failure(&failure, &request_id, request.as_ref()))
        });
        let origin = request.as_ref().and_then(|request| request.header(header::ORIGIN));
        let settings = &self.shared.settings;
        let mut response = done.response.finish(&request_id, settings.allowed_origin(origin));
        if let Some(standing) = tale.standing {
            standing.add_to(&mut response.headers);
        }
        tale.stages.end("response");

        let route = E::ROUTE;
        let line = Line {
            service: &settings.service,
            function: &settings.function,
            at: tale.at,
            request_id: &request_id,
            trace_id: trace.trace_id(),
            method: route.method.as_str(),
            path: route.path,
            status: response.status.as_u16(),
            code,
            error: error.as_deref(),
            replayed: done.replayed,
            attempts: tale.attempts,
            cold_start: invocation.cold_start,
            total: tale.stages.total(),
            stages: tale.stages.times(),
        };
        let spans = settings.collector.is_some() && trace.is_sampled();
        let spans = spans.then(|| otlp::spans_of_request(&root_of(&line, &trace), &tale.stages));
        let noted = observations.noted();
        let left = outgoing(&noted.messages, &Moment::of_request(tale.at), &cause);
        let noted = lines_of_noted(&settings.service, tale.at, &noted);
        let aftermath = Aftermath {
            shared: Arc::clone(&self.shared),
            deadline: invocation.deadline,
            lines: std::iter::once(line.to_json()).chain(noted).collect(),
            spans: spans.unwrap_or_default(),
            tertiary: done.tertiary.with_messages(left),
        };
        Handled { answer: Ok(Answer::Http(response)), aftermath: Some(aftermath) }
    }
}

/// What is remembered of a request while it is served, to be told afterwards.
struct Tale {
    at: Timestamp,
    stages: Stages,
    standing: Option<Standing>,
    attempts: u32,
}

impl Tale {
    fn begin() -> Self {
        Self { at: Timestamp::now(), stages: Stages::start(), standing: None, attempts: 0 }
    }
}

/// A request that has come to its answer.
struct Done {
    response: Response,
    tertiary: Tertiary,
    replayed: bool,
}

impl Done {
    fn just(response: Response) -> Self {
        Self { response, tertiary: Tertiary::default(), replayed: false }
    }

    fn replay(response: Response) -> Self {
        Self { replayed: true, ..Self::just(response) }
    }
}

impl<E: Endpoint> Handler<E> {
    /// The stages. Whatever ends them early is a failure, and becomes an answer in one place.
    async fn stages(
        &self,
        request: &Request,
        deadline: Deadline,
        cause: &Cause,
        tale: &mut Tale,
    ) -> Result<Done, Failure> {
        // 1. Routing. API Gateway has done it; a function behind a wrong route says so.
        route::<E>(request)?;
        tale.stages.end("routing");

        // 2. Authentication, and 3. authorization as far as it needs no facts.
        let caller = self.authenticate(request, tale.at).await?;
        tale.stages.end("authentication");
        E::ACCESS.admits(&caller)?;
        tale.stages.end("authorization");
        self.limit(request, &caller, tale).await?;
        tale.stages.end("limit");

        // 4. Deserialisation, and 5. syntax validation.
        let (key, command) = read::<E>(request, &caller, tale)?;
        tale.stages.end("validation");

        // 6. to 9. With the permit that only a caller who was let in gets.
        let permit = Permit::new(caller, Moment::of_request(tale.at), deadline)
            .of_source(request.source_ip.clone());
        let settled = self.settle(request, &permit, &command, key.as_ref(), cause, tale).await;
        match (settled, key) {
            (Err(failure), Some(key)) if failure.may_follow_success() => {
                match self.recall(&key, tale.at).await? {
                    Some(response) => Ok(Done::replay(response)),
                    None => Err(failure),
                }
            }
            (Ok(done), _) => Ok(Done { response: done.response.with_entity_tag(request), ..done }),
            (Err(failure), _) => Err(failure),
        }
    }

    /// Who is asking, by what the authorizer found. Without claims no caller gets past this who has
    /// to sign in.
    async fn authenticate(&self, request: &Request, now: Timestamp) -> Result<E::Caller, Failure> {
        match (&request.finding, E::Caller::SIGN_IN) {
            (_, SignIn::None) | (Finding::Unasked, SignIn::Required) => {
                E::Caller::identify(None, now)
            }
            (Finding::Claims(claims), _) => E::Caller::identify(Some(claims), now),
            (Finding::Refused, _) => Err(Failure::Unauthenticated),
            (Finding::Unavailable { at }, _) => Err(not_verified(*at, now).into()),
            (Finding::Unasked, SignIn::Optional) => self.verify(request, now).await,
        }
    }

    /// The caller by the token that the request brings itself, where signing in is optional: API
    /// Gateway's authorizers refuse a request without one.
    async fn verify(&self, request: &Request, now: Timestamp) -> Result<E::Caller, Failure> {
        let verifier = match self.endpoint.verifier() {
            Some(verifier) if request.headers.contains_key(header::AUTHORIZATION) => verifier,
            _ => return E::Caller::identify(None, now),
        };
        // A client that means to sign in, and has not, is not to take the answer for its own.
        let token = request.bearer_token().ok_or(Failure::Unauthenticated)?;
        let claims = verifier.verify(token, now).await?;
        E::Caller::identify(Some(&claims), now)
    }

    async fn limit(
        &self,
        request: &Request,
        caller: &E::Caller,
        tale: &mut Tale,
    ) -> Result<(), Failure> {
        let mut limit = E::LIMIT;
        limit.quota = self.shared.settings.rate_limit.unwrap_or(limit.quota);
        let counted = caller.subject().unwrap_or_else(|| request.source_ip.clone());
        let platform = &*self.shared.platform;
        let route = format!("{} {}", E::ROUTE.method, E::ROUTE.path);
        let standing = self.shared.limiter.admit(platform, &limit, &route, &counted, tale.at).await;
        tale.standing = Some(standing);
        Ok(standing.enforce()?)
    }

    /// Stages 6 to 9, again and again while the facts move and there is time.
    async fn settle(
        &self,
        request: &Request,
        permit: &Permit<E::Caller>,
        command: &E::Command,
        key: Option<&IntentKey>,
        cause: &Cause,
        tale: &mut Tale,
    ) -> Result<Done, Failure> {
        let platform = &*self.shared.platform;
        let moment = permit.moment();
        loop {
            tale.attempts += 1;
            let (effects, response) = self.decide(request, permit, command, tale).await?;
            let remember = key.map(|key| key.remember(&response, moment.now()));
            let outcome = commit(platform, &effects, remember, E::USES, moment, cause).await?;
            tale.stages.end("effects");
            match (outcome, key) {
                (Outcome::Committed, _) => {
                    return Ok(Done {
                        response,
                        tertiary: Tertiary::of(&effects, moment, cause),
                        replayed: false,
                    });
                }
                (Outcome::Known(Some(stored)), Some(key)) => {
                    let known = Remembered::of_item(stored).map_err(Fault::internal)?;
                    return key.replay(known).ok_or(Failure::KeyReused).map(Done::replay);
                }
                (Outcome::Rejected(rejection), _) => return Err(rejection.into()),
                // A ledger record that is gone again by now has expired: nothing is known.
                (Outcome::Known(_) | Outcome::Moved, _) => {
                    pause(tale.attempts, permit.deadline()).await?;
                }
            }
        }
    }

    /// Stages 6 to 9 once, up to the commit.
    async fn decide(
        &self,
        request: &Request,
        permit: &Permit<E::Caller>,
        command: &E::Command,
        tale: &mut Tale,
    ) -> Result<(Effects, Response), Failure> {
        // 6. Retrieval.
        let facts = self.endpoint.retrieve(permit, command).await?;
        tale.stages.end("retrieval");
        // 3 again. Authorization that depends on what was found.
        E::allow(permit.caller(), command, &facts).enforce()?;
        tale.stages.end("authorization");
        if E::IF_MATCH.is_some_and(|tag_of| !tag_of(&facts).allows_change(&request.headers)) {
            return Err(Failure::PreconditionFailed);
        }
        // 7. Business rules.
        let outcome = E::decide(permit.moment(), permit.caller(), command, facts)?;
        tale.stages.end("rules");
        // 8. Side effects, and 9. response, both still as values.
        let effects = E::effects(&outcome);
        let response = Response::of_reply(E::reply(outcome)).map_err(Fault::internal)?;
        if response.status != E::STATUS && Some(response.status) != E::FAILURE_STATUS {
            let message = format!("answers {}, and describes {}", response.status, E::STATUS);
            return Err(Fault::internal(message).into());
        }
        tale.stages.end("response");
        Ok((effects, response))
    }

    /// The answer that was committed under this key, if there is one.
    async fn recall(&self, key: &IntentKey, now: Timestamp) -> Result<Option<Response>, Failure> {
        let Some(stored) = self.shared.platform.read(LEDGER, key.ledger_key()).await? else {
            return Ok(None);
        };
        let remembered = Remembered::of_item(stored).map_err(Fault::internal)?;
        if remembered.has_expired(now) {
            return Ok(None);
        }
        key.replay(remembered).ok_or(Failure::KeyReused).map(Some)
    }
}

fn route<E: Endpoint>(request: &Request) -> Result<(), Failure> {
    if !E::ROUTE.matches(&request.path) {
        return Err(Failure::Hidden);
    }
    if E::ROUTE.method != request.method {
        return Err(Failure::WrongMethod);
    }
    Ok(())
}

/// Reads and checks everything that the request brings; all that is wrong is told at once.
fn read<E: Endpoint>(
    request: &Request,
    caller: &E::Caller,
    tale: &mut Tale,
) -> Result<(Option<IntentKey>, E::Command), Failure> {
    if !request.accepts_json() {
        return Err(Failure::NotAcceptable);
    }
    if request.body.len() > E::BODY_BYTES_MAX {
        return Err(Failure::TooLarge { limit: E::BODY_BYTES_MAX });
    }
    let mut violations = Violations::none();
    let subject = caller.subject();
    let key = IntentKey::of_request(E::IDEMPOTENCY, request, E::ROUTE.path, subject.as_deref());
    let key = key.unwrap_or_else(|found| {
        violations.extend(found);
        None
    });
    let input = E::Input::read(request, &mut violations)?;
    tale.stages.end("deserialisation");
    let command = input.and_then(|input| match E::parse(input) {
        Ok(command) => Some(command),
        Err(found) => {
            violations.extend(found);
            None
        }
    });
    match (command, violations.is_empty()) {
        (Some(command), true) => Ok((key, command)),
        _ => Err(Failure::Invalid(violations)),
    }
}

impl Failure {
    /// Whether the same request may have succeeded before, and is refused now because of what it
    /// has changed itself: the last piece was sold, to this very caller.
    fn may_follow_success(&self) -> bool {
        matches!(
            self,
            Self::Rejected(_)
                | Self::PreconditionFailed
                | Self::Hidden
                | Self::Forbidden
                | Self::Fault(Fault::Absent)
        )
    }
}

/// Runs until the deadline at most, and turns a panic into a failure of this one request.
pub(crate) async fn guarded<T>(
    deadline: Deadline,
    future: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    match timeout_at(deadline.instant(), AssertUnwindSafe(future).catch_unwind()).await {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            Err(Failure::Panicked(text.unwrap_or_else(|| "no message".to_owned())))
        }
        Err(_) => Err(Failure::Fault(Fault::TimedOut)),
    }
}

/// Waits before the next attempt, with full jitter, unless there is no attempt or no time left.
pub(crate) async fn pause(attempts: u32, deadline: Deadline) -> Result<(), Fault> {
    if attempts >= ATTEMPTS_MAX {
        let source = format!("others were at the same items {attempts} times").into();
        return Err(Fault::Unavailable { retry_after_s: 1, source });
    }
    let wait = Duration::from_millis(random_up_to(10 << attempts));
    if wait >= deadline.left() {
        return Err(Fault::TimedOut);
    }
    tokio::time::sleep(wait).await;
    Ok(())
}

/// The client's id if it is 1 to 128 visible ASCII characters, else one of our own.
fn request_id(request: Option<&Request>) -> String {
    let sent = request.and_then(|request| request.header(REQUEST_ID));
    let valid =
        |id: &&str| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    sent.filter(valid).map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

fn trace(request: Option<&Request>, x_ray: Option<&str>) -> TraceContext {
    let header = |name| request.and_then(|request| request.header(name));
    TraceContext::continued(header("traceparent"), header("tracestate"), x_ray)
}

fn root_of<'a>(line: &Line<'a>, trace: &'a TraceContext) -> otlp::Root<'a> {
    otlp::Root {
        trace,
        method: line.method,
        path: line.path,
        status: line.status,
        request_id: line.request_id,
        at: line.at,
    }
}
