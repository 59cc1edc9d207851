//! Calls behind a circuit breaker, with an access token, an audit record and alerts.

#[cfg(test)]
mod tests;

use lifecycle::telemetry::request_id;
use lifecycle::upstream_call::{
    CallEnd, CallOutcome, CallRecord, CallResponse, CallStart, FailedCall, FailureClass,
};
use lifecycle::{Caller, Permit, Route, ServiceError, Upstream};

use super::client::time_left;
use super::limits::RETRY_AFTER_S;
use super::{AccessTokens, Breaker, Client, Guarded, Health, Request, Response, TokenError};
use crate::{AuditLog, Aws};

/// A client of one upstream whose calls are guarded.
///
/// - The circuit breaker stops calls while the upstream fails.
/// - Each call carries an access token, and is repeated once with a new one if it is refused.
/// - An audit record `R` is written before the call and after it.
/// - Operators are alerted to failures, after the API's response.
pub struct GuardedClient<R> {
    client: Client,
    breaker: Breaker,
    tokens: AccessTokens,
    records: AuditLog<R>,
}

/// The cause of a call.
#[derive(Debug, Clone)]
pub struct CallCause<'a> {
    /// The caller, by the id that it gives itself.
    pub who: &'a str,
    /// The API's route.
    pub route: Route,
}

/// A response, raw and as the application reads it.
struct Answer<T, F> {
    raw: Response,
    read: Result<T, F>,
}

impl Aws {
    /// The guarded client of an upstream, with the client credentials in a secret and the audit
    /// records in the table of `R`.
    ///
    /// # Panics
    ///
    /// As [`Aws::upstream`], [`Aws::secret`] and [`Aws::table`].
    pub fn guarded_client<R: CallRecord>(
        &self,
        upstream: Upstream,
        credentials: &'static str,
    ) -> GuardedClient<R> {
        let client = self.upstream(upstream);
        GuardedClient {
            records: self.audit_log(),
            breaker: self.breaker(upstream),
            tokens: self.access_tokens(client.clone(), credentials),
            client,
        }
    }
}

impl<R: CallRecord> GuardedClient<R> {
    /// Sends a request, to which the token is added, and reads its response with `read`.
    ///
    /// A refusal of the upstream is a value, and so is an unusable response
    /// ([`FailedCall::missing`]).
    ///
    /// # Errors
    ///
    /// - [`ServiceError::Unavailable`] while the circuit breaker stops calls, or if the upstream
    ///   wants fewer requests ([`FailureClass::Busy`]), with its `Retry-After`.
    /// - [`ServiceError::TimedOut`] when the response is late.
    /// - A fault of ours: the secret with the credentials cannot be read.
    pub async fn call<C: Caller, T, F: FailedCall>(
        &self,
        permit: &Permit<C>,
        cause: CallCause<'_>,
        request: &Request,
        read: impl Fn(&Response) -> Result<T, F>,
    ) -> Result<Result<T, F>, ServiceError> {
        // In a box, because the future is large, and a caller's would be larger.
        Box::pin(self.recorded(permit, cause, request, &read)).await
    }

    /// The call, with its audit record and its alerts.
    async fn recorded<C: Caller, T, F: FailedCall>(
        &self,
        permit: &Permit<C>,
        cause: CallCause<'_>,
        request: &Request,
        read: &impl Fn(&Response) -> Result<T, F>,
    ) -> Result<Result<T, F>, ServiceError> {
        let (moment, upstream) = (permit.moment(), self.client.upstream());
        let begun = R::of_start(&CallStart {
            moment,
            request_id: request_id().unwrap_or_default(),
            who: cause.who,
            route: format!("{} {}", cause.route.method, cause.route.path),
            upstream,
            address: format!("{}{}", self.client.url(), request.path()),
            headers: request.headers().collect(),
            body: request.body(),
        });
        self.records.begin(permit, &begun).await;
        let call = Box::pin(async {
            self.ask(permit, request, read).await.map_err(|fault| {
                let out_of_time = time_left(permit.deadline()).is_zero();
                NoAnswer { fault, out_of_time }
            })
        });
        let guarded = self.breaker.guard(permit, call, health).await;
        let (ended, alerts) = {
            let end = end(&guarded);
            (begun.with_end(&end), R::alerts(moment, upstream, &end))
        };
        self.records.append(permit, &ended).await;
        for alert in alerts {
            permit.send_after_response(alert);
        }
        match guarded?.value {
            Ok(answer) => answer.unless_busy(upstream),
            Err(NoAnswer { fault: ServiceError::Upstream(error), .. }) => {
                let error = &*error as &dyn std::error::Error;
                tracing::warn!(upstream = upstream.name(), error, "upstream response unusable");
                Ok(Err(F::missing()))
            }
            Err(NoAnswer { fault, .. }) => Err(fault),
        }
    }

    /// Calls the upstream, and once more with a new token if it refuses the first.
    async fn ask<C, T, F: FailedCall>(
        &self,
        permit: &Permit<C>,
        request: &Request,
        read: &impl Fn(&Response) -> Result<T, F>,
    ) -> Result<Answer<T, F>, ServiceError> {
        let answered = |raw: Response| Answer { read: read(&raw), raw };
        let mut last_try = false;
        loop {
            let token = match self.tokens.get(permit).await {
                Ok(token) => token,
                Err(TokenError::Refused(raw)) => return Ok(answered(raw)),
                Err(TokenError::ServiceError(fault)) => return Err(fault),
            };
            let request = request.clone().bearer(token.secret()).on_behalf_of(permit.source());
            let answer = answered(self.client.send(permit, &request).await?);
            let refused = answer.class() == Some(FailureClass::TokenRefused);
            if !refused || !self.tokens.discard(permit, &token).await || last_try {
                return Ok(answer);
            }
            last_try = true;
        }
    }
}

/// The result of a call that the circuit breaker admitted.
type Asked<T, F> = Result<Answer<T, F>, NoAnswer>;

/// Why a call has no answer.
struct NoAnswer {
    fault: ServiceError,
    /// The request's deadline was shorter than the client's time-out.
    out_of_time: bool,
}

impl<T, F: FailedCall> Answer<T, F> {
    fn class(&self) -> Option<FailureClass> {
        self.read.as_ref().err().map(FailedCall::class)
    }

    /// The response as the application reads it. A busy upstream is 503 with its `Retry-After`.
    fn unless_busy(self, upstream: Upstream) -> Result<Result<T, F>, ServiceError> {
        if self.class() != Some(FailureClass::Busy) {
            return Ok(self.read);
        }
        let retry_after_s = self.raw.retry_after_s().unwrap_or(RETRY_AFTER_S).max(1);
        let source = format!("{} has too many requests", upstream.name()).into();
        Err(ServiceError::Unavailable { retry_after_s, source })
    }

    fn response(&self) -> CallResponse<'_> {
        let headers = self.raw.headers.iter();
        let visible =
            headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        CallResponse {
            status: self.raw.status.as_u16(),
            headers: visible.collect(),
            body: &self.raw.body,
        }
    }
}

fn outcome<T, F: FailedCall>(answer: &Asked<T, F>) -> CallOutcome {
    match answer {
        Ok(answer) => answer.class().map_or(CallOutcome::Answered, CallOutcome::Refused),
        // Not a time-out if other work of the request has used the time.
        Err(
            NoAnswer { fault: ServiceError::Upstream(_), .. }
            | NoAnswer { fault: ServiceError::TimedOut, out_of_time: false },
        ) => CallOutcome::Missing,
        Err(_) => CallOutcome::Unknown,
    }
}

/// The upstream's health after a call. A missing or unusable response counts against it; a fault of
/// ours does not.
fn health<T, F: FailedCall>(answer: &Asked<T, F>) -> Health {
    match outcome(answer) {
        CallOutcome::Refused(FailureClass::Outage) | CallOutcome::Missing => Health::Down,
        CallOutcome::Answered | CallOutcome::Refused(_) => Health::Up,
        CallOutcome::Unknown | CallOutcome::CutOff => Health::Unknown,
    }
}

/// The end of a call that was admitted or stopped.
fn end<T, F: FailedCall>(guarded: &Result<Guarded<Asked<T, F>>, ServiceError>) -> CallEnd<'_> {
    let Ok(Guarded { value, took, opened }) = guarded else {
        let outcome = CallOutcome::CutOff;
        return CallEnd { outcome, code: None, response: None, took: None, opened: false };
    };
    let answer = value.as_ref().ok();
    CallEnd {
        outcome: outcome(value),
        code: answer.and_then(|answer| answer.read.as_ref().err()?.code()),
        response: answer.map(Answer::response),
        took: Some(*took),
        opened: *opened,
    }
}
