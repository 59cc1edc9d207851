//! `/activity/requests` and `/activity/invocations`: the records of the platform.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde_json::{Value, json};

use super::reading::{self, refused, unknown};
use crate::activity::view::{
    InvocationDetail, Journey, MessageOrigin, RequestDetail, RequestFilter, RequestPage,
};
use crate::control::{Control, ControlError};

/// The maximum number of requests in a page.
const LIMIT_MAX: usize = 1_000;

/// The maximum characters of a text to look for.
const TEXT_MAX: usize = 200;

/// `GET /activity/requests`: the requests that match, newest first.
pub(super) async fn list(
    State(control): State<Control>,
    filter: Result<Query<RequestFilter>, QueryRejection>,
) -> Result<Json<RequestPage>, ControlError> {
    let Query(filter) = filter.map_err(reading::query)?;
    let filter = checked(filter)?;
    Ok(Json(control.functions.activity().requests(&filter)))
}

/// `GET /activity/requests/{id}`: everything about one request.
pub(super) async fn detail(
    State(control): State<Control>,
    Path(id): Path<String>,
) -> Result<Json<RequestDetail>, ControlError> {
    control.functions.activity().request(&id).map(Json).ok_or_else(|| unknown("request", &id))
}

/// `GET /activity/requests/{id}/journey`, and the same of an invocation.
pub(super) async fn journey(
    State(control): State<Control>,
    Path(id): Path<String>,
) -> Result<Json<Journey>, ControlError> {
    let journey = control.functions.activity().journey(&id);
    journey.map(Json).ok_or_else(|| unknown("request or invocation", &id))
}

/// `GET /activity/invocations/{id}`: an invocation with its calls and log lines.
pub(super) async fn invocation(
    State(control): State<Control>,
    Path(id): Path<String>,
) -> Result<Json<InvocationDetail>, ControlError> {
    control.functions.activity().invocation(&id).map(Json).ok_or_else(|| unknown("invocation", &id))
}

/// `GET /activity/messages/{id}`: the request and the journey that a message belongs to.
pub(super) async fn message(
    State(control): State<Control>,
    Path(id): Path<String>,
) -> Result<Json<MessageOrigin>, ControlError> {
    control.functions.activity().message(&id).map(Json).ok_or_else(|| unknown("message", &id))
}

/// `GET /activity/accounts`: the accounts as which requests can be sent.
pub(super) async fn accounts(State(control): State<Control>) -> Json<Value> {
    Json(json!({"accounts": control.accounts.shown()}))
}

/// The filter, if its values are possible. Empty texts, as from a form, are left out.
fn checked(mut filter: RequestFilter) -> Result<RequestFilter, ControlError> {
    let texts = [
        ("text", &mut filter.text),
        ("status", &mut filter.status),
        ("function", &mut filter.function),
        ("client", &mut filter.client),
    ];
    for (name, text) in texts {
        text.take_if(|text| text.is_empty());
        if text.as_ref().is_some_and(|text| text.chars().count() > TEXT_MAX) {
            return Err(refused(format!("{name} has more than {TEXT_MAX} characters")));
        }
    }
    if filter.status.as_ref().is_some_and(|status| !is_status(status)) {
        return Err(refused("status is one such as 404, or a class such as 4xx"));
    }
    if filter.limit.is_some_and(|limit| !(1..=LIMIT_MAX).contains(&limit)) {
        return Err(refused(format!("limit is a number from 1 to {LIMIT_MAX}")));
    }
    Ok(filter)
}

/// Whether a text is a status or a class of them.
fn is_status(text: &str) -> bool {
    match text.as_bytes() {
        [b'1'..=b'5', b'x', b'x'] => true,
        [b'1'..=b'9', tens, ones] => tens.is_ascii_digit() && ones.is_ascii_digit(),
        _ => false,
    }
}
