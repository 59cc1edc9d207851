//! The cookies of a request.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use http::header;

use super::notes::Place;
use super::readable::Readable;
use super::{Input, Schemas, keep, read};
use crate::error::{FieldErrors, RequestError};
use crate::http::Request;
use crate::route::Route;

/// Cookies, by their names; unknown cookies are ignored.
///
/// Values are not decoded: RFC 6265 defines no encoding (4.1.1). Of cookies with one name the first
/// counts, which is the one with the longest path (5.4). Field errors have places like
/// `cookie.theme`.
///
/// A cookie is no credential here: stage 2 reads authorizers and `Authorization` only, so that no
/// other site can make a browser act as the caller.
#[derive(Debug)]
pub struct Cookies<C>(PhantomData<C>);

impl<C: Readable> Input for Cookies<C> {
    type Value = C;

    fn read(
        request: &Request,
        _: &Route,
        field_errors: &mut FieldErrors,
    ) -> Result<Option<Self::Value>, RequestError> {
        let mut cookies = BTreeMap::new();
        for line in request.headers.get_all(header::COOKIE) {
            for cookie in line.as_bytes().split(|byte| *byte == b';') {
                let mut parts = cookie.trim_ascii().splitn(2, |byte| *byte == b'=');
                let name = parts.next().and_then(|name| std::str::from_utf8(name).ok());
                if let (Some(name), Some(value)) = (name, parts.next()) {
                    cookies.entry(name).or_insert(std::str::from_utf8(value).ok());
                }
            }
        }
        Ok(keep(read::pairs(Place::Cookies, cookies.into_iter()), field_errors))
    }

    fn describe(_: &Route, schemas: &mut Schemas) {
        schemas.cookies = Some(schemars::schema_for!(C));
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, PartialEq, eserde::Deserialize, JsonSchema)]
    struct Seen {
        visits: u8,
        #[serde(default)]
        theme: Option<String>,
    }

    const ROUTE: Route = Route::get("/");

    fn read(event: Value) -> (Option<Seen>, FieldErrors) {
        let request = Request::from_event(event.to_string().as_bytes(), &ROUTE).unwrap();
        let mut field_errors = FieldErrors::none();
        let value = Cookies::<Seen>::read(&request, &ROUTE, &mut field_errors).unwrap();
        (value, field_errors)
    }

    fn with_cookies(cookies: &[&str]) -> (Option<Seen>, FieldErrors) {
        read(json!({
            "rawPath": "/", "cookies": cookies,
            "requestContext": { "http": { "method": "GET", "sourceIp": "192.0.2.1" } },
        }))
    }

    #[test]
    fn cookies_are_read_by_name_and_the_first_of_a_name_counts() {
        let seen = |theme: Option<&str>| Some(Seen { visits: 3, theme: theme.map(str::to_owned) });
        for (cookies, expected) in [
            (&["visits=3"][..], seen(None)),
            (&["visits=3", "theme=a=b%20"], seen(Some("a=b%20"))),
            (&["other=\u{e4}", "visits=3", "theme=x", "theme=y"], seen(Some("x"))),
            (&["flag", "visits=3", "theme="], seen(Some(""))),
        ] {
            assert_eq!(with_cookies(cookies).0, expected, "{cookies:?}");
        }
        let rest = read(json!({
            "httpMethod": "GET", "path": "/", "resource": "/", "requestContext": {},
            "multiValueHeaders": { "Cookie": ["visits=3; theme=x"] },
        }));
        assert_eq!(rest.0, seen(Some("x")));
    }

    #[test]
    fn cookies_are_described() {
        let mut schemas = Schemas::default();
        Cookies::<Seen>::describe(&ROUTE, &mut schemas);
        let described = serde_json::to_value(schemas).unwrap();
        assert_eq!(described["cookies"]["required"], json!(["visits"]));
    }

    #[test]
    fn a_wrong_or_missing_cookie_is_a_field_error_with_its_name() {
        for cookies in [&["visits=many"][..], &["theme=x"], &[]] {
            let (value, field_errors) = with_cookies(cookies);
            let fields: Vec<&str> = field_errors.iter().map(|found| &found.field[..]).collect();
            assert_eq!((value, fields), (None, vec!["cookie.visits"]), "{cookies:?}");
        }
    }
}
