//! CORS: pages of other origins may use all that the `OpenAPI` document describes.

use std::collections::BTreeSet;

use sam_template::{Cors, Template};
use serde_json::Value;

/// Request headers that functions read, besides the parameters of operations.
const TAKEN: [&str; 5] = ["accept", "authorization", "content-type", "traceparent", "tracestate"];
/// Response headers that a page may always read (Fetch, CORS-safelisted response-header names).
const READABLE: [&str; 7] = [
    "cache-control",
    "content-language",
    "content-length",
    "content-type",
    "expires",
    "last-modified",
    "pragma",
];

/// Parts of the `OpenAPI` document that the CORS configuration does not allow.
pub(super) fn complaints(template: &Template, document: &Value) -> Vec<String> {
    // Without a configuration, no page of another origin may use the API.
    let Some(cors) = template.root_api().and_then(|api| api.cors.as_ref()) else {
        return Vec::new();
    };
    let Cors { allow_headers, expose_headers, allow_methods, .. } = cors;
    let taken = TAKEN.iter().map(|name| (*name).to_owned());
    let sent = parameters(document).chain(taken).collect();
    let read = headers(document).filter(|name| !READABLE.contains(&name.as_str())).collect();
    let mut complaints = missing("AllowHeaders", allow_headers, sent);
    complaints.extend(missing("ExposeHeaders", expose_headers, read));
    complaints.extend(missing("AllowMethods", allow_methods, methods(document)));
    complaints
}

fn missing(setting: &str, listed: &[String], wanted: BTreeSet<String>) -> Vec<String> {
    let listed: BTreeSet<String> = listed.iter().map(|name| name.to_lowercase()).collect();
    let missing = wanted.into_iter().filter(|name| !listed.contains(name));
    missing.map(|name| format!("{setting} lacks {name}, which is described")).collect()
}

fn operations(document: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(_, item)| item.as_object().into_iter().flatten())
}

fn methods(document: &Value) -> BTreeSet<String> {
    operations(document).map(|(method, _)| method.to_lowercase()).collect()
}

/// The header parameters of all operations, including references.
fn parameters(document: &Value) -> impl Iterator<Item = String> {
    let own = operations(document).filter_map(|(_, it)| it["parameters"].as_array());
    let shared = document["components"]["parameters"].as_object().into_iter().flatten();
    let all = own.flatten().chain(shared.map(|(_, parameter)| parameter));
    let headers = all.filter(|parameter| parameter["in"] == "header");
    headers.filter_map(|header| Some(header["name"].as_str()?.to_lowercase()))
}

/// The headers of all responses, including references.
fn headers(document: &Value) -> impl Iterator<Item = String> {
    let own = operations(document).filter_map(|(_, it)| it["responses"].as_object());
    let shared = document["components"]["responses"].as_object().into_iter();
    let all = own.chain(shared).flatten();
    let headers = all.flat_map(|(_, response)| response["headers"].as_object().into_iter());
    headers.flatten().map(|(name, _)| name.to_lowercase())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::service::ours;

    #[test]
    fn pages_may_send_and_read_every_described_header() {
        let service = ours();
        let source = fs_err::read_to_string(service.template_path()).unwrap();
        let document = fs_err::read_to_string(service.path("infra/openapi.json")).unwrap();
        let document: Value = serde_json::from_str(&document).unwrap();
        let found = |source: &str| {
            complaints(&Template::parse(source, &BTreeMap::new()).unwrap(), &document)
        };
        assert_eq!(found(&source), Vec::<String>::new());
        for (line, complaint) in [
            ("          - X-Partner-Id\n", "AllowHeaders lacks x-partner-id, which is described"),
            ("          - Tracestate\n", "AllowHeaders lacks tracestate, which is described"),
            ("          - If-None-Match\n", "AllowHeaders lacks if-none-match, which is described"),
            (
                "          - WWW-Authenticate\n",
                "ExposeHeaders lacks www-authenticate, which is described",
            ),
            (" PATCH,", "AllowMethods lacks patch, which is described"),
        ] {
            assert!(source.contains(line), "{line}");
            assert_eq!(found(&source.replacen(line, "", 1)), [complaint]);
        }
    }
}
