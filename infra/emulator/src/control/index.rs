//! `GET /`: the addresses below the control address, as JSON, or the console for a browser.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::browser;
use super::shown::Control;
use crate::console;

/// `GET /`
pub(super) async fn index(State(control): State<Control>, headers: HeaderMap) -> Response {
    if browser::is_client_of(&headers) {
        console::page(&headers)
    } else {
        Json(addresses(&control)).into_response()
    }
}

fn addresses(control: &Control) -> Value {
    let tables = control.stores.names().tables();
    let tables: Vec<String> = tables.map(|(table, _)| format!("/tables/{table}")).collect();
    let standins = control.standins.names();
    let standins: Vec<String> = standins.map(|name| format!("/standins/{name}")).collect();
    let counts = control.functions.counts();
    let functions: Vec<String> =
        counts.keys().map(|name| format!("/functions/{name}/invocations")).collect();
    let schedules = control.schedules.functions();
    let schedules: Vec<String> = schedules.map(|name| format!("/schedules/{name}")).collect();
    json!({
        "api": control.api_url,
        "description": "/openapi.json",
        "docs": "/docs",
        "metrics": "/metrics",
        "mailbox": "/mailbox?to=",
        "queues": "/queues",
        "requests": "/requests?requestId=",
        "logs": "/logs?requestId=",
        "invocations": "/invocations?function=",
        "functions": functions,
        "tables": tables,
        "schedules": schedules,
        "standins": standins,
        "environment": "/environment",
        "clock": "/clock",
        "faults": "/faults",
        "activity": {
            "requests": "/activity/requests",
            "request": "/activity/requests/{id}",
            "journey": "/activity/requests/{id}/journey",
            "curl": "/activity/requests/{id}/curl",
            "test": "/activity/requests/{id}/test",
            "resend": "/activity/requests/{id}/resend",
            "invocation": "/activity/invocations/{id}",
            "message": "/activity/messages/{id}",
            "events": "/activity/events",
            "accounts": "/activity/accounts",
            "charts": "/activity/charts?minutes=",
            "map": "/activity/map",
            "tables": "/activity/tables",
            "items": "/activity/tables/{table}/items?pk=&sk=&text=&after=&limit=",
            "history": "/activity/tables/{table}/history?pk=&sk=",
            "queues": "/activity/queues",
            "messages": "/activity/queues/{queue}/messages?limit=",
            "redrive": "/activity/queues/{queue}/redrive",
            "mails": "/activity/mails?to=&limit=",
            "schedules": "/activity/schedules",
            "standins": "/activity/standins",
            "caches": "/activity/caches",
            "nextFault": "/activity/next-fault",
        },
    })
}
