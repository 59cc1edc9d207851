//! A request as a test in Rust, with `lambda-testkit`.

use std::fmt::Write as _;

use super::literal;
use super::shown::{Body, Shown};

/// The most values of a body that `json!` has; a larger body is a text.
const VALUES_MAX: usize = 60;

/// The maximum characters of a test's name.
const NAME_MAX: usize = 70;

/// The test. Secrets are variables at its beginning, which it reads from the environment.
pub(super) fn test(shown: &Shown, route: Option<&str>, status: Option<u16>) -> String {
    let mut source = String::new();
    let mut line = |text: &str| {
        writeln!(source, "{text}").expect("writing to a string does not fail");
    };
    line("// `SUITE` is the `testkit::Suite` of your service.");
    line("#[tokio::test]");
    line(&format!("async fn {}() {{", name(shown, route, status)));
    line("    let api = SUITE.shared_platform().await;");
    for secret in &shown.secrets {
        let variable = literal::variable(secret);
        line(&format!("    let {variable} = &std::env::var({secret:?}).expect({secret:?});"));
    }
    line("");
    let (call, has_type) = call(shown);
    line(&format!("    let response = {call}"));
    for (name, value) in &shown.headers {
        if name == "content-type" && has_type {
            continue;
        }
        line(&format!("        {}", header(shown, name, value)));
    }
    match &shown.body {
        Body::None => {}
        // `json!` is a part of the call.
        Body::Json { .. } if has_type => {}
        Body::Json { text, .. } | Body::Text(text) => {
            line(&format!("        .body({})", text_body(shown, text)));
        }
        Body::Bytes(count) => {
            line(&format!("        // {count} bytes that are not text."));
            line("        .body(include_bytes!(\"body.bin\"))");
        }
    }
    line("        .send()");
    line("        .await;");
    if let Some(status) = status {
        line("");
        line(&format!("    assert_eq!(response.status, {status}, \"{{response:?}}\");"));
    }
    line("}");
    source
}

/// The call, and whether it sets a body in JSON with its media type.
fn call(shown: &Shown) -> (String, bool) {
    let path = literal::text(shown, &shown.path);
    let is_json = shown.header("content-type") == Some("application/json");
    let with_body = match shown.method.as_str() {
        "POST" => Some("post"),
        "PUT" => Some("put"),
        "PATCH" => Some("patch"),
        _ => None,
    };
    match (&shown.body, with_body) {
        (Body::Json { value: Some(value), .. }, Some(function))
            if is_json && literal::count(value) <= VALUES_MAX =>
        {
            let body = literal::json(shown, value, 4);
            (format!("api\n        .{function}({path}, &serde_json::json!({body}))"), true)
        }
        _ => match shown.method.as_str() {
            "GET" => (format!("api\n        .get({path})"), false),
            "DELETE" => (format!("api\n        .delete({path})"), false),
            method => {
                let method = match method {
                    "POST" | "PUT" | "PATCH" | "HEAD" | "OPTIONS" => {
                        format!("http::Method::{method}")
                    }
                    other => format!("{other:?}.parse().expect(\"a method\")"),
                };
                (format!("api\n        .call({method}, {path})"), false)
            }
        },
    }
}

fn header(shown: &Shown, name: &str, value: &str) -> String {
    match name {
        "authorization" => match value.strip_prefix("Bearer ") {
            Some(token) => format!(".token({})", literal::text(shown, token)),
            None => format!(".header({name:?}, {})", literal::text(shown, value)),
        },
        "idempotency-key" => format!(".key({})", literal::text(shown, value)),
        _ => format!(".header({name:?}, {})", literal::text(shown, value)),
    }
}

/// A body as an expression that is converted into bytes.
fn text_body(shown: &Shown, text: &str) -> String {
    let expression = literal::text(shown, text);
    if let Some(format) = expression.strip_prefix('&') {
        return format.to_owned();
    }
    match (expression.starts_with('"'), expression.contains('\\')) {
        (true, true) => literal::raw(text),
        (true, false) => expression,
        (false, _) => format!("{expression}.as_bytes()"),
    }
}

/// The test's name: `post_orders_order_id_is_409`.
fn name(shown: &Shown, route: Option<&str>, status: Option<u16>) -> String {
    let path = route.and_then(|route| route.split_once(' ')).map(|(_, path)| path);
    let path = path.unwrap_or_else(|| shown.path.split('?').next().unwrap_or_default());
    let mut name = shown.method.to_ascii_lowercase();
    for word in path.split(|it: char| !it.is_ascii_alphanumeric()).filter(|it| !it.is_empty()) {
        name.push('_');
        for (index, character) in word.chars().enumerate() {
            if character.is_ascii_uppercase() && index > 0 {
                name.push('_');
            }
            name.push(character.to_ascii_lowercase());
        }
    }
    name.retain(|it| it.is_ascii_alphanumeric() || it == '_');
    let end = status.map_or_else(|| "_is_answered".to_owned(), |status| format!("_is_{status}"));
    name.truncate(NAME_MAX - end.len());
    name + &end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_a_test_with_variables_for_secrets() {
        let headers = [
            ("authorization", "Bearer abcdef"),
            ("content-type", "application/json"),
            ("idempotency-key", "k-1"),
        ];
        let body = r#"{"password":"hush-hush","note":"a \"b\"","big":3000000000,"list":[1,null]}"#;
        let shown = Shown::sample("POST", "/orders?dry=1", &headers, body);

        let expected = r#"// `SUITE` is the `testkit::Suite` of your service.
#[tokio::test]
async fn post_orders_is_409() {
    let api = SUITE.shared_platform().await;
    let token = &std::env::var("TOKEN").expect("TOKEN");
    let password = &std::env::var("PASSWORD").expect("PASSWORD");

    let response = api
        .post("/orders?dry=1", &serde_json::json!({
        "big": 3000000000_i64,
        "list": [
            1,
            null,
        ],
        "note": "a \"b\"",
        "password": password,
    }))
        .token(token)
        .key("k-1")
        .send()
        .await;

    assert_eq!(response.status, 409, "{response:?}");
}
"#;
        assert_eq!(test(&shown, Some("POST /orders"), Some(409)), expected);
    }

    #[test]
    fn a_document_that_no_value_expresses_is_a_text() {
        let headers = [("content-type", "application/json")];
        for body in [r#"{"n": 123456789012345678901}"#, r#"{"a": 1, "a": 2}"#] {
            let source = test(&Shown::sample("POST", "/a", &headers, body), None, None);
            assert!(source.contains(&format!(".body(r#\"{body}\"#)")), "{source}");
            assert!(source.contains(".header(\"content-type\", \"application/json\")"), "{source}");
        }
    }

    #[test]
    fn other_bodies_are_texts_and_a_name_has_at_most_70_characters() {
        let headers = [("content-type", "text/plain")];
        let source = test(&Shown::sample("PUT", "/a", &headers, "a \"#b\""), None, None);
        assert!(source.contains(".call(http::Method::PUT, \"/a\")"), "{source}");
        assert!(source.contains(".body(r##\"a \"#b\"\"##)"), "{source}");
        assert!(source.contains(".header(\"content-type\", \"text/plain\")"), "{source}");
        let source = test(&Shown::sample("PUT", "/a", &headers, "token=abc123 {x}"), None, None);
        assert!(source.contains(".body(format!(\"token={secret} {{x}}\"))"), "{source}");

        let route = format!("GET /{}/{{orderId}}", "long".repeat(30));
        let source = test(&Shown::sample("GET", "/a", &[], ""), Some(&route), Some(200));
        let name = source.split("async fn ").nth(1).unwrap().split('(').next().unwrap();
        assert_eq!((name.len(), name.ends_with("_is_200")), (NAME_MAX, true), "{name}");
    }
}
