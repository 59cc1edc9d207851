//! Stage 1: the method and the path template of an endpoint.

use std::borrow::Cow;
use std::collections::HashMap;

use http::Method;
use percent_encoding::percent_decode_str;

/// A method and a path template: `GET /users/{userId}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path template; a parameter is `{name}`.
    pub path: &'static str,
}

impl Route {
    /// A route for `GET`.
    pub const fn get(path: &'static str) -> Self {
        Self { method: Method::GET, path }
    }

    /// A route for `POST`.
    pub const fn post(path: &'static str) -> Self {
        Self { method: Method::POST, path }
    }

    /// A route for `PUT`.
    pub const fn put(path: &'static str) -> Self {
        Self { method: Method::PUT, path }
    }

    /// A route for `PATCH`.
    pub const fn patch(path: &'static str) -> Self {
        Self { method: Method::PATCH, path }
    }

    /// A route for `DELETE`.
    pub const fn delete(path: &'static str) -> Self {
        Self { method: Method::DELETE, path }
    }

    /// The names of the parameters in the path, in its order.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(name_of)
    }

    /// Matches a request against this route.
    ///
    /// API Gateway has matched it already and names the route key, so that a stage or a base path
    /// before the path does not matter. With `$default` or a greedy route the path decides, without
    /// its stage. With a greedy route also without its base path.
    pub(crate) fn find(&self, place: &Place<'_>) -> Option<Found> {
        let key = place.route_key.and_then(|key| key.split_once(' '));
        match key.map(|(_, path)| path) {
            Some(path) if path.ends_with("+}") => {
                self.find_by_greedy(path, place).or_else(|| self.find_by_path(place))
            }
            Some(path) if path.trim_end_matches('/') == self.path.trim_end_matches('/') => {
                Some(self.find_by_key(place))
            }
            Some(_) => None,
            None => self.find_by_path(place),
        }
    }

    /// The parameters of a request that the gateway has matched with this template. Those in the
    /// event are kept if the path is decoded: a `/` in a value is then like any other.
    fn find_by_key(&self, place: &Place<'_>) -> Found {
        let are_given = self.parameters().all(|name| place.parameters.contains_key(name));
        let at_end = if are_given && !place.is_encoded { None } else { self.find_at_end(place) };
        at_end.unwrap_or_else(|| {
            let prefix = self.prefix_of(place).unwrap_or_default().to_owned();
            Found { prefix, parameters: None }
        })
    }

    /// Matches the last segments of the path.
    fn find_at_end(&self, place: &Place<'_>) -> Option<Found> {
        let path = place.path.trim_end_matches('/');
        let count = self.path.split('/').filter(|segment| !segment.is_empty()).count();
        let start = match count.checked_sub(1) {
            Some(before) => path.rmatch_indices('/').nth(before)?.0,
            None => path.len(),
        };
        let (prefix, rest) = path.split_at(start);
        let parameters = Some(self.parameters_of(rest, place.is_encoded)?);
        Some(Found { prefix: prefix.to_owned(), parameters })
    }

    /// Matches the part of the path that a greedy route like `/{proxy+}` has captured.
    fn find_by_greedy(&self, key: &str, place: &Place<'_>) -> Option<Found> {
        let (before, name) = key.strip_suffix("+}")?.rsplit_once('{')?;
        let captured = place.parameters.get(name)?;
        let prefix = place.path.strip_suffix(captured.as_str())?.strip_suffix(before)?;
        let (_, rest) = place.path.split_at(prefix.len());
        let parameters = Some(self.parameters_of(rest, place.is_encoded)?);
        Some(Found { prefix: prefix.to_owned(), parameters })
    }

    fn find_by_path(&self, place: &Place<'_>) -> Option<Found> {
        if let Some(parameters) = self.parameters_of(place.path, place.is_encoded) {
            return Some(Found { prefix: String::new(), parameters: Some(parameters) });
        }
        let prefix = format!("/{}", place.stage?);
        let rest = place.path.strip_prefix(&prefix).filter(|rest| rest.starts_with('/'))?;
        Some(Found { parameters: Some(self.parameters_of(rest, place.is_encoded)?), prefix })
    }

    /// The parameters of a path that matches this route: one non-empty segment each. A segment with
    /// invalid encoding stays as it is.
    fn parameters_of(&self, path: &str, is_encoded: bool) -> Option<HashMap<String, String>> {
        let mut given = path.trim_end_matches('/').split('/').map(|segment| {
            let decoded = is_encoded.then(|| percent_decode_str(segment).decode_utf8().ok());
            decoded.flatten().unwrap_or(Cow::Borrowed(segment))
        });
        let mut parameters = HashMap::new();
        for wanted in self.path.trim_end_matches('/').split('/') {
            let given = given.next()?;
            match name_of(wanted) {
                Some(name) if !given.is_empty() => {
                    parameters.insert(name.to_owned(), given.into_owned());
                }
                None if wanted == given => {}
                _ => return None,
            }
        }
        given.next().is_none().then_some(parameters)
    }

    /// The part of the path before the route; `None` if the end of the path does not match the
    /// route with its parameters.
    fn prefix_of<'a>(&self, place: &Place<'a>) -> Option<&'a str> {
        let mut rest = place.path.trim_end_matches('/');
        let segments = self.path.trim_matches('/').rsplit('/').filter(|wanted| !wanted.is_empty());
        for wanted in segments {
            let (before, segment) = rest.rsplit_once('/')?;
            let expected = match name_of(wanted) {
                Some(name) => place.parameters.get(name)?,
                None => wanted,
            };
            if segment != expected {
                return None;
            }
            rest = before;
        }
        Some(rest)
    }
}

/// The parts of an event that the route is matched against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) route_key: Option<&'a str>,
    pub(crate) stage: Option<&'a str>,
    pub(crate) path: &'a str,
    /// Whether the path is percent-encoded.
    pub(crate) is_encoded: bool,
    /// The parameters that the gateway has found with its own route.
    pub(crate) parameters: &'a HashMap<String, String>,
}

/// The result of a match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The part of the public path before the route, a stage or a base path: `/v1`.
    pub(crate) prefix: String,
    /// The parameters, decoded, unless API Gateway supplied them.
    pub(crate) parameters: Option<HashMap<String, String>>,
}

/// The name of a segment that is a parameter.
fn name_of(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(route_key: Option<&str>, stage: &str, path: &str) -> Option<(String, bool)> {
        let parameters = HashMap::from([("userId".to_owned(), "1".to_owned())]);
        let (stage, parameters) = (Some(stage), &parameters);
        let place = Place { route_key, stage, path, is_encoded: false, parameters };
        let found = Route::get("/users/{userId}").find(&place)?;
        Some((found.prefix, found.parameters.is_some()))
    }

    #[test]
    fn a_parameter_matches_one_segment_that_is_not_empty() {
        for (path, matches) in [
            ("/users/1", true),
            ("/users/1/", true),
            ("/users/", false),
            ("/users", false),
            ("/users/1/orders", false),
            ("/orders/1", false),
            ("//1", false),
            ("", false),
        ] {
            assert_eq!(find(None, "$default", path).is_some(), matches, "{path}");
            assert_eq!(find(Some("$default"), "$default", path).is_some(), matches, "{path}");
        }
    }

    #[test]
    fn a_route_is_matched_by_its_key_and_the_rest_is_its_prefix() {
        let key = Some("GET /users/{userId}");
        for (path, prefix) in [
            ("/users/1", ""),
            ("/users/1/", ""),
            ("/v1/users/1", "/v1"),
            ("/prod/users/1", "/prod"),
            ("/a/b/users/1", "/a/b"),
            // The end of the path does not match the route: there is no prefix.
            ("/users/2", ""),
            ("/elsewhere", ""),
        ] {
            assert_eq!(find(key, "$default", path), Some((prefix.to_owned(), false)), "{path}");
        }
        let any = Some("ANY /users/{userId}");
        assert_eq!(find(any, "prod", "/prod/users/1"), Some(("/prod".to_owned(), false)));
        assert_eq!(find(Some("GET /orders/{orderId}"), "$default", "/users/1"), None);
    }

    #[test]
    fn a_greedy_route_is_matched_by_the_path_without_its_stage() {
        for key in [None, Some("$default"), Some("ANY /{proxy+}")] {
            let found = find(key, "prod", "/prod/users/1");
            assert_eq!(found, Some(("/prod".to_owned(), true)), "{key:?}");
            assert_eq!(find(key, "prod", "/users/1"), Some((String::new(), true)), "{key:?}");
            assert_eq!(find(key, "prod", "/v1/users/1"), None, "{key:?}");
            assert_eq!(find(key, "prod", "/production/users/1"), None, "{key:?}");
        }
    }

    #[test]
    fn parameters_of_an_encoded_path_are_its_own_and_decoded_once() {
        let given = HashMap::from([("userId".to_owned(), "other".to_owned())]);
        let key = Some("GET /users/{userId}");
        for (route_key, path, prefix, user_id) in [
            (key, "/users/a%2Fb", "", "a/b"),
            (key, "/prod/users/a%20b/", "/prod", "a b"),
            (key, "/v1/users/%2540", "/v1", "%40"),
            (None, "/users/%C3%A4", "", "ä"),
            (None, "/prod/users/1", "/prod", "1"),
            // Invalid encoding stays as it is.
            (None, "/users/%FF", "", "%FF"),
            (None, "/users/100%", "", "100%"),
        ] {
            let stage = Some("prod");
            let place = Place { route_key, stage, path, is_encoded: true, parameters: &given };
            let found = Route::get("/users/{userId}").find(&place).unwrap();
            let parameters = HashMap::from([("userId".to_owned(), user_id.to_owned())]);
            let expected = Found { prefix: prefix.to_owned(), parameters: Some(parameters) };
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn parameters_that_an_event_lacks_are_read_from_the_end_of_its_path() {
        let given = HashMap::new();
        let place = Place {
            route_key: Some("GET /users/{userId}"),
            stage: Some("$default"),
            path: "/v1/users/7",
            is_encoded: false,
            parameters: &given,
        };
        let found = Route::get("/users/{userId}").find(&place).unwrap();
        assert_eq!((found.prefix.as_str(), &found.parameters.unwrap()["userId"][..]), ("/v1", "7"));
        let root = Place { route_key: Some("GET /"), path: "/v1/", ..place };
        assert_eq!(Route::get("/").find(&root).unwrap().prefix, "/v1");
    }

    #[test]
    fn a_greedy_route_is_matched_by_its_captured_part_behind_a_base_path() {
        for (key, captured, path, prefix) in [
            ("ANY /{proxy+}", "users/7", "/v1/users/7", Some("/v1")),
            ("ANY /{proxy+}", "users/7", "/users/7", Some("")),
            ("ANY /users/{rest+}", "7", "/v1/users/7", Some("/v1")),
            ("ANY /{proxy+}", "orders/7", "/v1/orders/7", None),
        ] {
            let name = if key.contains("rest") { "rest" } else { "proxy" };
            let parameters = &HashMap::from([(name.to_owned(), captured.to_owned())]);
            let stage = Some("$default");
            let place = Place { route_key: Some(key), stage, path, is_encoded: false, parameters };
            let found = Route::get("/users/{userId}").find(&place);
            assert_eq!(found.map(|found| found.prefix).as_deref(), prefix, "{key} {path}");
        }
    }
}
