//! Stage 1: the method and the path template of an endpoint.

use std::collections::HashMap;

use http::Method;

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
    /// its stage.
    pub(crate) fn find(&self, place: &Place<'_>) -> Option<Found> {
        let key = place.route_key.and_then(|key| key.split_once(' '));
        match key.map(|(_, path)| path).filter(|path| !path.contains("+}")) {
            Some(path) if path.trim_end_matches('/') == self.path.trim_end_matches('/') => {
                let prefix = self.prefix_of(place).unwrap_or_default().to_owned();
                Some(Found { prefix, parameters: None })
            }
            Some(_) => None,
            None => self.find_by_path(place),
        }
    }

    fn find_by_path(&self, place: &Place<'_>) -> Option<Found> {
        if let Some(parameters) = self.parameters_of(place.path) {
            return Some(Found { prefix: String::new(), parameters: Some(parameters) });
        }
        let prefix = format!("/{}", place.stage?);
        let rest = place.path.strip_prefix(&prefix).filter(|rest| rest.starts_with('/'))?;
        Some(Found { parameters: Some(self.parameters_of(rest)?), prefix })
    }

    /// The parameters of a path that matches this route: one non-empty segment each.
    fn parameters_of(&self, path: &str) -> Option<HashMap<String, String>> {
        let mut given = path.trim_end_matches('/').split('/');
        let mut parameters = HashMap::new();
        for wanted in self.path.trim_end_matches('/').split('/') {
            let given = given.next()?;
            match name_of(wanted) {
                Some(name) if !given.is_empty() => {
                    parameters.insert(name.to_owned(), given.to_owned());
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

/// The parts of API Gateway's event that the route is matched against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) route_key: Option<&'a str>,
    pub(crate) stage: Option<&'a str>,
    pub(crate) path: &'a str,
    pub(crate) parameters: &'a HashMap<String, String>,
}

/// The result of a match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The part of the public path before the route, a stage or a base path: `/v1`.
    pub(crate) prefix: String,
    /// The parameters, unless API Gateway supplied them.
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
        let place = Place { route_key, stage: Some(stage), path, parameters: &parameters };
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
}
