//! Stages 1, 4 and 5: the route of a request, and its input.

use http::Method;

use super::request_log::RequestLog;
use crate::caller::{Access, Caller};
use crate::conditions::Named;
use crate::endpoint::Endpoint;
use crate::error::{FieldErrors, RequestError};
use crate::http::Request;
use crate::idempotency::ScopedIdempotencyKey;
use crate::input::{FromInput, Input, refuse_query};
use crate::reply::{Reply, View};
use crate::telemetry::inspector::Stage;

/// A parsed request.
pub(super) struct Asked<C> {
    pub(super) key: Option<ScopedIdempotencyKey>,
    pub(super) conditions: Named,
    pub(super) command: C,
}

/// Stage 1. Checks that the request has the endpoint's route and method.
pub(super) fn route<E: Endpoint>(request: &Request) -> Result<(), RequestError> {
    if !request.is_routed {
        return Err(RequestError::Hidden);
    }
    // `HEAD` is possible where `GET` is public; the same endpoint serves both.
    let has_head = E::ROUTE.method == Method::GET && matches!(E::ACCESS, Access::Public);
    if request.method == E::ROUTE.method || (has_head && request.method == Method::HEAD) {
        return Ok(());
    }
    let allow = if has_head { "GET, HEAD".to_owned() } else { E::ROUTE.method.to_string() };
    Err(RequestError::WrongMethod { allow })
}

/// Stages 4 and 5. Reads and checks the whole request; reports all field errors together.
pub(super) fn read<E: Endpoint>(
    request: &Request,
    caller: &E::Caller,
    log: &mut RequestLog,
) -> Result<Asked<E::Command>, RequestError> {
    log.inspection.enter(Stage::Deserialization);
    let media_type = <<E::Reply as Reply>::View as View>::MEDIA_TYPE;
    if !request.accepts(media_type) {
        return Err(RequestError::NotAcceptable { media_type });
    }
    if request.body.len() > E::BODY_BYTES_MAX {
        return Err(RequestError::TooLarge { limit: E::BODY_BYTES_MAX });
    }
    let mut field_errors = FieldErrors::none();
    let key = ScopedIdempotencyKey::named(E::IDEMPOTENCY, request).unwrap_or_else(|found| {
        field_errors.extend(found);
        None
    });
    let conditions = Named::read(&request.headers, &mut field_errors);
    let input = E::Input::read(request, &E::ROUTE, &mut field_errors)?;
    if !E::Input::READS_QUERY {
        refuse_query(request, &mut field_errors);
    }
    log.stages.end("deserialisation");
    // A field error of stage 4 refuses the request there, even if stage 5 finds more.
    if input.is_some() && field_errors.is_empty() {
        log.inspection.enter(Stage::Validation);
    }
    let command = input.and_then(|input| match E::Command::from_input(input) {
        Ok(command) => Some(command),
        Err(found) => {
            field_errors.extend(found);
            None
        }
    });
    match (command, field_errors.is_empty()) {
        (Some(command), true) => {
            let subject = caller.subject();
            let key = key
                .map(|key| ScopedIdempotencyKey::of(request, &E::ROUTE, subject.as_deref(), key));
            log.inspection.input(&command);
            Ok(Asked { key, conditions, command })
        }
        _ => Err(RequestError::Invalid(field_errors)),
    }
}
