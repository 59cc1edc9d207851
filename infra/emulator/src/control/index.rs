//! `GET /`: the addresses below the control address, as JSON, or as a page of links for a browser.

use std::fmt::Write as _;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{Html, IntoResponse as _, Response};
use serde_json::{Value, json};

use super::browser;
use super::shown::Control;

/// `GET /`
pub(super) async fn index(State(control): State<Control>, headers: HeaderMap) -> Response {
    let addresses = addresses(&control);
    if browser::is_client_of(&headers) {
        Html(page(&addresses)).into_response()
    } else {
        Json(addresses).into_response()
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
    })
}

/// The page: a line for each name. Functions and schedules are no links, because only `POST` invokes
/// them. Nor are parameters, so that a link shows everything.
fn page(addresses: &Value) -> String {
    let mut page = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
                    <meta name=\"color-scheme\" content=\"light dark\">\n\
                    <title>Control address</title>\n<dl>\n"
        .to_owned();
    for (name, value) in addresses.as_object().into_iter().flatten() {
        let one = std::slice::from_ref(value);
        let all = value.as_array().map_or(one, Vec::as_slice).iter().filter_map(Value::as_str);
        let is_text = matches!(name.as_str(), "functions" | "schedules");
        let shown = all.map(|address| if is_text { address.to_owned() } else { link(address) });
        let shown = shown.collect::<Vec<_>>().join("<br>");
        writeln!(page, "<dt>{name}<dd>{shown}").expect("writing to a string does not fail");
    }
    page.push_str("</dl>\n</html>\n");
    page
}

/// A link. Addresses have only logical ids, which need no escaping.
fn link(address: &str) -> String {
    let path = address.split('?').next().unwrap_or_default();
    format!("<a href=\"{path}\">{path}</a>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_gets_a_link_to_each_address_that_it_may_get() {
        let page = page(&json!({
            "logs": "/logs?requestId=", "schedules": ["/schedules/A"], "tables": ["/tables/T", "/tables/U"],
        }));
        assert!(page.contains("<dt>logs<dd><a href=\"/logs\">/logs</a>\n"), "{page}");
        assert!(page.contains("<dt>schedules<dd>/schedules/A\n"), "{page}");
        assert!(page.contains("</a><br><a href=\"/tables/U\">"), "{page}");
    }
}
