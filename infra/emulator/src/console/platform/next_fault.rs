//! `/activity/next-fault`: the fault of the next request that fits, once.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bytes::Bytes;
use sam_template::{Api, DEFAULT_ROUTE, Route};
use serde::Serialize;

use crate::console::reading::{body, refused};
use crate::control::{Control, ControlError};
use crate::faults::{FaultPoint, FaultStage, NextFault};

/// The armed fault. Without one, both members are `null`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NextFaultView {
    route: Option<String>,
    at: Option<FaultPoint>,
}

/// `GET /activity/next-fault`: a fault that was bound to a request is not shown any longer.
pub(super) async fn get(State(control): State<Control>) -> Json<NextFaultView> {
    Json(shown(&control))
}

/// `PUT /activity/next-fault`: arms a fault, instead of the one that is armed.
pub(super) async fn put(
    State(control): State<Control>,
    input: Bytes,
) -> Result<Json<NextFaultView>, ControlError> {
    let fault: NextFault = body(&input)?;
    check(&control, &fault)?;
    control.functions.next_faults().arm(fault);
    Ok(Json(shown(&control)))
}

/// `DELETE /activity/next-fault`
pub(super) async fn delete(State(control): State<Control>) -> StatusCode {
    control.functions.next_faults().disarm();
    StatusCode::NO_CONTENT
}

fn shown(control: &Control) -> NextFaultView {
    match control.functions.next_faults().armed() {
        Some(NextFault { route, at }) => NextFaultView { route, at: Some(at) },
        None => NextFaultView { route: None, at: None },
    }
}

/// Rejects a fault that no request can meet.
fn check(control: &Control, fault: &NextFault) -> Result<(), ControlError> {
    let names = control.stores.names();
    let unknown = match &fault.at {
        FaultPoint::Table(name) if !names.knows("table", name) => Some(("table", name)),
        FaultPoint::Queue(name) if !names.knows("queue", name) => Some(("queue", name)),
        _ => None,
    };
    if let Some((kind, name)) = unknown {
        return Err(refused(format!("the template has no {kind} {name}")));
    }
    let routes =
        control.template.apis.iter().flat_map(|api| api.routes.iter().map(move |it| (api, it)));
    let meant = routes.filter(|(_, route)| fault.route.as_ref().is_none_or(|it| *it == key(route)));
    let meant: Vec<(&Api, &Route)> = meant.collect();
    if let Some(route) = &fault.route
        && meant.is_empty()
    {
        return Err(refused(format!("the template has no route {route}")));
    }
    let has_authorizer = |(api, route): &(&Api, &Route)| {
        let name = route.authorizer.as_ref();
        name.is_some_and(|name| api.authorizers.contains_key(name))
    };
    let needs_authorizer = fault.at == FaultPoint::Stage(FaultStage::Authentication);
    if needs_authorizer && !meant.iter().any(has_authorizer) {
        let route = fault.route.as_deref().unwrap_or("any route");
        return Err(refused(format!("no function authorizes {route}, so that none can fail")));
    }
    Ok(())
}

/// A route as the gateway names it.
fn key(route: &Route) -> String {
    if route.path == DEFAULT_ROUTE {
        return DEFAULT_ROUTE.to_owned();
    }
    format!("{} {}", route.method, route.path)
}
