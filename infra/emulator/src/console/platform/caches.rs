//! `/activity/caches`: the authorizers' caches, the execution environments with all that their
//! processes keep, and the circuits of upstreams.
//!
//! A circuit is an item of a table of the service. Only its application knows which table it is:
//! [`Application::circuits`](crate::Application::circuits).

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::{Value, json};

use crate::control::{Control, ControlError};
use crate::functions::FunctionReport;
use crate::gateway::AuthorizerReport;
use crate::services::with_exact_numbers;

/// All caches.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CachesView {
    authorizers: Vec<AuthorizerReport>,
    /// The environments by function.
    functions: BTreeMap<String, FunctionReport>,
    /// `null` if the application has no table of circuits.
    circuits: Option<CircuitsView>,
}

/// The circuits of upstreams.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CircuitsView {
    table: &'static str,
    /// The items, one for each upstream that has failed.
    items: Vec<Value>,
}

/// `GET /activity/caches`
pub(super) async fn list(State(control): State<Control>) -> Result<Json<Value>, ControlError> {
    let redaction = control.functions.activity().redaction();
    let mut authorizers = control.gateway.authorizers();
    for entry in authorizers.iter_mut().flat_map(|authorizer| &mut authorizer.entries) {
        entry.context = with_exact_numbers(redaction.json(entry.context.take()));
    }
    // A template without the table has no circuits.
    let table = control.circuits.filter(|table| control.stores.names().table(table).is_some());
    let circuits = table.map(|table| {
        let (items, _) = control.stores.scan(table)?;
        let shown = |item: Value| with_exact_numbers(redaction.json(item));
        let items = items.into_iter().map(shown).collect();
        Ok::<_, ControlError>(CircuitsView { table, items })
    });
    let circuits = circuits.transpose()?;
    let functions = control.functions.reports();
    Ok(Json(json!(CachesView { authorizers, functions, circuits })))
}
