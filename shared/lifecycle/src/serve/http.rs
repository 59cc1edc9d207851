//! The nine stages of a request, in order.

use std::sync::Arc;

use async_trait::async_trait;
use http::{Method, header};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::asked::{Asked, read, route};
use super::deferred::{DeferredWork, Tertiary};
use super::guard::{Retries, guarded};
use super::lambda::{self, Handled, Invocation, InvocationResult};
use super::meter::Meter;
use super::overrun::LastWords;
use super::response::REQUEST_ID;
use super::watchdog::Watched;
use super::{Request, Response, Shared};
use crate::caller::{Caller, SignIn};
use crate::commit::{CommitOutcome, EventOrigin, commit, outgoing};
use crate::effects::Effects;
use crate::endpoint::Endpoint;
use crate::error::{RequestError, ServiceError};
use crate::finding::{Finding, not_verified};
use crate::idempotency::{IDEMPOTENCY_KEYS, ScopedIdempotencyKey, StoredResponse};
use crate::limit::RateLimitStatus;
use crate::record::Record;
use crate::telemetry::line::{Line, Stages, lines_of_noted};
use crate::telemetry::{Observations, TraceContext, observed, otlp};
use crate::{Deadline, Moment, Permit, Timestamp};

/// Serves one endpoint.
pub(crate) struct Handler<E> {
    pub(crate) endpoint: E,
    pub(crate) shared: Arc<Shared>,
}

#[async_trait]
impl<E: Endpoint> lambda::Handler for Handler<E> {
    async fn handle(&self, invocation: Invocation) -> Handled {
        let mut tale = RequestLog::begin();
        let request = Request::from_event(&invocation.event, &E::ROUTE);
        let request_id = request_id(request.as_ref().ok());
        let trace = trace(request.as_ref().ok(), invocation.x_ray.as_deref());
        let observations = Observations::of(request_id.clone(), Some(trace.clone()));
        let cause = EventOrigin::of(&request_id, &trace);

        let (request, done) = match request {
            Err(violations) => (None, Err(RequestError::Invalid(violations))),
            Ok(request) => {
                let stages = self.stages(&request, invocation.deadline, &cause, &mut tale);
                let guarded = guarded(invocation.deadline, stages);
                let done = observed(Arc::clone(&observations), guarded).await;
                (Some(request), done)
            }
        };

        let failure = done.as_ref().err();
        let standing = tale.standing.filter(|standing| standing.explains(failure));
        let code = failure.map(|failure| failure.response().code);
        let error = failure.filter(|failure| failure.response().status.is_server_error());
        let error = error.map(ToString::to_string);
        let done = done.unwrap_or_else(|failure| {
            Done::just(Response::of_failure(&failure, &request_id, request.as_ref()))
        });
        let origin = request.as_ref().and_then(|request| request.header(header::ORIGIN));
        let settings = &self.shared.settings;
        let mut response = done.response.finish(&request_id, settings.allowed_origin(origin));
        if let Some(standing) = standing {
            standing.add_to(&mut response.headers);
        }
        let is_head = request.as_ref().is_some_and(|request| request.method == Method::HEAD);
        if is_head {
            response = response.without_body();
        }
        tale.stages.end("response");

        let method = if is_head { Method::HEAD } else { E::ROUTE.method };
        let line = Line {
            service: &settings.service,
            function: &settings.function,
            at: tale.at,
            request_id: &request_id,
            trace_id: trace.trace_id(),
            method: method.as_str(),
            path: E::ROUTE.path,
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
        let noted = lines_of_noted(&settings.service, tale.at, &request_id, &noted);
        let aftermath = DeferredWork {
            shared: Arc::clone(&self.shared),
            request: Some(observations),
            deadline: invocation.deadline,
            lines: std::iter::once(line.to_json()).chain(noted).collect(),
            spans: spans.unwrap_or_default(),
            telling: tale.telling,
            tertiary: done.tertiary.with_messages(left),
        };
        Handled { answer: Ok(InvocationResult::Http(response)), deferred: Some(aftermath) }
    }

    fn overran(&self, watched: &Watched) -> Option<LastWords> {
        let settings = &self.shared.settings;
        let request = Request::from_event(&watched.event, &E::ROUTE).ok();
        let request_id = request_id(request.as_ref());
        let trace = trace(request.as_ref(), watched.x_ray.as_deref());
        let failure = RequestError::ServiceError(ServiceError::TimedOut);
        let origin = request.as_ref().and_then(|request| request.header(header::ORIGIN));
        let response = Response::of_failure(&failure, &request_id, request.as_ref())
            .finish(&request_id, settings.allowed_origin(origin));
        let is_head = request.as_ref().is_some_and(|request| request.method == Method::HEAD);
        let response = if is_head { response.without_body() } else { response };
        let method = request.map_or(E::ROUTE.method, |request| request.method);
        let line = Line {
            service: &settings.service,
            function: &settings.function,
            at: Timestamp::now(),
            request_id: &request_id,
            trace_id: trace.trace_id(),
            method: method.as_str(),
            path: E::ROUTE.path,
            status: response.status.as_u16(),
            code: Some(failure.response().code),
            error: Some("the handler blocked its thread beyond the deadline; the process exits"),
            replayed: false,
            attempts: 1,
            cold_start: watched.cold_start,
            total: watched.began.elapsed(),
            stages: &[],
        };
        Some(LastWords { answer: InvocationResult::Http(response), line: line.to_json() })
    }
}

/// Data collected while a request is served, for its log line, metrics and spans.
pub(super) struct RequestLog {
    pub(super) at: Timestamp,
    stages: Stages,
    pub(super) standing: Option<RateLimitStatus>,
    /// Exchanges of counts that are running.
    pub(super) telling: Vec<JoinHandle<()>>,
    attempts: u32,
}

impl RequestLog {
    fn begin() -> Self {
        Self {
            at: Timestamp::now(),
            stages: Stages::start(),
            standing: None,
            telling: Vec::new(),
            attempts: 0,
        }
    }
}

/// A request with its response.
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
    /// Runs the stages. Every early end is a failure, and one place turns it into a response.
    async fn stages(
        &self,
        request: &Request,
        deadline: Deadline,
        cause: &EventOrigin,
        tale: &mut RequestLog,
    ) -> Result<Done, RequestError> {
        // 1. Routing. API Gateway has done it; a function behind a wrong route returns an error.
        route::<E>(request)?;
        tale.stages.end("routing");

        // 2. Authentication, and 3. authorization as far as it needs no facts.
        let source = self.shared.settings.trusted_hops.source_of(&request.peer, &request.headers);
        let caller = match self.admit(request, tale).await {
            Ok(caller) => caller,
            Err(failure) => {
                // A refused request costs an invocation too, so it counts for its source.
                Meter::new::<E>(&self.shared, request, source).charge(1, tale).await?;
                return Err(failure);
            }
        };
        let counted = caller.subject().unwrap_or_else(|| source.clone());
        let meter = Meter::new::<E>(&self.shared, request, counted);
        meter.charge(1, tale).await?;
        tale.stages.end("limit");

        // 4. Deserialisation, and 5. syntax validation.
        let asked = read::<E>(request, &caller, &mut tale.stages)?;
        tale.stages.end("validation");
        meter.charge_rest(E::cost(&asked.command), tale).await?;
        tale.stages.end("limit");

        // 6. to 9. With a permit, which only an admitted caller gets.
        let permit = Permit::new(caller, Moment::of_request(tale.at), deadline)
            .of_request(source, request.prefix.clone());
        let settled = self.settle(&permit, &asked, cause, tale).await;
        match (settled, &asked.key) {
            (Err(failure), Some(key)) if failure.may_follow_success() => {
                match self.recall(key, tale.at).await? {
                    Some(response) => Ok(Done::replay(response)),
                    None => Err(failure),
                }
            }
            (Ok(done), _) if E::ROUTE.method == Method::GET => {
                let response = done.response.conditional(&asked.conditions);
                Ok(Done { response: response.ok_or(RequestError::PreconditionFailed)?, ..done })
            }
            (settled, _) => settled,
        }
    }

    /// Stage 2, and stage 3 as far as it needs no facts.
    async fn admit(
        &self,
        request: &Request,
        tale: &mut RequestLog,
    ) -> Result<E::Caller, RequestError> {
        let caller = self.authenticate(request, tale.at).await?;
        tale.stages.end("authentication");
        E::ACCESS.admits(&caller)?;
        tale.stages.end("authorization");
        Ok(caller)
    }

    /// Returns the caller, by the authorizer's result. Without claims, a caller that must sign in
    /// is refused.
    async fn authenticate(
        &self,
        request: &Request,
        now: Timestamp,
    ) -> Result<E::Caller, RequestError> {
        match (&request.finding, E::Caller::SIGN_IN) {
            (_, SignIn::None) | (Finding::Unasked, SignIn::Required) => {
                E::Caller::identify(None, now)
            }
            (Finding::Claims(claims), _) => E::Caller::identify(Some(claims), now),
            (Finding::Refused, _) => Err(RequestError::Unauthenticated),
            (Finding::Unavailable { at }, _) => Err(not_verified(*at, now).into()),
            (Finding::Unasked, SignIn::Optional) => self.verify(request, now).await,
        }
    }

    /// Returns the caller by the request's own token, where signing in is optional: API Gateway's
    /// authorizers refuse a request without a token.
    async fn verify(&self, request: &Request, now: Timestamp) -> Result<E::Caller, RequestError> {
        let verifier = match self.endpoint.verifier() {
            Some(verifier) if request.headers.contains_key(header::AUTHORIZATION) => verifier,
            _ => return E::Caller::identify(None, now),
        };
        // A client with a wrong credential must not get a response for anonymous callers.
        let token = request.bearer_token().ok_or(RequestError::Unauthenticated)?;
        let claims = verifier.verify(token, now).await?;
        E::Caller::identify(Some(&claims), now)
    }

    /// Stages 6 to 9, repeated while the facts are stale and time is left.
    async fn settle(
        &self,
        permit: &Permit<E::Caller>,
        asked: &Asked<E::Command>,
        cause: &EventOrigin,
        tale: &mut RequestLog,
    ) -> Result<Done, RequestError> {
        let platform = &*self.shared.platform;
        let moment = permit.moment();
        let Asked { key, conditions, .. } = asked;
        if !E::ROUTE.method.is_safe() && !conditions.admit(&E::CONDITIONS) {
            return Err(RequestError::PreconditionFailed);
        }
        loop {
            tale.attempts += 1;
            let (effects, response) = self.decide(permit, asked, tale).await?;
            let key = key.as_ref();
            let remember = key.map(|key| key.store(&response, moment.now()));
            let outcome = commit(platform, &effects, remember, E::RESOURCES, moment, cause).await?;
            tale.stages.end("effects");
            match (outcome, key) {
                (CommitOutcome::Committed, _) => {
                    return Ok(Done {
                        response,
                        tertiary: Tertiary::of(&effects, moment, cause),
                        replayed: false,
                    });
                }
                (CommitOutcome::Duplicate(Some(stored)), Some(key)) => {
                    let known = StoredResponse::of_item(stored).map_err(ServiceError::internal)?;
                    return key.replay(known).ok_or(RequestError::KeyReused).map(Done::replay);
                }
                (CommitOutcome::Rejected(rejection), _)
                    if conditions.explain(&E::CONDITIONS, &rejection) =>
                {
                    return Err(RequestError::PreconditionFailed);
                }
                (CommitOutcome::Rejected(rejection), _) => return Err(rejection.into()),
                // The record in the idempotency table has expired or is gone: the key is free
                // again.
                (CommitOutcome::Duplicate(_) | CommitOutcome::Conflict, _) => {
                    Retries::OF_REQUEST.pause(tale.attempts, permit.deadline()).await?;
                }
            }
        }
    }

    /// Stages 6 to 9 once, up to the commit.
    async fn decide(
        &self,
        permit: &Permit<E::Caller>,
        Asked { conditions, command, .. }: &Asked<E::Command>,
        tale: &mut RequestLog,
    ) -> Result<(Effects, Response), RequestError> {
        // 6. Retrieval.
        let facts = self.endpoint.retrieve(permit, command).await?;
        tale.stages.end("retrieval");
        // 3b. Authorization that depends on the facts.
        E::allow(permit.caller(), command, &facts).enforce()?;
        tale.stages.end("authorization");
        if !E::ROUTE.method.is_safe() && !conditions.admit_facts(&E::CONDITIONS, &facts) {
            return Err(RequestError::PreconditionFailed);
        }
        // 7. Business rules.
        let outcome = E::decide(permit.moment(), permit.caller(), command, facts)?;
        tale.stages.end("rules");
        // 8. Side effects, and 9. response, both still as values.
        let effects = E::effects(&outcome);
        let response = Response::of_reply(E::reply(outcome)).map_err(ServiceError::internal)?;
        let response = response.below(permit.prefix());
        if response.status != E::STATUS && Some(response.status) != E::FAILURE_STATUS {
            let message = format!(
                "the reply has status {}, but the endpoint declares {}",
                response.status,
                E::STATUS
            );
            return Err(ServiceError::internal(message).into());
        }
        tale.stages.end("response");
        Ok((effects, response))
    }

    /// Returns the stored response of this key, if there is one.
    async fn recall(
        &self,
        key: &ScopedIdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<Response>, RequestError> {
        let Some(stored) = self.shared.platform.read(IDEMPOTENCY_KEYS, key.ledger_key()).await?
        else {
            return Ok(None);
        };
        let remembered = StoredResponse::of_item(stored).map_err(ServiceError::internal)?;
        if remembered.has_expired(now) {
            return Ok(None);
        }
        key.replay(remembered).ok_or(RequestError::KeyReused).map(Some)
    }
}

impl RequestError {
    /// Whether an earlier success of the same request may have caused this failure: for example,
    /// the caller itself bought the last piece.
    fn may_follow_success(&self) -> bool {
        matches!(
            self,
            Self::Rejected(_)
                | Self::PreconditionFailed
                | Self::Hidden
                | Self::Forbidden
                | Self::ServiceError(ServiceError::NotFound)
        )
    }
}

fn request_id(request: Option<&Request>) -> String {
    request_id_of(request.and_then(|request| request.header(REQUEST_ID)))
}

/// The client's id if it is 1 to 128 visible ASCII characters, else a new one.
pub(super) fn request_id_of(sent: Option<&str>) -> String {
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
