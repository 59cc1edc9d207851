//! CORS: the headers for browsers of other origins, by the API's configuration.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::Full;

use super::answer::Answer;
use sam_template::Cors;

/// The headers that only the configuration sets.
const DECIDED: &[HeaderName] = &[
    header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
    header::ACCESS_CONTROL_ALLOW_HEADERS,
    header::ACCESS_CONTROL_ALLOW_METHODS,
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
    header::ACCESS_CONTROL_EXPOSE_HEADERS,
    header::ACCESS_CONTROL_MAX_AGE,
];

/// The methods that `ANY` of a REST API stands for.
const ALL_METHODS: &[&str] = &["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// The response to a preflight request, without invoking a function. `None` if it is not a
/// preflight.
pub(super) fn preflight(cors: &Cors, parts: &Parts) -> Option<Answer> {
    let asks = parts.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if parts.method != Method::OPTIONS || !asks || !parts.headers.contains_key(header::ORIGIN) {
        return None;
    }
    let mut answer = Response::new(Full::new(Bytes::new()));
    *answer.status_mut() = StatusCode::NO_CONTENT;
    let headers = answer.headers_mut();
    if allow_origin(cors, &parts.headers, headers) {
        list(headers, header::ACCESS_CONTROL_ALLOW_METHODS, &cors.allow_methods);
        let lower: Vec<_> = cors.allow_headers.iter().map(|name| name.to_lowercase()).collect();
        list(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, &lower);
        if let Some(max_age) = cors.max_age {
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, max_age.as_secs().into());
        }
    }
    Some(answer)
}

/// The response to an `OPTIONS` request to a REST API, where SAM adds the method with fixed headers.
/// `methods` are those of the path; `ANY` stands for all.
pub(super) fn rest_preflight(cors: &Cors, methods: &[&str]) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::new()));
    let headers = answer.headers_mut();
    list(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, &cors.allow_origins);
    list(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, &cors.allow_headers);
    let of_path = if methods.contains(&"ANY") { ALL_METHODS } else { methods };
    let of_path: BTreeSet<&str> = of_path.iter().copied().chain(["OPTIONS"]).collect();
    let of_path: Vec<String> = of_path.into_iter().map(str::to_owned).collect();
    let methods = if cors.allow_methods.is_empty() { &of_path } else { &cors.allow_methods };
    list(headers, header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    if let Some(max_age) = cors.max_age {
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, max_age.as_secs().into());
    }
    if cors.allow_credentials {
        let yes = HeaderValue::from_static("true");
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
    }
    answer
}

/// Replaces the CORS headers of a function's response by the configured ones.
pub(super) fn decorate(cors: &Cors, request: &HeaderMap, answer: &mut Answer) {
    let headers = answer.headers_mut();
    for name in DECIDED {
        headers.remove(name);
    }
    if allow_origin(cors, request, headers) {
        let lower: Vec<_> = cors.expose_headers.iter().map(|name| name.to_lowercase()).collect();
        list(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, &lower);
    }
}

/// Allows the request's origin, if the configuration does.
fn allow_origin(cors: &Cors, request: &HeaderMap, headers: &mut HeaderMap) -> bool {
    let Some(origin) = request.get(header::ORIGIN) else {
        return false;
    };
    let any = cors.allow_origins.iter().any(|allowed| allowed == "*");
    if !any && !cors.allow_origins.iter().any(|allowed| is_allowed(allowed, origin.as_bytes())) {
        return false;
    }
    let allowed = if any { HeaderValue::from_static("*") } else { origin.clone() };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    if !any {
        headers.append(header::VARY, HeaderValue::from_static("origin"));
    }
    if cors.allow_credentials {
        let yes = HeaderValue::from_static("true");
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
    }
    true
}

/// Whether an origin is the allowed one, or has its scheme: `https://*` or `http://*`.
fn is_allowed(allowed: &str, origin: &[u8]) -> bool {
    match allowed {
        "https://*" | "http://*" => origin.starts_with(allowed.trim_end_matches('*').as_bytes()),
        one => one.as_bytes() == origin,
    }
}

fn list(headers: &mut HeaderMap, name: HeaderName, values: &[String]) {
    if let (false, Ok(value)) = (values.is_empty(), HeaderValue::from_str(&values.join(","))) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn cors() -> Cors {
        Cors {
            allow_origins: vec!["https://a.example".to_owned()],
            allow_methods: vec!["GET".to_owned(), "POST".to_owned()],
            allow_headers: vec!["Authorization".to_owned()],
            expose_headers: vec!["ETag".to_owned()],
            ..Cors::default()
        }
    }

    fn asking(origin: &str) -> Parts {
        let request = Request::options("/orders")
            .header("origin", origin)
            .header("access-control-request-method", "POST");
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_preflight_of_an_allowed_origin_gets_the_configured_headers() {
        let answer = preflight(&cors(), &asking("https://a.example")).unwrap();

        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        assert_eq!(answer.headers()["access-control-allow-origin"], "https://a.example");
        assert_eq!(answer.headers()["access-control-allow-methods"], "GET,POST");
        assert_eq!(answer.headers()["access-control-allow-headers"], "authorization");
    }

    #[test]
    fn a_preflight_of_another_origin_gets_no_cors_headers() {
        let answer = preflight(&cors(), &asking("https://b.example")).unwrap();

        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        assert!(answer.headers().is_empty());
    }

    #[test]
    fn any_origin_with_an_allowed_scheme_is_returned() {
        let cors = Cors { allow_origins: vec!["https://*".to_owned()], ..Cors::default() };
        let allowed = |origin: &str| {
            let answer = preflight(&cors, &asking(origin)).unwrap();
            let header = answer.headers().get("access-control-allow-origin");
            header.map(|origin| origin.to_str().unwrap().to_owned())
        };

        assert_eq!(allowed("https://b.example").as_deref(), Some("https://b.example"));
        assert_eq!(allowed("http://b.example"), None);
    }

    #[test]
    fn a_rest_api_lists_the_methods_of_the_path_unless_they_are_configured() {
        let mut cors = Cors { allow_origins: vec!["*".to_owned()], ..Cors::default() };
        let of = |cors: &Cors, methods: &[&str]| {
            let answer = rest_preflight(cors, methods);
            assert_eq!(answer.headers()["access-control-allow-origin"], "*");
            answer.headers()["access-control-allow-methods"].to_str().unwrap().to_owned()
        };
        assert_eq!(of(&cors, &["PUT", "GET"]), "GET,OPTIONS,PUT");
        assert_eq!(of(&cors, &["ANY", "GET"]), "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT");
        cors.allow_methods = vec!["PUT".to_owned()];
        assert_eq!(of(&cors, &["GET"]), "PUT");
    }

    #[test]
    fn the_configuration_replaces_a_functions_cors_headers() {
        let mut answer = Response::new(Full::new(Bytes::new()));
        let star = HeaderValue::from_static("*");
        answer.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, star);

        decorate(&cors(), &asking("https://b.example").headers, &mut answer);

        assert_eq!(answer.headers().get("access-control-allow-origin"), None);
    }
}
