//! The nine stages of a request, in order.

use std::sync::Arc;

use http::{Method, header};

use super::super::deferred::Tertiary;
use super::super::guard::Retries;
use super::super::repetition::Repetition;
use super::super::shared::Shared;
use super::meter::Meter;
use super::parse::{Asked, read, route};
use super::request_log::RequestLog;
use crate::caller::{Caller, SignIn, Verdict};
use crate::caller::{Finding, not_verified};
use crate::commit::{CommitOutcome, EventOrigin, commit};
use crate::conditions::Named;
use crate::effects::Effects;
use crate::endpoint::Endpoint;
use crate::error::{DomainError, RequestError, ServiceError};
use crate::http::{Request, Response};
use crate::idempotency::{IDEMPOTENCY_KEYS, ScopedIdempotencyKey, StoredResponse};
use crate::limit::SubjectLimiter;
use crate::record::Record;
use crate::telemetry::inspector::{
    Judge, Stage, caller_of, of_access, of_caller, of_facts, of_subject,
};
use crate::telemetry::{mark_own, restore_own};
use crate::{Deadline, Moment, Permit, Timestamp};

/// Serves one endpoint.
pub(crate) struct Handler<E: Endpoint> {
    pub(crate) endpoint: E,
    pub(crate) shared: Arc<Shared>,
    subjects: Option<SubjectLimiter<E::Command>>,
}

/// A request with its response.
pub(super) struct Done {
    pub(super) response: Response,
    pub(super) tertiary: Tertiary,
    pub(super) replayed: bool,
}

impl Done {
    pub(super) fn just(response: Response) -> Self {
        Self { response, tertiary: Tertiary::default(), replayed: false }
    }

    fn replay(response: Response) -> Self {
        Self { replayed: true, ..Self::just(response) }
    }
}

impl<E: Endpoint> Handler<E> {
    pub(crate) fn new(endpoint: E, shared: Arc<Shared>) -> Self {
        let store = Arc::clone(&shared.adapter);
        let subjects = E::SUBJECT_LIMIT.map(|limit| limit.counted_in(store));
        Self { endpoint, shared, subjects }
    }

    /// Runs the stages. Every early end is a failure, and one place turns it into a response.
    pub(super) async fn stages(
        &self,
        request: &Request,
        deadline: Deadline,
        cause: &EventOrigin,
        log: &mut RequestLog,
    ) -> Result<Done, RequestError> {
        // 1. Routing. API Gateway has done it; a function behind a wrong route returns an error.
        route::<E>(request)?;
        log.stages.end("routing");

        // 2. Authentication, and 3. authorization as far as it needs no facts.
        let source = self.shared.settings.trusted_hops.source_of(&request.peer, &request.headers);
        let caller = match self.admit(request, log).await {
            Ok(caller) => caller,
            Err(failure) => {
                let refused_at = log.inspection.running();
                // A refused request costs an invocation too, so it counts for its source.
                Meter::new::<E>(&self.shared, request, source).charge(1, log).await?;
                log.inspection.resume(refused_at);
                return Err(failure);
            }
        };
        let counted = caller.subject().unwrap_or_else(|| source.clone());
        let meter = Meter::new::<E>(&self.shared, request, counted);
        meter.charge(1, log).await?;
        log.stages.end("limit");

        // 4. Deserialisation, and 5. syntax validation.
        let asked = read::<E>(request, &caller, log)?;
        log.stages.end("validation");
        meter.charge_rest(E::cost(&asked.command), log).await?;
        log.stages.end("limit");

        // 6. to 9. With a permit, which only an admitted caller gets.
        let moment = Moment::of_request(log.at, &mut log.draw);
        let permit = Permit::new(caller, moment, deadline).of_request(
            source,
            request.prefix.clone(),
            log.after_response.clone(),
        );
        let settled = self.settle(&permit, &asked, request, cause, log).await;
        match (settled, &asked.key) {
            (Err(failure), Some(key)) if failure.may_follow_success() => {
                let refused_at = log.inspection.running();
                log.inspection.enter(Stage::Effects);
                if let Some(response) = self.recall(key, request, log.at).await? {
                    return Ok(Done::replay(response));
                }
                log.inspection.resume(refused_at);
                Err(failure)
            }
            (Ok(done), _) if done.replayed && E::ROUTE.method == Method::GET => {
                log.inspection.resume(Stage::Response);
                Ok(Done { response: conditional(done.response, &asked.conditions)?, ..done })
            }
            (settled, _) => settled,
        }
    }

    /// Stage 2, and stage 3 as far as it needs no facts.
    async fn admit(
        &self,
        request: &Request,
        log: &mut RequestLog,
    ) -> Result<E::Caller, RequestError> {
        log.inspection.enter(Stage::Authentication);
        let caller = self.authenticate(request, log.at).await;
        log.inspection.verdict(Judge::Caller, caller.is_ok(), || of_caller::<E>(&caller));
        let caller = caller?;
        log.inspection.caller(|| caller_of::<E>(&caller));
        log.stages.end("authentication");
        log.inspection.enter(Stage::Authorization);
        let admitted = E::ACCESS.admits(&caller);
        log.inspection.verdict(Judge::Access, admitted.is_ok(), || of_access::<E>(&caller));
        admitted?;
        log.stages.end("authorization");
        Ok(caller)
    }

    /// Returns the caller, by the authorizer's result. Without claims, a caller that must sign in
    /// is refused.
    async fn authenticate(
        &self,
        request: &Request,
        now: Timestamp,
    ) -> Result<E::Caller, RequestError> {
        let claims = request.finding.claims_of(E::Caller::AUTHORIZER);
        match (&request.finding, E::Caller::SIGN_IN) {
            (_, SignIn::None) => E::Caller::identify(None, now),
            (Finding::Refused, _) => Err(RequestError::Unauthenticated),
            (Finding::Unavailable { at }, _) => Err(not_verified(*at, now).into()),
            (_, SignIn::Optional) if claims.is_none() => self.verify(request, now).await,
            // Without claims, or with those of another authorizer, the caller is not known.
            (_, SignIn::Optional | SignIn::Required) => E::Caller::identify(claims, now),
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
        request: &Request,
        cause: &EventOrigin,
        log: &mut RequestLog,
    ) -> Result<Done, RequestError> {
        let adapter = &*self.shared.adapter;
        let moment = permit.moment();
        let Asked { key, conditions, .. } = asked;
        if !E::ROUTE.method.is_safe() && !conditions.admit(&E::CONDITIONS, &E::ROUTE.method) {
            log.inspection.enter(Stage::Validation);
            return Err(RequestError::PreconditionFailed);
        }
        // Once for a request, however often its facts are stale.
        if let Some(subjects) = &self.subjects {
            log.inspection.enter(Stage::Limit);
            let charged = subjects.charge(permit, &asked.command).await;
            let charged = charged.map_err(RequestError::from);
            let reason = || of_subject::<E>(charged.as_ref().copied());
            log.inspection.verdict(Judge::Limit, charged.is_ok(), reason);
            charged?;
            log.stages.end("limit");
        }
        let mut repetition = Repetition::default();
        mark_own();
        loop {
            log.attempts += 1;
            restore_own();
            let (effects, mut response) = self.decide(permit, asked, log).await?;
            let key = key.as_ref();
            let is_failure = response.status.is_server_error();
            // A reply that reports a failure is not stored: a retry with the key is decided again.
            let remember = key.filter(|_| !is_failure);
            // The stored response is unconditional: a retry may have other conditions.
            let remember = remember.map(|key| key.store(&response, moment.now()));
            if E::ROUTE.method == Method::GET {
                // Before the commit: a 412 changes nothing.
                response = conditional(response, conditions)?;
            }
            log.inspection.resume(Stage::Effects);
            log.inspection.reached(log.attempts);
            if let Some(key) = key.filter(|_| is_failure)
                && let Some(response) = self.recall(key, request, log.at).await?
            {
                return Ok(Done::replay(response));
            }
            let outcome = commit(adapter, &effects, remember, E::RESOURCES, moment, cause).await?;
            log.stages.end("effects");
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
                    let replayed = key.replay(known, request).ok_or(RequestError::KeyReused);
                    return replayed.map(Done::replay);
                }
                (CommitOutcome::Rejected(rejection), _) => {
                    return Err(refusal::<E>(conditions, rejection));
                }
                (CommitOutcome::Stale(failed), _) => {
                    log.inspection.stale(&failed);
                    repetition.note(failed)?;
                }
                // The record in the idempotency table has expired or is gone: the key is free
                // again.
                (CommitOutcome::Duplicate(_) | CommitOutcome::Conflict, _) => {
                    log.inspection.conflict();
                    repetition.interrupt();
                }
            }
            permit.facts_were_stale();
            Retries::OF_REQUEST.pause(log.attempts, permit.deadline()).await?;
        }
    }

    /// Stages 6 to 9 once, up to the commit.
    async fn decide(
        &self,
        permit: &Permit<E::Caller>,
        Asked { conditions, command, .. }: &Asked<E::Command>,
        log: &mut RequestLog,
    ) -> Result<(Effects, Response), RequestError> {
        // 6. Retrieval.
        log.inspection.enter(Stage::Retrieval);
        log.inspection.reached(log.attempts);
        let facts = self.endpoint.retrieve(permit, command).await?;
        log.stages.end("retrieval");
        // 3b. Authorization that depends on the facts.
        log.inspection.enter(Stage::Authorization);
        let verdict = E::ALLOW.verdict(permit.caller(), command, &facts);
        let allowed = verdict == Verdict::Allow;
        log.inspection.verdict(Judge::Facts, allowed, || of_facts::<E>(verdict));
        verdict.enforce()?;
        log.stages.end("authorization");
        log.inspection.enter(Stage::Rules);
        if !E::ROUTE.method.is_safe() && !conditions.admit_facts(&E::CONDITIONS, &facts) {
            return Err(RequestError::PreconditionFailed);
        }
        // 7. Business rules.
        let outcome = E::decide(permit.moment(), permit.caller(), command, facts)
            .map_err(|rejection| refusal::<E>(conditions, rejection))?;
        log.stages.end("rules");
        // 8. Side effects, and 9. response, both still as values.
        log.inspection.enter(Stage::Effects);
        let effects = E::effects(&outcome);
        log.inspection.enter(Stage::Response);
        let response = Response::of_reply(E::reply(outcome)).map_err(ServiceError::internal)?;
        log.stages.end("response");
        Ok((effects, response.below(permit.prefix())))
    }

    /// Returns the stored response of this key, if there is one.
    async fn recall(
        &self,
        key: &ScopedIdempotencyKey,
        request: &Request,
        now: Timestamp,
    ) -> Result<Option<Response>, RequestError> {
        let Some(stored) = self.shared.adapter.read(IDEMPOTENCY_KEYS, key.ledger_key()).await?
        else {
            return Ok(None);
        };
        let remembered = StoredResponse::of_item(stored).map_err(ServiceError::internal)?;
        if remembered.has_expired(now) {
            return Ok(None);
        }
        key.replay(remembered, request).ok_or(RequestError::KeyReused).map(Some)
    }
}

/// The response to a `GET` with conditions: itself, a 304, or a failure.
fn conditional(response: Response, conditions: &Named) -> Result<Response, RequestError> {
    response.conditional(conditions).ok_or(RequestError::PreconditionFailed)
}

/// The failure of a request that a rule or a condition of its effects rejects.
fn refusal<E: Endpoint>(conditions: &Named, rejection: DomainError) -> RequestError {
    if conditions.explain(&E::CONDITIONS, &rejection) {
        RequestError::PreconditionFailed
    } else {
        rejection.into()
    }
}

impl RequestError {
    /// Whether an earlier success of the same request may have caused this failure: for example,
    /// the caller itself bought the last piece.
    fn may_follow_success(&self) -> bool {
        matches!(
            self,
            Self::Rejected(_) | Self::PreconditionFailed | Self::Hidden | Self::Forbidden
        )
    }
}
