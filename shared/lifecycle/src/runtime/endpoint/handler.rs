//! One request from its event to its response, with its log line, metrics and spans.

use std::sync::Arc;

use async_trait::async_trait;
use http::{Method, header};

use super::super::deferred::DeferredWork;
use super::super::guard::guarded;
use super::super::invocation::{self, Handled, Invocation, InvocationResult, LastWords};
use super::super::watchdog::Watched;
use super::request_log::RequestLog;
use super::stages::{Done, Handler};
use crate::clock;
use crate::commit::EventOrigin;
use crate::endpoint::Endpoint;
use crate::error::{RequestError, ServiceError};
use crate::http::{Answer, EventError, REQUEST_ID, Request, Response, Trigger, request_id_of};
use crate::random::Draw;
use crate::telemetry::inspector::{Ending, Inspection, RequestOf, Stage};
use crate::telemetry::line::{Line, lines_of};
use crate::telemetry::{Observations, TraceContext, observed, otlp, shortened_cause};

#[async_trait]
impl<E: Endpoint> invocation::Handler for Handler<E> {
    async fn handle(&self, invocation: Invocation) -> Handled {
        let mut log = RequestLog::begin();
        let (trigger, request) = match Request::from_event(&invocation.event, &E::ROUTE) {
            Ok(request) => (request.trigger, Ok(request)),
            Err(EventError::Invalid(trigger, field_errors)) => (trigger, Err(field_errors)),
            // A defect of the configuration: no response is right, and no client is to blame.
            Err(EventError::Unknown(error)) => {
                return Handled { answer: Err(error), deferred: None };
            }
        };
        let read = request.as_ref().ok();
        let request_id = request_id(read, &mut log.draw);
        let trace = trace(read, invocation.x_ray.as_deref(), &mut log.draw);
        let observations = Observations::of(request_id.clone(), Some(trace.clone()));
        let cause = EventOrigin::of(&request_id, &trace);
        log.inspection = self.inspect(read, &invocation, &observations, &log);

        let (request, done) = match request {
            Err(field_errors) => (None, Err(RequestError::Invalid(field_errors))),
            Ok(request) => {
                let stages = self.stages(&request, invocation.deadline, &cause, &mut log);
                let guarded = guarded(invocation.deadline, stages);
                let done = observed(Arc::clone(&observations), guarded).await;
                (Some(request), done)
            }
        };

        let failure = done.as_ref().err();
        let standing = log.standing.filter(|standing| standing.explains(failure));
        let code = failure.map(|failure| failure.response().code);
        let error = failure.filter(|failure| failure.response().status.is_server_error());
        let error = error.map(shortened_cause);
        let refused_at = failure.and_then(|_| log.inspection.running());
        let shown = refused_at.and_then(|_| failure.map(RequestError::response));
        log.inspection.resume(Stage::Response);
        let done = done.unwrap_or_else(|failure| {
            let request = request.as_ref();
            Done::just(Response::of_failure_in(E::ERROR_SHAPE, &failure, &request_id, request))
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
        log.stages.end("response");

        let method = if is_head { Method::HEAD } else { E::ROUTE.method };
        let line = Line {
            service: &settings.service,
            function: &settings.function,
            at: log.at,
            request_id: &request_id,
            trace_id: trace.trace_id(),
            method: method.as_str(),
            path: E::ROUTE.path,
            status: response.status.as_u16(),
            code,
            error: error.as_deref(),
            replayed: done.replayed,
            attempts: log.attempts,
            cold_start: invocation.cold_start,
            total: log.stages.total(),
            stages: log.stages.times(),
        };
        let spans = settings.collector.is_some() && trace.is_sampled();
        let spans = spans.then(|| otlp::spans_of_request(&root_of(&line, &trace), &log.stages));
        let line = line.to_document();
        let id = ("requestId", request_id.as_str());
        let lines = observations.read(|noted| lines_of(line, log.at, id, noted));
        let left = log.left(&cause);
        let inspection = log.inspection;
        let deferred = DeferredWork {
            shared: Arc::clone(&self.shared),
            invocation_id: invocation.invocation_id,
            request: Some(observations),
            deadline: invocation.deadline.with_grace(),
            lines,
            spans: spans.unwrap_or_default(),
            telling: log.telling,
            tertiary: done.tertiary.with_messages(left),
        };
        inspection.ended(log.attempts, || Ending {
            status: response.status.as_u16(),
            refused_at,
            failure: shown,
            error,
            replayed: done.replayed,
            deferred: deferred.count(),
        });
        let answer = InvocationResult::Http(Answer { trigger, response });
        Handled { answer: Ok(answer), deferred: Some(deferred) }
    }

    fn overran(&self, watched: &Watched) -> Option<LastWords> {
        let settings = &self.shared.settings;
        let request = Request::from_event(&watched.event, &E::ROUTE).ok();
        let mut draw = Draw::new();
        let request_id = request_id(request.as_ref(), &mut draw);
        let trace = trace(request.as_ref(), watched.x_ray.as_deref(), &mut draw);
        let failure = RequestError::ServiceError(ServiceError::TimedOut);
        let origin = request.as_ref().and_then(|request| request.header(header::ORIGIN));
        let response =
            Response::of_failure_in(E::ERROR_SHAPE, &failure, &request_id, request.as_ref())
                .finish(&request_id, settings.allowed_origin(origin));
        let is_head = request.as_ref().is_some_and(|request| request.method == Method::HEAD);
        let response = if is_head { response.without_body() } else { response };
        let trigger = request.as_ref().map_or(Trigger::Format2, |request| request.trigger);
        let method = request.map_or(E::ROUTE.method, |request| request.method);
        let line = Line {
            service: &settings.service,
            function: &settings.function,
            at: clock::now(),
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
        let line = line.to_document().into_json(line.at);
        Some(LastWords { answer: InvocationResult::Http(Answer { trigger, response }), line })
    }

    /// Spans leave after the response, too, where there is a collector.
    fn defers_work(&self) -> bool {
        E::TERTIARY_EFFECTS || self.shared.settings.collector.is_some()
    }
}

impl<E: Endpoint> Handler<E> {
    /// Begins the inspection of a request, if the local platform's console asks for it.
    fn inspect(
        &self,
        request: Option<&Request>,
        invocation: &Invocation,
        observations: &Arc<Observations>,
        log: &RequestLog,
    ) -> Inspection {
        let Some(inspector) = &self.shared.inspector else { return Inspection::default() };
        let method = request.map_or(E::ROUTE.method, |request| request.method.clone());
        let begun = RequestOf {
            invocation: &invocation.invocation_id,
            method: method.as_str(),
            route: E::ROUTE.path,
            cold_start: invocation.cold_start,
            started: log.stages.started(),
        };
        inspector.request(observations, &begun)
    }
}

fn request_id(request: Option<&Request>, draw: &mut Draw) -> String {
    request_id_of(request.and_then(|request| request.header(REQUEST_ID)), draw)
}

fn trace(request: Option<&Request>, x_ray: Option<&str>, draw: &mut Draw) -> TraceContext {
    let header = |name| request.and_then(|request| request.header(name));
    TraceContext::continued_with(header("traceparent"), header("tracestate"), x_ray, draw)
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
